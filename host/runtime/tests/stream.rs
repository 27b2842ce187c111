//! Sessions end to end: a real guest in a real engine, driven as `net` drives it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod support;

use std::time::{Duration, Instant};

use support::{Client, Host, sent, stream_manifest};
use waxwing_runtime::{Action, CloseReason, Error, Event, Reception, Wake};

#[tokio::test(flavor = "multi_thread")]
async fn a_session_greets_answers_and_keeps_its_state() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    assert_eq!(client.greeting, "hello from probe 0.1.0\n");
    assert_eq!(client.say("count").await, "1");
    assert_eq!(client.say("count").await, "2");
    assert_eq!(client.say("config motto").await, "Some(\"\\\"semper\\\"\")");
    assert_eq!(
        (host.status("0.1.0").sessions, host.status("0.1.0").turns),
        (1, 4)
    );
    drop(client);
    assert_eq!(host.status("0.1.0").sessions, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_costs_one_command() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    client.say("count").await;
    assert!(client.say("trap").await.starts_with("server error: "));
    assert_eq!(client.say("count").await, "2");
    let status = host.status("0.1.0");
    assert_eq!((status.traps, status.recoveries, status.lost), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_loop_is_interrupted_when_its_cpu_time_is_used() {
    let host = Host::with(|config| config.limits.cpu_per_turn_ms = 100).await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    let began = Instant::now();
    let answer = client.say("loop").await;
    assert!(
        answer.contains("limit cpu_per_turn_ms = 100 reached"),
        "{answer}"
    );
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(client.say("count").await, "1");
    assert_eq!(host.status("0.1.0").timeouts, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_leaves_the_processor_to_others() {
    let host = Host::with(|config| config.limits.cpu_per_turn_ms = 400).await;
    host.run("0.1.0").await;
    let (mut hostile, mut other) = (host.open().await, host.open().await);
    let looping = tokio::spawn(async move { hostile.say("loop").await });
    let began = Instant::now();
    for _ in 0..20 {
        other.say("count").await;
    }
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(looping.await.unwrap().contains("cpu_per_turn_ms"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sleeping_guest_is_bounded_by_the_clock() {
    let host = Host::with(|config| config.limits.turn_ms = 200).await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    assert_eq!(client.say("sleep 20").await, "slept");
    assert!(
        client
            .say("sleep 60000")
            .await
            .contains("limit turn_ms = 200 reached")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_hog_is_denied_and_its_limit_named() {
    let host = Host::with(|config| config.limits.memory = 8 << 20).await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    let answer = client.say("eat").await;
    assert!(
        answer.contains("limit memory = 8388608 reached"),
        "{answer}"
    );
    assert_eq!(client.say("count").await, "1");
    assert_eq!(host.status("0.1.0").limits, 1);
    drop(client);
    assert_eq!(host.status("0.1.0").memory, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_host_calls_in_a_second_end_the_turn() {
    let host = Host::with(|config| config.limits.host_calls_per_second = 100).await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    assert_eq!(client.say("call 50").await, "called");
    assert!(
        client
            .say("call 5000")
            .await
            .contains("limit host_calls_per_second = 100 reached")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_turns_in_a_second_are_delayed() {
    let host = Host::with(|config| config.limits.turns_per_second = 10).await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    let began = Instant::now();
    for _ in 0..15 {
        client.say("count").await;
    }
    assert!(began.elapsed() > Duration::from_millis(300));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_makes_no_sense_is_a_failed_turn() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    assert!(
        client
            .say("overconsume")
            .await
            .contains("consumed 13 octets of 12")
    );
    client.say("compose ab").await;
    assert!(
        client
            .say("send-body 4")
            .await
            .contains("octets 0+4 of a body of 3")
    );
    assert_eq!(client.say("body").await, "ab!");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_freeze_is_lost_with_its_first_trap() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    assert_eq!(client.say("stay").await, "staying");
    assert!(
        matches!(client.try_say("trap").await, Err(Error::SessionLost(reason)) if reason.contains("told to stay"))
    );
    assert_eq!(host.status("0.1.0").lost, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_hands_state_principal_and_bodies_over() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    client.say("compose kept").await;
    host.run("0.2.0").await;
    assert!(matches!(client.session.wake().await, Wake::Upgrade));
    assert!(client.session.upgrade().await.unwrap().actions.is_empty());
    assert_eq!(client.say("who").await, "probe 0.2.0");
    assert_eq!(client.say("count").await, "3");
    assert_eq!(client.say("body").await, "kept!");
    assert_eq!(
        (host.status("0.1.0").sessions, host.status("0.2.0").sessions),
        (0, 1)
    );
    assert_eq!(host.status("0.2.0").handovers, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_session_changes_over_between_two_commands() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    host.run("0.2.0").await;
    assert_eq!(client.say("who").await, "probe 0.2.0");
    host.runtime.rollback("probe").await.unwrap();
    assert_eq!(client.say("who").await, "probe 0.1.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_refuses_leaves_the_old_one_running() {
    for bad in [
        "0.2.0-refusing",
        "0.2.0-trapping",
        "0.2.0-silly",
        "0.2.0-looping",
        "0.2.0-dead-end",
    ] {
        let host = Host::with(|config| config.limits.cpu_per_turn_ms = 100).await;
        host.run("0.1.0").await;
        let mut client = host.open().await;
        client.say("compose kept").await;
        host.run(bad).await;
        assert!(matches!(client.session.wake().await, Wake::Upgrade));
        assert!(client.session.upgrade().await.unwrap().actions.is_empty());
        assert_eq!(client.say("who").await, "probe 0.1.0");
        assert_eq!(client.say("body").await, "kept!");
        // Asked once, not at every turn.
        assert_eq!(
            (host.status(bad).refusals, host.status(bad).sessions),
            (1, 0)
        );
        host.run("0.3.0").await;
        assert_eq!(client.say("who").await, "probe 0.3.0");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_does_not_thaw_its_own_state_and_has_none_before_it_loses_the_session_with_a_trap()
 {
    let host = Host::new().await;
    host.run("0.1.0-refusing").await;
    let mut client = host.open().await;
    client.say("count").await;
    assert!(matches!(
        client.try_say("trap").await,
        Err(Error::SessionLost(_))
    ));
    let status = host.status("0.1.0-refusing");
    assert_eq!((status.lost, status.sessions), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_format_that_the_new_version_does_not_accept_is_a_refusal_that_is_not_repeated() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    host.run_as(
        &stream_manifest("0.2.0")
            .replace("'stream-plugin'", "'plain-stream-plugin'")
            .replace("handoff", "#"),
    )
    .await;
    assert_eq!(client.say("who").await, "probe 0.1.0");
    assert_eq!(client.say("count").await, "2");
    let waiting = tokio::time::timeout(Duration::from_millis(50), client.session.wake()).await;
    assert!(waiting.is_err(), "{waiting:?}");
    let mut new = host.open().await;
    assert_eq!(new.say("who").await, "probe 0.2.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_refuses_to_freeze_is_asked_again_after_its_next_turn() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    client.say("stay").await;
    host.run("0.2.0").await;
    assert_eq!(client.say("who").await, "probe 0.1.0");
    assert_eq!(client.say("go").await, "going");
    assert_eq!(client.say("who").await, "probe 0.2.0");
    assert!(host.status("0.1.0").refusals > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_session_holds_no_instance_and_goes_on_where_it_was() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    client.say("compose kept").await;
    client.session.park().await;
    assert!(client.session.is_parked());
    assert_eq!(
        (host.status("0.1.0").frozen, host.status("0.1.0").memory),
        (1, 0)
    );
    assert_eq!(client.say("body").await, "kept!");
    assert_eq!(host.status("0.1.0").frozen, 0);
    client.session.park().await;
    host.run("0.2.0").await;
    assert_eq!(client.say("who").await, "probe 0.2.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_session_is_handed_over_at_once_and_stays_parked() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    client.say("compose kept").await;
    client.session.park().await;
    host.run("0.2.0").await;
    assert!(matches!(client.session.wake().await, Wake::Upgrade));
    assert!(client.session.upgrade().await.unwrap().actions.is_empty());
    assert!(client.session.is_parked());
    let status = host.status("0.2.0");
    assert_eq!((status.frozen, status.handovers), (1, 1));
    assert_eq!(client.say("body").await, "kept!");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_waits_for_a_while_is_parked_without_being_asked() {
    let host = Host::with(|config| config.freeze_after = Duration::from_millis(30)).await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    client.say("compose kept").await;
    assert!(!client.session.is_parked());
    let waiting = tokio::time::timeout(Duration::from_millis(500), client.session.wake()).await;
    assert!(waiting.is_err(), "{waiting:?}");
    assert!(client.session.is_parked());
    assert_eq!(host.status("0.1.0").frozen, 1);
    assert_eq!(client.say("body").await, "kept!");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_cannot_be_frozen_keeps_its_instance_however_long_it_waits() {
    let host = Host::with(|config| config.freeze_after = Duration::from_millis(10)).await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    client.say("stay").await;
    let waiting = tokio::time::timeout(Duration::from_millis(100), client.session.wake()).await;
    assert!(waiting.is_err(), "{waiting:?}");
    assert!(!client.session.is_parked());
    assert_eq!(client.say("who").await, "probe 0.1.0");
}

/// Waits a little, as net does between two commands.
async fn pause(client: &mut support::Client) {
    let waiting = tokio::time::timeout(Duration::from_millis(50), client.session.wake()).await;
    assert!(waiting.is_err(), "{waiting:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_many_waiting_sessions_tries_a_new_version_and_the_others_come_along_asleep() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let (mut first, mut second) = (host.open().await, host.open().await);
    for client in [&mut first, &mut second] {
        client.say("compose kept").await;
        client.session.park().await;
    }
    host.run("0.2.0").await;
    assert!(matches!(first.session.wake().await, Wake::Upgrade));
    first.session.upgrade().await.unwrap();
    let turns = host.status("0.2.0").turns;
    pause(&mut second).await;
    assert!(second.session.is_parked());
    let status = host.status("0.2.0");
    assert_eq!((status.sessions, status.frozen), (2, 2));
    assert_eq!((status.handovers, status.turns), (2, turns));
    assert_eq!(second.say("who").await, "probe 0.2.0");
    assert_eq!(second.say("body").await, "kept!");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_came_along_asleep_goes_back_when_the_new_version_does_not_thaw_it() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let (mut first, mut second) = (host.open().await, host.open().await);
    first.say("count").await;
    for client in [&mut first, &mut second] {
        client.say("compose kept").await;
        client.session.park().await;
    }
    host.run("0.2.0-picky").await;
    assert!(matches!(first.session.wake().await, Wake::Upgrade));
    first.session.upgrade().await.unwrap();
    pause(&mut second).await;
    let status = host.status("0.2.0-picky");
    assert_eq!((status.refusals, status.sessions), (0, 2));
    assert_eq!(second.say("who").await, "probe 0.1.0");
    assert_eq!(second.say("body").await, "kept!");
    let status = host.status("0.2.0-picky");
    assert_eq!((status.refusals, status.sessions), (1, 1));
    assert_eq!(host.status("0.1.0").lingering, 1);
    host.run("0.3.0").await;
    assert_eq!(second.say("who").await, "probe 0.3.0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_refuses_is_told_so_by_every_session_that_waits() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let (mut first, mut second) = (host.open().await, host.open().await);
    for client in [&mut first, &mut second] {
        client.say("compose kept").await;
        client.session.park().await;
    }
    host.run("0.2.0-refusing").await;
    for client in [&mut first, &mut second] {
        assert!(matches!(client.session.wake().await, Wake::Upgrade));
        client.session.upgrade().await.unwrap();
    }
    assert_eq!(host.status("0.2.0-refusing").refusals, 2);
    assert_eq!(host.status("0.1.0").lingering, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timer_goes_on_while_the_session_is_parked() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    client.turn("timer 30").await.unwrap();
    client.session.park().await;
    let Wake::Turn(pending) = client.session.wake().await else {
        panic!("no turn")
    };
    assert_eq!(
        sent(&client.session.turn_for(pending).await.unwrap()),
        "timer 7\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_and_events_of_net_come_through() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    assert!(matches!(
        client.turn("receive 9").await.unwrap().actions.as_slice(),
        [Action::ReceiveBody {
            limit: 1_048_576,
            ..
        }]
    ));
    let body = waxwing_exmdb::Body::from_bytes("some text".into());
    let received = Event::BodyReceived {
        outcome: Reception::Complete,
        body: Some(body),
        size: 9,
        detail: String::new(),
    };
    assert_eq!(
        sent(&client.session.handle(received).await.unwrap()),
        "received 9\n"
    );
    assert_eq!(client.say("body").await, "some text");
    assert!(matches!(
        client.turn("more").await.unwrap().actions.as_slice(),
        [Action::More]
    ));
    assert_eq!(
        sent(&client.session.handle(Event::Drained).await.unwrap()),
        "drained\n"
    );
    let turn = client
        .session
        .handle(Event::Closing(CloseReason::Idle))
        .await
        .unwrap();
    assert!(matches!(
        turn.actions.as_slice(),
        [Action::Send(_), Action::Close]
    ));
    assert!(
        client
            .session
            .handle(Event::Closed)
            .await
            .unwrap()
            .actions
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_half_line_is_kept_and_offered_again() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    let turn = client
        .session
        .handle(Event::Input("cou".into()))
        .await
        .unwrap();
    assert_eq!((turn.consumed, turn.actions.len()), (0, 0));
    client.input = b"cou".to_vec();
    assert_eq!(client.say("nt").await, "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_asks_every_session_to_close_and_waits_for_it() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    let runtime = host.runtime.clone();
    let stopping = tokio::spawn(async move { runtime.shutdown(Duration::from_secs(10)).await });
    assert!(matches!(
        client.session.wake().await,
        Wake::Close(CloseReason::Shutdown)
    ));
    client
        .session
        .handle(Event::Closing(CloseReason::Shutdown))
        .await
        .unwrap();
    drop(client);
    stopping.await.unwrap();
    assert!(host.try_open().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_administrator_sees_and_ends_a_session() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    let (listed, more) = host.runtime.sessions_after(0, 10, |_| true);
    assert_eq!(more, None);
    assert_eq!(
        (listed.len(), listed[0].version.as_str(), listed[0].frozen),
        (1, "0.1.0", false)
    );
    let asked = host.runtime.end_sessions(
        |status| status.session == "s1",
        CloseReason::Administrator,
        Duration::ZERO,
    );
    assert_eq!(asked.await, (1, 1));
    assert!(matches!(
        client.session.wake().await,
        Wake::Close(CloseReason::Administrator)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_of_sessions_is_had_page_by_page() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        clients.push(host.open().await);
    }
    let (first, next) = host.runtime.sessions_after(0, 3, |_| true);
    clients.push(host.open().await);
    clients.remove(0);
    let (rest, end) = host.runtime.sessions_after(next.unwrap(), 9, |_| true);
    assert_eq!((first.len(), rest.len(), end), (3, 3, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_session_is_of_its_last_turn() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    let status = || host.runtime.sessions_after(0, 1, |_| true).0.remove(0);
    client.turn("timer 60000").await.unwrap();
    client.session.has_moved(12, 34);
    let now = status();
    assert_eq!(
        (now.turns, now.timers, now.bytes_in, now.bytes_out),
        (2, 1, 12, 34)
    );
    assert!(now.memory > 0 && now.last_turn >= now.since);
    assert_eq!(now.frozen_octets, Some(20));
    assert!(now.last_failure.is_none());
    client.say("trap").await;
    let failure = status().last_failure.unwrap();
    assert_eq!(failure.version, "probe 0.1.0");
    client.session.park().await;
    assert_eq!((status().frozen, status().memory), (true, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_principal_a_view_and_a_watch_survive_crash_hand_over_and_parking() {
    let host = Host::new().await;
    host.user("anna").await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    assert_eq!(
        client.say("log-in anna@example.org").await,
        "anna@example.org"
    );
    assert_eq!(
        client.session.principal().as_deref(),
        Some("anna@example.org")
    );
    client.turn("select").await.unwrap();
    assert!(client.say("trap").await.starts_with("server error"));
    host.run("0.2.0").await;
    assert_eq!(client.say("append").await, "Ok([1])");
    // The view that 0.1.0 opened has not told of it yet.
    assert_eq!(client.say("exists").await, "0 Ok(1)");
    client.session.park().await;
    let Wake::Turn(pending) = client.session.wake().await else {
        panic!("no turn")
    };
    assert_eq!(
        sent(&client.session.turn_for(pending).await.unwrap()),
        "changed 1\n"
    );
    assert_eq!(client.say("who").await, "probe 0.2.0");
    assert_eq!(client.say("me").await, "anna@example.org");
    assert_eq!(
        host.runtime.sessions_after(0, 1, |_| true).0[0]
            .principal
            .as_deref(),
        Some("anna@example.org")
    );
}

/// Anna, with a view of an inbox of three.
async fn selected(host: &Host) -> Client {
    host.user("anna").await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    client.say("log-in anna@example.org").await;
    client.turn("select").await.unwrap();
    for _ in 0..3 {
        client.say("append").await;
    }
    client.say("sync").await;
    client
}

/// Another session of hers marks a message deleted and removes it, and marks another.
async fn others_work(host: &Host) {
    let mut other = host.open().await;
    other.say("log-in anna@example.org").await;
    other.turn("select").await.unwrap();
    assert_eq!(other.say("flag 2 expunge").await, "flagged");
    assert_eq!(other.say("flag 3").await, "flagged");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_turn_was_told_before_it_trapped_is_told_again() {
    let host = Host::new().await;
    let mut client = selected(&host).await;
    others_work(&host).await;
    assert!(client.say("sync trap").await.starts_with("server error"));
    assert_eq!(client.say("sync").await, "[2] 2 [3]");
    assert_eq!(client.say("sync").await, "[] 2 []");
}

#[tokio::test(flavor = "multi_thread")]
async fn flags_that_were_set_before_a_trap_are_told_afterwards() {
    let host = Host::new().await;
    let mut client = selected(&host).await;
    assert!(client.say("flag 1 trap").await.starts_with("server error"));
    assert_eq!(client.say("sync").await, "[] 3 [1]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_breaks_while_it_is_frozen_is_a_failed_turn() {
    let host = Host::new().await;
    let mut client = selected(&host).await;
    others_work(&host).await;
    assert!(
        client
            .say("trap-in-freeze")
            .await
            .starts_with("server error")
    );
    assert_eq!(client.say("sync").await, "[2] 2 [3]");
    let status = host.status("0.1.0");
    assert_eq!((status.traps, status.recoveries, status.lost), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_that_a_failed_turn_has_closed_is_open_and_one_it_has_opened_is_not() {
    let host = Host::new().await;
    let mut client = selected(&host).await;
    let view = client.say("view").await;
    for command in ["deselect-and-trap", "select-and-trap"] {
        assert!(client.say(command).await.starts_with("server error"));
        assert_eq!(client.say("view").await, view);
        assert_eq!(client.say("sync").await, "[] 3 []");
    }
    // The first view, and none of those that were opened in vain.
    for _ in 0..70 {
        client.say("select-and-trap").await;
    }
    assert_eq!(client.say("sync").await, "[] 3 []");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_logged_in_by_a_turn_that_failed() {
    let host = Host::new().await;
    host.user("anna").await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    let answer = client.say("log-in-and-trap anna@example.org").await;
    assert!(answer.starts_with("server error"), "{answer}");
    assert_eq!(client.session.principal(), None);
    assert_eq!(client.say("me").await, "nobody");
    assert_eq!(
        client.say("log-in anna@example.org").await,
        "anna@example.org"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_turn_was_told_before_it_was_given_up_is_told_again() {
    let host = Host::new().await;
    let mut client = selected(&host).await;
    others_work(&host).await;
    let given_up = tokio::time::timeout(
        Duration::from_millis(200),
        client.session.handle(Event::Input("sync sleep\n".into())),
    );
    assert!(given_up.await.is_err());
    assert_eq!(client.say("sync").await, "[2] 2 [3]");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_repeats_the_command_that_traps_keeps_its_session() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    for _ in 0..10 {
        assert!(client.say("trap").await.starts_with("server error"));
    }
    assert_eq!(client.say("count").await, "1");
    let status = host.status("0.1.0");
    assert_eq!((status.traps, status.recoveries, status.lost), (10, 10, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_a_version_that_does_not_thaw_falls_back_on_the_version_before() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    host.run("0.2.0-trapping").await;
    let mut client = host.open().await;
    assert_eq!(client.say("who").await, "probe 0.2.0-trapping");
    assert!(client.say("trap").await.starts_with("server error"));
    assert_eq!(client.say("who").await, "probe 0.1.0");
    assert_eq!(client.say("count").await, "3");
    assert_eq!(host.status("0.2.0-trapping").recoveries, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_does_nothing_gives_its_place_to_one_that_waits() {
    let host = Host::with(|config| config.engine.live_instances = 2).await;
    host.run("0.1.0").await;
    let (mut one, mut other) = (host.open().await, host.open().await);
    assert_eq!(one.say("count").await, "1");
    let mut third = {
        let idle = tokio::time::timeout(Duration::from_secs(5), one.session.wake());
        let (nothing, third) = tokio::join!(idle, host.open());
        assert!(nothing.is_err());
        third
    };
    assert!(one.session.is_parked() && !other.session.is_parked());
    assert_eq!(third.say("count").await, "1");
    let idle = tokio::time::timeout(Duration::from_secs(5), third.session.wake());
    let (nothing, answer) = tokio::join!(idle, one.say("count"));
    assert!(nothing.is_err());
    assert_eq!(
        (answer.as_str(), other.say("count").await.as_str()),
        ("2", "1")
    );
    assert_eq!(host.status("0.1.0").lost, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_handed_over_when_every_place_is_taken() {
    let host = Host::with(|config| config.engine.live_instances = 2).await;
    host.run("0.1.0").await;
    let next = host.runtime.load(&host.pack("0.2.0")).await.unwrap();
    let (mut one, mut other) = (host.open().await, host.open().await);
    one.say("compose kept").await;
    host.runtime
        .activate("probe", Some(&next.version))
        .await
        .unwrap();
    assert!(one.session.upgrade().await.unwrap().actions.is_empty());
    assert_eq!(one.say("who").await, "probe 0.2.0");
    assert_eq!(one.say("body").await, "kept!");
    assert_eq!(other.say("who").await, "probe 0.2.0");
    assert_eq!(host.status("0.2.0").handovers, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_that_comes_while_the_one_before_is_refused_is_not_missed() {
    let host = Host::with(|config| config.limits.cpu_per_turn_ms = 300).await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    client.say("count").await;
    let good = host.runtime.load(&host.pack("0.3.0")).await.unwrap();
    host.run("0.2.0-looping").await;
    let (turn, _) = tokio::join!(client.session.upgrade(), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        host.runtime
            .activate("probe", Some(&good.version))
            .await
            .unwrap();
    });
    assert!(turn.unwrap().actions.is_empty());
    assert!(matches!(client.session.wake().await, Wake::Upgrade));
    client.session.upgrade().await.unwrap();
    assert_eq!(client.say("who").await, "probe 0.3.0");
    assert_eq!(client.say("count").await, "3");
}

/// As `stream_manifest`, with frozen formats of its own.
fn writing(version: &str, handoff: &str) -> String {
    stream_manifest(version).replace("{ writes = 1, accepts = [1] }", handoff)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_up_and_down_between_formats_that_both_versions_accept() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    client.say("compose kept").await;
    // Accepts a format one release before it is written, so that there is a way back from the next.
    for (version, handoff) in [
        ("0.2.0", "{ writes = 1, accepts = [1, 2] }"),
        ("0.3.0-second", "{ writes = 2, accepts = [1, 2] }"),
    ] {
        host.run_as(&writing(version, handoff)).await;
        assert_eq!(client.say("who").await, format!("probe {version}"));
        assert_eq!(client.say("body").await, "kept!");
    }
    for version in ["0.2.0", "0.1.0"] {
        host.runtime.activate("probe", Some(version)).await.unwrap();
        assert_eq!(client.say("who").await, format!("probe {version}"));
        assert_eq!(client.say("body").await, "kept!");
    }
    assert_eq!(client.say("count").await, "10");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_a_format_that_the_version_before_does_not_accept_stays_and_says_why() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    host.run_as(&writing("0.2.0-second", "{ writes = 2, accepts = [1, 2] }"))
        .await;
    let mut client = host.open().await;
    assert_eq!(client.say("count").await, "1");
    host.runtime.rollback("probe").await.unwrap();
    assert_eq!(client.say("who").await, "probe 0.2.0-second");
    let status = host.status("0.2.0-second");
    assert_eq!((status.sessions, status.lingering), (1, 1));
    assert_eq!(
        status.last_refusal.as_deref(),
        Some("probe 0.1.0 does not accept format 2")
    );
    assert_eq!(host.open().await.say("who").await, "probe 0.1.0");
    // Its version is meant for it again.
    host.runtime
        .activate("probe", Some("0.2.0-second"))
        .await
        .unwrap();
    assert_eq!(client.say("count").await, "3");
    assert_eq!(host.status("0.2.0-second").lingering, 0);
    host.runtime.rollback("probe").await.unwrap();
    assert_eq!(client.say("count").await, "4");
    drop(client);
    let status = host.status("0.2.0-second");
    assert_eq!((status.sessions, status.lingering), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_stays_in_sight_as_long_as_a_session_is_on_it() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    assert_eq!(client.say("stay").await, "staying");
    for patch in 1..=8 {
        host.run(&format!("0.2.{patch}")).await;
        assert_eq!(client.say("who").await, "probe 0.1.0");
    }
    let status = host.status("0.1.0");
    assert_eq!((status.sessions, status.lingering), (1, 1));
    assert_eq!(status.last_refusal.as_deref(), Some("told to stay"));
    drop(client);
    host.run("0.3.0").await;
    let versions = host.runtime.status();
    assert!(versions.iter().all(|status| status.version != "0.1.0"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_names_the_view_of_another_session() {
    let host = Host::new().await;
    host.user("anna").await;
    host.run("0.1.0").await;
    let (mut one, mut other) = (host.open().await, host.open().await);
    for client in [&mut one, &mut other] {
        client.say("log-in anna@example.org").await;
        client.turn("select").await.unwrap();
    }
    let (own, foreign) = (one.say("view").await, other.say("view").await);
    assert_eq!(one.say(&format!("resume {own}")).await, "Ok(())");
    assert_eq!(
        one.say(&format!("resume {foreign}")).await,
        "Err(FaultClass::Expired)"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_a_fault_and_binds_nobody() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    assert!(
        client
            .say("log-in nobody@example.org")
            .await
            .contains("Denied")
    );
    assert_eq!(client.say("me").await, "nobody");
    assert_eq!(client.session.principal(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_is_given_up_half_way_leaves_the_session_where_it_was() {
    let host = Host::new().await;
    host.run("0.1.0").await;
    let mut client = host.open().await;
    client.say("count").await;
    let given_up = tokio::time::timeout(
        Duration::from_millis(50),
        client.session.handle(Event::Input("sleep 60000\n".into())),
    );
    assert!(given_up.await.is_err());
    assert!(client.session.is_parked());
    assert_eq!(client.say("count").await, "2");
}
