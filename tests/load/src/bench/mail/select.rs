//! `select_ms`: SELECT of the folder of many messages, in a session that had another one selected.

use std::time::Instant;

use anyhow::Result;

use super::{Comparison, READER, Round, Scale};
use crate::{
    client::imap::Imap,
    row::Better,
    server::{PASSWORD, Site, address},
};

const TIMES: usize = 50;

pub(super) const SELECT: Comparison = Comparison {
    name: "select_ms",
    unit: "ms",
    better: Better::Less,
    reads: true,
    round: Round::Access(|site, scale| Box::pin(round(site, scale))),
};

async fn round(site: &Site, _: Scale) -> Result<f64> {
    let mut client = Imap::login(site.imap, &address(READER), PASSWORD).await?;
    let mut seconds = 0.0;
    for _ in 0..TIMES {
        let started = Instant::now();
        client.command("SELECT INBOX").await?;
        seconds += started.elapsed().as_secs_f64();
        // RFC 3691: leaves the folder as it is.
        client.command("UNSELECT").await?;
    }
    Ok(seconds * 1000.0 / TIMES as f64)
}
