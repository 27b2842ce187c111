//! Many mailboxes. One that nobody uses must cost next to nothing, one in use the same whatever the number of others, and all in
//! use at once no more files and threads than `store.max_open` allows.
//!
//! One server grows from ten mailboxes to the most. At each size a client takes mailboxes at random: deliver by LMTP, log in,
//! SELECT, FETCH the newest, log out; what counts is the server's CPU time (user and system), which other work on the machine
//! disturbs less than the clock. The password's hash is the cheapest there is: with the default it would be most of the figure.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use super::idle::idle;
use crate::{
    client::{
        imap::Imap,
        lmtp::{Lmtp, stuffed},
    },
    message::message,
    row::{Row, Wanted},
    server::{Built, PASSWORD, Settings, Waxwing, address},
};

const OPEN_FILES: &str = "mailboxes_1000_open_files";
const DATABASE_FILES: &str = "mailboxes_1000_database_files";
const THREADS: &str = "mailboxes_1000_threads";
const SIZES: [(usize, &str, &str); 4] = [
    (10, "mailbox_cost_us_10", ""),
    (100, "mailbox_cost_us_100", ""),
    (1_000, "mailbox_cost_us_1000", "mailbox_resident_bytes_1000"),
    (
        10_000,
        "mailbox_cost_us_10000",
        "mailbox_resident_bytes_10000",
    ),
];
/// The size at which all are in use at once.
const ACTIVE: usize = 1_000;
/// Octets of a message.
const MESSAGE: usize = 4_000;
/// Of [`PASSWORD`], at the least cost.
const HASH: &str =
    "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$p15c/TOJ3ovY07sMZYG2VvFjxPpwKMT5GPQgPMRev2o";
/// Clock ticks in which the kernel counts CPU time (`USER_HZ`, the same on every machine that we run on).
const TICKS_PER_SECOND: f64 = 100.0;

/// `mailboxes …`
#[derive(Debug, Args)]
pub(crate) struct Mailboxes {
    #[command(flatten)]
    wanted: Wanted,
    /// Rounds of deliver, log in, select, fetch at each size.
    #[arg(long, default_value_t = 2_000)]
    operations: usize,
    /// The largest number of mailboxes.
    #[arg(long, default_value_t = 10_000)]
    most: usize,
    /// Mailboxes that may have an open database (`store.max_open`).
    #[arg(long, default_value_t = 256)]
    max_open: usize,
}

/// What the process holds.
#[derive(Debug, Default, Clone, Copy)]
struct Held {
    open_files: usize,
    database_files: usize,
    threads: usize,
}

impl Mailboxes {
    pub(crate) async fn run(self, built: &Built) -> Result<()> {
        let sizes = SIZES.iter().flat_map(|(_, cost, memory)| [*cost, *memory]);
        let rows: Vec<_> = [OPEN_FILES, DATABASE_FILES, THREADS]
            .into_iter()
            .chain(sizes.filter(|row| !row.is_empty()))
            .collect();
        self.wanted.check(&rows)?;
        self.wanted.head();
        let settings = Settings {
            configuration: format!("[store]\nmax_open = {}\n", self.max_open),
        };
        let waxwing = Waxwing::start(built, &settings, &[])?;
        let mut there = 0;
        for (size, cost_row, memory_row) in SIZES {
            if size > self.most {
                break;
            }
            self.wanted.progress(&format!("{size} mailboxes"));
            let resident = waxwing.resident()?;
            import(&waxwing, there..size)?;
            // Every mailbox was used once.
            deliver_to(&waxwing, there..size).await?;
            let grown = waxwing.resident()?.saturating_sub(resident) as f64;
            let grown = grown / (size - there) as f64;
            there = size;
            if !memory_row.is_empty() {
                self.show(memory_row, grown, "bytes");
            }
            if self.wanted.wants(cost_row) {
                let cost = self.cost(&waxwing, size).await?;
                self.show(cost_row, cost, "us");
            }
            if size == ACTIVE {
                self.all_at_once(&waxwing).await?;
            }
        }
        Ok(())
    }

    fn show(&self, name: &str, value: f64, unit: &'static str) {
        if self.wanted.wants(name) {
            self.wanted.show(&Row::alone(name, value, unit));
        }
    }

    /// Microseconds of the server's CPU time for a round on a mailbox taken at random.
    async fn cost(&self, waxwing: &Waxwing, size: usize) -> Result<f64> {
        let mut lmtp = Lmtp::connect(waxwing.site.lmtp).await?;
        let mut random = 0x2545_f491_4f6c_dd1d_u64;
        let before = cpu_seconds(waxwing)?;
        for number in 0..self.operations {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let user = user(usize::try_from(random >> 33)? % size);
            lmtp.deliver(&user, &stuffed(&message(number, MESSAGE)))
                .await?;
            let mut client = Imap::login(waxwing.site.imap, &user, PASSWORD).await?;
            client.command("SELECT INBOX").await?;
            client.command("FETCH * (FLAGS BODY.PEEK[])").await?;
            client.command("LOGOUT").await?;
        }
        let spent = cpu_seconds(waxwing)? - before;
        Ok(spent * 1e6 / self.operations as f64)
    }

    /// A session in each mailbox, waiting in IDLE as mail clients do, and two rounds of mail to all of them that each fetches.
    async fn all_at_once(&self, waxwing: &Waxwing) -> Result<()> {
        let rows = [OPEN_FILES, DATABASE_FILES, THREADS];
        if !rows.iter().any(|row| self.wanted.wants(row)) {
            return Ok(());
        }
        self.wanted
            .progress(&format!("{ACTIVE} mailboxes active at once"));
        let mut sessions = Vec::with_capacity(ACTIVE);
        for number in 0..ACTIVE {
            let mut client = Imap::login(waxwing.site.imap, &user(number), PASSWORD).await?;
            client.command("SELECT INBOX").await?;
            idle(&mut client).await?;
            sessions.push(client);
        }
        let mut most = Held::default();
        for _ in 0..2 {
            for (number, session) in sessions.iter_mut().enumerate() {
                if number % 100 == 0 {
                    deliver_to(waxwing, number..number + 100).await?;
                }
                session.send_line("DONE").await?;
                // What arrived is told before.
                while !session.line().await?.starts_with("i OK") {}
                session.command("FETCH * (FLAGS BODY.PEEK[])").await?;
                idle(session).await?;
                if number % 10 == 0 {
                    most = most.or_more(Held::of(waxwing)?);
                }
            }
        }
        self.show(OPEN_FILES, most.open_files as f64, "files");
        self.show(DATABASE_FILES, most.database_files as f64, "files");
        self.show(THREADS, most.threads as f64, "threads");
        Ok(())
    }
}

impl Held {
    fn of(waxwing: &Waxwing) -> Result<Held> {
        let process = PathBuf::from(format!("/proc/{}", waxwing.pid()));
        let mailboxes = waxwing.data().join("mailboxes");
        let mut held = Held {
            threads: fs::read_dir(process.join("task"))?.count(),
            ..Held::default()
        };
        for file in fs::read_dir(process.join("fd"))? {
            held.open_files += 1;
            // It may have been closed since.
            let target = fs::read_link(file?.path()).unwrap_or_default();
            held.database_files += usize::from(target.starts_with(&mailboxes));
        }
        Ok(held)
    }

    fn or_more(self, other: Held) -> Held {
        Held {
            open_files: self.open_files.max(other.open_files),
            database_files: self.database_files.max(other.database_files),
            threads: self.threads.max(other.threads),
        }
    }
}

fn user(number: usize) -> String {
    address(&format!("box{number}"))
}

fn import(waxwing: &Waxwing, numbers: std::ops::Range<usize>) -> Result<()> {
    let file = waxwing.data().join("users.txt");
    let lines: String = numbers
        .map(|number| format!("{}:{HASH}\n", user(number)))
        .collect();
    fs::write(&file, lines)?;
    let name = file.to_string_lossy().into_owned();
    waxwing.run(&["user", "add", "--from", &name]).map(drop)
}

async fn deliver_to(waxwing: &Waxwing, numbers: std::ops::Range<usize>) -> Result<()> {
    let mut lmtp = Lmtp::connect(waxwing.site.lmtp).await?;
    for number in numbers {
        lmtp.deliver(&user(number), &stuffed(&message(number, MESSAGE)))
            .await?;
    }
    Ok(())
}

/// User and system time of the process since it started.
fn cpu_seconds(waxwing: &Waxwing) -> Result<f64> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", waxwing.pid()))?;
    // The name, in brackets, may hold anything; behind it the fields are numbered from three.
    let (_, fields) = stat.rsplit_once(") ").context("/proc/PID/stat")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks =
        |place: usize| -> Result<f64> { Ok(fields.get(place).context("/proc/PID/stat")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND)
}
