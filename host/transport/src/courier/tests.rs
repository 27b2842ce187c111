//! The courier with a host that answers as a recipient's name says: `ok-…`, `later-…`, `never-…`.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

use super::*;
use crate::{Envelope, HostPort, Route, testing};

/// Messages taken: recipients and octets.
#[derive(Default)]
struct Taken(Mutex<Vec<(Vec<String>, String)>>, AtomicUsize);

impl Taken {
    fn all(&self) -> Vec<(Vec<String>, String)> {
        self.0.lock().unwrap().clone()
    }
}

/// Serves one connection. `later-` is taken at its second attempt.
async fn serve(socket: tokio::net::TcpStream, taken: Arc<Taken>) {
    let mut stream = BufReader::new(socket);
    stream.get_mut().write_all(b"220 sink\r\n").await.unwrap();
    let mut recipients = Vec::new();
    let mut line = String::new();
    while stream.read_line(&mut line).await.unwrap_or(0) > 0 {
        let command = std::mem::take(&mut line);
        let answer = match command.trim_end() {
            "DATA" => {
                stream.get_mut().write_all(b"354 go\r\n").await.unwrap();
                let mut message = String::new();
                while !message.ends_with("\r\n.\r\n") {
                    stream.read_line(&mut message).await.unwrap();
                }
                let message = message.trim_end_matches(".\r\n").to_owned();
                let taken_by = std::mem::take(&mut recipients);
                taken.0.lock().unwrap().push((taken_by, message));
                "250 2.0.0 taken\r\n"
            }
            rcpt if rcpt.starts_with("RCPT TO:<never") => "550 5.1.1 no such user\r\n",
            rcpt if rcpt.starts_with("RCPT TO:<later")
                && taken.1.fetch_add(1, Ordering::SeqCst) == 0 =>
            {
                "451 4.2.0 later\r\n"
            }
            rcpt if rcpt.starts_with("RCPT TO:<busy") => "452 4.3.1 busy\r\n",
            rcpt if rcpt.starts_with("RCPT") => {
                let address = rcpt.split(['<', '>']).nth(1).unwrap();
                recipients.push(address.to_owned());
                "250 2.1.5 ok\r\n"
            }
            "QUIT" => return,
            _ => "250 2.0.0 ok\r\n",
        };
        stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
    }
}

struct Post {
    fixture: testing::Fixture,
    courier: Courier,
    taken: Arc<Taken>,
}

const MESSAGE: &str = "From: anna@example.org\r\nSubject: x\r\n\r\nhello\r\n";

impl Post {
    async fn with(change: impl Fn(&mut TransportConfig)) -> Post {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let next_hop = HostPort::try_from(listener.local_addr().unwrap().to_string()).unwrap();
        let taken = Arc::new(Taken::default());
        let sink = taken.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, sink.clone()));
            }
        });
        let fixture = testing::Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
        let mut config = TransportConfig {
            routes: vec![Route {
                domain: "example.net".into(),
                next_hop,
            }],
            retry: vec![Duration::from_millis(20)],
            ..TransportConfig::default()
        };
        change(&mut config);
        let (queue, delivery) = (fixture.queue.clone(), fixture.delivery.clone());
        let courier = Courier::start(queue, delivery, &config).unwrap();
        Post {
            fixture,
            courier,
            taken,
        }
    }

    async fn submit(&self, envelope: &Envelope) -> Vec<u16> {
        let outcomes = self
            .fixture
            .submit("anna@example.org", envelope, MESSAGE)
            .await;
        outcomes.iter().map(|outcome| outcome.code).collect()
    }

    /// Until nothing is queued any more.
    async fn empty(&self) {
        for _ in 0..1_000 {
            if self.fixture.queue.length().await.unwrap() == (0, 0) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the queue does not become empty");
    }

    async fn report(&self) -> String {
        let inbox = self.fixture.inbox_of("anna@example.org", 1).await;
        String::from_utf8(inbox[0].to_vec()).unwrap()
    }
}

fn to(recipients: &[&str]) -> Envelope {
    testing::envelope("anna@example.org", recipients)
}

#[tokio::test]
async fn a_message_leaves_once_and_exactly_as_it_came() {
    let post = Post::with(|_| {}).await;
    assert_eq!(
        post.submit(&to(&["ok-1@example.net", "ok-2@example.net"]))
            .await,
        [250, 250]
    );
    post.empty().await;
    let both = vec!["ok-1@example.net".to_owned(), "ok-2@example.net".to_owned()];
    assert_eq!(post.taken.all(), [(both, MESSAGE.to_owned())]);
    let metrics = post.courier.metrics().await;
    assert_eq!(
        (metrics.delivered, metrics.deferred, metrics.failed),
        (2, 0, 0)
    );
}

#[tokio::test]
async fn who_said_later_is_asked_again_and_nobody_else() {
    let post = Post::with(|_| {}).await;
    post.submit(&to(&["ok-1@example.net", "later-1@example.net"]))
        .await;
    post.empty().await;
    let who: Vec<_> = post.taken.all().into_iter().map(|(who, _)| who).collect();
    assert_eq!(who, [["ok-1@example.net"], ["later-1@example.net"]]);
    assert_eq!(post.courier.metrics().await.deferred, 1);
}

#[tokio::test]
async fn a_refusal_is_reported_to_the_sender() {
    let post = Post::with(|_| {}).await;
    post.submit(&to(&["never-1@example.net", "ok-1@example.net"]))
        .await;
    let report = post.report().await;
    for expected in [
        "Action: failed\r\nStatus: 5.1.1\r\n",
        "Final-Recipient: rfc822; never-1@example.net",
        "Diagnostic-Code: smtp; 550 5.1.1 no such user",
        "Return-Path: <>",
        "message/rfc822",
        "hello",
    ] {
        assert!(report.contains(expected), "{expected}: {report}");
    }
    assert!(!report.contains("ok-1"), "{report}");
    post.empty().await;
}

#[tokio::test]
async fn a_sender_that_wants_no_report_gets_none_and_a_report_makes_no_report() {
    let post = Post::with(|_| {}).await;
    let mut silent = to(&["never-1@example.net"]);
    silent.recipients[0].notify.never = true;
    post.submit(&silent).await;
    post.submit(&testing::envelope("", &["never-2@example.net"]))
        .await;
    post.empty().await;
    assert!(post.fixture.inbox("anna@example.org").await.is_empty());
    assert_eq!(post.courier.metrics().await.failed, 2);
}

#[tokio::test]
async fn success_is_reported_as_relayed_when_the_host_makes_no_reports() {
    let post = Post::with(|_| {}).await;
    post.submit(&testing::notifying(to(&["ok-1@example.net"])))
        .await;
    let report = post.report().await;
    assert!(report.contains("Action: relayed"), "{report}");
}

#[tokio::test]
async fn what_takes_long_is_told_and_given_up_at_last() {
    let post = Post::with(|config| {
        config.delay_notice = Duration::ZERO;
        config.expire = Duration::from_millis(400);
    })
    .await;
    post.submit(&to(&["busy-1@example.net"])).await;
    let reports = post.fixture.inbox_of("anna@example.org", 2).await;
    let text: Vec<_> = reports
        .iter()
        .map(|report| String::from_utf8_lossy(report))
        .collect();
    assert!(
        text[0].contains("Action: delayed") && text[0].contains("Will-Retry-Until:"),
        "{}",
        text[0]
    );
    assert!(
        text[1].contains("Action: failed") && text[1].contains("Status: 5.4.7"),
        "{}",
        text[1]
    );
    post.empty().await;
    assert_eq!(post.fixture.inbox("anna@example.org").await.len(), 2);
}

#[tokio::test]
async fn a_host_that_is_down_is_tried_until_it_is_up() {
    let held = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = held.local_addr().unwrap();
    drop(held);
    let post = Post::with(|config| {
        config.routes[0].next_hop = HostPort::try_from(address.to_string()).unwrap();
    })
    .await;
    assert_eq!(post.submit(&to(&["ok-1@example.net"])).await, [250]);
    while post.courier.metrics().await.deferred < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let listener = TcpListener::bind(address).await.unwrap();
    let taken = post.taken.clone();
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        serve(socket, taken).await;
    });
    post.empty().await;
    assert_eq!(post.taken.all().len(), 1);
}

#[tokio::test]
async fn many_messages_share_few_connections() {
    let post = Post::with(|config| config.per_destination = 2).await;
    for number in 0..50 {
        post.submit(&to(&[&format!("ok-{number}@example.net")]))
            .await;
    }
    post.empty().await;
    assert_eq!(post.taken.all().len(), 50);
    let connections = post.courier.metrics().await.connections;
    assert!(connections <= 4, "{connections}");
}

#[tokio::test]
async fn groups_and_aliases_forward_and_their_success_is_reported_at_once() {
    let post = Post::with(|_| {}).await;
    let directory = &post.fixture.directory;
    let members = ["bob@example.org", "ok-1@example.net"].map(str::to_owned);
    directory
        .add_group("all@example.org", &members)
        .await
        .unwrap();
    directory
        .add_alias("away@example.org", "ok-1@example.net")
        .await
        .unwrap();
    let envelope = testing::envelope(
        "carol@example.com",
        &["all@example.org", "away@example.org"],
    );
    let outcomes = post.fixture.deliver(&envelope, MESSAGE).await;
    assert!(
        outcomes.iter().all(|outcome| outcome.code == 250),
        "{outcomes:?}"
    );
    post.empty().await;
    assert_eq!(post.fixture.inbox("bob@example.org").await.len(), 1);
    let taken = post.taken.all();
    let traced = format!("Delivered-To: all@example.org\r\n{MESSAGE}");
    assert_eq!(taken, [(vec!["ok-1@example.net".to_owned()], traced)]);
}

#[tokio::test]
async fn mail_for_others_is_not_taken_from_anybody() {
    let post = Post::with(|_| {}).await;
    let outcomes = post
        .fixture
        .deliver(&to(&["ok-1@example.net"]), MESSAGE)
        .await;
    assert_eq!(
        outcomes[0].to_string(),
        "550 5.7.1 Relaying denied: this is not a domain of this server"
    );
    post.empty().await;
    assert!(post.taken.all().is_empty());
}

#[tokio::test]
async fn a_held_message_waits_for_its_time_with_all_its_recipients() {
    let post = Post::with(|_| {}).await;
    let due = jiff::Timestamp::now() + Duration::from_millis(300);
    let submission = crate::Submission {
        envelope: to(&["ok-1@example.net", "bob@example.org", "nobody@example.org"]),
        principal: post
            .fixture
            .directory
            .user("anna@example.org")
            .await
            .unwrap(),
        hold_until: Some(due),
    };
    let message = waxwing_exmdb::Body::from_bytes(MESSAGE.into());
    let outcomes = post.fixture.delivery.submit(&submission, &message).await;
    let codes: Vec<u16> = outcomes.iter().map(|outcome| outcome.code).collect();
    assert_eq!(codes, [250, 250, 250], "the last one by a report");
    assert!(post.taken.all().is_empty() && post.fixture.inbox("bob@example.org").await.is_empty());
    post.empty().await;
    assert!(jiff::Timestamp::now() >= due);
    assert_eq!(post.taken.all().len(), 1);
    assert_eq!(post.fixture.inbox("bob@example.org").await.len(), 1);
}

#[tokio::test]
async fn what_was_queued_when_the_courier_stopped_leaves_with_the_next_one() {
    let post = Post::with(|_| {}).await;
    post.courier.stop(Duration::from_secs(5)).await;
    assert_eq!(post.submit(&to(&["ok-1@example.net"])).await, [250]);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(post.fixture.queue.length().await.unwrap(), (1, 1));
    assert!(post.taken.all().is_empty());
}
