//! Sessions before log-in, as transcripts: cut at every octet and handed over before every event. What needs a mailbox is tested
//! with other people's clients (`tests/e2e/test_sieve.py`).

use waxwing_sdk::stream::{Action, Context, Received, Reception, StreamPlugin as _, Turn};
use waxwing_sdk::testing::{check, check_in, context};

use super::ManageSieve;

const TOLD: &str = "S: \"IMPLEMENTATION\" \"Waxwing\"\nS: \"VERSION\" \"1.0\"\nS: \"SASL\" \"PLAIN LOGIN\"\nS: \"SIEVE\" \"fileinto reject ...\n\
    S: \"MAXREDIRECTS\" \"4\"\nS: \"STARTTLS\"\nS: \"UNAUTHENTICATE\"\n";

fn plays(transcript: &str) {
    check::<ManageSieve>(&format!("{TOLD}S: OK \"mx.test Waxwing\"\n{transcript}"));
}

#[test]
fn a_client_learns_what_is_offered() {
    plays(&format!(
        "C: CAPABILITY\n{TOLD}S: OK \"Done\"\nC: noop\nS: OK \"Done\"\nC: NOOP \"a \\\"b\"\nS: OK (TAG \"a \\\"b\") \"Done\"\n\
         C: LOGOUT\nS: OK \"Bye\"\nS! close"
    ));
}

#[test]
fn commands_about_scripts_need_a_log_in() {
    plays(
        "C: LISTSCRIPTS\nS: NO \"Log in first\"\nC: HAVESPACE \"a\" 5\nS: NO \"Log in first\"\nC: SETACTIVE \"\"\nS: NO \"Log in first\"\n\
         C: UNAUTHENTICATE\nS: NO \"Log in first\"\nC: XYZZY\nS: NO \"There is no such command\"\n\
         C: GETSCRIPT a\nS: NO \"The command is followed by a name\"\nC: *\nS: NO \"This is not a command\"",
    );
}

#[test]
fn literals_are_part_of_their_command() {
    plays(
        "C> PUTSCRIPT \"a\" {9+}\\r\\nkeep;\\r\\n\\r\\n\\r\\nNOOP\\r\\n\nS: NO \"Log in first\"\nS: OK \"Done\"\n\
         C> NOOP {3+}\\r\\n\\r\\na\\r\\n\nS> OK (TAG {3}\\r\\n\\r\\na) \"Done\"\\r\\n",
    );
}

#[test]
fn a_literal_beyond_the_limit_is_refused_and_the_session_goes_on() {
    let (mut session, _) = ManageSieve::start(&context());
    assert!(!session.line(b"CHECKSCRIPT {262145+}").closes());
    session.received(Received {
        outcome: Reception::OverLimit,
        body: None,
        size: 262_145,
        detail: String::new(),
    });
    assert!(sent(&session.line(b"")).starts_with("NO (QUOTA/MAXSIZE) "));
    assert_eq!(sent(&session.line(b"NOOP")), "OK \"Done\"\r\n");
}

fn sent(turn: &Turn) -> String {
    let octets = turn.actions.iter().filter_map(|action| match action {
        Action::Send(octets) => Some(octets.as_slice()),
        _ => None,
    });
    String::from_utf8(octets.collect::<Vec<_>>().concat()).unwrap()
}

#[test]
fn sasl_goes_step_by_step_and_can_be_cancelled() {
    plays(
        "C: AUTHENTICATE \"LOGIN\"\nS: \"VXNlcm5hbWU6\"\nC: \"YWRh\"\nS: \"UGFzc3dvcmQ6\"\nC: \"*\"\nS: NO \"Authentication cancelled\"\n\
         C: AUTHENTICATE \"PLAIN\"\nS: \"\"\nC> {1+}\\r\\n!\\r\\n\nS: NO \"The response is not base64\"\nC: AUTHENTICATE \"PLAIN\" \"\"\n\
         S: NO \"The response is malformed\"\nC: AUTHENTICATE \"PLAIN\" \"AGFkYQBzZWNyZXQ=\"\nS: NO \"This cannot be done\"\n\
         C: AUTHENTICATE \"CRAM-MD5\"\nS: NO \"This mechanism is not supported\"",
    );
}

#[test]
fn passwords_are_not_taken_in_plaintext_where_that_is_forbidden() {
    let context = Context {
        plaintext_login: false,
        ..context()
    };
    let before = TOLD.replace("PLAIN LOGIN", "");
    let after = TOLD.replace("S: \"STARTTLS\"\n", "");
    check_in::<ManageSieve>(
        &context,
        &format!(
            "{before}S: OK ...\nC: AUTHENTICATE \"PLAIN\" \"AGFkYQBzZWNyZXQ=\"\nS: NO (ENCRYPT-NEEDED) ...\nC: STARTTLS\nS: OK \"Begin TLS\"\n\
             S! start-tls\n!tls\n{after}S: OK \"TLS is on\"\nC: STARTTLS\nS: NO \"TLS is on\""
        ),
    );
}

#[test]
fn a_line_without_end_is_refused_once() {
    let long = "x".repeat(20_000);
    plays(&format!(
        "C> {long}\\r\\nNOOP\\r\\n\nS: NO \"The limit of a line is 16384 octets\"\nS: OK \"Done\""
    ));
}
