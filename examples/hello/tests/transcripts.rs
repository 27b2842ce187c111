//! The protocol by transcript: natively, octet by octet, and handed over before every event.

use waxwing_example_hello::Hello;
use waxwing_sdk::testing::check;

#[test]
fn a_name_is_greeted_and_the_count_survives_an_upgrade() {
    check::<Hello>(include_str!("greeting.txt"));
}

#[test]
fn a_line_without_an_end_is_refused_at_its_limit() {
    let long = "x".repeat(200);
    check::<Hello>(&format!(
        "S: mx.test says hello; who are you?\nC> {long}\nS: a line passes the limit of 200 octets\nS! close"
    ));
}

#[test]
fn the_server_says_bye_when_it_stops() {
    check::<Hello>("S: ...\n!closing shutdown\nS: bye\nS! close");
}
