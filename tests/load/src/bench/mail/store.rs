//! `store_flags_msgs_per_s`: a flag set on and taken from every message of the folder, durable before the OK.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Comparison, READER, Round, Scale};
use crate::{
    client::imap::Imap,
    row::Better,
    server::{PASSWORD, Site, address},
};

pub(super) const FLAGS: Comparison = Comparison {
    name: "store_flags_msgs_per_s",
    unit: "1/s",
    better: Better::More,
    reads: true,
    round: Round::Access(|site, scale| Box::pin(round(site, scale))),
};

async fn round(site: &Site, scale: Scale) -> Result<f64> {
    let mut client = Imap::login(site.imap, &address(READER), PASSWORD).await?;
    client.command("SELECT INBOX").await?;
    let started = Instant::now();
    for change in ["+FLAGS", "-FLAGS"] {
        let answer = client
            .command(&format!("STORE 1:* {change} (\\Flagged)"))
            .await?;
        ensure!(
            answer.untagged == scale.messages,
            "{} of {} messages",
            answer.untagged,
            scale.messages
        );
    }
    Ok(2.0 * scale.messages as f64 / started.elapsed().as_secs_f64())
}
