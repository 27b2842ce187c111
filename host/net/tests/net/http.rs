//! The HTTP front: routes, log-in, bodies, responses.

use std::{io::Write, process::Command, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use flate2::{Compression, write::GzEncoder};
use tokio::time::sleep;
use waxwing_net::{ListenerConfig, TlsMode};

use crate::running::{Running, web};

async fn plain() -> Running {
    Running::new(web(TlsMode::None)).await
}

/// One request on a connection of its own; the whole answer.
async fn exchange(running: &Running, head: &str, body: &[u8]) -> String {
    let mut client = running.connect().await;
    client
        .send(format!(
            "{head}\r\nHost: localhost\r\nConnection: close\r\n"
        ))
        .await;
    if !body.is_empty() {
        client
            .send(format!("Content-Length: {}\r\n", body.len()))
            .await;
    }
    client.send("\r\n").await;
    client.send(body).await;
    client.rest().await
}

fn status(answer: &str) -> u16 {
    answer
        .get(9..12)
        .and_then(|status| status.parse().ok())
        .unwrap_or_else(|| panic!("{answer:?}"))
}

fn content(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let head = answer.split_once("\r\n\r\n").unwrap().0;
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

#[tokio::test]
async fn a_small_page_comes_with_its_length_and_the_path_is_found_in_any_case() {
    let running = plain().await;
    let answer = exchange(&running, "GET /TOY/Hello HTTP/1.1", b"").await;
    assert_eq!((status(&answer), content(&answer)), (200, "GET /TOY/Hello"));
    assert_eq!(header(&answer, "content-length"), Some("14"));
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let running = plain().await;
    let answer = exchange(&running, "HEAD /toy/hello HTTP/1.1", b"").await;
    assert_eq!((status(&answer), content(&answer)), (200, ""));
    assert_eq!(header(&answer, "content-length"), Some("14"));
}

#[tokio::test]
async fn options_is_answered_by_the_plugin_and_for_one_that_does_not_know_it() {
    let running = plain().await;
    assert_eq!(
        content(&exchange(&running, "OPTIONS /toy/hello HTTP/1.1", b"").await),
        "OPTIONS /toy/hello"
    );
    for target in ["*", "/toy/not-allowed"] {
        let answer = exchange(&running, &format!("OPTIONS {target} HTTP/1.1"), b"").await;
        assert_eq!(status(&answer), 204, "{target}");
        assert_eq!(header(&answer, "allow"), Some("OPTIONS, GET, HEAD, POST"));
    }
}

#[tokio::test]
async fn what_is_not_there_is_told_apart_from_what_is_missing_and_what_failed() {
    let running = plain().await;
    for (path, expected) in [("/nothing", 404), ("/missing/x", 503), ("/toy/early", 500)] {
        let answer = exchange(&running, &format!("GET {path} HTTP/1.1"), b"").await;
        assert_eq!(status(&answer), expected, "{path}");
        let id = header(&answer, "request-id").unwrap();
        assert!(content(&answer).contains(id));
    }
    assert_eq!(
        status(&exchange(&running, "TRACE /toy/hello HTTP/1.1", b"").await),
        405
    );
}

#[tokio::test]
async fn without_credentials_a_client_is_asked_for_them_and_the_plugin_never_sees_any() {
    let running = plain().await;
    let basic = |password: &str| BASE64_STANDARD.encode(format!("ann@example.org:{password}"));
    let answer = exchange(&running, "GET /secret/me HTTP/1.1", b"").await;
    assert_eq!(status(&answer), 401);
    assert!(
        header(&answer, "www-authenticate")
            .unwrap()
            .starts_with("Basic realm=")
    );
    let right = format!(
        "GET /secret/me HTTP/1.1\r\nAuthorization: Basic {}",
        basic("wonderland")
    );
    let answer = exchange(&running, &right, b"").await;
    assert_eq!(
        (status(&answer), content(&answer)),
        (200, "ann@example.org")
    );
    let wrong = format!(
        "GET /secret/me HTTP/1.1\r\nAuthorization: Basic {}",
        basic("wrong")
    );
    assert_eq!(status(&exchange(&running, &wrong, b"").await), 401);
    let shown = format!(
        "GET /toy/headers HTTP/1.1\r\nX-Mine: 1\r\nAuthorization: Basic {}",
        basic("wonderland")
    );
    let answer = exchange(&running, &shown, b"").await;
    assert!(
        content(&answer).contains("x-mine") && !content(&answer).contains("authorization"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_password_is_not_taken_over_plaintext_where_the_policy_forbids_it() {
    let strict = ListenerConfig {
        plaintext_login: waxwing_net::PlaintextLogin::Never,
        ..web(TlsMode::None)
    };
    let running = Running::new(strict).await;
    assert_eq!(
        status(&exchange(&running, "GET /secret/me HTTP/1.1", b"").await),
        403
    );
}

#[tokio::test]
async fn bodies_come_in_by_length_in_chunks_and_compressed() {
    let running = plain().await;
    let answer = exchange(&running, "POST /toy/upload HTTP/1.1", b"plain").await;
    assert_eq!(content(&answer), "plain");
    let chunked = "POST /toy/upload HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: x\r\nConnection: close\r\n\r\n\
                   3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n";
    let mut client = running.connect().await;
    client.send(chunked).await;
    assert_eq!(content(&client.rest().await), "abcdefg");
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(b"packed").unwrap();
    let packed = gzip.finish().unwrap();
    let answer = exchange(
        &running,
        "POST /toy/upload HTTP/1.1\r\nContent-Encoding: gzip",
        &packed,
    )
    .await;
    assert_eq!(content(&answer), "packed");
}

#[tokio::test]
async fn a_large_upload_comes_back_unchanged() {
    let running = plain().await;
    let body: String = (0..150_000).map(|n| format!("{n:06}")).collect();
    let answer = exchange(&running, "POST /toy/upload HTTP/1.1", body.as_bytes()).await;
    assert!(content(&answer) == body);
}

#[tokio::test]
async fn a_body_over_the_routes_limit_is_refused_however_it_is_packed() {
    let running = plain().await;
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..200 {
        gzip.write_all(&[0; 100_000]).unwrap();
    }
    let bomb = gzip.finish().unwrap();
    let answer = exchange(
        &running,
        "POST /toy/upload HTTP/1.1\r\nContent-Encoding: gzip",
        &bomb,
    )
    .await;
    assert_eq!(status(&answer), 413);
    assert!(content(&answer).contains("1000000"));
    assert_eq!(
        status(&exchange(&running, "POST /toy/upload HTTP/1.1", &vec![0; 1_000_001]).await),
        413
    );
    let answer = exchange(
        &running,
        "POST /toy/upload HTTP/1.1\r\nContent-Encoding: br",
        b"x",
    )
    .await;
    assert_eq!(
        (status(&answer), header(&answer, "accept-encoding")),
        (415, Some("gzip, deflate"))
    );
    let answer = exchange(
        &running,
        "POST /toy/upload HTTP/1.1\r\nContent-Encoding: gzip",
        b"not gzip",
    )
    .await;
    assert_eq!(status(&answer), 400);
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on_or_not() {
    let running = plain().await;
    let head = |length: u32| {
        format!(
            "POST /toy/upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut client = running.connect().await;
    client.send(head(5)).await;
    assert_eq!(client.line().await, "HTTP/1.1 100 Continue");
    client.send("hello").await;
    assert!(client.rest().await.ends_with("hello"));
    let mut client = running.connect().await;
    client.send(head(5_000_000)).await;
    assert_eq!(client.line().await, "HTTP/1.1 413 Payload Too Large");
}

#[tokio::test]
async fn a_stream_arrives_in_chunks_and_ends() {
    let running = plain().await;
    let answer = exchange(&running, "GET /toy/stream HTTP/1.1", b"").await;
    assert_eq!(header(&answer, "transfer-encoding"), Some("chunked"));
    let chunks: Vec<&str> = content(&answer)
        .lines()
        .filter(|line| line.starts_with("chunk"))
        .collect();
    assert_eq!(chunks, ["chunk 2", "chunk 3", "chunk 4"]);
    assert!(answer.ends_with("0\r\n\r\n"));
}

#[tokio::test]
async fn a_response_that_breaks_off_is_not_taken_for_a_whole_one() {
    let running = plain().await;
    for path in ["/toy/broken", "/toy/late"] {
        let answer = exchange(&running, &format!("GET {path} HTTP/1.1"), b"").await;
        assert!(
            answer.contains("start") && !answer.ends_with("0\r\n\r\n"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn a_client_that_leaves_frees_its_exchange_parked_or_streaming() {
    let running = plain().await;
    for (path, mark) in [
        ("/toy/park", "exchange parked"),
        ("/toy/endless", "endless 2"),
    ] {
        let mut client = running.connect().await;
        client
            .send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"))
            .await;
        running.script.noted(mark).await;
        let before = running
            .script
            .log()
            .iter()
            .filter(|line| *line == "exchange dropped")
            .count();
        drop(client);
        let mut tries = 0..300;
        while running
            .script
            .log()
            .iter()
            .filter(|line| *line == "exchange dropped")
            .count()
            == before
        {
            assert!(tries.next().is_some(), "{path}");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_not_written_for() {
    let running = plain().await;
    let mut client = running.connect().await;
    client
        .send("GET /toy/endless HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    running.script.noted("endless 3").await;
    sleep(Duration::from_millis(500)).await;
    let made = running
        .script
        .log()
        .iter()
        .filter(|line| line.starts_with("endless"))
        .count();
    assert!(made * 256 * 1024 < 64 * 1024 * 1024, "{made}");
}

#[tokio::test]
async fn many_requests_share_a_connection_without_waiting_for_one_another() {
    let running = plain().await;
    let mut client = running.connect().await;
    let started = std::time::Instant::now();
    for _ in 0..50 {
        client
            .send("GET /toy/hello HTTP/1.1\r\nHost: x\r\n\r\n")
            .await;
        while !client.line().await.is_empty() {}
        let mut body = [0; 14];
        tokio::io::AsyncReadExt::read_exact(&mut client.stream, &mut body)
            .await
            .unwrap();
    }
    assert!(
        started.elapsed() < Duration::from_millis(1_500),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(running.metrics.accepted.get(), 1);
}

#[tokio::test]
async fn curl_is_served_over_tls_in_both_versions() {
    let running = Running::new(web(TlsMode::Implicit)).await;
    for (option, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let url = format!("https://localhost:{}/toy/stream", running.address.port());
        let authority = running.authority();
        let curl = move || {
            let mut command = Command::new("curl");
            command.args([
                "-sS",
                option,
                "-w",
                "%{http_version}",
                "--resolve",
                "localhost:0:127.0.0.1",
                "--cacert",
            ]);
            command
                .arg(authority)
                .arg(url)
                .env_remove("CURL_CA_BUNDLE")
                .output()
                .unwrap()
        };
        let output = tokio::task::spawn_blocking(curl).await.unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(
            text,
            format!("chunk 2\nchunk 3\nchunk 4\n{version}"),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[tokio::test]
async fn a_connection_on_which_nothing_is_asked_is_closed_in_either_version() {
    for opening in [
        "GET /toy/hello HTTP/1.1\r\nHost: x\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ] {
        let listener = ListenerConfig {
            idle_timeout: Some(1),
            ..web(TlsMode::None)
        };
        let running = Running::new(listener).await;
        let mut client = running.connect().await;
        client.send(opening).await;
        assert_ne!(client.rest().await, "");
    }
}

#[tokio::test]
async fn a_user_has_so_many_requests_at_a_time() {
    let running = Running::new(ListenerConfig {
        max_connections_per_user: Some(0),
        ..web(TlsMode::None)
    })
    .await;
    let basic = BASE64_STANDARD.encode("ann@example.org:wonderland");
    let head = format!("GET /secret/me HTTP/1.1\r\nAuthorization: Basic {basic}");
    assert_eq!(status(&exchange(&running, &head, b"").await), 429);
}

#[tokio::test]
async fn a_stopping_server_closes_idle_connections_at_once() {
    let running = plain().await;
    let mut client = running.connect().await;
    client
        .send("GET /toy/hello HTTP/1.1\r\nHost: x\r\n\r\n")
        .await;
    assert_eq!(client.line().await, "HTTP/1.1 200 OK");
    running.server.shutdown(Duration::from_secs(5)).await;
    client.rest().await;
    assert_eq!(running.metrics.open.get(), 0);
}

#[tokio::test]
async fn metrics_of_a_version_that_was_loaded_twice_are_added_up() {
    let running = plain().await;
    let answer = exchange(&running, "GET /metrics HTTP/1.1", b"").await;
    assert_eq!(status(&answer), 200);
    let lines: Vec<&str> = content(&answer).lines().collect();
    for line in [
        "waxwing_plugin_turns_total{plugin=\"toy\",version=\"1.0.0\"} 10",
        "waxwing_plugin_cpu_seconds_total{plugin=\"toy\",version=\"1.0.0\"} 3",
        "waxwing_plugin_sessions{plugin=\"toy\",version=\"1.0.0\",state=\"live\"} 2",
        "waxwing_plugin_sessions{plugin=\"toy\",version=\"1.0.0\",state=\"frozen\"} 4",
        "waxwing_listener_connections_total{listener=\"web\",protocol=\"http\"} 1",
    ] {
        assert!(lines.contains(&line), "{line} is not in\n{answer}");
    }
    let answer = exchange(&running, "HEAD /metrics HTTP/1.1", b"").await;
    assert_eq!((status(&answer), content(&answer)), (200, ""));
}

#[tokio::test]
async fn metrics_are_for_those_who_may_read_them() {
    let running = plain().await;
    let mut config = running.config.clone();
    config.metrics_from = vec!["192.0.2.0/24".parse().unwrap()];
    running.server.reload(config.clone()).await.unwrap();
    let answer = exchange(&running, "GET /metrics HTTP/1.1", b"").await;
    assert_eq!(status(&answer), 403);
    assert!(answer.contains("[metrics] allow_from"), "{answer}");
    config.metrics_from.clear();
    running.server.reload(config).await.unwrap();
    let answer = exchange(&running, "GET /metrics HTTP/1.1", b"").await;
    assert_eq!(status(&answer), 404);
}
