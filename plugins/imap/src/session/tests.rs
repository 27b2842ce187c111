//! Transcripts of what needs no mailbox: each is played in one piece, octet by octet, and with a hand-over before every event.

#![allow(clippy::unwrap_used, reason = "tests")]

use waxwing_sdk::stream::Context;
use waxwing_sdk::testing::{check, check_in, context};

use super::Imap;

const GREETING: &str = "S: * OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE STARTTLS AUTH=PLAIN AUTH=LOGIN IDLE ...\n";

fn play(transcript: &str) {
    check::<Imap>(&format!("{GREETING}{transcript}"));
}

#[test]
fn commands_without_a_mailbox_are_answered() {
    play(
        r#"
C: a CAPABILITY
S: * CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ...
S: a OK CAPABILITY completed
C: b NOOP
S: b OK NOOP completed
C: c ID ("name" "x")
S: * ID ("name" "Waxwing" "version" "test 0.0.0")
S: c OK ID completed
C: d LOGOUT
S: * BYE Logging out
S: d OK LOGOUT completed
S! close
"#,
    );
}

#[test]
fn a_log_in_that_cannot_be_checked_is_refused() {
    play(
        r#"
C: a LOGIN {5}
S: + OK
C> alice
C:  {3+}
C: pwd
S: a NO [CANNOT] This cannot be done
C: b LOGIN {5+}
C: alice pwd
S: b NO [CANNOT] This cannot be done
"#,
    );
}

#[test]
fn sasl_goes_step_by_step_and_can_be_cancelled() {
    play(
        r#"
C: a AUTHENTICATE PLAIN
S> + \r\n
C: *
S: a BAD Authentication cancelled
"#,
    );
    play(
        r#"
C: a AUTHENTICATE LOGIN
S: + VXNlcm5hbWU6
C: YWxpY2U=
S: + UGFzc3dvcmQ6
C: cHdk
S: a NO [CANNOT] This cannot be done
C: b AUTHENTICATE PLAIN !!!
S: b BAD The response is not base64
C: c AUTHENTICATE XOAUTH2
S: c NO [CANNOT] This mechanism is not supported
"#,
    );
}

#[test]
fn passwords_are_not_taken_in_plaintext_where_that_is_forbidden() {
    let context = Context {
        plaintext_login: false,
        ..context()
    };
    check_in::<Imap>(
        &context,
        r#"
S: * OK [CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE STARTTLS LOGINDISABLED IDLE ...
C: a LOGIN alice pwd
S: a NO [PRIVACYREQUIRED] Passwords are taken only over TLS
C: b AUTHENTICATE PLAIN AGEAYg==
S: b NO [PRIVACYREQUIRED] Passwords are taken only over TLS
C: c STARTTLS
S: c OK Begin TLS negotiation now
S! start-tls
!tls
C: d CAPABILITY
S: * CAPABILITY IMAP4rev1 LITERAL+ SASL-IR ID ENABLE AUTH=PLAIN AUTH=LOGIN IDLE ...
S: d OK CAPABILITY completed
C: e STARTTLS
S: e BAD TLS is active already
"#,
    );
}

#[test]
fn commands_are_refused_in_the_wrong_state() {
    play(
        r#"
C: a SELECT INBOX
S: a BAD Log in first
C: b FETCH 1 FLAGS
S: b BAD Log in first
C: c IDLE
S: c BAD Log in first
"#,
    );
}

#[test]
fn a_message_that_nobody_may_append_is_dropped_and_the_session_goes_on() {
    play(
        r#"
C: a APPEND INBOX {5+}
C: hello
S: a BAD Log in first
C: b APPEND INBOX {5}
S: b BAD Log in first
C: c NOOP
S: c OK NOOP completed
"#,
    );
}

#[test]
fn an_oversized_literal_is_refused_by_the_limits_name() {
    play(
        r#"
C: a LOGIN {70000}
S: a BAD the literal is larger than 64000 octets
C: b NOOP
S: b OK NOOP completed
"#,
    );
}

#[test]
fn bad_commands_are_bounded() {
    let bad: String = (0..9)
        .map(|_| "C: x FOO\nS: x BAD unknown command FOO\n")
        .collect();
    play(&format!(
        "{bad}C: x FOO\nS: x BAD unknown command FOO\nS: * BYE [CLIENTBUG] Too many bad commands\nS! close\n"
    ));
}

#[test]
fn a_crash_costs_the_command_that_crashed() {
    play(
        r#"
!crash a LOGIN alice pwd
S: a NO [SERVERBUG] Internal error, the command was not completed
C: b NOOP
S: b OK NOOP completed
"#,
    );
}

#[test]
fn a_crash_at_what_is_no_command_is_answered_too() {
    play(
        r#"
!crash a (((
S: a NO [SERVERBUG] Internal error, the command was not completed
!crash +
S: * NO [SERVERBUG] Internal error, the command was not completed
C: b NOOP
S: b OK NOOP completed
"#,
    );
}

#[test]
fn the_server_says_why_it_closes() {
    play("!closing shutdown\nS: * BYE [UNAVAILABLE] The server is shutting down\n");
}
