//! The frozen formats of all releases, against the bytes in `frozen/`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use waxwing_sdk::sasl::{self, Exchange};
use waxwing_sdk::testing::{check_formats, check_releases};

use super::state::{
    Appending, Arrived, Enabled, Fetching, LeftOut, Pending, Selected, Stage, State,
};
use crate::names::MailboxName;
use crate::parse::{Command, FetchRequest, Parsed, Rest, parse_command};

fn command(text: &str) -> Command {
    match parse_command(format!("a {text}\r\n").as_bytes()) {
        Parsed::Command { request, .. } => request.command,
        other => panic!("{other:?}"),
    }
}

fn fetching(request: &str) -> FetchRequest {
    match command(request) {
        Command::Fetch { request, .. } => request,
        other => panic!("{other:?}"),
    }
}

/// Somebody who has selected a mailbox.
fn selected() -> State {
    State {
        stage: Stage::Authenticated,
        mailbox: Some(1),
        selected: Some(Selected {
            view: 0x1234_5678_9abc_def0,
            folder: 300,
            read_only: true,
            exists: 400_000,
            keywords: 3,
            saved: vec![(1, 5), (9, 9)],
        }),
        enabled: Enabled {
            condstore: true,
            quick_resync: false,
            utf8: true,
            rev2: false,
            uid_only: false,
        },
        pending: Pending::Nothing,
        continuations: 2,
        refused: 3,
        compressed: false,
    }
}

fn waiting(pending: Pending) -> State {
    State {
        pending,
        ..selected()
    }
}

fn authenticating(exchange: Exchange) -> State {
    State {
        pending: Pending::Authenticate {
            tag: "a1".into(),
            exchange,
        },
        ..State::new()
    }
}

fn fetch(request: FetchRequest) -> State {
    waiting(Pending::Fetch(Box::new(Fetching {
        tag: "f1".into(),
        request,
        spans: vec![(7, 4_000_000_000)],
        by_uid: true,
        after: 20,
        left_out: LeftOut::Gone,
        conclusion: "FETCH completed".into(),
    })))
}

const ALL_ITEMS: &str = "UID FETCH 1:*,7 (ENVELOPE FLAGS INTERNALDATE RFC822.SIZE UID MODSEQ BODYSTRUCTURE BODY BODY[] \
    BODY.PEEK[1.2.HEADER] BODY.PEEK[HEADER.FIELDS (Subject)] BODY[1.HEADER.FIELDS.NOT (To Cc)]<5.60> BODY[TEXT] BODY[3.MIME] \
    BINARY.PEEK[1]<0.9> BINARY[2] BINARY.SIZE[1.2] RFC822 RFC822.HEADER RFC822.TEXT) (CHANGEDSINCE 12345678901 VANISHED)";

fn append() -> State {
    let Command::Append { message, .. } = command(
        "APPEND x (\\Seen \\Flagged $Forwarded) \"02-Nov-2026 10:00:00 +0100\" UTF8 (~{70000+}",
    ) else {
        panic!("not an APPEND")
    };
    waiting(Pending::Append(Box::new(Appending {
        tag: "p1".into(),
        mailbox: MailboxName::new("INBOX/Entwürfe"),
        folder: 4,
        arrived: vec![Arrived {
            flags: message.flags.clone(),
            internal_date: None,
            token: 9,
        }],
        current: message,
    })))
}

fn samples() -> Vec<(&'static str, State)> {
    let skip = |rest| {
        let answer = b"s1 BAD no\r\n".to_vec();
        waiting(Pending::Skip { answer, rest })
    };
    let all = match command(ALL_ITEMS) {
        Command::Fetch { request, .. } => request,
        other => panic!("{other:?}"),
    };
    let logged_out = State {
        stage: Stage::Logout,
        ..State::new()
    };
    let mut samples = vec![
        ("greeted", State::new()),
        ("starting-tls", waiting(Pending::StartTls)),
        ("selected", selected()),
        ("idle", waiting(Pending::Idle { tag: "i1".into() })),
        ("fetch", fetch(all)),
        ("fetch-saved", fetch(fetching("FETCH $ FLAGS"))),
        ("append", append()),
        ("skip-nothing", skip(Rest::Nothing)),
        ("skip-line", skip(Rest::Line)),
        ("skip-literal", skip(Rest::Literal(70_000))),
        ("logged-out", logged_out),
    ];
    let exchanges = sasl::samples().into_iter();
    samples.extend(exchanges.map(|(name, exchange)| (name, authenticating(exchange))));
    samples
}

#[test]
fn sessions_of_every_release_are_read() {
    let formats = [
        (1, include_str!("../../frozen/1.txt")),
        (2, include_str!("../../frozen/2.txt")),
    ];
    check_formats(&formats, &samples());
}

#[test]
fn sessions_can_go_to_this_version_and_back() {
    check_releases::<State>(
        include_str!("../../plugin.toml"),
        include_str!("../../frozen/releases.toml"),
    );
}
