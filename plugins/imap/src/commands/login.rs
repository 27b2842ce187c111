//! LOGIN (RFC 9051 section 6.2.3), and what follows any successful log-in.

use waxwing_sdk::accounts::{self, Principal};
use waxwing_sdk::fault::{Fault, FaultClass};
use waxwing_sdk::sasl;

use super::capability;
use crate::session::{Answer, Completion, Imap, Refusal, Stage};

pub(super) fn run(session: &mut Imap, user: &str, password: &str) -> Answer {
    require_privacy(session)?;
    let principal = accounts::log_in(user, password, None).map_err(refusal)?;
    enter(session, &principal)
}

/// RFC 9051 section 6.2.3, RFC 5530.
pub(super) fn require_privacy(session: &Imap) -> Result<(), Refusal> {
    match sasl::passwords_are_safe(&session.context) {
        true => Ok(()),
        false => Err(Refusal::no(
            "[PRIVACYREQUIRED] Passwords are taken only over TLS",
        )),
    }
}

/// The tagged answer to a credential that the directory did not take.
pub(super) fn refusal(fault: Fault) -> Refusal {
    match fault.class {
        class if sasl::is_no(class) => Refusal::no("[AUTHENTICATIONFAILED] Authentication failed"),
        FaultClass::Limit => Refusal::no("[LIMIT] Too many failures, try later"),
        _ => Refusal::from(fault),
    }
}

/// Opens the mailbox of somebody who has proved who they are.
pub(super) fn enter(session: &mut Imap, principal: &Principal) -> Answer {
    let mailbox = principal.open_mailbox(None).map_err(|fault| {
        accounts::forget();
        match fault.class {
            FaultClass::NotFound | FaultClass::Denied => {
                Refusal::no("[AUTHORIZATIONFAILED] There is no mailbox for this account")
            }
            _ => Refusal::from(fault),
        }
    })?;
    session.set_mailbox(mailbox);
    session.state.stage = Stage::Authenticated;
    waxwing_sdk::info!("logged in", user = principal.address());
    Ok(Completion::Done(format!(
        "[CAPABILITY {}] Logged in",
        capability::list(session)
    )))
}
