//! What the sandbox costs: the same plugin code as a component in wasm and compiled for this machine, on the same store, in
//! the same process, in turns. A value is wasm time over native time.
//!
//! The wasm side is what production runs: a session of the runtime, with its limits, a frozen state after each turn, and
//! instances from the pool. The native side calls the plugin's functions directly, and the stand-in's calls go straight to
//! the store (`waxwing_sdk_harness`). Sockets are left out of both, and all is
//! on one thread: on a server a session and what it calls share a worker, and nothing waits for another to wake up.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use waxwing_exmdb::Body;
use waxwing_plugin_imap::Imap;
use waxwing_sdk::{
    stream::{Action, Context, Event},
    testing::{Driver, Native, context},
};
use waxwing_sdk_harness::{Component, House, InWasm, PASSWORD, USERS};

use crate::{
    message::message,
    row::{Row, Wanted, median},
    server::Built,
};

/// `sandbox …`
#[derive(Debug, Args)]
pub(crate) struct Sandbox {
    #[command(flatten)]
    wanted: Wanted,
    /// Messages in the folder.
    #[arg(long, default_value_t = 10_000)]
    messages: usize,
    /// Rounds of each row; the medians count.
    #[arg(long, default_value_t = 15)]
    rounds: usize,
}

/// A row: what a client says, with everything before it unmeasured.
struct Measure {
    name: &'static str,
    command: &'static str,
    /// Commands in a round.
    times: usize,
    /// Whether each is said on a connection of its own, whose opening counts.
    fresh: bool,
}

const ROWS: &[Measure] = &[
    Measure {
        name: "sandbox_login",
        command: "",
        times: 50,
        fresh: true,
    },
    Measure {
        name: "sandbox_fetch_flags",
        command: "FETCH 1:* (FLAGS)",
        times: 1,
        fresh: false,
    },
    Measure {
        name: "sandbox_fetch_body",
        command: "FETCH 1:200 (BODY.PEEK[])",
        times: 1,
        fresh: false,
    },
    Measure {
        name: "sandbox_search",
        command: "SEARCH SUBJECT \"nowhere to be found\" UNSEEN",
        times: 1,
        fresh: false,
    },
];

/// Octets of a message.
const MESSAGE: usize = 8_000;

impl Sandbox {
    pub(crate) fn run(self, built: &Built) -> Result<()> {
        let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        self.wanted.check(&names)?;
        self.wanted.progress("filling a store");
        let house = House::on_one_thread()?;
        house.load(&Component::at(&built.packages.join("imap")))?;
        house.answer_natively();
        house.wait_for(fill(&house, self.messages))?;
        self.wanted.head();
        for row in ROWS.iter().filter(|row| self.wanted.wants(row.name)) {
            self.wanted.progress(row.name);
            let (mut wasm, mut native) = (Vec::new(), Vec::new());
            for round in 0..=self.rounds {
                let one = measure(row, || InWasm::new(&house))?;
                let other = measure(row, Native::<Imap>::new)?;
                // The first is told which messages are recent.
                if round > 0 && one.octets != other.octets {
                    let (one, other) = (one.octets, other.octets);
                    bail!("{}: {one} octets in wasm, {other} native", row.name);
                }
                // The first warms both.
                if round > 0 {
                    wasm.push(one.time.as_secs_f64());
                    native.push(other.time.as_secs_f64());
                }
            }
            let (wasm, native) = (median(wasm), median(native));
            self.wanted.progress(&format!(
                "{}: {:.3} ms in wasm, {:.3} ms native",
                row.name,
                wasm * 1_000.0 / row.times as f64,
                native * 1_000.0 / row.times as f64
            ));
            self.wanted
                .show(&Row::alone(row.name, wasm / native, "wasm/native"));
        }
        Ok(())
    }
}

async fn fill(house: &House, messages: usize) -> Result<()> {
    let user = USERS.first().context("no user")?;
    let services = house.services();
    let user = services.directory.user(user).await?;
    let guid = user.mailbox.parse().ok().context("no mailbox id")?;
    let mailbox = services.store.mailbox(guid).await?;
    let folders = mailbox.folders().await?;
    let inbox = folders.iter().find(|folder| folder.name == "INBOX");
    let inbox = inbox.or_else(|| folders.iter().find(|folder| folder.role as u32 == 1));
    let inbox = inbox.context("no inbox")?.id;
    for first in (0..messages).step_by(200) {
        let batch = first..(first + 200).min(messages);
        let mails = batch.map(|number| waxwing_exmdb::NewMail {
            message: Body::from_bytes(message(number, MESSAGE).into()),
            flags: waxwing_exmdb::ItemFlags(0),
            keywords: Vec::new(),
            internal_date: None,
        });
        mailbox.append(inbox, mails.collect()).await?;
    }
    Ok(())
}

/// A round, and what came out of it: the same on both sides, or they did not do the same.
struct Round {
    time: Duration,
    octets: u64,
}

fn measure<D: Driver>(row: &Measure, driver: impl Fn() -> D) -> Result<Round> {
    let mut octets = 0;
    if row.fresh {
        let began = Instant::now();
        for _ in 0..row.times {
            octets += logged_in(driver())?.octets;
        }
        let time = began.elapsed();
        return Ok(Round { time, octets });
    }
    let mut client = logged_in(driver())?;
    client.command("SELECT INBOX")?;
    client.octets = 0;
    let began = Instant::now();
    for _ in 0..row.times {
        client.command(row.command)?;
    }
    let time = began.elapsed();
    octets += client.octets;
    Ok(Round { time, octets })
}

fn logged_in<D: Driver>(driver: D) -> Result<Client<D>> {
    let mut client = Client::open(driver)?;
    let user = USERS.first().context("no user")?;
    client.command(&format!("LOGIN {user} \"{PASSWORD}\""))?;
    Ok(client)
}

/// The host's and the client's part of a connection in one.
struct Client<D> {
    driver: D,
    /// Octets that came out.
    octets: u64,
}

impl<D: Driver> Client<D> {
    fn open(mut driver: D) -> Result<Client<D>> {
        let context = Context {
            protocol: "imap".into(),
            ..context()
        };
        driver.start(&context).map_err(anyhow::Error::msg)?;
        Ok(Client { driver, octets: 0 })
    }

    /// Says a line and takes the answer, page by page.
    fn command(&mut self, command: &str) -> Result<()> {
        let mut event = Event::Input(format!("x {command}\r\n").into());
        loop {
            let turn = self.driver.handle(event).map_err(anyhow::Error::msg)?;
            let (mut more, mut end) = (false, Vec::new());
            for action in turn.actions {
                match action {
                    Action::Send(octets) => {
                        self.octets += octets.len() as u64;
                        end = octets;
                    }
                    Action::SendBody(range) => self.octets += range.length,
                    Action::More => more = true,
                    _ => {}
                }
            }
            if !more {
                let text = String::from_utf8_lossy(&end);
                if text.lines().any(|line| line.starts_with("x OK")) {
                    return Ok(());
                }
                bail!("{command} was answered with {text}");
            }
            event = Event::Drained;
        }
    }
}
