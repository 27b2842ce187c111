//! The frozen formats of all releases, against the bytes in `frozen/`.

#![allow(clippy::unwrap_used, reason = "tests")]

use waxwing_sdk::sasl::{self, Exchange};
use waxwing_sdk::testing::{check_formats, check_releases};

use super::{Dialect, Receiving, State, Submission, Transaction};
use crate::parse::{BodyType, MailFrom, Notify, RcptTo};

fn within_a_transaction(receiving: Receiving) -> State {
    let mail = MailFrom {
        sender: "a@elsewhere.test".into(),
        size: 70_000,
        body_type: BodyType::EightBitMime,
        smtp_utf8: true,
        return_headers_only: true,
        envelope_id: Some("id+3D1".into()),
    };
    let recipient = RcptTo {
        recipient: "b@example.test".into(),
        utf8: true,
        notify: Notify {
            never: false,
            success: true,
            failure: true,
            delay: false,
        },
        original: Some("rfc822;b@example.test".into()),
    };
    State {
        dialect: Dialect::Smtp,
        tls: Some(("TLSv1.3".into(), "TLS13_AES_256_GCM_SHA384".into())),
        client: Some(("client.test".into(), true)),
        transaction: Some(Transaction {
            mail,
            recipients: vec![RcptTo::default(), recipient],
            chunked: 300,
            in_chunks: true,
        }),
        receiving: Some(receiving),
        skipping_line: true,
        errors: 2,
        kept_chunks: vec![1, 300],
    }
}

fn submitting(exchange: Option<Exchange>) -> State {
    State {
        dialect: Dialect::Submission(Submission {
            principal: Some("a@example.test".into()),
            exchange,
            hold_until: Some(1_800_000_000),
            require_tls: false,
        }),
        ..within_a_transaction(Receiving::Data)
    }
}

fn requiring_tls() -> State {
    let mut state = submitting(None);
    if let Some(submission) = state.submission() {
        submission.require_tls = true;
    }
    state
}

#[test]
fn sessions_of_every_release_are_read() {
    let mut samples = vec![
        ("smtp", State::new(Dialect::Smtp, None)),
        ("lmtp", State::new(Dialect::Lmtp, None)),
        ("data", within_a_transaction(Receiving::Data)),
        (
            "chunk",
            within_a_transaction(Receiving::Chunk { last: true }),
        ),
        ("refused-chunk", within_a_transaction(Receiving::Refused)),
        (
            "submission",
            State::new(Dialect::Submission(Submission::default()), None),
        ),
        ("submitting", submitting(None)),
    ];
    samples.push(("requiring-tls", requiring_tls()));
    let exchanges = sasl::samples().into_iter();
    samples.extend(exchanges.map(|(name, exchange)| (name, submitting(Some(exchange)))));
    check_formats(&[(1, include_str!("../../frozen/1.txt"))], &samples);
}

#[test]
fn sessions_can_go_to_this_version_and_back() {
    check_releases::<State>(
        include_str!("../../plugin.toml"),
        include_str!("../../frozen/releases.toml"),
    );
}
