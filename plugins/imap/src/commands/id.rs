//! ID (RFC 2971). Names the running version, so that a swap of plugins can be seen.

use crate::render::text;
use crate::session::{Answer, Completion, Imap, Output};

pub(super) fn run(
    session: &Imap,
    parameters: &[(String, Option<String>)],
    out: &mut Output,
) -> Answer {
    let value = |name: &str| {
        let found = parameters
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name));
        found
            .and_then(|(_, value)| value.clone())
            .unwrap_or_default()
    };
    if !parameters.is_empty() {
        waxwing_sdk::debug!(
            "the client names itself",
            name = value("name"),
            version = value("version")
        );
    }
    out.text()
        .extend_from_slice(b"* ID (\"name\" \"Waxwing\" \"version\" ");
    text::string(out.text(), session.context.version.as_bytes(), false);
    out.line(")");
    Ok(Completion::text("ID completed"))
}
