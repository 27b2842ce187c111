//! The events that all servers are given, and how they get there.

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;

use super::{MANY, RECURRING, Scale, Site, WRITTEN};

/// Connections that fill a collection.
const CONNECTIONS: usize = 4;

/// What an event is called in its collection: after its UID, as servers do that are given many at once.
pub(super) fn name(number: usize) -> String {
    format!("event-{number}.ics")
}

/// An event of January to October 2026; `edition` makes another of the same.
pub(super) fn event(number: usize, edition: usize) -> String {
    calendar(&component(number, edition))
}

fn component(number: usize, edition: usize) -> String {
    let (month, day, hour) = (1 + number % 10, 1 + number % 28, 8 + number % 9);
    vevent(&format!(
        "UID:event-{number}\r\nDTSTAMP:20260101T000000Z\r\nSEQUENCE:{edition}\r\n\
         DTSTART:2026{month:02}{day:02}T{hour:02}0000Z\r\nDTEND:2026{month:02}{day:02}T{hour:02}4500Z\r\n\
         SUMMARY:Meeting {number}\\, edition {edition}\r\nLOCATION:Room {}\r\nDESCRIPTION:What there is to talk about\\, in a line or two\\, as \r\n  people write it into an invitation.\r\n",
        number % 40
    ))
}

/// An event of every week since 2025.
fn recurring(number: usize) -> String {
    let (day, hour) = (1 + number % 28, 8 + number % 9);
    calendar(&vevent(&format!(
        "UID:recurring-{number}\r\nDTSTAMP:20250101T000000Z\r\n\
         DTSTART:202501{day:02}T{hour:02}0000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=WEEKLY\r\nSUMMARY:Every week {number}\r\n"
    )))
}

fn vevent(properties: &str) -> String {
    format!("BEGIN:VEVENT\r\n{properties}END:VEVENT\r\n")
}

fn calendar(components: &str) -> String {
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\n{components}END:VCALENDAR\r\n"
    )
}

/// The field of a PUT.
pub(super) const CALENDAR: &str = "Content-Type: text/calendar; charset=utf-8\r\n";

/// Makes the collections and fills them: an object at a time, as clients do, or all in one request where that is to be had. What it
/// takes is no row, and Radicale's PUT is slower the more there is.
pub(super) async fn fill(site: &Site, scale: Scale) -> Result<()> {
    let mut client = site.connect().await?;
    for collection in [MANY, RECURRING, WRITTEN] {
        client
            .expect(("MKCALENDAR", &site.collection(collection)), "", "", &[201])
            .await?;
    }
    if site.takes_whole {
        let components: String = (0..scale.events)
            .map(|number| component(number, 0))
            .collect();
        let whole = calendar(&components);
        client
            .expect(
                ("PUT", &site.collection(MANY)),
                CALENDAR,
                &whole,
                &[201, 204],
            )
            .await?;
    } else {
        put_all(site, MANY, scale.events, |number| event(number, 0)).await?;
    }
    put_all(site, RECURRING, scale.recurring, recurring).await?;
    let propfind = "<propfind xmlns=\"DAV:\"><prop><getetag/></prop></propfind>";
    let many = site.collection(MANY);
    let listed = client
        .expect(("PROPFIND", &many), "Depth: 1\r\n", propfind, &[207])
        .await?
        .count(".ics</");
    ensure!(listed == scale.events, "{listed} events are there");
    Ok(())
}

async fn put_all(
    site: &Site,
    collection: &str,
    count: usize,
    object: impl Fn(usize) -> String,
) -> Result<()> {
    let (path, object) = (&site.collection(collection), &object);
    try_join_all((0..CONNECTIONS).map(async |first| {
        let mut client = site.connect().await?;
        for number in (first..count).step_by(CONNECTIONS) {
            let at = format!("{path}{}", name(number));
            client
                .expect(("PUT", &at), CALENDAR, &object(number), &[201, 204])
                .await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    Ok(())
}
