//! The example plugin's transcripts against its component.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where its own set-up fails"
)]

use waxwing_sdk_harness::{Component, House};

#[test]
fn the_component_does_what_the_crate_does() {
    let house = House::new().unwrap();
    house
        .load(&Component::build("waxwing-example-hello", "examples/hello/plugin.toml").unwrap())
        .unwrap();
    house.check(
        "hello",
        include_str!("../../../../examples/hello/tests/greeting.txt"),
    );
}
