use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::*;
use crate::{
    Edit, HookFailure, Hooks, Question, QueueFilter, QueueId, Refusal, Stage, Verdict,
    testing::{Fixture, envelope},
};

const ANNA: &str = "anna@example.org";
const MESSAGE: &str = "From: anna@example.org\r\n\r\nhello\r\n";

/// One answer for every stage of its own; notes what it is asked.
struct Told(Verdict, Stage, Arc<Mutex<Vec<Stage>>>);

#[async_trait]
impl Hooks for Told {
    fn at(&self, _stage: Stage) -> Vec<Arc<str>> {
        vec!["told".into()]
    }

    async fn ask(&self, _hook: &str, question: Question) -> Result<Verdict, HookFailure> {
        self.2.lock().unwrap().push(question.stage);
        match question.stage == self.1 {
            true => Ok(self.0.clone()),
            false => Ok(Verdict::Accept),
        }
    }
}

async fn explained(fixture: &Fixture, to: &[&str], login: Option<&str>) -> Vec<Explained> {
    let principal = match login {
        Some(login) => Some(fixture.directory.user(login).await.unwrap()),
        None => None,
    };
    let asked = Explain {
        envelope: envelope(ANNA, to),
        message: Body::from_bytes(MESSAGE.into()),
        principal,
        offline: true,
    };
    fixture.delivery.explain(&asked).await
}

/// What decides, and how.
fn deciding(steps: &[Explained]) -> Vec<(&str, &str)> {
    let decides = steps.iter().filter(|step| step.decides);
    decides
        .map(|step| (step.step.as_str(), step.answer.as_str()))
        .collect()
}

#[tokio::test]
async fn a_message_is_followed_to_its_folders_and_nothing_is_stored() {
    let fixture = Fixture::with_users(&[ANNA, "bob@example.org"]).await;
    let directory = &fixture.directory;
    let team = ["bob@example.org", "x@example.net"].map(str::to_owned);
    directory
        .add_group("team@example.org", &team)
        .await
        .unwrap();
    let to = ["team@example.org", "nobody@example.org", "y@example.net"];
    let steps = explained(&fixture, &to, None).await;
    assert_eq!(
        deciding(&steps),
        [
            ("recipient", "sent on to <x@example.net>, by the queue"),
            ("folder", "INBOX"),
            (
                "recipient",
                "550 5.1.1 <nobody@example.org> does not exist here"
            ),
            (
                "recipient",
                "550 5.7.1 Relaying denied: this is not a domain of this server"
            ),
        ]
    );
    assert!(fixture.inbox("bob@example.org").await.is_empty());
    let all = QueueFilter::default();
    let queued = fixture.queue.messages(&all, QueueId(0), 9);
    assert!(queued.await.unwrap().is_empty());
}

#[tokio::test]
async fn who_is_logged_in_is_asked_for_his_names_and_may_write_to_anybody() {
    let fixture = Fixture::with_users(&[ANNA, "bob@example.org"]).await;
    let steps = explained(&fixture, &["y@example.net"], Some(ANNA)).await;
    assert_eq!(
        deciding(&steps),
        [("recipient", "to another server, by the queue")]
    );
    let steps = explained(&fixture, &["y@example.net"], Some("bob@example.org")).await;
    assert!(matches!(deciding(&steps)[..], [("identity", answer)] if answer.starts_with("550")));
}

#[tokio::test]
async fn the_hook_that_stops_it_decides() {
    let refusal = Refusal {
        code: 550,
        enhanced: "5.7.1".into(),
        text: "no".into(),
    };
    for (verdict, stage, expected) in [
        (
            Verdict::Reject(refusal),
            Stage::Connect,
            ("on-connect", "refuses it: 550 5.7.1 no"),
        ),
        (
            Verdict::Quarantine("odd".into()),
            Stage::MessageIn,
            ("on-message-in", "into quarantine: odd"),
        ),
        (
            Verdict::Modify(vec![Edit::FileInto("Lists".into())]),
            Stage::Deliver,
            ("folder", "Lists"),
        ),
    ] {
        let fixture = Fixture::with_users(&[ANNA]).await;
        let hooks = Told(verdict, stage, Arc::default());
        fixture.delivery.ask_hooks(Arc::new(hooks));
        let steps = explained(&fixture, &[ANNA], None).await;
        assert_eq!(deciding(&steps), [expected]);
    }
}

#[tokio::test]
async fn the_rehearsal_asks_in_the_order_of_the_delivery() {
    for login in [None, Some(ANNA)] {
        let fixture = Fixture::with_users(&[ANNA]).await;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let hooks = Told(Verdict::Accept, Stage::Connect, asked.clone());
        fixture.delivery.ask_hooks(Arc::new(hooks));
        explained(&fixture, &[ANNA], login).await;
        let rehearsed = std::mem::take(&mut *asked.lock().unwrap());
        let envelope = envelope(ANNA, &[ANNA]);
        match login {
            Some(login) => fixture.submit(login, &envelope, MESSAGE).await,
            None => fixture.deliver(&envelope, MESSAGE).await,
        };
        assert_eq!(*asked.lock().unwrap(), rehearsed);
        assert_eq!(rehearsed.len(), 4);
    }
}
