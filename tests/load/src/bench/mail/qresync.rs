//! `qresync_1pct_ms`: a client that was away comes back to the folder of many messages, of which one in a hundred got another flag.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::{Comparison, READER, Round, Scale};
use crate::{
    client::imap::Imap,
    row::Better,
    server::{PASSWORD, Site, address},
};

/// One in so many changes.
const SHARE: usize = 100;

pub(super) const CHANGED: Comparison = Comparison {
    name: "qresync_1pct_ms",
    unit: "ms",
    better: Better::Less,
    reads: true,
    round: Round::Access(|site, scale| Box::pin(round(site, scale))),
};

async fn round(site: &Site, scale: Scale) -> Result<f64> {
    let mut client = Imap::login(site.imap, &address(READER), PASSWORD).await?;
    client.command("ENABLE QRESYNC").await?;
    let (mut validity, mut modseq) = (None, None);
    client
        .command_showing("SELECT INBOX", |line| {
            validity = validity.or_else(|| number_behind(line, "[UIDVALIDITY "));
            modseq = modseq.or_else(|| number_behind(line, "[HIGHESTMODSEQ "));
        })
        .await?;
    let (validity, modseq) = (
        validity.context("no UIDVALIDITY")?,
        modseq.context("no HIGHESTMODSEQ")?,
    );
    // Every hundredth, so that they do not stand together.
    let changed: Vec<String> = (1..=scale.messages)
        .step_by(SHARE)
        .map(|number| number.to_string())
        .collect();
    let set = changed.join(",");
    for change in ["+FLAGS", "-FLAGS"] {
        client
            .command(&format!("STORE {set} {change}.SILENT (\\Flagged)"))
            .await?;
    }
    client.command("UNSELECT").await?;
    let mut told = 0;
    let started = Instant::now();
    client
        .command_showing(
            &format!("SELECT INBOX (QRESYNC ({validity} {modseq}))"),
            |line| told += usize::from(line.windows(8).any(|word| word == b" FETCH (")),
        )
        .await?;
    let seconds = started.elapsed().as_secs_f64();
    ensure!(told == changed.len(), "{told} of {} changes", changed.len());
    Ok(seconds * 1000.0)
}

fn number_behind(line: &[u8], word: &str) -> Option<u64> {
    let text = String::from_utf8_lossy(line);
    let (_, rest) = text.split_once(word)?;
    rest.split(']').next()?.parse().ok()
}
