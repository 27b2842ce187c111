//! Families of benchmarks. A new one is a file (or a folder, with a file for each row) and a line in [`Family`].

mod big;
mod dav;
mod echo;
mod idle;
mod mail;
mod mailboxes;
mod neighbours;
mod parked;
mod sandbox;
mod swap;

use anyhow::Result;
use clap::Subcommand;

use crate::server::Built;

#[derive(Debug, Subcommand)]
pub(crate) enum Family {
    /// Mail, beside Dovecot: log-in, APPEND, LMTP, FETCH, SELECT, SEARCH, SORT, STORE, COPY.
    Mail(mail::Mail),
    /// Calendars, beside Radicale: synchronisation, PUT, a week of recurring events.
    Dav(dav::Dav),
    /// What an IMAP session notices of a hostile plugin: its 99th percentile beside one that spins, eats memory, floods.
    Neighbours(neighbours::Neighbours),
    /// A folder of 400,000 messages: SELECT cold and warm, flags of all, resynchronising, memory.
    Big(big::Big),
    /// From 10 to 10,000 mailboxes: CPU time and memory for each, and files and threads with 1,000 in use at once.
    Mailboxes(mailboxes::Mailboxes),
    /// Clients that wait: memory for each, and how long one takes to wake.
    Idle(idle::Idle),
    /// The imap plugin replaced under load: what is dropped or torn, and how long anybody waits for it.
    Swap(swap::Swap),
    /// What running a plugin in wasm costs over running it natively.
    Sandbox(sandbox::Sandbox),
    /// A peer of `idle`, as a process.
    #[command(hide = true)]
    Echo(echo::Echo),
    /// A part of `idle`, as a process.
    #[command(hide = true)]
    Parked(parked::Parked),
}

impl Family {
    pub(crate) async fn run(self, built: &Built) -> Result<()> {
        match self {
            Family::Mail(mail) => mail.run(built).await,
            Family::Dav(dav) => dav.run(built).await,
            Family::Neighbours(neighbours) => neighbours.run(built).await,
            Family::Big(big) => big.run(built).await,
            Family::Mailboxes(mailboxes) => mailboxes.run(built).await,
            Family::Idle(idle) => idle.run(built).await,
            Family::Swap(swap) => swap.run(built).await,
            Family::Sandbox(sandbox) => apart(|| sandbox.run(built)),
            Family::Echo(echo) => apart(|| echo.run()),
            Family::Parked(parked) => apart(|| parked.run()),
        }
    }
}

/// Runs what has a tokio of its own.
fn apart(work: impl FnOnce() -> Result<()> + Send) -> Result<()> {
    std::thread::scope(|scope| scope.spawn(work).join())
        .unwrap_or_else(|_| Err(anyhow::anyhow!("it broke")))
}
