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
            _ => continue,
        }
        if !done.contains(&name.as_str()) {
            done.push(name);
        }
    }
    out.line(format!("* ENABLED {}", done.join(" ")).trim_end());
    Ok(Completion::text("ENABLE completed"))
}
