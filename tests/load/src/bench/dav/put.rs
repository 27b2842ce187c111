//! `dav_put_per_s`: new events of one client, one after another, each durable before its 201.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use anyhow::Result;

use super::{Comparison, Scale, Site, WRITTEN, events};
use crate::row::Better;

pub(super) const PUT: Comparison = Comparison {
    name: "dav_put_per_s",
    unit: "1/s",
    better: Better::More,
    round: |site, scale| Box::pin(round(site, scale)),
};

/// No event is written twice.
static NEXT: AtomicUsize = AtomicUsize::new(1_000_000);

async fn round(site: &Site, scale: Scale) -> Result<f64> {
    let mut client = site.connect().await?;
    let first = NEXT.fetch_add(scale.writes, Ordering::Relaxed);
    let path = site.collection(WRITTEN);
    let started = Instant::now();
    for number in first..first + scale.writes {
        let at = format!("{path}{}", events::name(number));
        let fields = format!("{}If-None-Match: *\r\n", events::CALENDAR);
        client
            .expect(("PUT", &at), &fields, &events::event(number, 0), &[201])
            .await?;
    }
    Ok(scale.writes as f64 / started.elapsed().as_secs_f64())
}
