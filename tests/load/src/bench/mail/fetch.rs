//! `fetch_meta_msgs_per_s` and `fetch_body_per_s`: what a client asks for when it lists a folder, and when it downloads it.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Comparison, READER, Round, Scale};
use crate::{
    client::imap::Imap,
    row::Better,
    server::{PASSWORD, Site, address},
};

pub(super) const META: Comparison = Comparison {
    name: "fetch_meta_msgs_per_s",
    unit: "1/s",
    better: Better::More,
    reads: true,
    round: Round::Access(|site, scale| {
        Box::pin(round(
            site,
            "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE)",
            scale,
        ))
    }),
};

pub(super) const BODY: Comparison = Comparison {
    name: "fetch_body_per_s",
    unit: "1/s",
    better: Better::More,
    reads: true,
    round: Round::Access(|site, scale| Box::pin(round(site, "(UID BODY.PEEK[])", scale))),
};

async fn round(site: &Site, items: &str, scale: Scale) -> Result<f64> {
    let mut client = Imap::login(site.imap, &address(READER), PASSWORD).await?;
    client.command("SELECT INBOX").await?;
    let started = Instant::now();
    let answer = client.command(&format!("FETCH 1:* {items}")).await?;
    let seconds = started.elapsed().as_secs_f64();
    ensure!(
        answer.untagged == scale.messages,
        "{} of {} messages",
        answer.untagged,
        scale.messages
    );
    Ok(scale.messages as f64 / seconds)
}
