//! A hundred thousand parked sessions without sockets: what the plugin's side of a waiting client costs, beyond the number
//! of connections that one machine has descriptors for.
//!
//! A runtime of our own in a process of its own (this very program again), with a store and two users. Every session logs
//! in, selects its inbox, says IDLE and parks, exactly as under a connection; the runtime cannot tell the difference. Some
//! are woken afterwards.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};
use waxwing_runtime::{Action, Context, Event, Runtime, Session, Turn};
use waxwing_sdk_harness::{Component, House, PASSWORD, USERS, connection};

use crate::{row::median, server::resident};

/// `parked …`: the child.
#[derive(Debug, Args)]
pub(crate) struct Parked {
    /// The folder of the imap plugin's package.
    package: PathBuf,
    /// Sessions.
    count: usize,
}

/// What the child found.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Found {
    /// For each session.
    pub(super) bytes: f64,
    /// From input to answer, the middle of some.
    pub(super) wake_ms: f64,
}

/// Runs the child.
pub(super) fn measure(package: &Path, count: usize) -> Result<Found> {
    let done = std::process::Command::new(std::env::current_exe()?)
        .args(["--server", "-", "--packages", "-", "parked"])
        .arg(package)
        .arg(count.to_string())
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !done.status.success() {
        bail!("the process with the parked sessions failed");
    }
    Ok(serde_json::from_slice(&done.stdout)?)
}

impl Parked {
    /// Prints what it found.
    pub(crate) fn run(self) -> Result<()> {
        let house = House::new()?;
        house.load(&Component::at(&self.package))?;
        let runtime = house.runtime()?;
        let found = house.wait_for(parked(&runtime, self.count))?;
        println!("{}", serde_json::to_string(&found)?);
        Ok(())
    }
}

async fn parked(runtime: &Runtime, count: usize) -> Result<Found> {
    const BEFORE: usize = 100;
    const WAKES: usize = 500;
    let mut sessions = Vec::with_capacity(count);
    for number in 0..BEFORE {
        sessions.push(idle(runtime, number).await?);
    }
    let before = resident(std::process::id())?;
    for number in BEFORE..count + BEFORE {
        sessions.push(idle(runtime, number).await?);
    }
    let after = resident(std::process::id())?;
    if let Some(live) = sessions.iter().position(|session| !session.is_parked()) {
        bail!("session {live} has an instance");
    }
    let mut times = Vec::with_capacity(WAKES);
    let step = (sessions.len() / WAKES).max(1);
    for session in sessions.iter_mut().step_by(step) {
        let began = Instant::now();
        say(session, "DONE").await?;
        times.push(began.elapsed().as_secs_f64() * 1_000.0);
    }
    Ok(Found {
        bytes: after.saturating_sub(before) as f64 / count.max(1) as f64,
        wake_ms: median(times),
    })
}

/// A session in IDLE, parked.
async fn idle(runtime: &Runtime, number: usize) -> Result<Session> {
    let context = Context {
        session: format!("{number:016x}").into(),
        protocol: "imap".into(),
        ..connection(&waxwing_sdk::testing::context())
    };
    let (mut session, _) = runtime.open(context).await?;
    let user = USERS.get(number % USERS.len()).context("no user")?;
    say(&mut session, &format!("a LOGIN {user} \"{PASSWORD}\"")).await?;
    say(&mut session, "b SELECT INBOX").await?;
    let turn = say(&mut session, "c IDLE").await?;
    if !turn
        .actions
        .iter()
        .any(|action| matches!(action, Action::Park))
    {
        bail!("IDLE did not park: {:?}", turn.actions);
    }
    session.park().await;
    Ok(session)
}

/// One line, and all turns of its answer.
async fn say(session: &mut Session, line: &str) -> Result<Turn> {
    let mut turn = session
        .handle(Event::Input(format!("{line}\r\n").into()))
        .await?;
    while turn
        .actions
        .iter()
        .any(|action| matches!(action, Action::More))
    {
        turn = session.handle(Event::Drained).await?;
    }
    Ok(turn)
}
