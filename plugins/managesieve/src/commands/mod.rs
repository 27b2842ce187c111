//! What commands do. A command gets the session and says what the turn sends, or why it is refused.

pub(crate) mod authenticate;
pub(crate) mod capability;
mod scripts;

use waxwing_sdk::accounts;
use waxwing_sdk::store::Mailbox;
use waxwing_sdk::stream::Turn;

use crate::parse::Command;
use crate::reply::{Answer, Refusal, bye, ok, string};
use crate::session::ManageSieve;
use crate::state::{Pending, State};

pub(crate) fn run(session: &mut ManageSieve, command: Command) -> Answer<Turn> {
    use Command as C;
    let answer = match command {
        C::Authenticate { mechanism, initial } => {
            return authenticate::run(session, &mechanism, initial.as_deref());
        }
        C::StartTls => return start_tls(session),
        C::Logout => return Ok(Turn::new().send(ok("Bye")).close()),
        C::Capability => capability::told(session, "Done"),
        C::Noop(None) => ok("Done"),
        C::Noop(Some(tag)) => format!("OK (TAG {}) \"Done\"\r\n", string(&tag)),
        C::Unauthenticate => {
            mailbox(session)?;
            accounts::forget();
            session.mailbox = None;
            session.state = State::new();
            ok("Logged out")
        }
        C::HaveSpace { name, octets } => scripts::have_space(session, &name, octets)?,
        C::PutScript { name, script } => scripts::put(session, &name, &script)?,
        C::ListScripts => scripts::list(session)?,
        C::SetActive(name) => scripts::set_active(session, &name)?,
        C::GetScript(name) => scripts::get(session, &name)?,
        C::DeleteScript(name) => scripts::delete(session, &name)?,
        C::RenameScript { from, to } => scripts::rename(session, &from, &to)?,
        C::CheckScript(script) => scripts::check(session, &script)?,
    };
    Ok(Turn::new().send(answer))
}

/// Of who is logged in; without one the command is out of place.
fn mailbox(session: &mut ManageSieve) -> Answer<&Mailbox> {
    let Some((number, _)) = &session.state.owner else {
        return Err(Refusal::client("Log in first"));
    };
    if session.mailbox.is_none() {
        session.mailbox = Some(accounts::reopen_mailbox(*number)?);
    }
    let none = || Refusal::coded("(TRYLATER)", "The mailbox is not open");
    session.mailbox.as_ref().ok_or_else(none)
}

/// RFC 5804 section 2.2.
fn start_tls(session: &mut ManageSieve) -> Answer<Turn> {
    if session.state.owner.is_some() {
        return Err(Refusal::client("You are logged in"));
    }
    if session.context.tls.is_some() {
        return Err(Refusal::client("TLS is on"));
    }
    if !session.context.tls_available {
        return Err(Refusal::client("There is no TLS here"));
    }
    session.state.pending = Pending::StartTls;
    Ok(Turn::new().send(ok("Begin TLS")).start_tls())
}

/// The connection ends after too many failures.
fn too_many() -> Turn {
    Turn::new()
        .send(bye("(TRYLATER)", "Too many failures, try later"))
        .close()
}
