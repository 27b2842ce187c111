//! ENABLE (RFC 5161, RFC 9051 section 6.3.1).

use crate::session::{Answer, Completion, Imap, Output};

pub(super) fn run(session: &mut Imap, names: &[String], out: &mut Output) -> Answer {
    let enabled = &mut session.state.enabled;
    let mut done = Vec::new();
    for name in names {
        match name.as_str() {
            "CONDSTORE" => enabled.condstore = true,
            "QRESYNC" => (enabled.quick_resync, enabled.condstore) = (true, true),
            "UTF8=ACCEPT" => enabled.utf8 = true,
            _ => continue,
        }
        if !done.contains(&name.as_str()) {
            done.push(name);
        }
    }
    out.line(format!("* ENABLED {}", done.join(" ")).trim_end());
    Ok(Completion::text("ENABLE completed"))
}
