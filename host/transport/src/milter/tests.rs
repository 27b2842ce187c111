//! What has no need of a filter; conversations are held with filters of others in `tests/e2e/test_milter.py`.

use super::*;
use crate::testing::envelope;

#[test]
fn an_address_is_a_socket_or_a_host_with_a_port() {
    for (text, shown) in [
        ("unix:/run/a.sock", "unix:/run/a.sock"),
        ("local:/run/a.sock", "unix:/run/a.sock"),
        ("inet:127.0.0.1:11332", "inet:127.0.0.1:11332"),
        ("[::1]:11332", "inet:[::1]:11332"),
    ] {
        let address = MilterAddress::try_from(text.to_owned()).unwrap();
        assert_eq!(address.to_string(), shown);
    }
    for text in ["", "unix:a.sock", "rspamd", "inet:host:port"] {
        assert!(MilterAddress::try_from(text.to_owned()).is_err(), "{text}");
    }
}

async fn passed(wanted: Wanted) -> Result<Passed, Outcome> {
    let message = Body::from_bytes("A: 1\r\n\r\n".into());
    let header = Header::read(&message).await.unwrap();
    let envelope = envelope("a@b.c", &["one@example.org", "two@example.org"]);
    let mut passed = Passed::new(envelope, message);
    passed.take(wanted, &header).map(|()| passed)
}

fn wanted(changes: Vec<Change>) -> Wanted {
    Wanted {
        decision: Decision::Accept,
        changes,
        refused: Vec::new(),
    }
}

#[tokio::test]
async fn recipients_that_leave_have_an_outcome_and_the_others_stay() {
    let passed = passed(Wanted {
        refused: vec![(0, Decision::Reject)],
        ..wanted(vec![
            Change::AddRecipient("<three@example.org>".into()),
            Change::DeleteRecipient("<TWO@example.org>".into()),
        ])
    });
    let passed = passed.await.unwrap();
    assert!(passed.envelope.recipients.is_empty());
    let codes = passed
        .decided
        .iter()
        .map(|outcome| outcome.as_ref().unwrap().code);
    assert_eq!(codes.collect::<Vec<_>>(), [550, 250]);
    assert_eq!(passed.added[0].address, "three@example.org");
}

#[tokio::test]
async fn quarantine_is_junk_with_one_line_of_reason() {
    let passed = passed(wanted(vec![Change::Quarantine("odd\r\nX: y".into())]));
    let passed = passed.await.unwrap();
    assert!(passed.envelope.junk);
    let octets = passed.message.read(0, 100).await.unwrap();
    assert_eq!(
        &octets[..],
        b"X-Quarantine-Reason: odd  X: y\r\nA: 1\r\n\r\n"
    );
}

#[tokio::test]
async fn an_endless_body_is_a_broken_filter() {
    let piece = Change::Body(vec![b'x'; 1 << 20].into());
    let refused = passed(wanted(vec![piece; 65])).await;
    assert_eq!(refused.err().unwrap().code, 451);
}
