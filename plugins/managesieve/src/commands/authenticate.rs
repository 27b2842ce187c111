//! AUTHENTICATE (RFC 5804 section 2.1): the words of ManageSieve around an exchange of SASL.

use waxwing_sdk::accounts::{self, Principal};
use waxwing_sdk::fault::{Fault, FaultClass};
use waxwing_sdk::sasl::{self, Exchange, Host, Mechanism, Outcome};
use waxwing_sdk::stream::Turn;

use crate::reply::{Answer, Refusal, ok, string};
use crate::session::ManageSieve;

pub(super) fn run(
    session: &mut ManageSieve,
    mechanism: &str,
    initial: Option<&str>,
) -> Answer<Turn> {
    if session.state.owner.is_some() {
        return Err(Refusal::client("You are logged in"));
    }
    if !sasl::passwords_are_safe(&session.context) {
        let text = "Passwords are taken only over TLS, send STARTTLS first";
        return Err(Refusal::coded("(ENCRYPT-NEEDED)", text));
    }
    let mechanism = Mechanism::named(mechanism)
        .filter(|wanted| sasl::offered(&session.context).any(|offered| offered == *wanted))
        .ok_or_else(|| Refusal::client("This mechanism is not supported"))?;
    let outcome = Exchange::start(mechanism, initial.map(encoded), &mut Host);
    go_on(session, outcome)
}

/// A response of the client.
pub(crate) fn answer(
    session: &mut ManageSieve,
    exchange: Exchange,
    response: &str,
) -> Answer<Turn> {
    let outcome = exchange.answer(response.as_bytes(), &mut Host);
    go_on(session, outcome)
}

/// An empty string is an empty response here; elsewhere that is a `=`.
fn encoded(initial: &str) -> &[u8] {
    match initial {
        "" => b"=",
        other => other.as_bytes(),
    }
}

fn go_on(session: &mut ManageSieve, outcome: Outcome) -> Answer<Turn> {
    match outcome {
        Outcome::Ask {
            exchange,
            challenge,
        } => {
            session.state.exchange = Some(exchange);
            Ok(Turn::new().send(format!("{}\r\n", string(&challenge))))
        }
        Outcome::Proved(principal) => enter(session, &principal),
        Outcome::Refused(fault) if fault.class == FaultClass::Limit => Ok(super::too_many()),
        Outcome::Refused(fault) => Err(refusal(fault)),
        Outcome::Broken(broken) => Err(Refusal::client(broken.to_string())),
    }
}

fn refusal(fault: Fault) -> Refusal {
    match fault.class {
        class if sasl::is_no(class) => Refusal::client("Authentication failed"),
        _ => Refusal::from(fault),
    }
}

/// Opens the mailbox of somebody who has proved who they are.
fn enter(session: &mut ManageSieve, principal: &Principal) -> Answer<Turn> {
    let opened = match principal.feature("managesieve") {
        true => principal.open_mailbox(None).map_err(refusal),
        false => Err(Refusal::coded(
            "",
            "ManageSieve is switched off for this account",
        )),
    };
    let mailbox = opened.inspect_err(|_| accounts::forget())?;
    session.state.owner = Some((mailbox.number(), principal.address()));
    session.mailbox = Some(mailbox);
    waxwing_sdk::info!("logged in", user = principal.address());
    Ok(Turn::new().send(ok("Logged in")))
}
