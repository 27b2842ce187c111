//! The frozen formats of all releases, against the bytes in `frozen/`.

#![allow(clippy::unwrap_used, reason = "tests")]

use waxwing_sdk::sasl;
use waxwing_sdk::testing::{check_formats, check_releases};

use super::{Listed, Pending, Stage, State};
use crate::maildrop::Maildrop;
use crate::marks::Marks;

fn transaction(pending: Pending) -> State {
    let mut deleted = Marks::default();
    assert!([1, 2, 300].into_iter().all(|number| deleted.insert(number)));
    State {
        stage: Stage::Transaction(Box::new(Maildrop {
            mailbox: 1,
            view: 0x1234_5678_9abc_def0,
            uid_validity: 1_700_000_000,
            messages: 400_000,
            octets: 5_000_000_000,
            rows: 9,
            deleted,
            deleted_messages: 3,
            deleted_octets: 70_000,
        })),
        pending,
        utf8: true,
        refused: 3,
    }
}

fn authorization(user: Option<&str>, pending: Pending) -> State {
    State {
        stage: Stage::Authorization {
            user: user.map(str::to_owned),
        },
        pending,
        ..State::new()
    }
}

fn samples() -> Vec<(&'static str, State)> {
    let listing = |listed| {
        transaction(Pending::Listing {
            listed,
            next: 4_097,
        })
    };
    let mut samples = vec![
        ("greeted", State::new()),
        ("user", authorization(Some("ada"), Pending::Command)),
        ("starting-tls", authorization(None, Pending::StartTls)),
        ("skip", authorization(None, Pending::Skip)),
        ("transaction", transaction(Pending::Command)),
        ("sizes", listing(Listed::Sizes)),
        ("unique-ids", listing(Listed::UniqueIds)),
    ];
    let exchanges = sasl::samples().into_iter();
    samples.extend(
        exchanges.map(|(name, exchange)| (name, authorization(None, Pending::Auth(exchange)))),
    );
    samples
}

#[test]
fn sessions_of_every_release_are_read() {
    check_formats(&[(1, include_str!("../../frozen/1.txt"))], &samples());
}

#[test]
fn sessions_can_go_to_this_version_and_back() {
    check_releases::<State>(
        include_str!("../../plugin.toml"),
        include_str!("../../frozen/releases.toml"),
    );
}
