//! USER and PASS, and what follows any successful log-in.

use waxwing_sdk::accounts::{self, Principal};
use waxwing_sdk::fault::{Fault, FaultClass};
use waxwing_sdk::sasl;
use waxwing_sdk::stream::Turn;

use crate::maildrop;
use crate::reply::{Answer, Refusal, ok};
use crate::session::Pop3;
use crate::state::Stage;

/// Whether there is such a user is not told here (RFC 1939 section 13).
pub(super) fn user(session: &mut Pop3, name: String) -> Answer<Turn> {
    require_privacy(session)?;
    *super::user(session)? = Some(name);
    Ok(Turn::new().send(ok("Send the password")))
}

pub(super) fn pass(session: &mut Pop3, password: &str) -> Answer<Turn> {
    let name = super::user(session)?
        .take()
        .ok_or_else(|| Refusal::client("Send USER first"))?;
    require_privacy(session)?;
    let principal = accounts::log_in(&name, password, None).map_err(refusal)?;
    enter(session, &principal)
}

/// A password, or what stands for one, is not asked for where everybody on the way could read it.
pub(super) fn require_privacy(session: &Pop3) -> Answer<()> {
    match sasl::passwords_are_safe(&session.context) {
        true => Ok(()),
        false => Err(Refusal::client(
            "Passwords are taken only over TLS, send STLS first",
        )),
    }
}

/// RFC 3206: `[AUTH]` says that the credential is wrong, and no more.
pub(super) fn refusal(fault: Fault) -> Refusal {
    match fault.class {
        class if sasl::is_no(class) => Refusal::server("[AUTH] Authentication failed"),
        FaultClass::Limit => Refusal::server("[SYS/TEMP] Too many failures, try later"),
        _ => Refusal::from(fault),
    }
}

/// Opens the maildrop of somebody who has proved who they are.
pub(super) fn enter(session: &mut Pop3, principal: &Principal) -> Answer<Turn> {
    let (maildrop, live) = open(principal).inspect_err(|_| accounts::forget())?;
    let greeting = format!("Logged in, {}", super::counted(&maildrop));
    session.state.stage = Stage::Transaction(Box::new(maildrop));
    session.live = live;
    waxwing_sdk::info!("logged in", user = principal.address());
    Ok(Turn::new().send(ok(&greeting)))
}

fn open(principal: &Principal) -> Answer<(maildrop::Maildrop, maildrop::Live)> {
    if !principal.feature("pop3") {
        return Err(Refusal::server(
            "[SYS/PERM] POP3 is switched off for this account",
        ));
    }
    let mailbox = principal
        .open_mailbox(None)
        .map_err(|fault| match fault.class {
            FaultClass::NotFound | FaultClass::Denied => {
                Refusal::server("[SYS/PERM] There is no mailbox for this account")
            }
            _ => Refusal::from(fault),
        })?;
    maildrop::open(&mailbox)
}
