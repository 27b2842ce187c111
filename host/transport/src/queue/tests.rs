use std::path::PathBuf;

use bytes::Bytes;

use super::*;
use crate::{Notify, Outcome, Recipient, TlsDemand};

struct Fixture {
    queue: Queue,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("queue.sqlite");
    Fixture {
        queue: Queue::open(&path).await.unwrap(),
        path,
        _folder: folder,
    }
}

fn envelope(sender: &str, recipients: &[&str]) -> Envelope {
    let recipient = |address: &&str| Recipient {
        address: (*address).to_owned(),
        notify: Notify {
            success: true,
            delay: true,
            ..Notify::default()
        },
        original: Some("rfc822;x".into()),
    };
    Envelope {
        sender: sender.into(),
        recipients: recipients.iter().map(recipient).collect(),
        envelope_id: Some("id".into()),
        return_headers_only: true,
        ..Envelope::default()
    }
}

impl Fixture {
    async fn add(&self, sender: &str, recipients: &[&str]) -> QueueId {
        let message = Body::from_bytes("Subject: x\r\n\r\nhello\r\n".into());
        let envelope = envelope(sender, recipients);
        self.queue.add(envelope, message, None).await.unwrap()
    }

    async fn all(&self) -> Vec<QueuedMessage> {
        let all = QueueFilter::default();
        self.queue.messages(&all, QueueId(0), 100).await.unwrap()
    }

    async fn octets(&self, id: QueueId) -> Vec<u8> {
        let (mut octets, mut number) = (Vec::new(), 0);
        while let Some(chunk) = self.queue.chunk(id, number).await.unwrap() {
            octets.extend(chunk);
            number += 1;
        }
        octets
    }
}

fn settlement(recipient: i64, settled: Settled) -> Settlement {
    Settlement {
        recipient,
        settled,
        last: LastAttempt {
            tried: 5,
            host: "mx.example".into(),
            outcome: Outcome::said(451, "4.2.0", "later"),
        },
    }
}

#[tokio::test]
async fn what_was_taken_is_there_for_the_next_process() {
    let fixture = fixture().await;
    let large: Bytes = (0..600_000_u32)
        .map(|number| (number % 251) as u8)
        .collect();
    let to = envelope("a@b.c", &["x@example.net", "y@example.net"]);
    let message = Body::from_bytes(large.clone());
    let id = fixture.queue.add(to, message, None).await.unwrap();
    let again = Fixture {
        queue: Queue::open(&fixture.path).await.unwrap(),
        ..fixture
    };
    let found = again.queue.message(id).await.unwrap();
    assert_eq!((found.sender.as_str(), found.size), ("a@b.c", 600_000));
    assert!(found.eight_bit && found.headers_only);
    assert_eq!(found.recipients[1].address, "y@example.net");
    let notify = found.recipients[0].notify;
    assert!(notify.success && notify.delay && !notify.never && !notify.failure);
    assert_eq!(again.octets(id).await, large);
}

#[tokio::test]
async fn a_header_waives_tls_and_the_transaction_outdoes_it() {
    let fixture = fixture().await;
    for (header, demand, expected) in [
        ("TLS-Required: No", TlsDemand::Usual, TlsDemand::Waived),
        (
            "tls-required:\r\n  no ",
            TlsDemand::Usual,
            TlsDemand::Waived,
        ),
        ("TLS-Required: maybe", TlsDemand::Usual, TlsDemand::Usual),
        ("TLS-Required: No", TlsDemand::Required, TlsDemand::Required),
    ] {
        let message = Body::from_bytes(format!("{header}\r\n\r\n").into());
        let mut envelope = envelope("a@b.c", &["d@e.f"]);
        envelope.tls_demand = demand;
        let id = fixture.queue.add(envelope, message, None).await.unwrap();
        let stored = fixture.queue.message(id).await.unwrap().tls_demand;
        assert_eq!(stored, expected, "{header}");
    }
}

#[tokio::test]
async fn a_message_goes_with_its_last_recipient_and_its_number_never_returns() {
    let fixture = fixture().await;
    let id = fixture
        .add("a@b.c", &["x@example.net", "y@example.net"])
        .await;
    let found = fixture.queue.message(id).await.unwrap();
    let later = Settled::Later {
        due: 9,
        delay_told: true,
    };
    let lines = [
        settlement(found.recipients[0].id, Settled::Done),
        settlement(found.recipients[1].id, later),
    ];
    fixture
        .queue
        .settle(id, lines.to_vec().into(), [].into())
        .await
        .unwrap();
    let left = fixture.queue.message(id).await.unwrap().recipients;
    assert_eq!((left.len(), left[0].attempts, left[0].due), (1, 1, 9));
    let last = left[0].last.as_ref().unwrap();
    assert_eq!(last.outcome.to_string(), "451 4.2.0 later");
    let lines = [settlement(left[0].id, Settled::Done)];
    fixture
        .queue
        .settle(id, lines.to_vec().into(), [].into())
        .await
        .unwrap();
    assert!(matches!(
        fixture.queue.message(id).await,
        Err(Error::NotFound(_))
    ));
    assert!(fixture.octets(id).await.is_empty());
    assert!(fixture.add("a@b.c", &["x@example.net"]).await > id);
}

#[tokio::test]
async fn a_report_comes_in_as_its_recipient_goes_out() {
    let fixture = fixture().await;
    let id = fixture.add("a@b.c", &["x@example.net"]).await;
    let recipient = fixture.queue.message(id).await.unwrap().recipients[0].id;
    let report = NewReport {
        envelope: envelope("", &["a@b.c"]),
        message: Body::from_bytes("Subject: failed\r\n\r\n".into()),
    };
    let lines = [settlement(recipient, Settled::Done)];
    fixture
        .queue
        .settle(id, lines.to_vec().into(), [report].into())
        .await
        .unwrap();
    let all = fixture.all().await;
    assert_eq!(all.len(), 1);
    assert_eq!(
        (
            all[0].sender.as_str(),
            all[0].recipients[0].address.as_str()
        ),
        ("", "a@b.c")
    );
}

#[tokio::test]
async fn what_is_held_or_in_the_future_is_not_due() {
    let fixture = fixture().await;
    let held = fixture.add("a@b.c", &["x@example.net"]).await;
    fixture.queue.hold(held).await.unwrap();
    let message = Body::from_bytes("x\r\n".into());
    let (to, future) = (envelope("a@b.c", &["y@example.net"]), now() + 60_000);
    let later = fixture.queue.add(to, message, Some(future)).await.unwrap();
    let due = async || {
        fixture
            .queue
            .due(now() + 1, (i64::MIN, 0), 10)
            .await
            .unwrap()
    };
    assert!(due().await.is_empty());
    assert_eq!(fixture.queue.next_due(now()).await.unwrap(), Some(future));
    fixture.queue.release(held).await.unwrap();
    fixture.queue.retry(later).await.unwrap();
    let mut both: Vec<_> = due().await.iter().map(|due| due.message).collect();
    both.sort();
    assert_eq!(both, [held, later]);
}

#[tokio::test]
async fn messages_are_found_by_what_is_known_of_them() {
    let fixture = fixture().await;
    let one = fixture.add("Anna@example.org", &["x@example.net"]).await;
    let two = fixture.add("", &["bob@example.com"]).await;
    fixture.queue.hold(one).await.unwrap();
    let text = |text: &str| Some(text.to_owned());
    let mut filters = vec![(QueueFilter::default(), vec![one, two])];
    let mut expect = |change: &dyn Fn(&mut QueueFilter), found| {
        let mut filter = QueueFilter::default();
        change(&mut filter);
        filters.push((filter, vec![found]));
    };
    expect(&|filter| filter.sender = text("anna@"), one);
    expect(&|filter| filter.sender = text("<>"), two);
    expect(&|filter| filter.recipient = text("EXAMPLE.com"), two);
    expect(&|filter| filter.ids = vec![two], two);
    expect(&|filter| filter.held = Some(true), one);
    for (filter, expected) in filters {
        let found = fixture.queue.messages(&filter, QueueId(0), 10).await;
        let found: Vec<_> = found.unwrap().iter().map(|message| message.id).collect();
        assert_eq!(found, expected, "{filter:?}");
    }
    fixture.queue.delete(one).await.unwrap();
    assert_eq!(fixture.all().await.len(), 1);
    let again = fixture.queue.delete(one).await;
    assert!(matches!(again, Err(Error::NotFound(_))));
}

#[tokio::test]
async fn one_that_fails_takes_no_other_of_its_group_with_it() {
    let fixture = fixture().await;
    let adding = (0..20).map(|number| {
        let fixture = &fixture;
        async move {
            if number % 3 == 0 {
                assert!(fixture.queue.hold(QueueId(99_999)).await.is_err());
            }
            fixture.add("a@b.c", &["x@example.net"]).await
        }
    });
    let mut ids = futures_util::future::join_all(adding).await;
    ids.sort();
    ids.dedup();
    assert_eq!((ids.len(), fixture.all().await.len()), (20, 20));
}
