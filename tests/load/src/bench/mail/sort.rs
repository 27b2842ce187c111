//! `sort_date_ms`: SORT of the folder of many messages by the date they were sent, newest first.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Comparison, READER, Round, Scale, numbers_of};
use crate::{
    client::imap::Imap,
    row::Better,
    server::{PASSWORD, Site, address},
};

pub(super) const DATE: Comparison = Comparison {
    name: "sort_date_ms",
    unit: "ms",
    better: Better::Less,
    reads: true,
    round: Round::Access(|site, scale| Box::pin(round(site, scale))),
};

async fn round(site: &Site, scale: Scale) -> Result<f64> {
    let mut client = Imap::login(site.imap, &address(READER), PASSWORD).await?;
    client.command("SELECT INBOX").await?;
    let mut sorted = 0;
    let started = Instant::now();
    client
        .command_showing("SORT (REVERSE DATE) UTF-8 ALL", |line| {
            sorted += numbers_of(line, b"* SORT");
        })
        .await?;
    let seconds = started.elapsed().as_secs_f64();
    ensure!(
        sorted == scale.messages,
        "{sorted} of {} messages",
        scale.messages
    );
    Ok(seconds * 1000.0)
}
