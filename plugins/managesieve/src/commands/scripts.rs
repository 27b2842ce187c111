//! The commands about scripts (RFC 5804 sections 2.5 to 2.12).

use waxwing_formats_sieve::{Script, limits};
use waxwing_sdk::store::scripts;

use super::mailbox;
use crate::reply::{Answer, Refusal, ok, string};
use crate::session::ManageSieve;

pub(super) fn have_space(session: &mut ManageSieve, name: &str, octets: u64) -> Answer<String> {
    scripts::has_space(mailbox(session)?, name, octets)?;
    Ok(ok("There is room"))
}

/// A script that cannot be run is not taken (RFC 5804 section 2.6).
pub(super) fn put(session: &mut ManageSieve, name: &str, script: &str) -> Answer<String> {
    let mailbox = mailbox(session)?;
    scripts::has_space(mailbox, name, script.len() as u64)?;
    valid(script)?;
    scripts::put(mailbox, name, script)?;
    waxwing_sdk::info!("a script is stored", name = name, octets = script.len());
    Ok(ok("Stored"))
}

pub(super) fn check(session: &mut ManageSieve, script: &str) -> Answer<String> {
    mailbox(session)?;
    if script.len() > limits::MAX_SCRIPT {
        let text = format!("limit reached: octets of a script = {}", limits::MAX_SCRIPT);
        return Err(Refusal::coded("(QUOTA/MAXSIZE)", text));
    }
    valid(script)?;
    Ok(ok("This is a script"))
}

/// An author who makes mistakes is no broken client.
fn valid(script: &str) -> Answer<()> {
    match Script::parse(script) {
        Ok(_) => Ok(()),
        Err(error) => Err(Refusal::coded("", error.to_string())),
    }
}

pub(super) fn list(session: &mut ManageSieve) -> Answer<String> {
    let mut out = String::new();
    for script in scripts::list_scripts(mailbox(session)?)? {
        out.push_str(&string(&script.name));
        out.push_str(if script.active { " ACTIVE\r\n" } else { "\r\n" });
    }
    out.push_str(&ok("Listed"));
    Ok(out)
}

pub(super) fn set_active(session: &mut ManageSieve, name: &str) -> Answer<String> {
    let name = Some(name).filter(|name| !name.is_empty());
    scripts::activate(mailbox(session)?, name)?;
    waxwing_sdk::info!("another script is active", name = name.unwrap_or("none"));
    Ok(ok("Done"))
}

pub(super) fn get(session: &mut ManageSieve, name: &str) -> Answer<String> {
    let script = scripts::read(mailbox(session)?, name)?;
    // Always a literal: clients look for nothing else.
    Ok(format!(
        "{{{}}}\r\n{script}\r\n{}",
        script.len(),
        ok("Sent")
    ))
}

pub(super) fn delete(session: &mut ManageSieve, name: &str) -> Answer<String> {
    scripts::delete(mailbox(session)?, name)?;
    Ok(ok("Deleted"))
}

pub(super) fn rename(session: &mut ManageSieve, from: &str, to: &str) -> Answer<String> {
    scripts::rename(mailbox(session)?, from, to)?;
    Ok(ok("Renamed"))
}
