//! What a client costs that only waits: memory of the server for each connection in IDLE, in the clear and under TLS, and
//! how long the server takes to answer one when it speaks again.
//!
//! Memory is the growth of the process's resident set from a server that has served some clients before, so that what it
//! needs anyhow does not count; then everybody logs in, selects the inbox, says IDLE, and is given time to be frozen. The
//! peer is the least that a server on the same libraries can do: it echoes lines ([`super::echo`]). Waxwing's figure has a
//! logged-in user, a selected folder, a watch on it and the plugin's frozen state on top of that. Beside it stands Dovecot with
//! hibernation, by what its processes occupy together.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::{echo, parked};
use crate::{
    client::imap::Imap,
    row::{Better, Row, Wanted, median},
    server::{Built, Dovecot, PASSWORD, Settings, Waxwing, address},
};

/// `idle …`
#[derive(Debug, Args)]
pub(crate) struct Idle {
    #[command(flatten)]
    wanted: Wanted,
    /// Connections of the main rows.
    #[arg(long, default_value_t = 10_000)]
    connections: usize,
    /// Connections of the rows that end in `_few`.
    #[arg(long, default_value_t = 1_000)]
    few: usize,
    /// Users that the connections are shared out to.
    #[arg(long, default_value_t = 100)]
    users: usize,
    /// Clients that are woken, one after another.
    #[arg(long, default_value_t = 300)]
    wakes: usize,
    /// Parked sessions without sockets.
    #[arg(long, default_value_t = 100_000)]
    parked: usize,
    /// Measure Waxwing alone.
    #[arg(long)]
    no_peer: bool,
}

const PLAIN: &str = "idle_plain_bytes";
const PLAIN_FEW: &str = "idle_plain_bytes_few";
const TLS: &str = "idle_tls_bytes";
const TLS_FEW: &str = "idle_tls_bytes_few";
const DOVECOT: &str = "idle_plain_bytes_dovecot";
const PARKED: &str = "idle_parked_bytes";
const PARKED_WAKE: &str = "idle_parked_wake_ms";
const WAKE: &str = "idle_wake_ms";
const WAKE_P99: &str = "idle_wake_p99_ms";
const ROWS: &[&str] = &[
    PLAIN_FEW,
    PLAIN,
    WAKE,
    WAKE_P99,
    DOVECOT,
    TLS_FEW,
    TLS,
    PARKED,
    PARKED_WAKE,
];

/// Clients that come and go before anything is measured.
const BEFORE: usize = 50;
/// How long all may take to be frozen.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long Dovecot is given to hibernate everybody.
const HIBERNATED: Duration = Duration::from_secs(15);
/// After that, for what a server does a moment later.
const SETTLE: Duration = Duration::from_secs(3);

/// Octets for each connection.
struct Cost {
    few: f64,
    many: f64,
}

impl Idle {
    pub(crate) async fn run(self, built: &Built) -> Result<()> {
        self.wanted.check(ROWS)?;
        self.wanted.head();
        let wanted = |names: &[&str]| names.iter().any(|name| self.wanted.wants(name));
        if wanted(&[PLAIN_FEW, PLAIN, WAKE, WAKE_P99, DOVECOT]) {
            let (cost, waxwing, mut clients) = self.waxwing(built, false).await?;
            if wanted(&[WAKE, WAKE_P99]) {
                self.wake(&mut clients).await?;
            }
            // A process has descriptors for one such crowd.
            drop(clients);
            let peer = self.peer(&waxwing, false).await?;
            self.show([PLAIN_FEW, PLAIN], &cost, peer.as_ref());
            drop(waxwing);
            if self.wanted.wants(DOVECOT) && !self.no_peer {
                self.dovecot(cost.few).await?;
            }
        }
        if wanted(&[TLS_FEW, TLS]) {
            let (cost, waxwing, clients) = self.waxwing(built, true).await?;
            drop(clients);
            let peer = self.peer(&waxwing, true).await?;
            self.show([TLS_FEW, TLS], &cost, peer.as_ref());
        }
        if wanted(&[PARKED, PARKED_WAKE]) {
            self.wanted
                .progress(&format!("{} parked sessions without sockets", self.parked));
            let found = parked::measure(&built.packages.join("imap"), self.parked)?;
            self.show_alone(PARKED, found.bytes, "bytes");
            self.show_alone(PARKED_WAKE, found.wake_ms, "ms");
        }
        Ok(())
    }

    fn show_alone(&self, name: &str, value: f64, unit: &'static str) {
        if self.wanted.wants(name) {
            self.wanted.show(&Row::alone(name, value, unit));
        }
    }

    /// Beside Dovecot, whose idle connections are processes until they are hibernated.
    async fn dovecot(&self, ours: f64) -> Result<()> {
        self.wanted
            .progress(&format!("{} connections at dovecot", self.few));
        let users: Vec<String> = (0..self.users).map(user).collect();
        let dovecot = Dovecot::start_hibernating(&users)?;
        let mut clients = Vec::with_capacity(self.few);
        let connect = async |number: usize| -> Result<Imap> {
            let user = address(&user(number % self.users));
            let mut client = Imap::login(dovecot.site.imap, &user, PASSWORD).await?;
            client.command("SELECT INBOX").await?;
            idle(&mut client).await?;
            Ok(client)
        };
        for number in 0..BEFORE.max(self.users) {
            clients.push(connect(number).await?);
        }
        clients.clear();
        tokio::time::sleep(HIBERNATED).await;
        let before = dovecot.proportional()?;
        while clients.len() < self.few {
            clients.push(connect(clients.len()).await?);
        }
        tokio::time::sleep(HIBERNATED).await;
        let theirs = each(before, dovecot.proportional()?, self.few);
        self.wanted.show(&Row::alone(DOVECOT, ours, "bytes").beside(
            &dovecot.site.name,
            theirs,
            Better::Less,
        ));
        Ok(())
    }

    fn show(&self, [few, many]: [&str; 2], cost: &Cost, peer: Option<&Cost>) {
        let rows = [
            (few, cost.few, peer.map(|peer| peer.few)),
            (many, cost.many, peer.map(|peer| peer.many)),
        ];
        for (name, value, peer) in rows {
            if !self.wanted.wants(name) {
                continue;
            }
            let row = Row::alone(name, value, "bytes");
            self.wanted.show(&match peer {
                Some(peer) => row.beside(echo::NAME, peer, Better::Less),
                None => row,
            });
        }
    }

    async fn waxwing(&self, built: &Built, tls: bool) -> Result<(Cost, Waxwing, Vec<Imap>)> {
        self.wanted.progress("starting a server");
        let users: Vec<String> = (0..self.users).map(user).collect();
        let waxwing = Waxwing::start(built, &Settings::default(), &users)?;
        let at = if tls {
            waxwing.imaps
        } else {
            waxwing.site.imap
        };
        let mut clients = Vec::with_capacity(self.connections);
        for number in 0..BEFORE.max(self.users) {
            clients.push(self.client(&waxwing, at, number).await?);
        }
        clients.clear();
        frozen(&waxwing, 0).await?;
        let before = waxwing.resident()?;
        let mut measured = Vec::new();
        for count in [self.few, self.connections] {
            self.wanted.progress(&format!("{count} connections"));
            while clients.len() < count {
                clients.push(self.client(&waxwing, at, clients.len()).await?);
            }
            frozen(&waxwing, count).await?;
            measured.push(each(before, waxwing.resident()?, count));
        }
        Ok((cost(&measured), waxwing, clients))
    }

    /// A client in IDLE.
    async fn client(&self, waxwing: &Waxwing, at: SocketAddr, number: usize) -> Result<Imap> {
        let user = address(&user(number % self.users));
        let mut client = if at == waxwing.imaps {
            let mut client = Imap::connect_tls(at, &waxwing.authority()).await?;
            client
                .command(&format!("LOGIN {user} \"{PASSWORD}\""))
                .await?;
            client
        } else {
            Imap::login(at, &user, PASSWORD).await?
        };
        client.command("SELECT INBOX").await?;
        idle(&mut client).await?;
        Ok(client)
    }

    async fn peer(&self, waxwing: &Waxwing, tls: bool) -> Result<Option<Cost>> {
        if self.no_peer {
            return Ok(None);
        }
        self.wanted.progress("the same number at the echo server");
        let folder = waxwing.data().join("tls");
        let echo = echo::Child::start(tls.then_some(folder.as_path()))?;
        let authority = waxwing.authority();
        let mut clients = Vec::new();
        for _ in 0..BEFORE {
            clients.push(echo.client(&authority).await?);
        }
        clients.clear();
        tokio::time::sleep(SETTLE).await;
        let before = echo.resident()?;
        let mut measured = Vec::new();
        for count in [self.few, self.connections] {
            while clients.len() < count {
                clients.push(echo.client(&authority).await?);
            }
            tokio::time::sleep(SETTLE).await;
            measured.push(each(before, echo.resident()?, count));
        }
        Ok(Some(cost(&measured)))
    }

    /// From DONE to its answer, with everybody else asleep.
    async fn wake(&self, clients: &mut [Imap]) -> Result<()> {
        self.wanted.progress("waking some");
        let step = (clients.len() / self.wakes.max(1)).max(1);
        let mut times = Vec::with_capacity(self.wakes);
        for client in clients.iter_mut().step_by(step) {
            // Whoever waits is not woken by the one before him.
            tokio::time::sleep(Duration::from_millis(5)).await;
            let began = Instant::now();
            client.send_line("DONE").await?;
            let answer = client.line().await?;
            times.push(began.elapsed().as_secs_f64() * 1_000.0);
            if !answer.contains(" OK") {
                bail!("DONE was answered with {answer}");
            }
            idle(client).await?;
        }
        times.sort_by(f64::total_cmp);
        let late = times.get(times.len() * 99 / 100).copied();
        self.show_alone(WAKE, median(times), "ms");
        self.show_alone(WAKE_P99, late.unwrap_or(f64::NAN), "ms");
        Ok(())
    }
}

pub(super) async fn idle(client: &mut Imap) -> Result<()> {
    client.send_line("i IDLE").await?;
    let answer = client.line().await?;
    if !answer.starts_with('+') {
        bail!("IDLE was answered with {answer}");
    }
    Ok(())
}

fn user(number: usize) -> String {
    format!("idle{number}")
}

fn each(before: u64, after: u64, count: usize) -> f64 {
    after.saturating_sub(before) as f64 / count.max(1) as f64
}

fn cost(measured: &[f64]) -> Cost {
    let at = |place: usize| measured.get(place).copied().unwrap_or(f64::NAN);
    Cost {
        few: at(0),
        many: at(1),
    }
}

/// Waits until that many sessions are there and none has an instance.
async fn frozen(waxwing: &Waxwing, count: usize) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let rows = waxwing.run(&["plugin", "status", "--json"])?;
        let rows: Vec<serde_json::Value> =
            serde_json::from_str(&rows).context("waxwing plugin status --json")?;
        let sum = |key: &str| rows.iter().filter_map(|row| row[key].as_u64()).sum::<u64>();
        let (sessions, frozen) = (sum("sessions"), sum("frozen"));
        if sessions == count as u64 && frozen == sessions {
            break;
        }
        if Instant::now() > deadline {
            bail!("{sessions} sessions, {frozen} of them frozen, and not {count}");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    tokio::time::sleep(SETTLE).await;
    Ok(())
}
