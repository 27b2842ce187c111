//! `thread_refs_ms`: THREAD REFERENCES of the folder of many messages, three of four of which answer another.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Comparison, READER, Round, Scale};
use crate::{
    client::imap::Imap,
    row::Better,
    server::{PASSWORD, Site, address},
};

pub(super) const REFERENCES: Comparison = Comparison {
    name: "thread_refs_ms",
    unit: "ms",
    better: Better::Less,
    reads: true,
    round: Round::Access(|site, scale| Box::pin(round(site, scale))),
};

async fn round(site: &Site, scale: Scale) -> Result<f64> {
    let mut client = Imap::login(site.imap, &address(READER), PASSWORD).await?;
    client.command("SELECT INBOX").await?;
    let mut threaded = 0;
    let started = Instant::now();
    client
        .command_showing("THREAD REFERENCES UTF-8 ALL", |line| {
            let numbers = line.strip_prefix(b"* THREAD").unwrap_or_default();
            let runs = numbers.split(|byte| !byte.is_ascii_digit());
            threaded += runs.filter(|run| !run.is_empty()).count();
        })
        .await?;
    let seconds = started.elapsed().as_secs_f64();
    ensure!(
        threaded == scale.messages,
        "{threaded} of {} messages",
        scale.messages
    );
    Ok(seconds * 1000.0)
}
