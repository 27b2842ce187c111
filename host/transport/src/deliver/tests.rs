use crate::testing::{Fixture, envelope, notifying};

const MESSAGE: &str = "Received: from a\r\nSubject: lunch\r\n\r\nat noon\r\n";

fn codes(outcomes: &[crate::Outcome]) -> Vec<u16> {
    outcomes.iter().map(|outcome| outcome.code).collect()
}

#[tokio::test]
async fn a_message_arrives_as_it_was_after_a_return_path() {
    let fixture = Fixture::with_users(&["anna@example.org"]).await;
    let outcomes = fixture
        .deliver(&envelope("bob@example.net", &["Anna@example.org"]), MESSAGE)
        .await;
    assert_eq!(outcomes[0].to_string(), "250 2.1.5 Delivered");
    assert_eq!(
        fixture.inbox("anna@example.org").await,
        [format!("Return-Path: <bob@example.net>\r\n{MESSAGE}")]
    );
}

#[tokio::test]
async fn each_recipient_has_its_own_outcome() {
    let fixture = Fixture::with_users(&["anna@example.org"]).await;
    fixture
        .directory
        .add_group("empty@example.org", &[])
        .await
        .unwrap();
    let to = [
        "nobody@example.org",
        "anna@example.org",
        "x@example.net",
        "no address",
        "empty@example.org",
    ];
    let mut envelope = envelope("", &to);
    envelope.source = "lmtp".into();
    let outcomes = fixture.deliver(&envelope, MESSAGE).await;
    let enhanced: Vec<_> = outcomes
        .iter()
        .map(|outcome| (outcome.code, outcome.enhanced.as_str()))
        .collect();
    assert_eq!(
        enhanced,
        [
            (550, "5.1.1"),
            (250, "2.1.5"),
            (550, "5.7.1"),
            (553, "5.1.3"),
            (550, "5.2.4")
        ]
    );
    assert!(fixture.inbox("anna@example.org").await[0].starts_with(b"Return-Path: <>\r\n"));
}

#[tokio::test]
async fn a_mailbox_that_several_recipients_reach_gets_one_copy() {
    let fixture = Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
    let members = ["anna@example.org".to_owned(), "bob@example.org".to_owned()];
    fixture
        .directory
        .add_group("all@example.org", &members)
        .await
        .unwrap();
    fixture
        .directory
        .add_alias("a@example.org", "anna@example.org")
        .await
        .unwrap();
    let to = [
        "anna@example.org",
        "a@example.org",
        "all@example.org",
        "anna+x@example.org",
    ];
    assert_eq!(
        codes(&fixture.deliver(&envelope("", &to), MESSAGE).await),
        [250; 4]
    );
    assert_eq!(fixture.inbox("anna@example.org").await.len(), 1);
    assert_eq!(fixture.inbox("bob@example.org").await.len(), 1);
}

#[tokio::test]
async fn a_retry_after_a_partial_failure_arrives_once_everywhere() {
    let fixture = Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
    let members = ["anna@example.org".to_owned(), "bob@example.org".to_owned()];
    fixture
        .directory
        .add_group("all@example.org", &members)
        .await
        .unwrap();
    fixture.without_mailbox("bob@example.org").await;
    let envelope = envelope(
        "carol@example.net",
        &["all@example.org", "anna@example.org"],
    );
    assert_eq!(
        codes(&fixture.deliver(&envelope, MESSAGE).await),
        [451, 250]
    );
    fixture.with_mailbox_again("bob@example.org").await;
    let retried = MESSAGE.replace("from a", "from a, later");
    assert_eq!(
        codes(&fixture.deliver(&envelope, &retried).await),
        [250, 250]
    );
    assert_eq!(fixture.inbox("anna@example.org").await.len(), 1);
    assert_eq!(fixture.inbox("bob@example.org").await.len(), 1);
    assert_eq!(
        codes(&fixture.deliver(&envelope, "Subject: another\r\n\r\n").await),
        [250, 250]
    );
    assert_eq!(fixture.inbox("anna@example.org").await.len(), 2);
}

#[tokio::test]
async fn a_loop_is_stopped() {
    let fixture = Fixture::with_users(&["anna@example.org"]).await;
    for (hops, code) in [(100, 250), (101, 554)] {
        let message = format!("{}\r\nbody\r\n", "Received: from a\r\n".repeat(hops));
        assert_eq!(
            codes(
                &fixture
                    .deliver(&envelope("", &["anna@example.org"]), &message)
                    .await
            ),
            [code],
            "{hops} hops"
        );
    }
}

#[tokio::test]
async fn a_sender_cannot_write_fields_of_its_own() {
    let fixture = Fixture::with_users(&["anna@example.org"]).await;
    let outcomes = fixture
        .deliver(&envelope("a>\r\nX-Evil: 1", &["anna@example.org"]), MESSAGE)
        .await;
    assert_eq!(codes(&outcomes), [553]);
}

#[tokio::test]
async fn a_local_sender_is_told_of_success_when_it_asked() {
    let fixture = Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
    let mut plain = envelope(
        "bob@example.org",
        &["anna@example.org", "nobody@example.org"],
    );
    plain.source = "lmtp".into();
    fixture.deliver(&plain, MESSAGE).await;
    assert!(fixture.queued_reports().await.is_empty(), "nobody asked");
    fixture.deliver(&notifying(plain), MESSAGE).await;
    let reports = fixture.queued_reports().await;
    let report = &reports[0];
    assert!(
        report.contains("Final-Recipient: rfc822; anna@example.org") && !report.contains("nobody"),
        "{report}"
    );
}

#[tokio::test]
async fn a_report_never_asks_for_a_report() {
    let fixture = Fixture::with_users(&["anna@example.org"]).await;
    let outcomes = fixture
        .deliver(&notifying(envelope("", &["anna@example.org"])), MESSAGE)
        .await;
    assert_eq!(codes(&outcomes), [250]);
    assert!(fixture.queued_reports().await.is_empty());
}
