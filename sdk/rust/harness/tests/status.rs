//! The status page, and a stream that parks, against the component.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where its own set-up fails"
)]

use std::time::Duration;

use bytes::Bytes;
use waxwing_exmdb::Body;
use waxwing_sdk_harness::{Component, House, USERS};
use waxwing_transport::{Envelope, Recipient};

const PATIENCE: Duration = Duration::from_secs(20);

fn house() -> House {
    let house = House::new().unwrap();
    house
        .load(&Component::build("waxwing-plugin-status", "plugins/status/plugin.toml").unwrap())
        .unwrap();
    house
}

fn deliver_to(house: &House, user: &str) {
    let envelope = Envelope {
        sender: "someone@elsewhere.test".into(),
        recipients: vec![Recipient {
            address: user.into(),
            notify: Default::default(),
            original: None,
        }],
        envelope_id: None,
        return_headers_only: false,
        smtp_utf8: false,
        body_type: "7BIT".into(),
        helo: "client.test".into(),
        source: "smtp".into(),
        session: "s".into(),
        ..Envelope::default()
    };
    let message = Body::from_bytes(Bytes::from_static(b"Subject: news\r\n\r\nhello\r\n"));
    let outcomes = house.wait_for(house.services().delivery.deliver(&envelope, &message));
    assert_eq!(outcomes.first().unwrap().code, 250);
}

#[test]
fn the_page_names_the_version_that_answers() {
    let house = house();
    let response = house
        .get("status", "/status.json", None)
        .unwrap()
        .whole(PATIENCE)
        .unwrap();
    assert_eq!(response.status, Some(200));
    assert!(
        response.text.contains("\"plugin\":\"status 0.1.0\""),
        "{}",
        response.text
    );
}

#[test]
fn the_event_stream_parks_and_tells_of_new_mail() {
    let house = house();
    let mut stream = house.get("status", "/events", Some(USERS[0])).unwrap();
    let first = stream.next(PATIENCE).unwrap();
    assert_eq!(stream.status, Some(200));
    assert!(first.contains("\"items\":0"), "{first}");
    deliver_to(&house, USERS[0]);
    let second = stream.next(PATIENCE).unwrap();
    assert!(
        second.starts_with("event: mail\n") && second.contains("\"items\":1"),
        "{second}"
    );
    assert!(!stream.finished);
}

#[test]
fn a_quiet_stream_gets_a_comment() {
    let house = house();
    let mut stream = house.get("status", "/events", Some(USERS[1])).unwrap();
    stream.next(PATIENCE).unwrap();
    assert_eq!(stream.next(PATIENCE).unwrap(), ": still here\n\n");
}
