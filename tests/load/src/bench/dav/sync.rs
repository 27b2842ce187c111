//! `dav_initial_sync_ms`: a client that has nothing asks what there is (sync-collection) and gets all of it (multiget, a hundred at a time).
//! `dav_nochange_sync_ms`: a client that has everything asks for changes.
//! `dav_10_changed_ms`: it asks after ten events were changed, and gets those.

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use anyhow::{Context, Result, ensure};

use super::{Comparison, MANY, Scale, Site, events};
use crate::{client::http::Http, row::Better};

pub(super) const INITIAL: Comparison = Comparison {
    name: "dav_initial_sync_ms",
    unit: "ms",
    better: Better::Less,
    round: |site, scale| Box::pin(initial(site, scale)),
};

pub(super) const NO_CHANGE: Comparison = Comparison {
    name: "dav_nochange_sync_ms",
    unit: "ms",
    better: Better::Less,
    round: |site, _| Box::pin(no_change(site)),
};

pub(super) const TEN_CHANGED: Comparison = Comparison {
    name: "dav_10_changed_ms",
    unit: "ms",
    better: Better::Less,
    round: |site, scale| Box::pin(ten_changed(site, scale)),
};

/// Objects of one multiget: Thunderbird's number.
const BATCH: usize = 100;
/// Syncs of a round of `dav_nochange_sync_ms`.
const TIMES: usize = 10;

async fn initial(site: &Site, scale: Scale) -> Result<f64> {
    let mut client = site.connect().await?;
    let started = Instant::now();
    let (_, paths) = changes(&mut client, site, "").await?;
    let got = multiget(&mut client, site, &paths).await?;
    let seconds = started.elapsed().as_secs_f64();
    ensure!(got == scale.events, "{got} of {} events", scale.events);
    Ok(seconds * 1000.0)
}

async fn no_change(site: &Site) -> Result<f64> {
    let mut client = site.connect().await?;
    let (mut token, _) = changes(&mut client, site, "").await?;
    let started = Instant::now();
    for _ in 0..TIMES {
        let (next, changed) = changes(&mut client, site, &token).await?;
        ensure!(changed.is_empty(), "{} events changed", changed.len());
        token = next;
    }
    Ok(started.elapsed().as_secs_f64() * 1000.0 / TIMES as f64)
}

/// Every round writes something new.
static EDITION: AtomicUsize = AtomicUsize::new(1);

async fn ten_changed(site: &Site, scale: Scale) -> Result<f64> {
    let mut client = site.connect().await?;
    let (token, _) = changes(&mut client, site, "").await?;
    let edition = EDITION.fetch_add(1, Ordering::Relaxed);
    for number in (0..scale.events).step_by(scale.events / 10).take(10) {
        let at = format!("{}{}", site.collection(MANY), events::name(number));
        let event = events::event(number, edition);
        client
            .expect(("PUT", &at), events::CALENDAR, &event, &[201, 204])
            .await?;
    }
    let started = Instant::now();
    let (_, changed) = changes(&mut client, site, &token).await?;
    let got = multiget(&mut client, site, &changed).await?;
    let seconds = started.elapsed().as_secs_f64();
    ensure!(got == 10, "{got} events changed");
    Ok(seconds * 1000.0)
}

/// The next token, and paths of what changed since one.
async fn changes(client: &mut Http, site: &Site, token: &str) -> Result<(String, Vec<String>)> {
    let report = format!(
        "<sync-collection xmlns=\"DAV:\"><sync-token>{token}</sync-token><sync-level>1</sync-level>\
         <prop><getetag/></prop></sync-collection>"
    );
    let at = site.collection(MANY);
    let answer = client
        .expect(("REPORT", &at), "Depth: 1\r\n", &report, &[207])
        .await?;
    let token = answer.texts("sync-token").pop();
    let paths = answer.texts("href").into_iter();
    let paths = paths.filter(|path| path.ends_with(".ics")).collect();
    Ok((token.context("no sync-token")?, paths))
}

/// How many of these events came.
async fn multiget(client: &mut Http, site: &Site, paths: &[String]) -> Result<usize> {
    let at = site.collection(MANY);
    let mut got = 0;
    for batch in paths.chunks(BATCH) {
        let hrefs: String = batch
            .iter()
            .map(|path| format!("<D:href>{path}</D:href>"))
            .collect();
        let report = format!(
            "<C:calendar-multiget xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">\
             <D:prop><D:getetag/><C:calendar-data/></D:prop>{hrefs}</C:calendar-multiget>"
        );
        let answer = client
            .expect(("REPORT", &at), "Depth: 1\r\n", &report, &[207])
            .await?;
        got += answer.count("BEGIN:VEVENT");
    }
    Ok(got)
}
