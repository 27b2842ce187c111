//! `pop3_session_ms`: a whole session of a client that leaves mail on the server: log in, STAT, UIDL, a thousand messages one after
//! another, QUIT.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Comparison, READER, Round, Scale};
use crate::{
    client::pop3::Pop3,
    row::Better,
    server::{PASSWORD, Site, address},
};

/// Messages that are fetched.
const FETCHED: usize = 1_000;

pub(super) const SESSION: Comparison = Comparison {
    name: "pop3_session_ms",
    unit: "ms",
    better: Better::Less,
    reads: true,
    round: Round::Access(|site, scale| Box::pin(round(site, scale))),
};

async fn round(site: &Site, scale: Scale) -> Result<f64> {
    let started = Instant::now();
    let mut client = Pop3::login(site.pop3, &address(READER), PASSWORD).await?;
    client.command("STAT").await?;
    let (listed, _) = client.lines("UIDL").await?;
    ensure!(
        listed == scale.messages,
        "{listed} of {} messages",
        scale.messages
    );
    for number in 1..=FETCHED.min(listed) {
        let (_, octets) = client.lines(&format!("RETR {number}")).await?;
        ensure!(octets > 0, "message {number} is empty");
    }
    client.command("QUIT").await?;
    Ok(started.elapsed().as_secs_f64() * 1_000.0)
}
