//! `append_per_s_one` and `append_per_s_20`: durable APPENDs, one after another, into one mailbox and into twenty at once.

use std::time::Instant;

use anyhow::Result;
use futures_util::future::try_join_all;

use super::{BUSY, Comparison, MESSAGE, Round, Scale, busy};
use crate::{
    client::imap::Imap,
    message::message,
    row::Better,
    server::{PASSWORD, Site, address},
};

pub(super) const ONE: Comparison = Comparison {
    name: "append_per_s_one",
    unit: "1/s",
    better: Better::More,
    reads: false,
    round: Round::Access(|site, scale| Box::pin(round(site, 1, scale.writes))),
};

pub(super) const TWENTY: Comparison = Comparison {
    name: "append_per_s_20",
    unit: "1/s",
    better: Better::More,
    reads: false,
    round: Round::Access(|site, Scale { writes, .. }| {
        Box::pin(round(site, BUSY, writes.div_ceil(5)))
    }),
};

/// `each` messages into each of `mailboxes`, which are all busy at the same time.
async fn round(site: &Site, mailboxes: usize, each: usize) -> Result<f64> {
    let mut clients = Vec::with_capacity(mailboxes);
    for number in 0..mailboxes {
        clients.push(Imap::login(site.imap, &address(&busy(number)), PASSWORD).await?);
    }
    let messages: Vec<Vec<u8>> = (0..each).map(|number| message(number, MESSAGE)).collect();
    let started = Instant::now();
    try_join_all(clients.iter_mut().map(async |client| {
        for message in &messages {
            client.append("INBOX", "", message).await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    Ok((mailboxes * each) as f64 / started.elapsed().as_secs_f64())
}
