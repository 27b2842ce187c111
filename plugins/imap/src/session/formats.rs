//! The frozen formats of all releases, against the bytes in `frozen/`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use waxwing_sdk::sasl::{self, Exchange};
use waxwing_sdk::testing::{check_formats, check_releases};

use super::state::{
    AppendMessage, Appending, Arrived, Attention, Enabled, Fetching, Kept, LeftOut, MultiSearching,
    Pending, Put, Putting, Selected, Stage, State, ToldMailbox,
};
use crate::names::MailboxName;
use crate::parse::{AppendWord, Command, FetchRequest, NotifyRequest, Parsed, Rest, parse_command};

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
        attention: Attention::default(),
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

fn putting(request: &str) -> Putting {
    let Command::Append { stretch, .. } = command(request) else {
        panic!("not an APPEND")
    };
    let Some(AppendWord::Message {
        flags,
        internal_date,
        ..
    }) = stretch.words.into_iter().next()
    else {
        panic!("no message")
    };
    Putting {
        tag: "p1".into(),
        mailbox: MailboxName::new("INBOX/Entwürfe"),
        folder: 4,
        replaces: None,
        messages: vec![Put {
            flags: flags.clone(),
            internal_date: None,
            binary: false,
            tokens: vec![9],
        }],
        flags,
        internal_date,
        awaited: stretch.literal.unwrap(),
    }
}

const APPEND: &str =
    "APPEND x (\\Seen \\Flagged $Forwarded) \"02-Nov-2026 10:00:00 +0100\" UTF8 (~{70000+}";

fn append() -> State {
    waiting(Pending::Put(Box::new(putting(APPEND))).folded())
}

fn replace() -> State {
    let mut putting = putting("APPEND x (\\Draft) CATENATE (TEXT ~{70000}");
    putting.replaces = Some(7);
    putting.messages.push(Put {
        flags: putting.flags.clone(),
        internal_date: Some(5),
        binary: true,
        tokens: vec![10, 11],
    });
    waiting(Pending::Put(Box::new(putting)).folded())
}

/// Somebody in IDLE, with two searches that are kept up to date.
fn attending() -> State {
    let Command::Search { request, .. } = command(
        "SEARCH RETURN (UPDATE) OR (NOT SEEN KEYWORD x UID 1:5 HEADER a b BODY c TEXT d BEFORE 1-Jan-2026 ON 1-Jan-2026 SINCE 1-Jan-2026 \
         SENTBEFORE 1-Jan-2026 SENTON 1-Jan-2026 SENTSINCE 1-Jan-2026 LARGER 1 SMALLER 2 MODSEQ 3 YOUNGER 4 OLDER 5 \
         SAVEDBEFORE 1-Jan-2026 SAVEDON 1-Jan-2026 SAVEDSINCE 1-Jan-2026 EMAILID M1 THREADID T1) ALL",
    ) else {
        panic!("not a SEARCH")
    };
    let Command::Sort { request: sort, .. } =
        command("SORT RETURN (UPDATE) (ARRIVAL CC DATE FROM SIZE REVERSE SUBJECT TO) UTF-8 ALL")
    else {
        panic!("not a SORT")
    };
    let kept = |tag: &str, key, criteria| Kept {
        tag: tag.into(),
        uid: true,
        key,
        criteria,
        uids: vec![(1, 5), (400_000, 400_000)],
    };
    let state = State {
        attention: Attention {
            kept: vec![
                kept("k1", request.key, Vec::new()),
                kept("k2", sort.search.key, sort.criteria),
            ],
            modseq: 77,
            ..Attention::default()
        },
        ..waiting(Pending::Idle { tag: "i1".into() })
    };
    let folded = state.clone().folded();
    assert_eq!(folded.clone().unfolded(), state);
    folded
}

fn multi_search() -> State {
    let Command::MultiSearch(request) =
        command("ESEARCH IN (PERSONAL) RETURN (MIN COUNT PARTIAL -1:-9) ANSWERED")
    else {
        panic!("not an ESEARCH")
    };
    waiting(Pending::MultiSearch(Box::new(MultiSearching {
        tag: "m1".into(),
        key: request.search.key,
        returns: request.search.returns.unwrap(),
        mentions_modseq: false,
        folders: vec![7, 300],
        total: 5,
        said_ms: 1_700_000_000_000,
    })))
}

fn notified() -> State {
    let Command::Notify(NotifyRequest::Set { groups, .. }) = command(
        "NOTIFY SET (SELECTED-DELAYED (MessageNew (FLAGS) MessageExpunge FlagChange)) (inboxes NONE) (subscribed NONE) \
         (subtree a NONE) (subtree-one a NONE) (mailboxes (a b) NONE) (personal (MessageNew MessageExpunge))",
    ) else {
        panic!("not a NOTIFY")
    };
    let state = State {
        attention: Attention {
            groups,
            told: vec![ToldMailbox {
                folder: 300,
                messages: 5,
                uid_next: 9,
                modseq: 400_000,
            }],
            uid_next: 12,
            ..Attention::default()
        },
        ..selected()
    };
    let folded = state.clone().folded();
    assert_eq!(folded.clone().unfolded(), state);
    folded
}

/// Somebody in IDLE in a folder of another account.
fn away() -> State {
    let state = State {
        attention: Attention {
            account: Some(2),
            ..Attention::default()
        },
        ..waiting(Pending::Idle { tag: "i1".into() })
    };
    let folded = state.clone().folded();
    assert_eq!(folded.clone().unfolded(), state);
    folded
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
        ("replace", replace()),
        ("attending", attending()),
        ("multi-search", multi_search()),
        ("notified", notified()),
        ("away", away()),
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
fn an_append_of_whole_messages_is_frozen_as_every_version_reads_it() {
    let pending = Pending::Put(Box::new(putting(APPEND)));
    let Pending::Append(appending) = pending.clone().folded() else {
        panic!("not folded")
    };
    let Appending {
        arrived, current, ..
    } = &*appending;
    assert!(matches!(arrived[..], [Arrived { token: 9, .. }]));
    assert!(matches!(
        current,
        AppendMessage {
            size: 70_000,
            synchronising: false,
            in_parentheses: true,
            ..
        }
    ));
    assert_eq!(Pending::Append(appending).unfolded(), pending);
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
