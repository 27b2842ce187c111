//! Every limit is reached once by a guest that takes all it can get: it is named with its value, where the operator looks or
//! where the guest is told, and it costs nothing but the turn that passed it. A limit that is added without a case
//! here fails the first test.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::{
    io::Write,
    sync::{Arc, LazyLock, Mutex},
    time::Duration,
};

use support::{Client, Host, stream_manifest};
use waxwing_runtime::{Error, Event, HttpRequest, Limits, LimitsRequest, RuntimeConfig};

/// Where a limit makes itself known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    /// The turn fails; the next instance is told why.
    Turn,
    /// The host call answers with a fault, and the turn goes on.
    Fault,
    /// The turn counts; the log says what was not done, or done later.
    Log,
    /// The version cannot be loaded.
    Load,
    /// The session has no state to go on from any more and ends.
    End,
    /// A request fails.
    Request,
}

/// A limit, a value that is soon reached, and what reaches it (the last line of several).
struct Case {
    key: &'static str,
    value: u64,
    lines: &'static [&'static str],
    told: Told,
}

const fn case(key: &'static str, value: u64, lines: &'static [&'static str], told: Told) -> Case {
    Case {
        key,
        value,
        lines,
        told,
    }
}

const LOG_IN: &str = "log-in anna@example.org";

#[rustfmt::skip]
const CASES: &[Case] = &[
    case("memory", 8 << 20, &["eat"], Told::Turn),
    case("plugin_memory", 9 << 20, &["eat"], Told::Turn),
    case("table_elements", 1, &[], Told::Load),
    case("cpu_per_turn_ms", 60, &["spin"], Told::Turn),
    case("turn_ms", 400, &["sleep 60000"], Told::Turn),
    case("host_call_ms", 100, &["log-in anna@example.org wrong"], Told::Turn),
    case("turns_per_second", 5, &["count", "count", "count", "count", "count", "count"], Told::Log),
    case("host_calls_per_second", 50, &["call 5000"], Told::Turn),
    case("log_lines_per_second", 10, &["lines 50", "sleep 200", "lines 1"], Told::Log),
    case("handles", 30, &["handles 100"], Told::Fault),
    case("call_bytes", 100_000, &["hand 1000000"], Told::Turn),
    case("actions_per_turn", 10, &["actions 11"], Told::Turn),
    case("frozen_bytes", 1_000, &["pad 1000", "trap"], Told::End),
    case("ticket_bytes", 100, &["/101"], Told::Request),
    case("kept_bodies", 2, &["keep 3"], Told::Turn),
    case("mailboxes", 0, &[LOG_IN, "mailboxes 1"], Told::Fault),
    case("views", 2, &[LOG_IN, "views 3"], Told::Fault),
    case("locks", 2, &[LOG_IN, "locks 3"], Told::Fault),
    case("timers", 2, &["timers 3"], Told::Log),
    case("watched_folders", 3, &["watch 4"], Told::Turn),
];

/// All that was logged in this process.
static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let sink = log.clone();
    tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(tracing::Level::DEBUG)
        .with_writer(move || sink.clone())
        .init();
    log
});

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn contains(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.0.lock().unwrap()).contains(text)
    }
}

/// A host whose plugins have one limit that is low.
async fn limited(key: &str, value: u64) -> Host {
    let text = format!("{key} = {value}");
    let changes: LimitsRequest = toml::from_str(&text).unwrap();
    host(|config| config.limits = Limits::default().with(&changes)).await
}

async fn host(change: impl FnOnce(&mut RuntimeConfig)) -> Host {
    LazyLock::force(&LOG);
    let host = Host::with(change).await;
    host.user("anna").await;
    host
}

async fn load(host: &Host, manifest: &str) -> Result<(), Error> {
    let component = std::fs::read(support::guest("hostile")).unwrap();
    let package = host.pack_component(manifest, &component);
    host.runtime.load(&package).await?;
    host.runtime.activate("probe", None).await.map(drop)
}

async fn client(host: &Host) -> Client {
    load(host, &stream_manifest("0.1.0")).await.unwrap();
    host.open().await
}

#[test]
fn every_limit_has_a_case() {
    let cases: Vec<&str> = CASES.iter().map(|case| case.key).collect();
    let limits: Vec<&str> = Limits::TABLE.iter().map(|(key, ..)| *key).collect();
    assert_eq!(cases, limits);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_named_and_costs_nothing_but_the_turn_that_passed_it() {
    for case in CASES {
        let host = limited(case.key, case.value).await;
        let named = format!("limit {} = {} reached", case.key, case.value);
        let named = named.as_str();
        match case.told {
            Told::Load => {
                let refused = load(&host, &stream_manifest("0.1.0")).await.unwrap_err();
                assert!(refused.to_string().contains(named), "{refused}");
            }
            Told::Request => request(&host, case, named).await,
            Told::End => end(&host, case, named).await,
            Told::Turn | Told::Fault | Told::Log => turn(&host, case, named).await,
        }
    }
}

async fn turn(host: &Host, case: &Case, named: &str) {
    let (mut client, key) = (client(host).await, case.key);
    let mut answer = String::new();
    for line in case.lines {
        answer = client.say(line).await;
    }
    let done = case.lines.len() - usize::from(case.told == Told::Turn);
    match case.told {
        Told::Turn => {
            assert!(answer.contains(named), "{key}: {answer}");
            assert!(LOG.contains(named), "{key} is not in the log");
            let status = host.status("0.1.0");
            let failed = status.timeouts + status.limits;
            assert_eq!((failed, status.traps), (1, 0), "{key}: {status:?}");
            assert_eq!((status.recoveries, status.lost), (1, 0), "{key}");
        }
        Told::Fault => assert!(answer.contains(named), "{key}: {answer}"),
        _ => assert!(LOG.contains(named), "{key} is not in the log"),
    }
    let remembered = client.say("count").await;
    assert_eq!(remembered, (done + 1).to_string(), "{key}");
}

async fn end(host: &Host, case: &Case, named: &str) {
    let (mut client, key) = (client(host).await, case.key);
    let mut other = host.open().await;
    let (last, first) = case.lines.split_last().unwrap();
    for line in first {
        client.say(line).await;
    }
    let lost = client.try_say(last).await.unwrap_err();
    assert!(lost.to_string().contains(named), "{key}: {lost}");
    assert_eq!(host.status("0.1.0").lost, 1, "{key}");
    assert_eq!(other.say("count").await, "1", "{key}: the other session");
}

async fn request(host: &Host, case: &Case, named: &str) {
    let manifest = "name = 'probe'\nversion = '0.1.0'\nworld = 'http-plugin'\n\
                    needs = ['directory/accounts', 'store']\n[[route]]\nprefix = '/'\n";
    load(host, manifest).await.unwrap();
    let over = case.lines.first().unwrap();
    for (path, fits) in [("/1", true), (over, false)] {
        let mut exchange = host.runtime.exchange("probe", get(path)).unwrap();
        match exchange.next().await {
            Ok(_) => assert!(fits, "{}", case.key),
            Err(failed) => assert!(!fits && failed.to_string().contains(named), "{failed}"),
        }
    }
    assert_eq!(host.status("0.1.0").limits, 1);
}

fn get(path: &str) -> HttpRequest {
    HttpRequest {
        id: "r1".into(),
        method: "GET".into(),
        scheme: "https".into(),
        authority: "mail.test".into(),
        path: path.into(),
        query: None,
        route: "/".into(),
        headers: vec![],
        peer: support::context().peer,
        tls: None,
        body: None,
        principal: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_of_the_process_is_one_account_for_all_plugins() {
    let host = host(|config| config.engine.process_memory = 9 << 20).await;
    let mut client = client(&host).await;
    let answer = client.say("eat").await;
    assert!(
        answer.contains("limit process_memory = 9437184 reached"),
        "{answer}"
    );
    assert_eq!(client.say("count").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_no_larger_than_the_largest_that_the_engine_has_room_for() {
    let host = host(|config| config.engine.largest_memory = 4 << 20).await;
    let mut client = client(&host).await;
    let answer = client.say("eat").await;
    assert!(
        answer.contains("limit memory = 4194304 reached"),
        "{answer}"
    );
    assert!(LOG.contains("[runtime] largest_memory"));
    assert_eq!(client.say("count").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_waits_for_a_place_and_is_refused_by_the_limits_name() {
    let host = host(|config| config.engine.live_instances = 2).await;
    let mut one = client(&host).await;
    let _two = host.open().await;
    let refused = host.try_open().await.err().unwrap();
    assert!(matches!(&refused, Error::Limit(reason) if reason.contains("live_instances = 2")));
    assert_eq!(one.say("count").await, "1");
    one.session.park().await;
    let mut three = host.open().await;
    assert_eq!(three.say("count").await, "1");
    three.session.handle(Event::Closed).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_does_nothing_gives_its_memory_to_one_that_waits() {
    // Room for two instances.
    let host = host(|config| config.limits.plugin_memory = 3 << 20).await;
    let (mut one, mut other) = (client(&host).await, host.open().await);
    let idle = tokio::time::timeout(Duration::from_secs(5), one.session.wake());
    let (nothing, third) = tokio::join!(idle, host.try_open());
    assert!(nothing.is_err() && one.session.is_parked() && !other.session.is_parked());
    drop(third.unwrap());
    assert_eq!(one.say("count").await, "1");
    assert_eq!(other.say("count").await, "1");
}
