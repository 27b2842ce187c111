//! The frozen formats of all releases, against the bytes in `frozen/`.

#![allow(clippy::unwrap_used, reason = "tests")]

use waxwing_sdk::sasl;
use waxwing_sdk::testing::{check_formats, check_releases};

use super::{Gathered, Pending, State};

fn gathering(pending: Pending) -> State {
    let gathered = |line: &[u8], token, dropped| Gathered {
        line: line.to_vec(),
        token,
        dropped,
    };
    State {
        owner: Some((1, "ada@example.test".into())),
        pending,
        exchange: None,
        gathered: vec![
            gathered(b"PUTSCRIPT {4+}", 300, false),
            gathered(b" {99999+}", 0, true),
        ],
        refused: 3,
    }
}

#[test]
fn sessions_of_every_release_are_read() {
    let mut samples = vec![
        ("greeted", State::new()),
        (
            "starting-tls",
            State {
                pending: Pending::StartTls,
                ..State::new()
            },
        ),
        ("literal", gathering(Pending::Literal)),
        ("line", gathering(Pending::Line)),
        ("skip", gathering(Pending::Skip)),
    ];
    let exchanges = sasl::samples().into_iter();
    samples.extend(exchanges.map(|(name, exchange)| {
        let waiting = State {
            exchange: Some(exchange),
            ..State::new()
        };
        (name, waiting)
    }));
    check_formats(&[(1, include_str!("../../frozen/1.txt"))], &samples);
}

#[test]
fn sessions_can_go_to_this_version_and_back() {
    check_releases::<State>(
        include_str!("../../plugin.toml"),
        include_str!("../../frozen/releases.toml"),
    );
}
