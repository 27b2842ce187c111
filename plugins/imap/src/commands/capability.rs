//! CAPABILITY (RFC 9051 section 6.1.1).
//!
//! What a logged-in client can use is told before log-in too: libraries that ask once, at the greeting, would else never find
//! IDLE or MOVE. What is switched off for one user is left out once the user is known, what the operator switched off for a listener
//! (`off.LISTENER` of the plugin's settings) always. What is not offered is not refused: a client that knows it anyway may go on.

use waxwing_sdk::{accounts, config, sasl};

use crate::session::{Answer, Completion, Imap, Output, Stage};

/// Of every server.
const ALWAYS: [&str; 5] = ["IMAP4rev1", "LITERAL+", "SASL-IR", "ID", "ENABLE"];

/// Each can be switched off for a user, as `imap.NAME`.
const FEATURES: [&str; 51] = [
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
    "SORT=DISPLAY",
    "ESORT",
    "CONTEXT=SEARCH",
    "CONTEXT=SORT",
    "MULTIAPPEND",
    "BINARY",
    "CATENATE",
    "REPLACE",
    "LANGUAGE",
    "METADATA",
    "MULTISEARCH",
    "NOTIFY",
    "INPROGRESS",
    "UIDBATCHES",
    "LIST-METADATA",
    "LIST-MYRIGHTS",
    "ACL",
    "RIGHTS=texk",
    "STATUS=SIZE",
    "APPENDLIMIT",
    "UTF8=ACCEPT",
    "COMPRESS=DEFLATE",
    "OBJECTID",
    "PARTIAL",
    "PREVIEW",
    "QUOTA",
    "QUOTA=RES-STORAGE",
    "QUOTA=RES-MESSAGE",
    "SAVEDATE",
    "THREAD=ORDEREDSUBJECT",
    "THREAD=REFERENCES",
    "THREAD=REFS",
    "UIDONLY",
    "UNAUTHENTICATE",
    "WITHIN",
    "IMAP4rev2",
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
    let features = FEATURES.iter().copied();
    // RFC 4978 section 3 has it go when it is active.
    let features = features.filter(|name| !session.state.compressed || *name != "COMPRESS=DEFLATE");
    let off: Vec<String> = config::get_or(&format!("off.{}", session.context.listener), Vec::new());
    let features = features.filter(|name| !off.iter().any(|off| off.eq_ignore_ascii_case(name)));
    names.extend(features.filter(on).map(|name| match name {
        "APPENDLIMIT" => format!("APPENDLIMIT={}", super::append::limit()),
        name => name.to_owned(),
    }));
    names.join(" ")
}

pub(super) fn run(session: &Imap, out: &mut Output) -> Answer {
    out.line(&format!("* CAPABILITY {}", list(session)));
    Ok(Completion::text("CAPABILITY completed"))
}
