//! `dav_time_range_ms`: what is in a week of a year and a half later, of events that recur every week.

use std::time::Instant;

use anyhow::{Result, ensure};

use super::{Comparison, RECURRING, Scale, Site};
use crate::row::Better;

pub(super) const TIME_RANGE: Comparison = Comparison {
    name: "dav_time_range_ms",
    unit: "ms",
    better: Better::Less,
    round: |site, scale| Box::pin(round(site, scale)),
};

const QUERY: &str = "<C:calendar-query xmlns:D=\"DAV:\" xmlns:C=\"urn:ietf:params:xml:ns:caldav\">\
    <D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter><C:comp-filter name=\"VCALENDAR\">\
    <C:comp-filter name=\"VEVENT\"><C:time-range start=\"20260615T000000Z\" end=\"20260622T000000Z\"/>\
    </C:comp-filter></C:comp-filter></C:filter></C:calendar-query>";

async fn round(site: &Site, scale: Scale) -> Result<f64> {
    let mut client = site.connect().await?;
    let at = site.collection(RECURRING);
    let started = Instant::now();
    let answer = client
        .expect(("REPORT", &at), "Depth: 1\r\n", QUERY, &[207])
        .await?;
    let seconds = started.elapsed().as_secs_f64();
    let found = answer.count("BEGIN:VEVENT");
    ensure!(
        found == scale.recurring,
        "{found} of {} events",
        scale.recurring
    );
    Ok(seconds * 1000.0)
}
