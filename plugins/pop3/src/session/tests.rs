//! Sessions before log-in, as transcripts: cut at every octet and handed over before every event. What needs a mailbox is tested
//! on the component (`sdk/rust/harness/tests/pop3.rs`).

use waxwing_sdk::stream::Context;
use waxwing_sdk::testing::{check, check_in, context};

use super::Pop3;

const GREETING: &str = "S: +OK mx.test POP3 Waxwing\n";

fn plays(transcript: &str) {
    check::<Pop3>(&format!("{GREETING}{transcript}"));
}

#[test]
fn a_client_learns_what_is_offered() {
    plays(
        "C: CAPA\nS: +OK ...\nS: TOP\nS: UIDL\nS: RESP-CODES\nS: AUTH-RESP-CODE\nS: PIPELINING\nS: EXPIRE NEVER\nS: UTF8 USER\n\
         S: LANG\nS: IMPLEMENTATION Waxwing\nS: STLS\nS: USER\nS: SASL PLAIN LOGIN\nS: .\n\
         C: auth\nS: +OK ...\nS: PLAIN\nS: LOGIN\nS: .\nC: LANG\nS: +OK ...\nS: en English\nS: .\nC: LANG en-GB\nS: +OK en ...\n\
         C: LANG de\nS: -ERR ...\nC: UTF8\nS: +OK ...",
    );
}

#[test]
fn commands_are_refused_in_the_wrong_state() {
    plays(
        "C: STAT\nS: -ERR Log in first\nC: NOOP\nS: -ERR Log in first\nC: RETR 1\nS: -ERR Log in first\nC: LIST\nS: -ERR Log in first\n\
         C: PASS x\nS: -ERR Send USER first\nC: XTND\nS: -ERR There is no such command\nC: TOP 1\n\
         S: -ERR The command is followed by the number of a message and a number of lines\nC: QUIT\nS: +OK Bye\nS! close",
    );
}

#[test]
fn a_name_is_good_for_one_password() {
    plays(
        "C: USER ada\nS: +OK ...\nC: PASS x\nS: -ERR [SYS/PERM] This cannot be done\nC: PASS x\nS: -ERR Send USER first",
    );
}

#[test]
fn sasl_goes_step_by_step_and_can_be_cancelled() {
    plays(
        "C: AUTH LOGIN\nS: + VXNlcm5hbWU6\nC: YWRh\nS: + UGFzc3dvcmQ6\nC: *\nS: -ERR Authentication cancelled\n\
         C: AUTH PLAIN\nS> + \\r\\n\nC: !\nS: -ERR The response is not base64\nC: AUTH PLAIN =\nS: -ERR The response is malformed\n\
         C: AUTH PLAIN AGFkYQBzZWNyZXQ=\nS: -ERR [SYS/PERM] This cannot be done\nC: AUTH CRAM-MD5\n\
         S: -ERR This mechanism is not supported",
    );
}

#[test]
fn passwords_are_not_taken_in_plaintext_where_that_is_forbidden() {
    let context = Context {
        plaintext_login: false,
        ..context()
    };
    let refused = "-ERR Passwords are taken only over TLS, send STLS first";
    check_in::<Pop3>(
        &context,
        &format!(
            "{GREETING}C: USER ada\nS: {refused}\nC: AUTH PLAIN AGFkYQBzZWNyZXQ=\nS: {refused}\nC: AUTH\nS: +OK ...\nS: .\n\
             C: STLS\nS: +OK Begin TLS\nS! start-tls\n!tls\nC: USER ada\nS: +OK ...\nC: STLS\nS: -ERR TLS is on\nC: CAPA\nS: +OK ...\n\
             S: TOP\nS: UIDL\nS: RESP-CODES\nS: AUTH-RESP-CODE\nS: PIPELINING\nS: EXPIRE NEVER\nS: UTF8 USER\nS: LANG\n\
             S: IMPLEMENTATION Waxwing\nS: USER\nS: SASL PLAIN LOGIN\nS: ."
        ),
    );
}

#[test]
fn what_was_said_before_tls_is_forgotten() {
    plays(
        "C: USER ada\nS: +OK ...\nC: STLS\nS: +OK Begin TLS\nS! start-tls\n!tls\nC: PASS x\nS: -ERR Send USER first",
    );
}

#[test]
fn pipelined_commands_are_answered_in_their_order() {
    plays(
        "C> UTF8\\r\\nSTAT\\r\\nLANG\\r\\nQUIT\\r\\n\nS: +OK UTF...\nS: -ERR Log in first\nS: +OK Lang...\nS: en English\nS: .\nS: +OK Bye\nS! close",
    );
}

#[test]
fn an_overlong_line_is_skipped_and_answered_once() {
    let line = "x".repeat(20_000);
    plays(&format!(
        "C: USER {line}\nS: -ERR The limit of a line is 16384 octets\nC: UTF8\nS: +OK ..."
    ));
}

#[test]
fn bad_commands_are_bounded() {
    let refused = "C: what\nS: -ERR There is no such command\n";
    plays(&format!(
        "{}C: what\nS: -ERR There is no such command\nS: -ERR Too many bad commands\nS! close",
        refused.repeat(9)
    ));
    plays(&format!("{}C: UTF8\nS: +OK ...\n{0}", refused.repeat(9)));
}

#[test]
fn a_crash_costs_the_command_that_crashed() {
    const SORRY: &str = "S: -ERR [SYS/TEMP] The server failed at this command, try again later";
    plays(&format!("!crash UTF8\n{SORRY}\nC: UTF8\nS: +OK ..."));
    plays(&format!(
        "C: AUTH PLAIN\nS> + \\r\\n\n!crash AGFkYQBzZWNyZXQ=\n{SORRY}\nC: UTF8\nS: +OK ..."
    ));
}

#[test]
fn the_server_says_why_it_closes_and_an_autologout_is_silent() {
    plays("!closing shutdown\nS: -ERR [SYS/TEMP] The server is closing\nS! close");
    plays("!closing idle\nS! close");
    plays("!timer 1\nS! close");
}
