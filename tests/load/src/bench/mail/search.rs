//! `search_subject_ms`: SEARCH for a word in the subjects of the folder of many messages. `search_text_ms`: for one that stands in the
//! text of few.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Comparison, READER, Round, numbers_of};
use crate::{
    client::imap::Imap,
    row::Better,
    server::{PASSWORD, Site, address},
};

pub(super) const SUBJECT: Comparison = Comparison {
    name: "search_subject_ms",
    unit: "ms",
    better: Better::Less,
    reads: true,
    round: Round::Access(|site, _| Box::pin(round(site, "SUBJECT \"invoice\""))),
};

pub(super) const TEXT: Comparison = Comparison {
    name: "search_text_ms",
    unit: "ms",
    better: Better::Less,
    reads: true,
    // Of the second message; two others name it.
    round: Round::Access(|site, _| Box::pin(round(site, "TEXT \"<1.bench@\""))),
};

async fn round(site: &Site, keys: &str) -> Result<f64> {
    let mut client = Imap::login(site.imap, &address(READER), PASSWORD).await?;
    client.command("SELECT INBOX").await?;
    let mut found = 0;
    let started = Instant::now();
    client
        .command_showing(&format!("SEARCH {keys}"), |line| {
            found += numbers_of(line, b"* SEARCH");
        })
        .await?;
    let seconds = started.elapsed().as_secs_f64();
    ensure!(found > 0, "nothing found");
    Ok(seconds * 1000.0)
}
