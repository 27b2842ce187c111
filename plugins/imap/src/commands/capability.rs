//! CAPABILITY (RFC 9051 section 6.1.1).
//!
//! What a logged-in client can use is told before log-in too: libraries that ask once, at the greeting, would else never find
//! IDLE or MOVE. What is switched off for one user is left out once the user is known.

use waxwing_sdk::{accounts, sasl};

use crate::session::{Answer, Completion, Imap, Output, Stage};

/// Of every server.
const ALWAYS: [&str; 5] = ["IMAP4rev1", "LITERAL+", "SASL-IR", "ID", "ENABLE"];

/// Each can be switched off for a user, as `imap.NAME`.
const FEATURES: [&str; 20] = [
    "IDLE",
    "NAMESPACE",
    "CHILDREN",
    "UIDPLUS",
    "MOVE",
    "UNSELECT",
    "SPECIAL-USE",
    "CREATE-SPECIAL-USE",
    "LIST-EXTENDED",
    "LIST-STATUS",
    "CONDSTORE",
    "QRESYNC",
    "ESEARCH",
    "SEARCHRES",
    "SORT",
    "ESORT",
    "MULTIAPPEND",
    "STATUS=SIZE",
    "APPENDLIMIT",
    "UTF8=ACCEPT",
];

/// The capabilities that hold now, separated by spaces.
pub(crate) fn list(session: &Imap) -> String {
    let mut names: Vec<String> = ALWAYS.iter().map(|&name| name.to_owned()).collect();
    if session.state.stage == Stage::NotAuthenticated {
        if session.context.tls.is_none() && session.context.tls_available {
            names.push("STARTTLS".to_owned());
        }
        if !sasl::passwords_are_safe(&session.context) {
            names.push("LOGINDISABLED".to_owned());
        }
        let mechanisms = sasl::offered(&session.context);
        names.extend(mechanisms.map(|mechanism| format!("AUTH={}", mechanism.name())));
    }
    let principal = accounts::current();
    let on = |name: &&str| {
        principal
            .as_ref()
            .is_none_or(|principal| principal.feature(&format!("imap.{name}")))
    };
    names.extend(FEATURES.iter().copied().filter(on).map(|name| match name {
        "APPENDLIMIT" => format!("APPENDLIMIT={}", super::append::limit()),
        name => name.to_owned(),
    }));
    names.join(" ")
}

pub(super) fn run(session: &Imap, out: &mut Output) -> Answer {
    out.line(&format!("* CAPABILITY {}", list(session)));
    Ok(Completion::text("CAPABILITY completed"))
}
