//! Sessions as transcripts, with the SDK's stand-in for directory and mail flow.

use waxwing_sdk::bodies::Body;
use waxwing_sdk::delivery::AddressClass;
use waxwing_sdk::standin;
use waxwing_sdk::stream::{
    Action, Cause, Context, Crash, Event, Handoff, Received, Reception, StreamPlugin, TlsInfo, Turn,
};

use super::Smtp;

pub(super) fn context(protocol: &str) -> Context {
    Context {
        session: "s1".into(),
        listener: protocol.into(),
        protocol: protocol.into(),
        local_address: "127.0.0.1".into(),
        local_port: 25,
        peer_address: "192.0.2.1".into(),
        peer_port: 4711,
        tls: None,
        tls_available: true,
        plaintext_login: false,
        host_name: "mx.here.test".into(),
        version: "smtp 0.1.0".into(),
    }
}

/// A session whose directory knows `a@here.test` and `b@here.test`. In the sandbox all tests share one thread, and so one
/// stand-in: it is emptied first.
fn session(protocol: &str) -> Smtp {
    standin::reset();
    session_as_configured(protocol)
}

fn session_as_configured(protocol: &str) -> Smtp {
    standin::add_address("a@here.test", AddressClass::Local);
    standin::add_address("b@here.test", AddressClass::Local);
    Smtp::start(&context(protocol)).0
}

pub(super) fn text(turn: &Turn) -> String {
    let sent = turn.actions.iter().filter_map(|action| match action {
        Action::Send(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    });
    sent.collect()
}

/// Sends lines and returns the codes that came back.
pub(super) fn codes(session: &mut Smtp, lines: &str) -> Vec<String> {
    let turn = session.handle(Event::Input(lines.replace('\n', "\r\n").into_bytes()));
    text(&turn)
        .lines()
        .filter(|line| line.as_bytes().get(3) == Some(&b' '))
        .map(|line| line[..3].to_owned())
        .collect()
}

pub(super) fn received(bytes: &[u8]) -> Event {
    Event::BodyReceived(Received {
        outcome: Reception::Complete,
        body: Some(Body::of(bytes)),
        size: bytes.len() as u64,
        detail: String::new(),
    })
}

fn failed(outcome: Reception) -> Event {
    Event::BodyReceived(Received {
        outcome,
        body: None,
        size: 9,
        detail: "x".into(),
    })
}

#[test]
fn a_pipelined_transaction_is_answered_in_order_and_delivered_with_its_trace() {
    let mut s = session("smtp");
    assert_eq!(
        codes(
            &mut s,
            "EHLO c.test\nMAIL FROM:<x@y.test>\nRCPT TO:<a@here.test>\nDATA\n"
        ),
        ["250", "250", "250", "354"]
    );
    let reply = text(&s.handle(received(b"Subject: x\r\n\r\nbody\r\n")));
    assert!(reply.starts_with("250 2.0.0"), "{reply}");
    let delivered = standin::take_delivered().remove(0);
    let message = String::from_utf8(delivered.message).unwrap();
    assert!(message.starts_with("Received: from c.test ([192.0.2.1])\r\n\tby mx.here.test with ESMTP id s1\r\n\tfor <a@here.test>;\r\n\t"));
    assert!(message.ends_with("+0000\r\nSubject: x\r\n\r\nbody\r\n"));
    assert_eq!(
        (
            delivered.envelope.sender.as_str(),
            delivered.envelope.helo.as_str()
        ),
        ("x@y.test", "c.test")
    );
    assert_eq!(codes(&mut s, "DATA\n"), ["503"]);
}

#[test]
fn data_ends_the_turn_and_leaves_what_follows_to_the_host() {
    let mut s = session("smtp");
    codes(&mut s, "EHLO c.test\nMAIL FROM:<>\nRCPT TO:<a@here.test>\n");
    let turn = s.handle(Event::Input(b"DATA\r\nSubject: x\r\n".to_vec()));
    assert_eq!(turn.consumed, 6);
    assert!(matches!(turn.actions.last(), Some(Action::ReceiveBody(_))));
}

#[test]
fn nobody_relays_through_here() {
    let mut s = session("smtp");
    codes(&mut s, "EHLO c.test\nMAIL FROM:<x@y.test>\n");
    assert_eq!(
        codes(
            &mut s,
            "RCPT TO:<z@elsewhere.test>\nRCPT TO:<nobody@here.test>\nDATA\n"
        ),
        ["550", "550", "503"]
    );
}

#[test]
fn lmtp_answers_once_for_each_accepted_recipient() {
    let mut s = session("lmtp");
    assert_eq!(
        codes(
            &mut s,
            "EHLO c\nLHLO c\nMAIL FROM:<>\nRCPT TO:<a@here.test>\nRCPT TO:<x@here.test>\nRCPT TO:<b@here.test>\nDATA\n"
        ),
        ["500", "250", "250", "250", "550", "250", "354"]
    );
    standin::set_outcome("b@here.test", 452, "4.2.2", "full");
    let reply = text(&s.handle(received(b"x\r\n")));
    assert_eq!(
        reply.lines().map(|line| &line[..3]).collect::<Vec<_>>(),
        ["250", "452"]
    );
    assert!(
        String::from_utf8(standin::take_delivered().remove(0).message)
            .unwrap()
            .contains("with LMTP id")
    );
}

#[test]
fn smtp_asks_for_a_retry_when_one_recipient_failed_for_now() {
    let mut s = session("smtp");
    standin::set_outcome("b@here.test", 451, "4.3.0", "later");
    codes(
        &mut s,
        "EHLO c\nMAIL FROM:<>\nRCPT TO:<a@here.test>\nRCPT TO:<b@here.test>\nDATA\n",
    );
    assert!(text(&s.handle(received(b"x\r\n"))).starts_with("451 4.3.0"));
}

#[test]
fn a_recipient_refused_after_others_were_served_is_not_passed_over_in_silence() {
    let mut s = session("smtp");
    standin::set_outcome("b@here.test", 550, "5.1.1", "gone");
    codes(
        &mut s,
        "EHLO c\nMAIL FROM:<>\nRCPT TO:<a@here.test>\nRCPT TO:<b@here.test>\nDATA\n",
    );
    assert!(text(&s.handle(received(b"x\r\n"))).starts_with("451 4.3.0 Not delivered to all"));
    codes(&mut s, "MAIL FROM:<>\nRCPT TO:<b@here.test>\nDATA\n");
    assert!(text(&s.handle(received(b"x\r\n"))).starts_with("550 5.1.1"));
}

#[test]
fn chunks_are_strung_together() {
    let mut s = session("smtp");
    codes(&mut s, "EHLO c\nMAIL FROM:<>\nRCPT TO:<a@here.test>\n");
    assert_eq!(codes(&mut s, "BDAT 6\n"), Vec::<String>::new());
    assert!(text(&s.handle(received(b"A: b\r\n"))).starts_with("250 2.0.0 6 octets"));
    assert_eq!(codes(&mut s, "DATA\n"), ["503"]);
    codes(&mut s, "BDAT 3 LAST\n");
    assert!(text(&s.handle(received(b"\r\nx"))).starts_with("250"));
    assert!(
        standin::take_delivered()
            .remove(0)
            .message
            .ends_with(b"A: b\r\n\r\nx")
    );
}

#[test]
fn a_refused_chunk_is_read_and_thrown_away() {
    let mut s = session("smtp");
    codes(&mut s, "EHLO c\n");
    let turn = s.handle(Event::Input(b"BDAT 9 LAST\r\n".to_vec()));
    assert!(text(&turn).starts_with("503"));
    assert!(
        matches!(turn.actions.last(), Some(Action::ReceiveBody(receive)) if receive.limit == 0)
    );
    assert_eq!(text(&s.handle(failed(Reception::OverLimit))), "");
    assert_eq!(codes(&mut s, "NOOP\n"), ["250"]);
}

#[test]
fn size_is_refused_when_announced_and_when_found_out() {
    standin::reset();
    standin::set("max_message_size", "1000");
    let mut s = session_as_configured("smtp");
    assert_eq!(
        codes(&mut s, "EHLO c\nMAIL FROM:<> SIZE=1001\n"),
        ["250", "552"]
    );
    codes(&mut s, "MAIL FROM:<>\nRCPT TO:<a@here.test>\nDATA\n");
    assert!(text(&s.handle(failed(Reception::OverLimit))).starts_with("552 5.3.4"));
    assert!(
        standin::take_log()
            .iter()
            .any(|line| line.contains("max_message_size"))
    );
    codes(&mut s, "MAIL FROM:<>\nRCPT TO:<a@here.test>\nDATA\n");
    assert!(text(&s.handle(failed(Reception::Failed))).starts_with("452"));
}

#[test]
fn starttls_forgets_what_was_said_before() {
    let mut s = session("smtp");
    assert_eq!(codes(&mut s, "EHLO c\nSTARTTLS\n"), ["250", "220"]);
    s.handle(Event::TlsEstablished(TlsInfo {
        protocol: "TLSv1.3".into(),
        cipher: "X".into(),
        server_name: None,
        channel_binding: vec![],
        client_identity: None,
    }));
    assert_eq!(codes(&mut s, "MAIL FROM:<>\n"), ["503"]);
    let turn = s.handle(Event::Input(b"EHLO c\r\n".to_vec()));
    assert!(!text(&turn).contains("STARTTLS"));
}

#[test]
fn an_endless_line_is_skipped_and_answered_once() {
    let mut s = session("smtp");
    let turn = s.handle(Event::Input(vec![b'x'; 5000]));
    assert_eq!((turn.consumed, text(&turn).as_str()), (5000, ""));
    assert_eq!(codes(&mut s, "xxx\nNOOP\n"), ["500", "250"]);
}

#[test]
fn bare_line_feeds_end_no_command() {
    let mut s = session("smtp");
    let turn = s.handle(Event::Input(b"NOOP\nQUIT\r\n".to_vec()));
    assert_eq!(
        text(&turn)
            .lines()
            .map(|line| &line[..3])
            .collect::<Vec<_>>(),
        ["500", "221"]
    );
}

#[test]
fn fifty_errors_end_the_connection() {
    let mut s = session("smtp");
    let turn = s.handle(Event::Input("WHAT\r\n".repeat(60).into_bytes()));
    assert!(text(&turn).ends_with("421 4.7.0 Too many errors\r\n") && turn.closes());
}

#[test]
fn a_session_is_handed_over_in_the_middle_of_its_chunks() {
    let mut s = session("smtp");
    codes(
        &mut s,
        "EHLO c\nMAIL FROM:<>\nRCPT TO:<a@here.test>\nBDAT 2\n",
    );
    s.handle(received(b"ab"));
    let (mut after, turn) =
        Smtp::thaw(s.freeze().unwrap(), &context("smtp"), Cause::Upgrade).unwrap();
    assert!(turn.actions.is_empty());
    codes(&mut after, "BDAT 2 LAST\n");
    assert!(text(&after.handle(received(b"cd"))).starts_with("250"));
    assert!(
        standin::take_delivered()
            .remove(0)
            .message
            .ends_with(b"abcd")
    );
}

#[test]
fn a_crash_costs_the_command_or_the_message_that_caused_it() {
    let mut s = session("smtp");
    codes(&mut s, "EHLO c\nMAIL FROM:<>\n");
    let crash = |input: &[u8]| {
        Cause::Crash(Crash {
            reason: "trap".into(),
            input: input.to_vec(),
        })
    };
    let (mut after, turn) = Smtp::thaw(
        s.freeze().unwrap(),
        &context("smtp"),
        crash(b"RCPT TO:<a@here.test>\r\nNOOP\r\n"),
    )
    .unwrap();
    assert_eq!(turn.consumed, 23);
    assert!(text(&turn).starts_with("451 4.3.0"));
    codes(&mut after, "RCPT TO:<a@here.test>\nDATA\n");
    let (mut after, turn) =
        Smtp::thaw(after.freeze().unwrap(), &context("smtp"), crash(b"")).unwrap();
    assert!(text(&turn).starts_with("451") && turn.consumed == 0);
    assert_eq!(codes(&mut after, "DATA\n"), ["503"]);
}

#[test]
fn a_session_torn_at_every_octet_answers_the_same() {
    let script =
        b"EHLO c.test\r\nMAIL FROM:<x@y.test> SIZE=3\r\nRCPT TO:<a@here.test>\r\nBAD\r\nQUIT\r\n";
    let whole = text(&session("smtp").handle(Event::Input(script.to_vec())));
    let mut torn = session("smtp");
    let (mut held, mut answers) = (Vec::new(), String::new());
    for byte in script {
        held.push(*byte);
        let turn = torn.handle(Event::Input(held.clone()));
        held.drain(..turn.consumed as usize);
        answers.push_str(&text(&turn));
    }
    assert_eq!(answers, whole);
}

#[test]
fn refused_recipients_do_not_end_a_transaction_that_serves_others() {
    let mut session = session("smtp");
    session.max_recipients = 2;
    let refused = "RCPT TO:<gone@here.test>\nRCPT TO:<x@elsewhere.test>\n".repeat(15);
    let accepted = "RCPT TO:<a@here.test>\n".repeat(40);
    let answers = codes(
        &mut session,
        &format!("EHLO c\nMAIL FROM:<s@x.test>\n{refused}{accepted}DATA\n"),
    );
    let count = |code: &str| answers.iter().filter(|answer| *answer == code).count();
    assert_eq!((count("550"), count("452"), count("421")), (30, 38, 0));
    assert_eq!(answers.last().map(String::as_str), Some("354"));
}

#[test]
fn no_command_timer_runs_while_a_body_comes_in() {
    let mut session = session("smtp");
    for body in ["DATA\r\n", "BDAT 5\r\n"] {
        let begin = "EHLO c\r\nMAIL FROM:<s@x.test>\r\nRCPT TO:<a@here.test>\r\n";
        let turn = session.handle(Event::Input(format!("{begin}{body}").into_bytes()));
        let cancelled =
            |action: &Action| matches!(action, Action::SetTimer(timer) if timer.after_ms == 0);
        assert!(turn.actions.iter().any(cancelled), "{body}");
        assert!(matches!(turn.actions.last(), Some(Action::ReceiveBody(_))));
        session.handle(received(b"hello"));
    }
}
