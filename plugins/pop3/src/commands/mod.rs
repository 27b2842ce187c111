//! What commands do, one file each. A command gets the session and says what the turn sends, or why it is refused.

pub(crate) mod auth;
mod capa;
mod dele;
mod lang;
pub(crate) mod list;
mod login;
mod quit;
mod retr;
mod stls;
mod top;
mod utf8;

use waxwing_sdk::stream::Turn;

use crate::maildrop::Maildrop;
use crate::parse::Command;
use crate::reply::{Answer, Refusal, ok};
use crate::session::Pop3;
use crate::state::{Listed, Stage};

pub(crate) fn run(session: &mut Pop3, command: Command) -> Answer<Turn> {
    use Command as C;
    match command {
        C::Capa => Ok(capa::run(session)),
        C::Lang(tag) => lang::run(tag.as_deref()),
        C::Quit => quit::run(session),
        C::User(name) => login::user(session, name),
        C::Pass(password) => login::pass(session, &password),
        C::Auth { mechanism, initial } => {
            auth::run(session, mechanism.as_deref(), initial.as_deref())
        }
        C::Stls => stls::run(session),
        C::Utf8 => utf8::run(session),
        C::Stat => {
            let (messages, octets) = maildrop(session)?.left();
            Ok(Turn::new().send(ok(&format!("{messages} {octets}"))))
        }
        C::List(number) => list::run(session, Listed::Sizes, number),
        C::Uidl(number) => list::run(session, Listed::UniqueIds, number),
        C::Retr(number) => retr::run(session, number),
        C::Top { message, lines } => top::run(session, message, lines),
        C::Dele(number) => dele::run(session, number),
        C::Rset => {
            let maildrop = maildrop(session)?;
            maildrop.unmark_all();
            Ok(Turn::new().send(ok(&counted(maildrop))))
        }
        C::Noop => {
            maildrop(session)?;
            Ok(Turn::new().send(ok("Nothing done")))
        }
    }
}

/// Of the TRANSACTION state; without one the command is out of place.
fn maildrop(session: &mut Pop3) -> Answer<&mut Maildrop> {
    match &mut session.state.stage {
        Stage::Transaction(maildrop) => Ok(maildrop),
        Stage::Authorization { .. } => Err(Refusal::client("Log in first")),
    }
}

/// What USER said, in the AUTHORIZATION state.
fn user(session: &mut Pop3) -> Answer<&mut Option<String>> {
    match &mut session.state.stage {
        Stage::Authorization { user } => Ok(user),
        Stage::Transaction(_) => Err(Refusal::client("You are logged in")),
    }
}

/// `3 messages (320 octets)`
fn counted(maildrop: &Maildrop) -> String {
    match maildrop.left() {
        (1, octets) => format!("1 message ({octets} octets)"),
        (messages, octets) => format!("{messages} messages ({octets} octets)"),
    }
}
