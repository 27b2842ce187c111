//! `login_per_s` and `login_unhashed_per_s`: connections that log in and out, twenty at a time, each user's password verified a
//! moment before; the same hash on both sides, and none at the peer's.

use std::time::Instant;

use anyhow::Result;
use futures_util::future::try_join_all;

use super::{BUSY, Comparison, Round, busy, unhashed};
use crate::{
    client::imap::Imap,
    row::Better,
    server::{PASSWORD, Site, address},
};

/// Log-ins of one user in a round.
const EACH: usize = 25;

pub(super) const LOGIN: Comparison = Comparison {
    name: "login_per_s",
    unit: "1/s",
    better: Better::More,
    reads: false,
    round: Round::Access(|site, _| Box::pin(round(site, busy))),
};

pub(super) const UNHASHED_LOGIN: Comparison = Comparison {
    name: "login_unhashed_per_s",
    unit: "1/s",
    better: Better::More,
    reads: false,
    round: Round::Access(|site, _| Box::pin(round(site, unhashed))),
};

async fn round(site: &Site, name: fn(usize) -> String) -> Result<f64> {
    let started = Instant::now();
    try_join_all((0..BUSY).map(|number| log_in_and_out(site, address(&name(number))))).await?;
    Ok((BUSY * EACH) as f64 / started.elapsed().as_secs_f64())
}

async fn log_in_and_out(site: &Site, user: String) -> Result<()> {
    for _ in 0..EACH {
        let mut client = Imap::login(site.imap, &user, PASSWORD).await?;
        client.command("LOGOUT").await?;
    }
    Ok(())
}
