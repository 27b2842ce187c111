//! One command a file; here the table, and what a command may ask of the session.

use crate::parse::Command;
use crate::reply;
use crate::session::Smtp;

pub(crate) mod auth;
mod bdat;
mod data;
mod hello;
mod information;
mod mail;
mod rcpt;
mod starttls;

/// What the octets after a command are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Command,
    Data,
    Chunk { size: u64, limit: u64 },
    StartTls,
    Close,
}

/// Runs a command: its reply, and what follows it.
pub(crate) fn run(session: &mut Smtp, command: Command) -> (String, Next) {
    let outcome = match command {
        Command::Helo(name) => Ok(hello::helo(session, name)),
        Command::Ehlo(name) => hello::ehlo(session, name),
        Command::Lhlo(name) => hello::lhlo(session, name),
        Command::StartTls => return settle(session, starttls::run),
        Command::Auth(mechanism, initial) => auth::run(session, &mechanism, initial.as_deref()),
        Command::Mail(mail, extras) => mail::run(session, mail, &extras),
        Command::Rcpt(rcpt) => rcpt::run(session, rcpt),
        Command::Data => return settle(session, data::run),
        Command::Bdat { size, last } => return bdat::run(session, size, last),
        Command::Rset => {
            session.reset();
            Ok(reply::line(250, "2.0.0", "Ok"))
        }
        Command::Noop => Ok(reply::line(250, "2.0.0", "Ok")),
        Command::Vrfy => Ok(information::vrfy()),
        Command::Expn => Err(information::expn()),
        Command::Help => Ok(information::help(session)),
        Command::Quit => return (reply::line(221, "2.0.0", "Bye"), Next::Close),
    };
    (count(session, outcome), Next::Command)
}

/// A command that changes what follows only when it succeeds.
fn settle(
    session: &mut Smtp,
    command: fn(&mut Smtp) -> Result<(String, Next), String>,
) -> (String, Next) {
    match command(session) {
        Ok(done) => done,
        Err(refusal) => (count(session, Err(refusal)), Next::Command),
    }
}

fn count(session: &mut Smtp, outcome: Result<String, String>) -> String {
    outcome.unwrap_or_else(|refusal| {
        session.state.errors += 1;
        refusal
    })
}
