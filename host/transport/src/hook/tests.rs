//! Hooks that say what a test has told them.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tempfile::TempDir;
use waxwing_exmdb::Body;

use super::{Edit, HookFailure, Hooks, Question, Refusal, Stage, Verdict};
use crate::{
    DeliveryOptions, Envelope, Quarantine, QuarantineId, QuarantineLimits,
    testing::{Fixture, envelope},
};

const ANNA: &str = "anna@example.org";
const BOB: &str = "bob@example.org";
const MESSAGE: &str =
    "Received: from a\r\nFrom: anna@example.org\r\nSubject: lunch\r\n\r\nat noon\r\n";

/// One answer each, in the order of the questions; then everything passes.
#[derive(Default)]
struct Told {
    stages: Vec<Stage>,
    answers: Mutex<VecDeque<Result<Verdict, HookFailure>>>,
    asked: Mutex<Vec<(Stage, String, Option<String>)>>,
}

#[async_trait]
impl Hooks for Told {
    fn at(&self, stage: Stage) -> Vec<Arc<str>> {
        let wanted = self.stages.iter().filter(|wanted| **wanted == stage);
        wanted.map(|_| "told".into()).collect()
    }

    async fn ask(&self, hook: &str, question: Question) -> Result<Verdict, HookFailure> {
        assert_eq!(hook, "told");
        let asked = (question.stage, question.recipient, question.principal);
        self.asked.lock().unwrap().push(asked);
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or(Ok(Verdict::Accept))
    }
}

struct Hooked {
    fixture: Fixture,
    told: Arc<Told>,
    quarantine: Quarantine,
    _folder: TempDir,
}

impl Hooked {
    async fn new(stages: &[Stage], answers: Vec<Result<Verdict, HookFailure>>) -> Hooked {
        let fixture = Fixture::with_users(&[ANNA, BOB]).await;
        let told = Arc::new(Told {
            stages: stages.to_vec(),
            answers: Mutex::new(answers.into()),
            asked: Mutex::default(),
        });
        fixture.delivery.ask_hooks(told.clone());
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("quarantine");
        let quarantine = Quarantine::open(&place, QuarantineLimits::default()).await;
        let quarantine = quarantine.unwrap();
        fixture.delivery.quarantine_in(quarantine.clone());
        Hooked {
            fixture,
            told,
            quarantine,
            _folder: folder,
        }
    }

    async fn deliver(&self, envelope: &Envelope) -> Vec<String> {
        let outcomes = self.fixture.deliver(envelope, MESSAGE).await;
        outcomes.iter().map(ToString::to_string).collect()
    }

    async fn inbox(&self, user: &str) -> Vec<String> {
        let inbox = self.fixture.inbox(user).await;
        let text = |octets: &bytes::Bytes| String::from_utf8(octets.to_vec()).unwrap();
        inbox.iter().map(text).collect()
    }
}

fn to(recipients: &[&str]) -> Envelope {
    envelope("carol@example.net", recipients)
}

fn refusal(code: u16, enhanced: &str, text: &str) -> Refusal {
    Refusal {
        code,
        enhanced: enhanced.into(),
        text: text.into(),
    }
}

fn add(name: &str, value: &str) -> Edit {
    Edit::AddHeader {
        name: name.into(),
        value: value.into(),
    }
}

#[tokio::test]
async fn stages_are_asked_in_the_order_of_the_mail_flow() {
    let hooked = Hooked::new(&Stage::ALL, Vec::new()).await;
    hooked.deliver(&to(&[ANNA])).await;
    let submitted = envelope(ANNA, &[BOB]);
    hooked.fixture.submit(ANNA, &submitted, MESSAGE).await;
    let asked = hooked.told.asked.lock().unwrap();
    let of_anna = || Some(ANNA.to_owned());
    let expected = [
        (Stage::Connect, "", None),
        (Stage::Envelope, "", None),
        (Stage::MessageIn, "", None),
        (Stage::Deliver, ANNA, None),
        (Stage::Connect, "", of_anna()),
        (Stage::Envelope, "", of_anna()),
        (Stage::MessageOut, "", of_anna()),
        (Stage::Deliver, BOB, None),
    ];
    let expected = expected.map(|(stage, to, principal)| (stage, to.to_owned(), principal));
    assert_eq!(*asked, expected);
}

#[tokio::test]
async fn what_a_hook_decides_is_the_answer_at_every_stage() {
    for stage in [
        Stage::Connect,
        Stage::Envelope,
        Stage::MessageIn,
        Stage::Deliver,
    ] {
        for (verdict, expected) in [
            (
                Verdict::Reject(refusal(554, "5.6.0", "not\r\nthis")),
                "554 5.6.0 not this",
            ),
            (
                Verdict::Reject(refusal(250, "2.0.0", "")),
                "550 5.7.1 A filter refuses this message",
            ),
            (
                Verdict::Defer(refusal(421, "x", "later")),
                "421 4.7.1 later",
            ),
            (Verdict::Discard, "250 2.0.0 Taken"),
        ] {
            let hooked = Hooked::new(&[stage], vec![Ok(verdict)]).await;
            assert_eq!(hooked.deliver(&to(&[ANNA])).await, [expected], "{stage:?}");
            assert!(hooked.inbox(ANNA).await.is_empty());
        }
    }
}

#[tokio::test]
async fn a_hook_that_fails_stops_the_message_or_lets_it_pass() {
    for (passes, code) in [(true, "250"), (false, "451")] {
        let failure = HookFailure {
            reason: "a trap".into(),
            passes,
        };
        let hooked = Hooked::new(&[Stage::MessageIn], vec![Err(failure)]).await;
        let outcomes = hooked.deliver(&to(&[ANNA])).await;
        assert!(outcomes[0].starts_with(code), "{outcomes:?}");
        assert_eq!(hooked.inbox(ANNA).await.len(), usize::from(passes));
    }
}

#[tokio::test]
async fn message_and_envelope_are_changed() {
    let edits = vec![
        Edit::InsertHeader {
            name: "X-First".into(),
            value: "1".into(),
        },
        add("X-Last", "2"),
        Edit::RemoveHeader {
            name: "subject".into(),
            occurrence: 1,
        },
        Edit::ReplaceBody(Body::from_bytes("new\r\n".into())),
        Edit::SetSender("<dave@example.net>".into()),
        Edit::RemoveRecipient(ANNA.into()),
        Edit::AddRecipient(BOB.into()),
        Edit::FileInto("Nowhere".into()),
    ];
    for stage in [Stage::Connect, Stage::Envelope, Stage::MessageIn] {
        let answers = vec![Ok(Verdict::Modify(edits.clone()))];
        let hooked = Hooked::new(&[stage], answers).await;
        assert_eq!(hooked.deliver(&to(&[ANNA])).await, ["250 2.0.0 Taken"]);
        assert!(hooked.inbox(ANNA).await.is_empty());
        let expected = "Return-Path: <dave@example.net>\r\nX-First: 1\r\nReceived: from a\r\nFrom: anna@example.org\r\nX-Last: 2\r\n\r\nnew\r\n";
        assert_eq!(hooked.inbox(BOB).await, [expected], "{stage:?}");
    }
}

#[tokio::test]
async fn each_mailbox_is_asked_for_alone() {
    let edits = vec![
        Edit::FileInto("Lists/One".into()),
        Edit::AddFlag("$List".into()),
        add("X-For", "one"),
        Edit::AddRecipient("nobody@example.net".into()),
    ];
    let answers = vec![
        Ok(Verdict::Modify(edits)),
        Ok(Verdict::Reject(refusal(550, "5.7.1", "no"))),
    ];
    let hooked = Hooked::new(&[Stage::Deliver], answers).await;
    let lmtp = Envelope {
        source: "lmtp".into(),
        ..to(&[ANNA])
    };
    assert_eq!(hooked.deliver(&lmtp).await, ["250 2.1.5 Delivered"]);
    let lmtp = Envelope {
        recipients: to(&[BOB]).recipients,
        ..lmtp
    };
    assert_eq!(hooked.deliver(&lmtp).await, ["550 5.7.1 no"]);
    assert!(hooked.inbox(ANNA).await.is_empty() && hooked.inbox(BOB).await.is_empty());
    let filed = hooked.fixture.folder(ANNA, "One").await;
    assert!(filed[0].windows(10).any(|octets| octets == b"X-For: one"));
}

#[tokio::test]
async fn what_is_kept_apart_goes_on_when_it_is_released_and_nobody_is_asked_again() {
    for stage in [Stage::Envelope, Stage::MessageIn, Stage::Deliver] {
        let answers = vec![Ok(Verdict::Quarantine("odd".into()))];
        let hooked = Hooked::new(&[stage, Stage::Deliver], answers).await;
        let outcomes = hooked.deliver(&to(&[ANNA])).await;
        assert_eq!(outcomes, ["250 2.0.0 Taken"], "{stage:?}");
        assert!(hooked.inbox(ANNA).await.is_empty());
        let kept = hooked.quarantine.list(QuarantineId(0), 10);
        let [kept] = kept.as_slice() else {
            panic!("{kept:?}");
        };
        assert_eq!(
            (kept.held.reason.as_str(), kept.held.stage.as_str()),
            ("odd", stage.name())
        );
        let asked = hooked.told.asked.lock().unwrap().len();
        let released = hooked.fixture.delivery.release(kept.id).await.unwrap();
        assert!(released.is_whole(), "{released:?}");
        assert_eq!(hooked.told.asked.lock().unwrap().len(), asked);
        assert_eq!(hooked.inbox(ANNA).await.len(), 1);
        assert!(hooked.quarantine.list(QuarantineId(0), 10).is_empty());
    }
}

#[tokio::test]
async fn what_is_released_soon_is_not_taken_for_a_duplicate() {
    let apart = Ok(Verdict::Quarantine("odd".into()));
    let hooked = Hooked::new(&[Stage::Deliver], vec![apart]).await;
    hooked.fixture.delivery.configure(DeliveryOptions {
        duplicate_window: Duration::from_secs(600),
        ..DeliveryOptions::default()
    });
    hooked.deliver(&to(&[ANNA])).await;
    let released = hooked.fixture.delivery.release(QuarantineId(1)).await;
    assert!(released.unwrap().is_whole());
    assert_eq!(hooked.inbox(ANNA).await.len(), 1);
}

#[tokio::test]
async fn a_message_that_is_led_to_nobody_is_not_taken() {
    let elsewhere = vec![
        Edit::RemoveRecipient(ANNA.into()),
        Edit::AddRecipient("typo@example.org".into()),
    ];
    let answers = vec![Ok(Verdict::Modify(elsewhere))];
    let hooked = Hooked::new(&[Stage::MessageIn], answers).await;
    let outcomes = hooked.deliver(&to(&[ANNA])).await;
    assert!(outcomes[0].starts_with("550 5.1.1"), "{outcomes:?}");
    assert!(hooked.fixture.queued_reports().await.is_empty());
}

#[tokio::test]
async fn a_released_message_stays_for_those_who_do_not_get_it() {
    let answers = vec![Ok(Verdict::Quarantine("odd".into()))];
    let hooked = Hooked::new(&[Stage::MessageIn], answers).await;
    hooked.fixture.without_mailbox(BOB).await;
    let lmtp = Envelope {
        source: "lmtp".into(),
        ..to(&[ANNA, BOB])
    };
    hooked.deliver(&lmtp).await;
    let release = || hooked.fixture.delivery.release(QuarantineId(1));
    assert!(!release().await.unwrap().is_whole());
    let left = hooked.quarantine.get(QuarantineId(1)).unwrap();
    assert_eq!(left.held.recipients().collect::<Vec<_>>(), [BOB]);
    hooked.fixture.with_mailbox_again(BOB).await;
    assert!(release().await.unwrap().is_whole());
    assert_eq!(hooked.inbox(ANNA).await.len(), 1);
    assert_eq!(hooked.inbox(BOB).await.len(), 1);
    assert!(release().await.is_err());
}

#[tokio::test]
async fn a_submitted_message_that_was_kept_apart_may_leave() {
    let answers = vec![Ok(Verdict::Quarantine("odd".into()))];
    let hooked = Hooked::new(&[Stage::MessageOut], answers).await;
    let abroad = envelope(ANNA, &["x@example.net"]);
    let outcomes = hooked.fixture.submit(ANNA, &abroad, MESSAGE).await;
    assert_eq!(outcomes[0].to_string(), "250 2.0.0 Taken");
    let released = hooked.fixture.delivery.release(QuarantineId(1)).await;
    assert!(released.unwrap().is_whole());
    let all = crate::QueueFilter::default();
    let queued = hooked.fixture.queue.messages(&all, crate::QueueId(0), 10);
    assert_eq!(queued.await.unwrap().len(), 1);
}

#[tokio::test]
async fn without_room_in_quarantine_the_sender_comes_again() {
    let fixture = Fixture::with_users(&[ANNA]).await;
    let told = Told {
        stages: vec![Stage::MessageIn],
        answers: Mutex::new(vec![Ok(Verdict::Quarantine("odd".into())); 3].into()),
        ..Told::default()
    };
    fixture.delivery.ask_hooks(Arc::new(told));
    let folder = tempfile::tempdir().unwrap();
    let limits = QuarantineLimits {
        keep: Duration::ZERO,
        messages: 1,
        octets: 1 << 20,
    };
    let quarantine = Quarantine::open(folder.path(), limits).await.unwrap();
    fixture.delivery.quarantine_in(quarantine.clone());
    for code in [250, 452] {
        assert_eq!(fixture.deliver(&to(&[ANNA]), MESSAGE).await[0].code, code);
    }
    quarantine.delete(QuarantineId(1)).await.unwrap();
    assert_eq!(fixture.deliver(&to(&[ANNA]), MESSAGE).await[0].code, 250);
}
