//! Filters that say what a test has told them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use waxwing_exmdb::Body;

use crate::{
    Arrival, Deposit, Filter, Post, Step,
    testing::{Fixture, envelope},
};

const ANNA: &str = "anna@example.org";
const BOB: &str = "bob@example.org";
const MESSAGE: &str = "Received: from a\r\nSubject: lunch\r\n\r\nat noon\r\n";

/// What is wanted for the mail of each owner.
#[derive(Default)]
struct Told(Mutex<HashMap<&'static str, Result<Vec<Step>, String>>>);

#[async_trait]
impl Filter for Told {
    async fn filter(&self, arrival: Arrival) -> Result<Vec<Step>, String> {
        assert_eq!(arrival.script, "the script");
        self.0.lock().unwrap()[arrival.owner.as_str()].clone()
    }
}

struct Filtered {
    fixture: Fixture,
    told: Arc<Told>,
}

impl Filtered {
    async fn new() -> Filtered {
        let fixture = Fixture::with_users(&[ANNA, BOB]).await;
        let told = Arc::new(Told::default());
        fixture.delivery.filter_with(told.clone());
        Filtered { fixture, told }
    }

    async fn tell(&self, owner: &'static str, wanted: Result<Vec<Step>, String>) {
        let mailbox = self.fixture.mailbox(owner).await;
        mailbox.put_script("main", "the script").await.unwrap();
        mailbox.activate_script(Some("main")).await.unwrap();
        self.told.0.lock().unwrap().insert(owner, wanted);
    }

    /// The answer to Anna's message alone.
    async fn deliver(&self) -> u16 {
        let to_anna = envelope("carol@example.net", &[ANNA]);
        self.fixture.deliver(&to_anna, MESSAGE).await[0].code
    }
}

fn into(folder: &str, create: bool) -> Step {
    Step::Store(Deposit {
        folder: Some(folder.into()),
        create,
        ..Deposit::default()
    })
}

fn redirect(recipient: &str) -> Step {
    Step::Redirect(Post {
        sender: "carol@example.net".into(),
        recipient: recipient.into(),
        message: None,
    })
}

fn refuse() -> Step {
    Step::Refuse {
        text: "not\r\nme".into(),
        notice: Some(Post {
            sender: String::new(),
            recipient: BOB.into(),
            message: Some(Body::from_bytes("Subject: refused\r\n\r\n".into())),
        }),
    }
}

#[tokio::test]
async fn nobody_is_asked_without_an_active_script() {
    let filtered = Filtered::new().await;
    let mailbox = filtered.fixture.mailbox(ANNA).await;
    mailbox.put_script("main", "the script").await.unwrap();
    assert_eq!(filtered.deliver().await, 250);
    assert_eq!(filtered.fixture.inbox(ANNA).await.len(), 1);
}

#[tokio::test]
async fn a_filter_that_fails_keeps_the_message_as_it_came() {
    let filtered = Filtered::new().await;
    filtered.tell(ANNA, Err("line 1: wrong".into())).await;
    assert_eq!(filtered.deliver().await, 250);
    assert_eq!(
        filtered.fixture.inbox(ANNA).await,
        [format!("Return-Path: <carol@example.net>\r\n{MESSAGE}")]
    );
}

#[tokio::test]
async fn nothing_wanted_throws_the_message_away() {
    let filtered = Filtered::new().await;
    filtered.tell(ANNA, Ok(Vec::new())).await;
    assert_eq!(filtered.deliver().await, 250);
    assert!(filtered.fixture.inbox(ANNA).await.is_empty());
}

#[tokio::test]
async fn a_message_is_filed_and_kept_where_there_is_no_such_folder() {
    let filtered = Filtered::new().await;
    let steps = vec![
        into("made", true),
        into("missing", false),
        into("a//b", true),
    ];
    filtered.tell(ANNA, Ok(steps)).await;
    assert_eq!(filtered.deliver().await, 250);
    assert_eq!(filtered.deliver().await, 250);
    assert_eq!(filtered.fixture.folder(ANNA, "made").await.len(), 2);
    assert_eq!(filtered.fixture.inbox(ANNA).await.len(), 4);
}

#[tokio::test]
async fn folders_are_made_level_by_level_below_the_inbox_too() {
    let filtered = Filtered::new().await;
    let steps = vec![into("inbox/a/b", true), into("A/c", true)];
    filtered.tell(ANNA, Ok(steps)).await;
    assert_eq!(filtered.deliver().await, 250);
    assert_eq!(filtered.deliver().await, 250);
    for (folder, there) in [("b", 2), ("c", 2), ("a", 0)] {
        let filed = filtered.fixture.folder(ANNA, folder).await;
        assert_eq!(filed.len(), there, "{folder}");
    }
    let mailbox = filtered.fixture.mailbox(ANNA).await;
    assert!(crate::has_folder(&mailbox, "INBOX/a/b").await.unwrap());
    assert!(!crate::has_folder(&mailbox, "a/b").await.unwrap());
    assert!(
        crate::has_special_use(&mailbox, "\\Junk", None)
            .await
            .unwrap()
    );
    assert!(
        !crate::has_special_use(&mailbox, "\\Junk", Some("A/c"))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_folder_that_is_made_for_a_use_has_it() {
    let filtered = Filtered::new().await;
    let step = Step::Store(Deposit {
        folder: Some("Old/Mail".into()),
        special_use: Some("\\Flagged".into()),
        create: true,
        ..Deposit::default()
    });
    filtered.tell(ANNA, Ok(vec![step])).await;
    assert_eq!(filtered.deliver().await, 250);
    let mailbox = filtered.fixture.mailbox(ANNA).await;
    let used = crate::has_special_use(&mailbox, "\\flagged", Some("Old/Mail")).await;
    assert!(used.unwrap());
}

#[tokio::test]
async fn flags_are_set_and_too_many_of_them_lose_no_mail() {
    let filtered = Filtered::new().await;
    let flagged = |flags: Vec<String>| {
        Step::Store(Deposit {
            flags,
            ..Deposit::default()
        })
    };
    let names = ["\\Seen", "$Todo", "\\Recent"].map(str::to_owned).to_vec();
    filtered.tell(ANNA, Ok(vec![flagged(names)])).await;
    assert_eq!(filtered.deliver().await, 250);
    let mailbox = filtered.fixture.mailbox(ANNA).await;
    assert_eq!(mailbox.keywords().await.unwrap(), ["$Todo"]);
    let inbox = mailbox.folder_by_role(waxwing_exmdb::Role::Inbox).await;
    assert_eq!(inbox.unwrap().unread, 0);
    let many = vec![flagged(vec!["a keyword that is none".into()])];
    filtered.tell(ANNA, Ok(many)).await;
    assert_eq!(filtered.deliver().await, 250);
    assert_eq!(filtered.fixture.inbox(ANNA).await.len(), 2);
}

#[tokio::test]
async fn a_refusal_is_told_in_the_transaction_where_that_is_this_recipients_alone() {
    let filtered = Filtered::new().await;
    filtered.tell(ANNA, Ok(vec![refuse()])).await;
    let alone = envelope(BOB, &[ANNA]);
    let outcome = filtered.fixture.deliver(&alone, MESSAGE).await.remove(0);
    assert_eq!(outcome.to_string(), "550 5.7.1 not me");
    let mut both = envelope(BOB, &[ANNA, BOB]);
    let codes = |outcomes: Vec<crate::Outcome>| {
        outcomes
            .iter()
            .map(|outcome| outcome.code)
            .collect::<Vec<_>>()
    };
    let outcomes = filtered.fixture.deliver(&both, MESSAGE).await;
    assert_eq!(codes(outcomes), [250, 250]);
    let bob = filtered.fixture.inbox(BOB).await;
    assert_eq!(bob.len(), 2, "the message, and the notice");
    both.source = "lmtp".into();
    let outcomes = filtered.fixture.deliver(&both, MESSAGE).await;
    assert_eq!(codes(outcomes), [550, 250]);
    assert!(filtered.fixture.inbox(ANNA).await.is_empty());
}

#[tokio::test]
async fn a_message_that_is_sent_on_goes_round_once() {
    let filtered = Filtered::new().await;
    filtered.tell(ANNA, Ok(vec![redirect(BOB)])).await;
    assert_eq!(filtered.deliver().await, 250);
    assert!(filtered.fixture.inbox(ANNA).await.is_empty());
    let bob = filtered.fixture.inbox(BOB).await;
    assert!(bob[0].starts_with(
        b"Return-Path: <carol@example.net>\r\nDelivered-To: anna@example.org\r\nReceived:"
    ));
    filtered.tell(BOB, Ok(vec![redirect(ANNA)])).await;
    assert_eq!(filtered.deliver().await, 250);
    assert_eq!(
        filtered.fixture.inbox(ANNA).await.len(),
        1,
        "it came back, and is kept"
    );
    assert_eq!(filtered.fixture.inbox(BOB).await.len(), 1);
}

#[tokio::test]
async fn what_cannot_be_sent_on_is_kept() {
    let filtered = Filtered::new().await;
    let steps = vec![redirect("nobody@example.org")];
    filtered.tell(ANNA, Ok(steps)).await;
    assert_eq!(filtered.deliver().await, 250);
    assert_eq!(filtered.fixture.inbox(ANNA).await.len(), 1);
}

#[tokio::test]
async fn what_is_remembered_is_remembered() {
    let filtered = Filtered::new().await;
    let steps = vec![Step::Remember {
        key: "k".into(),
        seconds: 100,
    }];
    filtered.tell(ANNA, Ok(steps)).await;
    assert_eq!(filtered.deliver().await, 250);
    let mailbox = filtered.fixture.mailbox(ANNA).await;
    assert!(mailbox.remembers("k").await.unwrap());
}

const MEETING: &str = "From: carol@example.net\r\nContent-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\nVERSION:2.0\r\n\
    PRODID:x\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:m\r\nDTSTAMP:20300101T000000Z\r\nDTSTART:20300102T100000Z\r\n\
    ORGANIZER:mailto:carol@example.net\r\nATTENDEE:mailto:anna@example.org\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

#[tokio::test]
async fn a_meeting_comes_into_the_calendar_unless_its_mail_is_thrown_away() {
    let filtered = Filtered::new().await;
    let fixture = &filtered.fixture;
    let to_anna = envelope("carol@example.net", &[ANNA]);
    let mailbox = fixture.mailbox(ANNA).await;
    for (wanted, copies) in [
        (Vec::new(), 0),
        (vec![refuse()], 0),
        (vec![into("Lists", true)], 1),
    ] {
        filtered.tell(ANNA, Ok(wanted)).await;
        fixture.deliver(&to_anna, MEETING).await;
        assert_eq!(mailbox.objects_of_uid("m").await.unwrap().len(), copies);
    }
    let junk = crate::Envelope {
        junk: true,
        ..to_anna
    };
    mailbox.activate_script(None).await.unwrap();
    fixture
        .deliver(&junk, &MEETING.replace("UID:m", "UID:junk"))
        .await;
    assert_eq!(mailbox.objects_of_uid("junk").await.unwrap().len(), 0);
}
