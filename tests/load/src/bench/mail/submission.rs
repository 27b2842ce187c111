//! `submission_per_s`: messages of twenty people who are logged in, for somebody elsewhere, each durable before its 250.
//! `relay_per_s`: the same, until the last one has reached the next hop.

use std::time::Instant;

use anyhow::Result;
use futures_util::future::try_join_all;

use super::{BUSY, Comparison, MESSAGE, Round, Scale, busy};
use crate::{
    client::lmtp::{Lmtp, stuffed},
    message::message_from,
    row::Better,
    server::{Outgoing, PASSWORD, address},
};

pub(super) const SUBMISSION: Comparison = Comparison {
    name: "submission_per_s",
    unit: "1/s",
    better: Better::More,
    reads: false,
    round: Round::Outgoing(|outgoing, scale| Box::pin(round(outgoing, scale, false))),
};

pub(super) const RELAY: Comparison = Comparison {
    name: "relay_per_s",
    unit: "1/s",
    better: Better::More,
    reads: false,
    round: Round::Outgoing(|outgoing, scale| Box::pin(round(outgoing, scale, true))),
};

async fn round(outgoing: &Outgoing, scale: Scale, relayed: bool) -> Result<f64> {
    let each = scale.writes.div_ceil(BUSY);
    let mut clients = Vec::with_capacity(BUSY);
    for number in 0..BUSY {
        let user = address(&busy(number));
        let client = Lmtp::submitting(outgoing.submission, &user, PASSWORD).await?;
        let messages: Vec<Vec<u8>> = (0..each)
            .map(|turn| stuffed(&message_from(&user, number + turn * BUSY, MESSAGE)))
            .collect();
        clients.push((client, user, messages));
    }
    let before = outgoing.sink.arrived();
    let started = Instant::now();
    try_join_all(clients.iter_mut().map(async |(client, user, messages)| {
        for message in messages.iter() {
            client.send(user, "friend@elsewhere.test", message).await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    let accepted = started.elapsed();
    let count = (BUSY * each) as u64;
    // What is on its way must not slow the next round.
    outgoing.sink.wait_for(before + count).await?;
    let taken = if relayed { started.elapsed() } else { accepted };
    Ok(count as f64 / taken.as_secs_f64())
}
