//! One very large folder. What a client waits for there must come from memory (SELECT), be bounded by the socket (flags of
//! all), or cost as much as what changed (resynchronising), never as much as the folder.

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::mail::fill;
use crate::{
    client::imap::Imap,
    row::{Row, Wanted, median},
    server::{Built, PASSWORD, Settings, Waxwing, address},
};

const ROWS: &[&str] = &[
    "select_400k_cold_ms",
    "index_bytes_per_msg",
    "select_400k_ms",
    "fetch_flags_400k_msgs_per_s",
    "resync_100_of_400k_ms",
    "resync_10000_of_400k_ms",
    "session_bytes_400k",
];
const USER: &str = "big";
/// Octets of a message: the folder's size is in rows, not in bodies.
const MESSAGE: usize = 1_000;
/// Sessions whose memory is told.
const SESSIONS: usize = 100;

/// `big …`
#[derive(Debug, Args)]
pub(crate) struct Big {
    #[command(flatten)]
    wanted: Wanted,
    /// Messages in the folder.
    #[arg(long, default_value_t = 400_000)]
    messages: usize,
    /// Rounds of each row; the medians count.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

impl Big {
    pub(crate) async fn run(self, built: &Built) -> Result<()> {
        self.wanted.check(ROWS)?;
        let mut waxwing = Waxwing::start(built, &Settings::default(), &[USER.to_owned()])?;
        self.wanted
            .progress(&format!("filling a folder with {} messages", self.messages));
        fill::inbox(&waxwing.site, USER, self.messages, MESSAGE).await?;
        waxwing.restart()?;
        self.wanted.head();
        self.cold(&waxwing).await?;
        self.warm(&waxwing).await?;
        self.resync(&waxwing, 100, "resync_100_of_400k_ms").await?;
        self.resync(&waxwing, 10_000, "resync_10000_of_400k_ms")
            .await?;
        self.sessions(&waxwing).await
    }

    fn show(&self, name: &str, value: f64, unit: &'static str) {
        if self.wanted.wants(name) {
            self.wanted.show(&Row::alone(name, value, unit));
        }
    }

    /// The first SELECT after a start, and what it makes the server keep.
    async fn cold(&self, waxwing: &Waxwing) -> Result<()> {
        let mut client = login(waxwing).await?;
        let before = waxwing.resident()?;
        let cold = select(&mut client).await?;
        let grown = waxwing.resident()?.saturating_sub(before);
        self.show("select_400k_cold_ms", cold, "ms");
        let each = grown as f64 / self.messages as f64;
        self.show("index_bytes_per_msg", each, "bytes");
        Ok(())
    }

    async fn warm(&self, waxwing: &Waxwing) -> Result<()> {
        let mut client = login(waxwing).await?;
        let (mut selects, mut fetches) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            selects.push(select(&mut client).await?);
            let started = Instant::now();
            let answer = client.command("FETCH 1:* (FLAGS)").await?;
            fetches.push(self.messages as f64 / started.elapsed().as_secs_f64());
            ensure!(answer.untagged == self.messages, "{answer:?}");
        }
        self.show("select_400k_ms", median(selects), "ms");
        self.show("fetch_flags_400k_msgs_per_s", median(fetches), "1/s");
        Ok(())
    }

    /// Changes some messages in one session; the other asks for what changed since it looked.
    async fn resync(&self, waxwing: &Waxwing, changes: usize, name: &str) -> Result<()> {
        let changes = changes.min(self.messages);
        let (mut writer, mut reader) = (login(waxwing).await?, login(waxwing).await?);
        select(&mut writer).await?;
        let mut times = Vec::new();
        for round in 0..self.rounds {
            let known = highest_modseq(&mut reader).await?;
            let sign = if round % 2 == 0 { '+' } else { '-' };
            let change = format!("STORE 1:{changes} {sign}FLAGS.SILENT (\\Answered)");
            writer.command(&change).await?;
            let started = Instant::now();
            let fetch = format!("UID FETCH 1:* (FLAGS) (CHANGEDSINCE {known})");
            let answer = reader.command(&fetch).await?;
            times.push(started.elapsed().as_secs_f64() * 1000.0);
            ensure!(answer.untagged >= changes, "{answer:?}");
        }
        self.show(name, median(times), "ms");
        Ok(())
    }

    /// What a session with the folder selected costs.
    async fn sessions(&self, waxwing: &Waxwing) -> Result<()> {
        let before = waxwing.resident()?;
        let mut held = Vec::with_capacity(SESSIONS);
        for _ in 0..SESSIONS {
            let mut client = login(waxwing).await?;
            select(&mut client).await?;
            held.push(client);
        }
        let grown = waxwing.resident()?.saturating_sub(before);
        self.show(
            "session_bytes_400k",
            grown as f64 / SESSIONS as f64,
            "bytes",
        );
        Ok(())
    }
}

async fn login(waxwing: &Waxwing) -> Result<Imap> {
    Imap::login(waxwing.site.imap, &address(USER), PASSWORD).await
}

/// Milliseconds.
async fn select(client: &mut Imap) -> Result<f64> {
    let started = Instant::now();
    client.command("SELECT INBOX").await?;
    Ok(started.elapsed().as_secs_f64() * 1000.0)
}

async fn highest_modseq(client: &mut Imap) -> Result<u64> {
    let mut found = None;
    client
        .command_showing("SELECT INBOX (CONDSTORE)", |line| {
            let line = String::from_utf8_lossy(line);
            let number = line.strip_prefix("* OK [HIGHESTMODSEQ ");
            if let Some((number, _)) = number.and_then(|rest| rest.split_once(']')) {
                found = number.parse().ok();
            }
        })
        .await?;
    found.context("no HIGHESTMODSEQ")
}
