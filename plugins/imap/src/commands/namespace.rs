//! NAMESPACE (RFC 2342): the own mailboxes, those of other users, and the public ones. All three are always told: somebody may begin
//! to share something at any time.

use crate::names::{OTHER_USERS, PUBLIC};
use crate::session::{Answer, Completion, Output};

pub(super) fn run(out: &mut Output) -> Answer {
    out.line(&format!(
        "* NAMESPACE ((\"\" \"/\")) ((\"{OTHER_USERS}/\" \"/\")) ((\"{PUBLIC}/\" \"/\"))"
    ));
    Ok(Completion::text("NAMESPACE completed"))
}
