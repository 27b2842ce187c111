//! AUTHENTICATE (RFC 9051 section 6.2.2, RFC 4959): the words of IMAP around an exchange of SASL.

use waxwing_sdk::sasl::{self, Exchange, Host, Mechanism, Outcome};

use super::login;
use crate::session::{Answer, Completion, Imap, Output, Pending, Refusal};

pub(super) fn run(
    session: &mut Imap,
    tag: &str,
    mechanism: Option<Mechanism>,
    initial: Option<&[u8]>,
    out: &mut Output,
) -> Answer {
    login::require_privacy(session)?;
    let offered = mechanism
        .filter(|wanted| sasl::offered(&session.context).any(|offered| offered == *wanted));
    let Some(mechanism) = offered else {
        return Err(Refusal::no("[CANNOT] This mechanism is not supported"));
    };
    let outcome = Exchange::start(mechanism, initial, &mut Host);
    go_on(session, tag, outcome, out)
}

/// A line from the client.
pub(crate) fn on_input(session: &mut Imap, input: &[u8], out: &mut Output) -> usize {
    let Some(end) = input.iter().position(|&byte| byte == b'\n') else {
        if input.len() > crate::parse::limits::LINE {
            session.say_bye("[LIMIT] The response is longer than 64000 octets", out);
            return input.len();
        }
        return 0;
    };
    let line = input.get(..end).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let Pending::Authenticate { tag, exchange } =
        std::mem::replace(&mut session.state.pending, Pending::Nothing)
    else {
        return 0;
    };
    let outcome = exchange.answer(line, &mut Host);
    let answer = go_on(session, &tag, outcome, out);
    session.conclude(&tag, answer, out);
    end + 1
}

fn go_on(session: &mut Imap, tag: &str, outcome: Outcome, out: &mut Output) -> Answer {
    match outcome {
        Outcome::Ask {
            exchange,
            challenge,
        } => {
            out.line(&format!("+ {challenge}"));
            let tag = tag.to_owned();
            session.state.pending = Pending::Authenticate { tag, exchange };
            Ok(Completion::Later)
        }
        Outcome::Proved(principal) => login::enter(session, &principal),
        Outcome::Refused(fault) => Err(login::refusal(fault)),
        Outcome::Broken(broken) => Err(Refusal::Bad(broken.to_string())),
    }
}
