//! GETMETADATA (RFC 5464 section 4.2), and METADATA among the return options of LIST (RFC 9590).

use std::collections::{BTreeMap, BTreeSet};

use waxwing_sdk::kv;
use waxwing_sdk::store::Mailbox;

use super::{Entries, KEYS, Place};
use crate::names::{MailboxName, Node};
use crate::parse::{Depth, EntryName, MetadataQuery};
use crate::render::text;
use crate::session::{Answer, Completion, Imap, Output, Refusal};

/// Keys that the host lists in one call.
const PAGE: u32 = 1_000;

pub(in crate::commands) fn run(
    session: &mut Imap,
    mailbox: &MailboxName,
    query: &MetadataQuery,
    out: &mut Output,
) -> Answer {
    let place = Place::of(session, mailbox)?;
    let kept = Entries::load(session.mailbox()?, &place.key())?;
    let (found, longest) = answer(&place, kept, query);
    let utf8 = session.state.enabled.utf8;
    line(out.text(), mailbox, &found, utf8);
    Ok(match longest {
        Some(longest) => Completion::Done(format!(
            "[METADATA LONGENTRIES {longest}] GETMETADATA completed"
        )),
        None => Completion::text("GETMETADATA completed"),
    })
}

/// Values by name, none where an entry was named that has none; and the size of the longest that MAXSIZE left out.
fn answer(
    place: &Place,
    mut kept: Entries,
    query: &MetadataQuery,
) -> (BTreeMap<String, Option<Vec<u8>>>, Option<usize>) {
    for (name, value) in place.fixed() {
        kept.set(name, Some(value));
    }
    let mut all = BTreeMap::new();
    let mut longest = None;
    for entry in &query.entries {
        if query.depth == Depth::Zero {
            all.insert(entry.as_str().to_owned(), None);
        }
        for (name, value) in kept.find(entry, query.depth) {
            let fits = query.max_size.is_none_or(|most| value.len() as u64 <= most);
            if fits {
                all.insert(name.to_owned(), Some(value.to_vec()));
            } else {
                all.remove(name);
                longest = longest.max(Some(value.len()));
            }
        }
    }
    (all, longest)
}

/// `* METADATA "INBOX" (/shared/comment "x" /private/comment NIL)`; nothing for no entry.
fn line(
    out: &mut Vec<u8>,
    mailbox: &MailboxName,
    found: &BTreeMap<String, Option<Vec<u8>>>,
    utf8: bool,
) {
    if found.is_empty() {
        return;
    }
    out.extend_from_slice(b"* METADATA ");
    text::astring(out, &mailbox.to_wire(utf8), utf8);
    for (at, (name, value)) in found.iter().enumerate() {
        out.extend_from_slice(if at == 0 { b" (" } else { b" " });
        text::astring(out, name, utf8);
        out.push(b' ');
        match value {
            Some(value) => text::string8(out, value, utf8),
            None => out.extend_from_slice(b"NIL"),
        }
    }
    out.extend_from_slice(b")\r\n");
}

/// What a LIST tells of metadata: the mailboxes that have some are found in one call.
pub(in crate::commands) struct Listed {
    entries: Vec<EntryName>,
    with_entries: BTreeSet<String>,
}

/// None when the LIST does not ask for it.
pub(in crate::commands) fn list(
    session: &mut Imap,
    entries: &[EntryName],
) -> Result<Option<Listed>, Refusal> {
    if entries.is_empty() {
        return Ok(None);
    }
    let mailbox = session.mailbox()?;
    let mut with_entries = BTreeSet::new();
    let mut after: Option<String> = None;
    loop {
        let keys = kv::list_keys(mailbox, KEYS, after.as_deref(), PAGE)?;
        let more = keys.len() >= PAGE as usize;
        after = keys.last().cloned();
        with_entries.extend(keys);
        if !more {
            break;
        }
    }
    Ok(Some(Listed {
        entries: entries.to_vec(),
        with_entries,
    }))
}

impl Listed {
    /// Behind the LIST line of a mailbox.
    pub(in crate::commands) fn line(
        &self,
        mailbox: &Mailbox,
        node: &Node,
        utf8: bool,
        out: &mut Output,
    ) -> Result<(), Refusal> {
        let place = Place::Mailbox(Box::new(node.clone()));
        let key = place.key();
        let kept = match self.with_entries.contains(&key) {
            true => Entries::load(mailbox, &key)?,
            false => Entries::default(),
        };
        let query = MetadataQuery {
            entries: self.entries.clone(),
            depth: Depth::Zero,
            max_size: None,
        };
        let (found, _) = answer(&place, kept, &query);
        line(out.text(), &node.name, &found, utf8);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(entries: &[&str], depth: Depth, max_size: Option<u64>) -> (String, Option<usize>) {
        let mut kept = Entries::default();
        kept.set("/shared/comment", Some(b"a \"b\"".to_vec()));
        kept.set("/shared/comment/long", Some(vec![0; 9]));
        let query = MetadataQuery {
            entries: entries
                .iter()
                .map(|name| EntryName::new(name).unwrap())
                .collect(),
            depth,
            max_size,
        };
        let (found, longest) = answer(&Place::Server, kept, &query);
        let mut out = Vec::new();
        line(&mut out, &MailboxName::new("INBOX"), &found, false);
        (String::from_utf8(out).unwrap(), longest)
    }

    #[test]
    fn an_entry_that_is_not_there_is_nil_when_it_was_named() {
        assert_eq!(
            told(&["/shared/comment", "/private/x"], Depth::Zero, None).0,
            "* METADATA INBOX (/private/x NIL /shared/comment \"a \\\"b\\\"\")\r\n"
        );
        assert_eq!(told(&["/private/x"], Depth::Infinity, None).0, "");
    }

    #[test]
    fn values_beyond_the_size_are_left_out_and_the_longest_is_told() {
        let (line, longest) = told(&["/shared/comment"], Depth::Infinity, Some(8));
        assert_eq!((line.contains("long"), longest), (false, Some(9)));
        assert!(line.contains("/shared/comment "));
        let (line, longest) = told(&["/shared/comment"], Depth::One, None);
        assert!(line.ends_with("/shared/comment/long ~{9}\r\n\0\0\0\0\0\0\0\0\0)\r\n"));
        assert_eq!(longest, None);
    }
}
