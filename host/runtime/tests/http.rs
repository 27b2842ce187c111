//! Requests end to end: park, resume, pages, failures.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::{net::SocketAddr, time::Duration};

use support::Host;
use waxwing_runtime::{Error, Exchange, HttpAction, HttpRequest, RouteAuth};

const MANIFEST: &str = "name = 'probe'\nversion = '0.1.0'\nworld = 'http-plugin'\n[[route]]\nprefix = '/'\nauth = 'basic'\nmax_body = 9\n";

async fn host() -> Host {
    let host = Host::new().await;
    host.run_as(MANIFEST).await;
    host
}

fn get(host: &Host, path: &str) -> Exchange {
    let request = HttpRequest {
        id: "r1".into(),
        method: "GET".into(),
        scheme: "https".into(),
        authority: "mail.test".into(),
        path: path.into(),
        query: None,
        route: "/".into(),
        headers: vec![("accept".into(), "*/*".into())],
        peer: SocketAddr::from(([192, 0, 2, 1], 40_000)),
        tls: None,
        body: None,
        principal: None,
    };
    host.runtime.exchange("probe", request).unwrap()
}

/// Statuses and texts up to the end.
async fn whole(mut exchange: Exchange) -> String {
    let mut text = String::new();
    while let Some(actions) = exchange.next().await.unwrap() {
        for action in actions {
            match action {
                HttpAction::Head { status, .. } => text += &format!("{status}: "),
                HttpAction::Send(octets) => {
                    text += &format!("{}; ", std::str::from_utf8(&octets).unwrap())
                }
                HttpAction::Finish => text += "end",
                other => panic!("{other:?}"),
            }
        }
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_parked_and_resumed_in_a_fresh_instance() {
    let host = host().await;
    assert_eq!(whole(get(&host, "/wait")).await, "parked timeout; end");
    assert_eq!(
        whole(get(&host, "/stream")).await,
        "200: one; parked timeout; end"
    );
    assert_eq!(
        whole(get(&host, "/pages")).await,
        "200: one; 2 drained; end"
    );
    assert_eq!(whole(get(&host, "/none")).await, "404: end");
    assert_eq!(host.status("0.1.0").sessions, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_request_holds_no_instance_and_its_wait_can_be_cancelled() {
    let host = host().await;
    let mut exchange = get(&host, "/long");
    exchange.next().await.unwrap();
    for _ in 0..2 {
        assert!(
            tokio::time::timeout(Duration::from_millis(30), exchange.next())
                .await
                .is_err()
        );
    }
    let waiting = tokio::spawn(async move { whole(exchange).await });
    tokio::time::sleep(Duration::from_millis(30)).await;
    assert_eq!(
        (host.status("0.1.0").frozen, host.status("0.1.0").memory),
        (1, 0)
    );
    host.runtime.shutdown(Duration::from_secs(1)).await;
    assert_eq!(waiting.await.unwrap(), "parked closing; end");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_request_is_an_error_and_harms_no_other() {
    let host = host().await;
    assert!(matches!(
        get(&host, "/trap").next().await,
        Err(Error::SessionLost(_))
    ));
    assert!(
        matches!(get(&host, "/endless").next().await, Err(Error::SessionLost(reason)) if reason.contains("neither more, park, finish"))
    );
    assert_eq!(whole(get(&host, "/none")).await, "404: end");
    assert_eq!(host.status("0.1.0").traps, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_request_is_resumed_by_the_version_that_is_active_then() {
    let host = host().await;
    let mut exchange = get(&host, "/long");
    exchange.next().await.unwrap();
    host.run_as(&MANIFEST.replace("0.1.0", "0.2.0")).await;
    host.runtime.shutdown(Duration::from_millis(1)).await;
    assert_eq!(whole(exchange).await, "parked closing; end");
    assert_eq!(
        (host.status("0.2.0").turns, host.status("0.2.0").handovers),
        (1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_of_active_versions_are_known() {
    let host = host().await;
    let routes = host.runtime.routes();
    assert_eq!(
        (
            routes.len(),
            routes[0].prefix.as_str(),
            routes[0].auth,
            routes[0].max_body
        ),
        (1, "/", RouteAuth::Basic, 9)
    );
}
