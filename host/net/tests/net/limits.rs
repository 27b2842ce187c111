//! What one peer may take, and what it is told when it wants more.

use std::time::Duration;

use tokio::{net::TcpStream, time::sleep};
use waxwing_net::{Error, ListenerConfig, TlsMode};

use crate::running::{Running, toy};

fn speaking(protocol: &str) -> ListenerConfig {
    ListenerConfig {
        protocol: protocol.into(),
        ..toy(TlsMode::None)
    }
}

#[tokio::test]
async fn one_connection_too_many_is_refused_in_the_words_of_its_protocol() {
    for (protocol, words) in [
        (
            "imap",
            "* BYE [UNAVAILABLE] too many connections from your address\r\n",
        ),
        (
            "smtp",
            "421 4.7.0 host.example too many connections from your address, try again later\r\n",
        ),
        (
            "pop3",
            "-ERR [SYS/TEMP] too many connections from your address\r\n",
        ),
    ] {
        let limited = ListenerConfig {
            max_connections_per_address: Some(1),
            ..speaking(protocol)
        };
        let running = Running::new(limited).await;
        let first = running.greeted().await;
        assert_eq!(running.connect().await.rest().await, words);
        drop(first);
        running.script.noted("dropped").await;
        sleep(Duration::from_millis(50)).await;
        running.greeted().await;
    }
}

#[tokio::test]
async fn a_full_listener_refuses_and_over_tls_it_does_so_encrypted() {
    let full = ListenerConfig {
        max_connections: 1,
        tls: TlsMode::Implicit,
        ..speaking("imap")
    };
    let running = Running::new(full).await;
    let mut first = running.connect_tls().await;
    assert_eq!(first.line().await, "hello 127.0.0.1 encrypted");
    assert_eq!(
        running.connect_tls().await.rest().await,
        "* BYE [UNAVAILABLE] too many connections\r\n"
    );
    assert_eq!(running.metrics.refused.get(), 1);
}

#[tokio::test]
async fn a_full_http_listener_answers_503() {
    let full = ListenerConfig {
        max_connections: 1,
        ..speaking("http")
    };
    let running = Running::new(full).await;
    let _first = running.connect().await;
    sleep(Duration::from_millis(50)).await;
    let answer = running.connect().await.rest().await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
}

#[tokio::test]
async fn a_user_has_so_many_sessions_and_the_next_is_told_goodbye() {
    let running = Running::new(ListenerConfig {
        max_connections_per_user: Some(1),
        ..toy(TlsMode::None)
    })
    .await;
    let (mut first, mut second, mut other) = (
        running.greeted().await,
        running.greeted().await,
        running.greeted().await,
    );
    first.send("login ann\r\n").await;
    assert_eq!(first.ask("echo in").await, "in");
    second.send("login ann\r\n").await;
    assert_eq!(second.rest().await, "goodbye Limit\r\n");
    other.send("login ben\r\n").await;
    assert_eq!(other.ask("echo in").await, "in");
}

#[tokio::test]
async fn an_unlimited_network_is_not_counted() {
    let limited = ListenerConfig {
        max_connections_per_address: Some(0),
        ..toy(TlsMode::None)
    };
    let running = Running::new(limited).await;
    assert_eq!(running.connect().await.rest().await, "");
    let mut config = running.config.clone();
    config.unlimited_from = vec!["127.0.0.0/8".parse().unwrap()];
    running.server.reload(config).await.unwrap();
    running.greeted().await;
}

#[tokio::test]
async fn a_plugin_that_consumes_nothing_of_a_full_buffer_ends_the_connection() {
    let running = Running::new(toy(TlsMode::None)).await;
    let mut client = running.greeted().await;
    client.send("x".repeat(64 * 1024)).await;
    assert_eq!(client.rest().await, "goodbye Limit\r\n");
}

#[tokio::test]
async fn a_slow_reader_holds_no_more_than_one_page_and_is_cut_off_in_the_end() {
    let running = Running::new(ListenerConfig {
        write_timeout: 1,
        ..toy(TlsMode::None)
    })
    .await;
    let mut client = running.greeted().await;
    client.send("pages 100000000\r\n").await;
    running.script.noted("closed").await;
    // What left is in the buffers of the two sockets, a few megabytes; no page was made that could not leave.
    let pages = running
        .script
        .log()
        .iter()
        .filter(|line| line.starts_with("page "))
        .count();
    assert!(pages < 1_000_000, "{pages}");
}

#[tokio::test]
async fn a_busy_port_is_named_with_the_listener_and_the_key_to_change() {
    let running = Running::new(toy(TlsMode::None)).await;
    let mut config = running.config.clone();
    config.listeners = vec![ListenerConfig::new("second", "toy", running.address)];
    let error = running.server.reload(config).await.unwrap_err();
    assert!(matches!(error, Error::Listen { .. }));
    let text = error.to_string();
    for part in [
        "\"second\"",
        &running.address.to_string(),
        "`address`",
        "[[listener]]",
        "another program",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    running.greeted().await;
}

#[tokio::test]
async fn a_balancers_word_on_the_client_is_taken_from_trusted_networks_only() {
    let trusted = ListenerConfig {
        proxy_protocol_from: vec!["127.0.0.0/8".parse().unwrap()],
        ..toy(TlsMode::None)
    };
    let running = Running::new(trusted).await;
    let mut client = running.connect().await;
    client
        .send("PROXY TCP4 192.0.2.7 192.0.2.1 4711 143\r\necho next\r\n")
        .await;
    assert_eq!(client.line().await, "hello 192.0.2.7 plain");
    assert_eq!(client.line().await, "next");
    let mut client = running.connect().await;
    client.send("EHLO somebody.example\r\n").await;
    assert_eq!(client.rest().await, "");

    let elsewhere = ListenerConfig {
        proxy_protocol_from: vec!["192.0.2.0/24".parse().unwrap()],
        ..toy(TlsMode::None)
    };
    let running = Running::new(elsewhere).await;
    let mut client = running.connect().await;
    let _ = tokio::io::AsyncWriteExt::write_all(
        &mut client.stream,
        b"PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n",
    )
    .await;
    assert_eq!(client.rest().await, "");
    assert_eq!(running.metrics.refused.get(), 1);
}

#[tokio::test]
async fn a_reload_adds_and_removes_listeners_and_connections_stay() {
    let running = Running::new(toy(TlsMode::None)).await;
    let mut client = running.greeted().await;
    let mut config = running.config.clone();
    config.listeners = vec![ListenerConfig::new(
        "other",
        "toy",
        "127.0.0.9:0".parse().unwrap(),
    )];
    running.server.reload(config).await.unwrap();
    let bound = running.server.listeners().remove(0);
    assert_eq!(
        (bound.name.as_str(), bound.address.ip().to_string().as_str()),
        ("other", "127.0.0.9")
    );
    assert_eq!(client.ask("echo still here").await, "still here");
    TcpStream::connect(bound.address).await.unwrap();
    sleep(Duration::from_millis(50)).await;
    assert!(TcpStream::connect(running.address).await.is_err());
}

#[tokio::test]
async fn a_configuration_that_contradicts_itself_is_refused() {
    let running = Running::new(toy(TlsMode::None)).await;
    let mut config = running.config.clone();
    config.listeners = vec![toy(TlsMode::None), toy(TlsMode::None)];
    assert!(matches!(
        running.server.reload(config.clone()).await,
        Err(Error::Listener { .. })
    ));
    config.listeners = vec![ListenerConfig {
        protocol: "http".into(),
        ..toy(TlsMode::Starttls)
    }];
    let error = running.server.reload(config).await.unwrap_err().to_string();
    assert!(error.contains("starttls"), "{error}");
}
