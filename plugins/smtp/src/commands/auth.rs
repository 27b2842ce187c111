//! AUTH (RFC 4954): the words of SMTP around an exchange of SASL. Submission alone has it: whoever brings mail for our users need not be
//! known.

use waxwing_sdk::Fault;
use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::info;
use waxwing_sdk::sasl::{self, Exchange, Host, Mechanism, Outcome};

use crate::reply;
use crate::session::Smtp;
use crate::state::Submission;

pub(super) fn run(
    session: &mut Smtp,
    mechanism: &str,
    initial: Option<&str>,
) -> Result<String, String> {
    let greeted = session.state.client.is_some();
    let in_transaction = session.state.transaction.is_some();
    let Some(submission) = session.state.submission() else {
        return Err(reply::line(502, "5.5.1", "Log-ins belong to submission"));
    };
    if !greeted {
        return Err(reply::out_of_order("EHLO"));
    }
    if submission.principal.is_some() {
        return Err(reply::line(503, "5.5.1", "Logged in already"));
    }
    if in_transaction {
        return Err(reply::line(503, "5.5.1", "Not within a transaction"));
    }
    let named = Mechanism::named(mechanism);
    let offered = named.filter(|wanted| sasl::offered(&session.context).any(|one| one == *wanted));
    match offered {
        Some(mechanism) => {
            let initial = initial.map(str::as_bytes);
            let outcome = Exchange::start(mechanism, initial, &mut Host);
            go_on(session, outcome)
        }
        None if named.is_some() && !sasl::passwords_are_safe(&session.context) => Err(reply::line(
            538,
            "5.7.11",
            "Passwords are taken only over TLS",
        )),
        None => Err(reply::line(504, "5.5.4", "This mechanism is not supported")),
    }
}

/// A line of the client that answers a challenge; none when no log-in waits for one.
pub(crate) fn on_line(session: &mut Smtp, line: &[u8]) -> Option<String> {
    let exchange = session.state.submission()?.exchange.take()?;
    let outcome = exchange.answer(line, &mut Host);
    Some(go_on(session, outcome).unwrap_or_else(|refusal| {
        session.state.errors += 1;
        refusal
    }))
}

/// What EHLO offers.
pub(super) fn offer(session: &Smtp) -> String {
    sasl::offered(&session.context).fold(String::new(), |mut offer, mechanism| {
        if offer.is_empty() {
            offer.push_str("AUTH");
        }
        offer + " " + mechanism.name()
    })
}

fn go_on(session: &mut Smtp, outcome: Outcome) -> Result<String, String> {
    let Some(submission) = session.state.submission() else {
        return Err(reply::out_of_order("AUTH"));
    };
    match outcome {
        Outcome::Ask {
            exchange,
            challenge,
        } => {
            submission.exchange = Some(exchange);
            Ok(format!("334 {challenge}\r\n"))
        }
        Outcome::Proved(principal) => {
            let address = principal.address();
            info!("logged in", user = address);
            *submission = Submission {
                principal: Some(address),
                ..Submission::default()
            };
            Ok(reply::line(235, "2.7.0", "Logged in"))
        }
        Outcome::Refused(fault) => Err(refusal(&fault)),
        Outcome::Broken(broken) => Err(reply::line(501, "5.5.2", &broken.to_string())),
    }
}

/// RFC 4954 section 6.
fn refusal(fault: &Fault) -> String {
    match fault.class {
        class if sasl::is_no(class) => reply::line(535, "5.7.8", "Authentication failed"),
        FaultClass::Limit => reply::line(454, "4.7.0", "Too many failures, try later"),
        _ => reply::line(
            454,
            "4.7.0",
            "Log-ins cannot be checked now, try again later",
        ),
    }
}
