//! The imap component on a real store: in one piece, octet by octet, and handed over between all events.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where its own set-up fails"
)]

use waxwing_sdk_harness::{Component, House, USERS};

fn house() -> House {
    let house = House::new().unwrap();
    let imap = Component::build("waxwing-plugin-imap", "plugins/imap/plugin.toml").unwrap();
    house.load(&imap).unwrap();
    house
}

#[test]
fn a_clients_day_survives_any_cut_and_any_hand_over() {
    house().check("imap", include_str!("imap/day.txt"));
}

#[test]
fn a_client_that_resynchronises_is_told_what_vanished() {
    house().check("imap", include_str!("imap/resync.txt"));
}

#[test]
fn a_long_fetch_is_whole_though_handed_over_between_its_pages() {
    const COUNT: u32 = 1_100;
    let house = house();
    house.fill(USERS[0], COUNT).unwrap();
    let mut transcript = String::from(
        "S: ...\nC: l LOGIN ada@waxwing.test \"a password of tests\"\nS: l OK ...\nC: s EXAMINE INBOX\nS: * FLAGS ...\n\
         S: * OK [PERMANENTFLAGS ()] ...\nS: * 1100 EXISTS\nS: * ... RECENT\nS: * OK [UIDVALIDITY ...\nS: * OK [UIDNEXT ...\n\
         S: * OK [HIGHESTMODSEQ ...\nS: * OK [MAILBOXID ...\nS: s OK [READ-ONLY] EXAMINE completed\nC: f UID FETCH 1:* FLAGS\n",
    );
    for number in 1..=COUNT {
        transcript.push_str(&format!(
            "S: * {number} FETCH (UID {number} FLAGS (\\Seen...))\n"
        ));
    }
    transcript.push_str("S: f OK UID FETCH completed\nC: b FETCH 2:201 BODY[TEXT]\n");
    for number in 2..=201 {
        let size = number.to_string().len() + 2;
        transcript.push_str(&format!(
            "S: * {number} FETCH (BODY[TEXT] {{{size}}}\nS: {number}\nS: )\n"
        ));
    }
    transcript.push_str("S: b OK FETCH completed\n");
    house.check("imap", &transcript);
}
