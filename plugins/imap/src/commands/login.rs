//! LOGIN (RFC 9051 section 6.2.3), and what follows any successful log-in.

use waxwing_sdk::accounts::{self, Credential, Password};
use waxwing_sdk::fault::FaultClass;

use super::capability;
use crate::session::{Answer, Completion, Imap, Refusal, Stage};

pub(super) fn run(session: &mut Imap, user: &str, password: &str) -> Answer {
    require_privacy(session)?;
    let (user, password) = (user.to_owned(), password.to_owned());
    log_in(
        session,
        &Credential::Password(Password {
            user,
            password,
            act_as: None,
        }),
    )
}

/// RFC 9051 section 6.2.3, RFC 5530.
pub(super) fn require_privacy(session: &Imap) -> Result<(), Refusal> {
    match capability::passwords_are_safe(session) {
        true => Ok(()),
        false => Err(Refusal::no(
            "[PRIVACYREQUIRED] Passwords are taken only over TLS",
        )),
    }
}

/// Checks a credential and opens the account's mailbox.
pub(super) fn log_in(session: &mut Imap, credential: &Credential) -> Answer {
    let principal = accounts::authenticate(credential).map_err(|fault| match fault.class {
        FaultClass::Denied | FaultClass::Invalid | FaultClass::NotFound => {
            Refusal::no("[AUTHENTICATIONFAILED] Authentication failed")
        }
        FaultClass::Limit => Refusal::no("[LIMIT] Too many failures, try later"),
        _ => Refusal::from(fault),
    })?;
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
