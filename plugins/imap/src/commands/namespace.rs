//! NAMESPACE (RFC 2342): everything is personal, until mailboxes of others are shown.

use crate::session::{Answer, Completion, Output};

pub(super) fn run(out: &mut Output) -> Answer {
    out.line("* NAMESPACE ((\"\" \"/\")) NIL NIL");
    Ok(Completion::text("NAMESPACE completed"))
}
