//! `copy_msgs_per_s`: messages copied to a folder that is made for them, durable before the OK.

use std::time::Instant;

use anyhow::Result;

use super::{Comparison, READER, Round, Scale};
use crate::{
    client::imap::Imap,
    row::Better,
    server::{PASSWORD, Site, address},
};

pub(super) const COPY: Comparison = Comparison {
    name: "copy_msgs_per_s",
    unit: "1/s",
    better: Better::More,
    reads: true,
    round: Round::Access(|site, scale| Box::pin(round(site, scale))),
};

async fn round(site: &Site, scale: Scale) -> Result<f64> {
    let mut client = Imap::login(site.imap, &address(READER), PASSWORD).await?;
    client.command("CREATE Copies").await?;
    client.command("SELECT INBOX").await?;
    let count = scale.messages.min(2_000);
    let started = Instant::now();
    client.command(&format!("COPY 1:{count} Copies")).await?;
    let seconds = started.elapsed().as_secs_f64();
    client.command("UNSELECT").await?;
    client.command("DELETE Copies").await?;
    Ok(count as f64 / seconds)
}
