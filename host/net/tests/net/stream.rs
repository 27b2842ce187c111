//! Turns: input, output, order, waking, hand-over, ends.

use std::time::Duration;

use tokio::{io::AsyncWriteExt, time::sleep};
use waxwing_net::{Attention, ListenerConfig, TlsMode};
use waxwing_runtime::CloseReason;

use crate::{
    running::{Running, toy},
    scripted::end,
};

async fn plain() -> Running {
    Running::new(toy(TlsMode::None)).await
}

#[tokio::test]
async fn a_line_torn_into_pieces_is_one_line_to_the_plugin() {
    let running = plain().await;
    let mut client = running.greeted().await;
    for piece in ["ec", "ho on", "e\r", "\necho two\r\n"] {
        client.send(piece).await;
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(client.line().await, "one");
    assert_eq!(client.line().await, "two");
}

#[tokio::test]
async fn unconsumed_input_is_not_offered_in_a_circle() {
    let running = plain().await;
    let mut client = running.greeted().await;
    client.send("echo half").await;
    sleep(Duration::from_millis(100)).await;
    client.send(" a line\r\n").await;
    assert_eq!(client.line().await, "half a line");
    assert_eq!(
        running.script.log(),
        ["input 9", "input 18", "line echo half a line"]
    );
}

#[tokio::test]
async fn pipelined_commands_wait_for_the_pages_of_an_answer() {
    let running = plain().await;
    let mut client = running.greeted().await;
    client.send("pages 3\r\necho after\r\n").await;
    for expected in [
        "page 0 of version 1",
        "page 1 of version 1",
        "page 2 of version 1",
        "after",
    ] {
        assert_eq!(client.line().await, expected);
    }
}

#[tokio::test]
async fn a_large_stored_body_is_sent_whole_between_its_neighbours() {
    let running = plain().await;
    let mut client = running.greeted().await;
    client.send("body 1000001\r\necho after\r\n").await;
    let line = client.line().await;
    assert_eq!(line.len(), 1_000_003);
    assert!(line.starts_with("<bb") && line.ends_with("bb>"));
    assert_eq!(client.line().await, "after");
}

#[tokio::test]
async fn a_timer_or_change_makes_a_turn_while_the_client_is_silent() {
    let running = plain().await;
    let mut client = running.greeted().await;
    running.script.wake(|| Attention::Turn("new mail"));
    assert_eq!(client.line().await, "* new mail");
}

#[tokio::test]
async fn an_idle_session_is_handed_over_at_once_and_keeps_its_half_line() {
    let running = plain().await;
    let mut client = running.greeted().await;
    client.send("vers").await;
    running.script.noted("input 4").await;
    running.script.wake(|| Attention::Upgrade);
    running.script.noted("upgraded").await;
    assert_eq!(client.ask("ion").await, "version 2");
}

#[tokio::test]
async fn a_session_is_handed_over_between_the_pages_of_an_answer() {
    let running = plain().await;
    let mut client = running.greeted().await;
    // The pages fill the socket; the hand-over happens while the client reads none of them.
    client.send("pages 400000\r\n").await;
    assert_eq!(client.line().await, "page 0 of version 1");
    running.script.wake(|| Attention::Upgrade);
    let mut stream = tokio::io::BufReader::new(client.stream);
    let (mut versions, mut line) = (Vec::new(), String::new());
    for page in 1..400_000 {
        line.clear();
        tokio::io::AsyncBufReadExt::read_line(&mut stream, &mut line)
            .await
            .unwrap();
        let version = line
            .trim_end()
            .strip_prefix(&format!("page {page} of version "))
            .unwrap()
            .to_owned();
        if versions.last() != Some(&version) {
            versions.push(version);
        }
    }
    assert_eq!(
        versions.last().map(String::as_str),
        Some("2"),
        "{versions:?}"
    );
    assert!(versions.len() <= 2);
}

#[tokio::test]
async fn park_is_passed_on_when_nothing_else_is_to_be_done() {
    let running = plain().await;
    let mut client = running.greeted().await;
    client.send("park\r\n").await;
    running.script.noted("parked").await;
    assert_eq!(client.ask("echo awake").await, "awake");
}

#[tokio::test]
async fn close_lets_the_last_words_through_even_when_the_client_has_sent_more() {
    let running = plain().await;
    let mut client = running.greeted().await;
    client.send(format!("quit\r\n{}", "x".repeat(30_000))).await;
    assert_eq!(client.rest().await, "bye\r\n");
    running.script.noted("dropped").await;
    assert!(!running.script.log().contains(&"closed".to_owned()));
}

#[tokio::test]
async fn a_client_that_closes_its_half_is_answered_all_the_same() {
    let running = plain().await;
    let mut client = running.greeted().await;
    client.send("pages 2\r\necho last\r\n").await;
    client.stream.shutdown().await.unwrap();
    assert_eq!(
        client.rest().await,
        "page 0 of version 1\r\npage 1 of version 1\r\nlast\r\n"
    );
    running.script.noted("dropped").await;
    assert_eq!(
        running
            .script
            .log()
            .iter()
            .filter(|line| *line == "closed")
            .count(),
        1
    );
}

#[tokio::test]
async fn a_peer_that_vanishes_in_the_middle_of_anything_is_told_of_once() {
    for opening in [
        "",
        "exact 100\r\nhalf",
        "data 100\r\nhalf",
        "body 50000000\r\n",
        "pages 4000000\r\n",
    ] {
        let running = plain().await;
        let mut client = running.greeted().await;
        client.send(opening).await;
        sleep(Duration::from_millis(50)).await;
        drop(client);
        running.script.noted("dropped").await;
        assert_eq!(
            running
                .script
                .log()
                .iter()
                .filter(|line| *line == "closed")
                .count(),
            1,
            "{opening:?}"
        );
    }
}

#[tokio::test]
async fn a_lost_plugin_ends_the_connection_and_nobody_elses() {
    let running = plain().await;
    let (mut lost, mut other) = (running.greeted().await, running.greeted().await);
    lost.send("trap\r\n").await;
    assert_eq!(lost.rest().await, "");
    assert_eq!(other.ask("echo fine").await, "fine");
}

#[tokio::test]
async fn a_lost_plugin_is_excused_in_the_words_of_the_protocol() {
    let listener = ListenerConfig {
        protocol: "imap".into(),
        ..toy(TlsMode::None)
    };
    let running = Running::new(listener).await;
    let mut client = running.greeted().await;
    client.send("trap\r\n").await;
    assert_eq!(
        client.rest().await,
        "* BYE [UNAVAILABLE] service not available\r\n"
    );
}

#[tokio::test]
async fn a_protocol_without_a_plugin_says_so() {
    for (protocol, words) in [
        ("imap", "* BYE [UNAVAILABLE] service not available\r\n"),
        (
            "lmtp",
            "421 4.3.2 host.example service not available, try again later\r\n",
        ),
    ] {
        let address = "127.0.0.1:0".parse().unwrap();
        let running = Running::new(ListenerConfig::new("without-plugin", protocol, address)).await;
        assert_eq!(running.connect().await.rest().await, words);
    }
}

#[tokio::test]
async fn silence_ends_a_session_with_its_goodbye() {
    let running = Running::new(ListenerConfig {
        idle_timeout: Some(1),
        ..toy(TlsMode::None)
    })
    .await;
    let mut client = running.greeted().await;
    assert_eq!(client.rest().await, "goodbye Idle\r\n");
}

#[tokio::test]
async fn a_body_that_stops_coming_ends_the_session_too() {
    let running = Running::new(ListenerConfig {
        idle_timeout: Some(1),
        ..toy(TlsMode::None)
    })
    .await;
    let mut client = running.greeted().await;
    client.send("exact 10\r\nfive.").await;
    assert_eq!(client.rest().await, "goodbye Idle\r\n");
}

#[tokio::test]
async fn without_a_log_in_time_is_short_and_with_one_it_is_not() {
    let running = Running::new(ListenerConfig {
        login_timeout: Some(1),
        ..toy(TlsMode::None)
    })
    .await;
    let (mut stranger, mut ann) = (running.greeted().await, running.greeted().await);
    ann.send("login ann\r\n").await;
    assert_eq!(stranger.rest().await, "goodbye LoginTimeout\r\n");
    assert_eq!(ann.ask("echo still here").await, "still here");
}

#[tokio::test]
async fn an_administrator_ends_a_session() {
    let running = plain().await;
    let mut client = running.greeted().await;
    running.script.wake(|| end(CloseReason::Administrator));
    assert_eq!(client.rest().await, "goodbye Administrator\r\n");
}

#[tokio::test]
async fn a_stopping_server_lets_everybody_say_goodbye_and_waits_no_longer_than_its_grace() {
    let running = plain().await;
    let (mut idle, mut busy) = (running.greeted().await, running.greeted().await);
    busy.send("exact 10\r\nfive.").await;
    running.script.noted("line exact 10").await;
    let stopped = running.server.shutdown(Duration::from_millis(300));
    let ((), goodbye) = tokio::join!(stopped, idle.rest());
    assert_eq!(goodbye, "goodbye Shutdown\r\n");
    assert_eq!(busy.rest().await, "");
    assert_eq!(running.metrics.open.get(), 0);
    assert!(
        tokio::net::TcpStream::connect(running.address)
            .await
            .is_err()
    );
}
