//! AUTH (RFC 5034): the words of POP3 around an exchange of SASL.

use waxwing_sdk::sasl::{self, Exchange, Host, Mechanism, Outcome};
use waxwing_sdk::stream::Turn;

use super::login;
use crate::reply::{Answer, Refusal, ok};
use crate::session::Pop3;
use crate::state::Pending;

pub(super) fn run(
    session: &mut Pop3,
    mechanism: Option<&str>,
    initial: Option<&[u8]>,
) -> Answer<Turn> {
    *super::user(session)? = None;
    let Some(name) = mechanism else {
        return Ok(list(session));
    };
    login::require_privacy(session)?;
    let mechanism = Mechanism::named(name)
        .filter(|wanted| sasl::offered(&session.context).any(|offered| offered == *wanted))
        .ok_or_else(|| Refusal::client("This mechanism is not supported"))?;
    let outcome = Exchange::start(mechanism, initial, &mut Host);
    go_on(session, outcome)
}

/// What clients asked for before CAPA was (and Outlook still does).
fn list(session: &Pop3) -> Turn {
    let names =
        sasl::offered(&session.context).map(|mechanism| format!("{}\r\n", mechanism.name()));
    Turn::new()
        .send(ok("Mechanisms follow"))
        .send(names.collect::<String>())
        .send(".\r\n")
}

/// A line from the client.
pub(crate) fn answer(session: &mut Pop3, exchange: Exchange, line: &[u8]) -> Answer<Turn> {
    let outcome = exchange.answer(line, &mut Host);
    go_on(session, outcome)
}

fn go_on(session: &mut Pop3, outcome: Outcome) -> Answer<Turn> {
    match outcome {
        Outcome::Ask {
            exchange,
            challenge,
        } => {
            session.state.pending = Pending::Auth(exchange);
            Ok(Turn::new().send(format!("+ {challenge}\r\n")))
        }
        Outcome::Proved(principal) => login::enter(session, &principal),
        Outcome::Refused(fault) => Err(login::refusal(fault)),
        Outcome::Broken(broken) => Err(Refusal::client(broken.to_string())),
    }
}
