//! ENABLE (RFC 5161, RFC 9051 section 6.3.1).

use crate::session::{Answer, Completion, Imap, Output};

pub(super) fn run(session: &mut Imap, names: &[String], out: &mut Output) -> Answer {
    let mut done = Vec::new();
    for name in names {
        match name.as_str() {
            "CONDSTORE" => session.enable_condstore(out)?,
            "QRESYNC" => {
                session.state.enabled.quick_resync = true;
                session.enable_condstore(out)?;
            }
            "UTF8=ACCEPT" => session.state.enabled.utf8 = true,
            // Mailbox names in UTF-8 are part of it (RFC 9051 section 5.1).
            "IMAP4REV2" => {
                session.state.enabled.rev2 = true;
                session.state.enabled.utf8 = true;
            }
            "UIDONLY" => session.state.enabled.uid_only = true,
            _ => continue,
        }
        if !done.contains(&name.as_str()) {
            done.push(name);
        }
    }
    out.line(format!("* ENABLED {}", done.join(" ")).trim_end());
    Ok(Completion::text("ENABLE completed"))
}
