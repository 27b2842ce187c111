//! Families of benchmarks. A new one is a file (or a folder, with a file for each row) and a line in [`Family`].

mod big;
mod mail;
mod neighbours;

use anyhow::Result;
use clap::Subcommand;

use crate::server::Built;

#[derive(Debug, Subcommand)]
pub(crate) enum Family {
    /// Mail, beside Dovecot: log-in, APPEND, LMTP, FETCH, SELECT, SEARCH, SORT, STORE, COPY.
    Mail(mail::Mail),
    /// What an IMAP session notices of a hostile plugin: its 99th percentile beside one that spins, eats memory, floods.
    Neighbours(neighbours::Neighbours),
    /// A folder of 400,000 messages: SELECT cold and warm, flags of all, resynchronising, memory.
    Big(big::Big),
}

impl Family {
    pub(crate) async fn run(self, built: &Built) -> Result<()> {
        match self {
            Family::Mail(mail) => mail.run(built).await,
            Family::Neighbours(neighbours) => neighbours.run(built).await,
            Family::Big(big) => big.run(built).await,
        }
    }
}
