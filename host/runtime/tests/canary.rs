//! Who gets which version, and what takes one back: canaries, promotion, and versions that fail too much.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::{net::SocketAddr, time::Duration};

use support::{Client, Host, stream_manifest};
use waxwing_runtime::{Audience, HttpAction, HttpRequest, PluginStatus, Wake};

fn users(names: &[&str]) -> Audience {
    Audience {
        users: names
            .iter()
            .map(|name| format!("{name}@example.org"))
            .collect(),
        percent: 0,
    }
}

fn percent(percent: u8) -> Audience {
    Audience {
        users: Vec::new(),
        percent,
    }
}

/// Anna and Bob; 0.1.0 is active, 0.2.0 is loaded and bears two failures.
async fn host() -> Host {
    let host = Host::new().await;
    host.user("anna").await;
    host.user("bob").await;
    host.run("0.1.0").await;
    load(&host, "0.2.0", "max_failures = 2").await;
    host
}

async fn load(host: &Host, version: &str, slo: &str) {
    let manifest = format!("{}[slo]\n{slo}\n", stream_manifest(version));
    host.runtime.load(&host.pack_as(&manifest)).await.unwrap();
}

async fn logged_in(host: &Host, name: &str) -> Client {
    let mut client = host.open().await;
    let address = format!("{name}@example.org");
    assert_eq!(client.say(&format!("log-in {address}")).await, address);
    client
}

/// Waits for what the guard does in its own time.
async fn until_failed(host: &Host, version: &str) -> PluginStatus {
    for _ in 0..500 {
        let status = host.status(version);
        if status.state == "failed" {
            return status;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{version} is not taken back: {:?}", host.runtime.status());
}

async fn trap(client: &mut Client, times: usize) {
    for _ in 0..times {
        assert!(client.say("trap").await.starts_with("server error: "));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_serves_its_users_after_log_in_and_nobody_else() {
    let host = host().await;
    let start = host
        .runtime
        .start_canary("probe", None, users(&["anna"]))
        .await
        .unwrap();
    assert_eq!(
        (
            start.version.as_str(),
            start.active.as_str(),
            start.no_way_back
        ),
        ("0.2.0", "0.1.0", None)
    );
    let mut anna = host.open().await;
    assert_eq!(anna.say("who").await, "probe 0.1.0");
    anna.say("log-in anna@example.org").await;
    // The log-in itself is answered by the active version; then the session is due.
    assert!(matches!(anna.session.wake().await, Wake::Upgrade));
    assert_eq!(anna.say("who").await, "probe 0.2.0");
    assert_eq!(anna.say("count").await, "4");
    let mut bob = logged_in(&host, "bob").await;
    assert_eq!(bob.say("who").await, "probe 0.1.0");
    let status = host.status("0.2.0");
    assert_eq!(
        (
            status.state.as_str(),
            status.audience,
            status.sessions,
            status.handovers
        ),
        ("canary", Some(users(&["anna"])), 1, 1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_percentage_reaches_live_sessions_and_survives_a_restart() {
    let host = host().await;
    let mut anna = logged_in(&host, "anna").await;
    host.runtime
        .start_canary("probe", None, percent(100))
        .await
        .unwrap();
    assert!(matches!(anna.session.wake().await, Wake::Upgrade));
    assert_eq!(anna.say("who").await, "probe 0.2.0");
    drop(anna);
    let host = host.restart().await;
    assert_eq!(host.status("0.2.0").audience, Some(percent(100)));
    let mut bob = logged_in(&host, "bob").await;
    assert_eq!(bob.say("who").await, "probe 0.2.0");
    assert_eq!(host.open().await.say("who").await, "probe 0.1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_canary_gives_its_sessions_back() {
    let host = host().await;
    host.runtime
        .start_canary("probe", None, users(&["anna"]))
        .await
        .unwrap();
    let mut anna = logged_in(&host, "anna").await;
    assert_eq!(anna.say("who").await, "probe 0.2.0");
    anna.say("compose kept").await;
    let swap = host.runtime.rollback("probe").await.unwrap();
    assert_eq!(
        (swap.from.as_deref(), swap.to.as_str()),
        (Some("0.2.0"), "0.1.0")
    );
    assert!(matches!(anna.session.wake().await, Wake::Upgrade));
    assert_eq!(anna.say("who").await, "probe 0.1.0");
    assert_eq!(anna.say("body").await, "kept!");
    assert_eq!(host.status("0.2.0").state, "staged");
    let said = host.runtime.stop_canary("probe").await.unwrap_err();
    assert_eq!(said.to_string(), "probe has no canary");
}

#[tokio::test(flavor = "multi_thread")]
async fn activation_promotes_the_canary() {
    let host = host().await;
    host.runtime
        .start_canary("probe", None, users(&["anna"]))
        .await
        .unwrap();
    load(&host, "0.3.0", "").await;
    let swap = host.runtime.activate("probe", None).await.unwrap();
    assert_eq!(
        (swap.from.as_deref(), swap.to.as_str()),
        (Some("0.1.0"), "0.2.0")
    );
    assert_eq!(host.open().await.say("who").await, "probe 0.2.0");
    assert_eq!(host.status("0.3.0").state, "staged");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_must_have_somebody_to_serve_and_another_version_for_the_others() {
    let host = Host::new().await;
    let complaint = async |version: Option<&str>, audience| {
        let said = host.runtime.start_canary("probe", version, audience).await;
        said.unwrap_err().to_string()
    };
    host.runtime.load(&host.pack("0.1.0")).await.unwrap();
    assert!(
        complaint(None, percent(1))
            .await
            .contains("no version is active")
    );
    host.runtime.activate("probe", None).await.unwrap();
    assert!(
        complaint(Some("0.1.0"), percent(1))
            .await
            .contains("is the active version already")
    );
    host.runtime.load(&host.pack("0.2.0")).await.unwrap();
    assert!(complaint(None, percent(0)).await.contains("for nobody"));
    let plain = stream_manifest("0.3.0")
        .replace("'stream-plugin'", "'plain-stream-plugin'")
        .replace("handoff", "#");
    host.runtime.load(&host.pack_as(&plain)).await.unwrap();
    assert!(
        complaint(None, percent(1))
            .await
            .contains("can take over no session")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_cannot_give_its_sessions_back_says_so() {
    let host = host().await;
    let ahead = stream_manifest("0.3.0-second")
        .replace("writes = 1, accepts = [1]", "writes = 2, accepts = [1, 2]");
    host.runtime.load(&host.pack_as(&ahead)).await.unwrap();
    let start = host
        .runtime
        .start_canary("probe", Some("0.3.0-second"), percent(1))
        .await
        .unwrap();
    assert!(
        start
            .no_way_back
            .unwrap()
            .contains("0.1.0 does not accept format 2")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_that_fails_too_much_is_taken_back_and_its_sessions_go_on() {
    let host = host().await;
    host.runtime
        .start_canary("probe", None, users(&["anna"]))
        .await
        .unwrap();
    let (mut anna, mut other) = (
        logged_in(&host, "anna").await,
        logged_in(&host, "anna").await,
    );
    assert_eq!(anna.say("who").await, "probe 0.2.0");
    other.say("compose kept").await;
    trap(&mut anna, 2).await;
    assert_eq!(anna.say("who").await, "probe 0.2.0");
    trap(&mut anna, 1).await;
    let failed = until_failed(&host, "0.2.0").await;
    let reason = failed.reason.unwrap();
    assert!(
        reason.starts_with("3 of ") && reason.contains("max_failures = 2"),
        "{reason}"
    );
    assert!(matches!(anna.session.wake().await, Wake::Upgrade));
    assert_eq!(anna.say("who").await, "probe 0.1.0");
    // The first has tried it; the second comes along asleep and is asked nothing.
    let asked = tokio::time::timeout(Duration::from_millis(50), other.session.wake()).await;
    assert!(asked.is_err());
    assert_eq!(other.session.version(), "probe 0.1.0");
    assert_eq!(other.say("who").await, "probe 0.1.0");
    assert_eq!(other.say("body").await, "kept!");
    assert_eq!(host.status("0.2.0").lost, 0);

    let host = host.restart().await;
    assert_eq!(
        host.status("0.2.0").reason.as_deref(),
        Some(reason.as_str())
    );
    let said = host
        .runtime
        .activate("probe", Some("0.2.0"))
        .await
        .unwrap_err();
    assert!(
        said.to_string().contains("was taken back by itself: 3 of "),
        "{said}"
    );
    assert!(
        host.runtime
            .start_canary("probe", Some("0.2.0"), percent(1))
            .await
            .is_err()
    );
    host.runtime.forgive("probe", "0.2.0").await.unwrap();
    host.runtime.activate("probe", None).await.unwrap();
    assert_eq!(host.status("0.2.0").state, "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_version_that_fails_too_much_is_taken_back_until_it_is_loaded_anew() {
    let host = host().await;
    let (mut one, mut other) = (host.open().await, host.open().await);
    host.runtime.activate("probe", None).await.unwrap();
    for client in [&mut one, &mut other] {
        assert_eq!(client.say("who").await, "probe 0.2.0");
        trap(client, 2).await;
    }
    until_failed(&host, "0.2.0").await;
    assert_eq!(host.status("0.1.0").state, "active");
    for client in [&mut one, &mut other] {
        assert_eq!(client.say("who").await, "probe 0.1.0");
    }
    // The one that was gone back to is not on trial: there is nothing better.
    trap(&mut one, 3).await;
    one.say("count").await;
    trap(&mut one, 3).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(host.status("0.1.0").state, "active");
    assert!(host.runtime.activate("probe", Some("0.2.0")).await.is_err());
    load(&host, "0.2.0", "max_failures = 2").await;
    host.runtime.activate("probe", None).await.unwrap();
    assert_eq!(host.status("0.2.0").state, "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_no_longer_new_or_has_none_before_it_stays() {
    let host = Host::new().await;
    for version in ["0.1.0", "0.2.0"] {
        load(&host, version, "max_failures = 0\ntrial_seconds = 0").await;
        host.runtime.activate("probe", None).await.unwrap();
        let mut client = host.open().await;
        trap(&mut client, 2).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(host.status(version).state, "active");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_decides_how_much_is_too_much() {
    let host = Host::with(|config| {
        let probe = config.plugins.get_mut("probe").unwrap();
        probe.slo.max_failures = Some(1_000);
    })
    .await;
    host.run("0.1.0").await;
    load(&host, "0.2.0", "max_failures = 0").await;
    host.runtime.activate("probe", None).await.unwrap();
    trap(&mut host.open().await, 2).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(host.status("0.2.0").state, "active");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_politely_refused_is_no_failure_but_a_trap_over_it_is() {
    for (version, state) in [("0.2.0-refusing", "active"), ("0.2.0-trapping", "failed")] {
        let host = Host::new().await;
        host.run("0.1.0").await;
        let mut clients = Vec::new();
        for _ in 0..3 {
            let mut client = host.open().await;
            client.say("count").await;
            clients.push(client);
        }
        load(&host, version, "max_failures = 2").await;
        host.runtime.activate("probe", None).await.unwrap();
        for client in &mut clients {
            assert_eq!(client.say("who").await, "probe 0.1.0");
        }
        if state == "failed" {
            until_failed(&host, version).await;
        }
        assert_eq!(
            (
                host.status(version).state.as_str(),
                host.status(version).refusals
            ),
            (state, 3)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_package_of_the_same_number_takes_its_place() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    client.say("compose kept").await;
    let changed = stream_manifest("0.1.0") + "[limits]\nhandles = 7\n";
    let loaded = host.runtime.load(&host.pack_as(&changed)).await.unwrap();
    let swap = host.runtime.activate("probe", Some("0.1.0")).await.unwrap();
    assert_eq!(swap.to_key, loaded.key);
    assert_ne!(swap.from_key, Some(swap.to_key));
    assert!(matches!(client.session.wake().await, Wake::Upgrade));
    assert_eq!(client.say("body").await, "kept!");
    let states: Vec<_> = host
        .runtime
        .status()
        .into_iter()
        .map(|status| status.state)
        .collect();
    assert_eq!(states, ["retired", "active"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_gets_the_version_of_its_principal() {
    let manifest = |version: &str| {
        format!(
            "name = 'probe'\nversion = '{version}'\nworld = 'http-plugin'\n[[route]]\nprefix = '/'\nauth = 'basic'\n[slo]\nmax_failures = 1\n"
        )
    };
    let host = Host::new().await;
    host.run_as(&manifest("0.1.0")).await;
    host.runtime
        .load(&host.pack_as(&manifest("0.2.0")))
        .await
        .unwrap();
    host.runtime
        .start_canary("probe", None, users(&["anna"]))
        .await
        .unwrap();
    assert_eq!(ask(&host, "anna", "/version").await, "0.2.0");
    assert_eq!(ask(&host, "bob", "/version").await, "0.1.0");
    for _ in 0..2 {
        assert!(
            host.runtime
                .exchange("probe", request("anna", "/trap"))
                .unwrap()
                .next()
                .await
                .is_err()
        );
    }
    until_failed(&host, "0.2.0").await;
    assert_eq!(ask(&host, "anna", "/version").await, "0.1.0");
}

/// Which version counted the request.
async fn ask(host: &Host, name: &str, path: &str) -> String {
    let before = host.runtime.status();
    let mut exchange = host.runtime.exchange("probe", request(name, path)).unwrap();
    let actions = exchange.next().await.unwrap().unwrap();
    assert!(matches!(actions.last(), Some(HttpAction::Finish)));
    let now = host.runtime.status();
    let counted = now
        .iter()
        .zip(&before)
        .find(|(now, before)| now.turns > before.turns);
    counted.unwrap().0.version.clone()
}

fn request(name: &str, path: &str) -> HttpRequest {
    HttpRequest {
        id: "r1".into(),
        method: "GET".into(),
        scheme: "https".into(),
        authority: "mail.test".into(),
        path: path.into(),
        query: None,
        route: "/".into(),
        headers: Vec::new(),
        peer: SocketAddr::from(([192, 0, 2, 1], 40_000)),
        tls: None,
        body: None,
        principal: Some(waxwing_directory::User {
            address: format!("{name}@example.org"),
            display_name: String::new(),
            mailbox: "0".repeat(32),
            enabled: true,
            features_off: Vec::new(),
        }),
    }
}
