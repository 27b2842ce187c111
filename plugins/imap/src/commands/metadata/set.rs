//! SETMETADATA (RFC 5464 section 4.3): all entries of a command, or none.

use super::entries::VALUE;
use super::{Entries, Place};
use crate::names::MailboxName;
use crate::parse::EntryName;
use crate::session::{Answer, Completion, Imap, Refusal};

pub(in crate::commands) fn run(
    session: &mut Imap,
    mailbox: &MailboxName,
    values: Vec<(EntryName, Option<Vec<u8>>)>,
) -> Answer {
    let place = Place::of(session, mailbox)?;
    let mut kept = Entries::load(session.mailbox()?, &place.key())?;
    for (name, value) in values {
        if place.is_fixed(name.as_str()) {
            return Err(Refusal::No(format!(
                "[NOPERM] {} is set by the administrator",
                name.as_str()
            )));
        }
        if value.as_ref().is_some_and(|value| value.len() > VALUE) {
            waxwing_sdk::info!("limit reached: octets of metadata", limit = VALUE);
            return Err(Refusal::No(format!(
                "[METADATA MAXSIZE {VALUE}] A value is too long"
            )));
        }
        kept.set(name.as_str(), value);
    }
    kept.keep(session.mailbox()?, &place.key())?;
    Ok(Completion::text("SETMETADATA completed"))
}
