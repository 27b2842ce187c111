//! `lmtp_per_s`: deliveries over ten connections to twenty users, each durable before its 250.

use std::time::Instant;

use anyhow::Result;
use futures_util::future::try_join_all;

use super::{BUSY, Comparison, MESSAGE, Round, Scale, busy};
use crate::{
    client::lmtp::{Lmtp, stuffed},
    message::message,
    row::Better,
    server::{Site, address},
};

const CONNECTIONS: usize = 10;

pub(super) const LMTP: Comparison = Comparison {
    name: "lmtp_per_s",
    unit: "1/s",
    better: Better::More,
    reads: false,
    round: Round::Access(|site, scale| Box::pin(round(site, scale))),
};

async fn round(site: &Site, scale: Scale) -> Result<f64> {
    let each = scale.writes.div_ceil(CONNECTIONS);
    let messages: Vec<Vec<u8>> = (0..each)
        .map(|number| stuffed(&message(number, MESSAGE)))
        .collect();
    let mut clients = try_join_all((0..CONNECTIONS).map(|_| Lmtp::connect(site.lmtp))).await?;
    let started = Instant::now();
    try_join_all(
        clients
            .iter_mut()
            .enumerate()
            .map(async |(number, client)| {
                for (turn, message) in messages.iter().enumerate() {
                    let to = busy((number + turn * CONNECTIONS) % BUSY);
                    client.deliver(&address(&to), message).await?;
                }
                anyhow::Ok(())
            }),
    )
    .await?;
    Ok((CONNECTIONS * each) as f64 / started.elapsed().as_secs_f64())
}
