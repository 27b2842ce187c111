//! What the items of a folder say of each other, for THREAD: ids and base subjects as hashes. Read from the headers at the first
//! THREAD of a folder, kept beside its index and counted with it; items that came since are read at the next one. As with subjects
//! nothing is ever updated: a mail's header never changes while the mail keeps its id.

use std::{collections::HashMap, sync::Arc};

use waxwing_formats_mime::{header, subject, summary, word};

use super::FolderIndex;
use crate::{FolderId, ItemId, Result, item::load, mailbox::Core, thread::Threaded};

/// Items whose headers are read with one statement.
const BATCH: usize = 512;
/// References that are kept of an item, the newest: a list that grew over years says nothing more.
const REFERENCES: usize = 100;

/// One item.
#[derive(Debug, Clone, Copy)]
struct Relation {
    item: ItemId,
    id: u64,
    subject: u64,
    is_reply: bool,
    /// Where its references end.
    end: u32,
}

/// All items, ascending.
#[derive(Debug, Default)]
pub(crate) struct Relations {
    relations: Vec<Relation>,
    references: Vec<u64>,
}

/// What a header says.
struct Said {
    id: u64,
    subject: u64,
    is_reply: bool,
    references: Vec<u64>,
}

impl Relations {
    fn place(&self, item: ItemId) -> Option<usize> {
        let found = self
            .relations
            .binary_search_by_key(&item, |relation| relation.item);
        found.ok()
    }

    /// An item as a message to be threaded.
    pub(crate) fn threaded(&self, item: ItemId, sent: i64, position: u32) -> Option<Threaded<'_>> {
        let place = self.place(item)?;
        let relation = self.relations.get(place)?;
        let before = place
            .checked_sub(1)
            .and_then(|before| self.relations.get(before));
        let start = before.map_or(0, |before| before.end as usize);
        Some(Threaded {
            id: relation.id,
            references: self.references.get(start..relation.end as usize)?,
            subject: relation.subject,
            is_reply: relation.is_reply,
            sent,
            position,
        })
    }

    fn push(&mut self, item: ItemId, said: &Said) {
        self.references.extend(&said.references);
        let end = u32::try_from(self.references.len()).unwrap_or(u32::MAX);
        self.relations.push(Relation {
            item,
            id: said.id,
            subject: said.subject,
            is_reply: said.is_reply,
            end,
        });
    }

    fn said(&self, item: ItemId) -> Option<Said> {
        let known = self.threaded(item, 0, 0)?;
        Some(Said {
            id: known.id,
            subject: known.subject,
            is_reply: known.is_reply,
            references: known.references.to_vec(),
        })
    }

    pub(super) fn octets(&self) -> usize {
        self.relations.capacity() * size_of::<Relation>() + self.references.capacity() * 8
    }
}

/// Of all items of a folder that can be read.
pub(crate) async fn of_folder(
    core: &Arc<Core>,
    folder: FolderId,
    index: &Arc<FolderIndex>,
) -> Result<Arc<Relations>> {
    let known = index.relations();
    let mut items = index.read().items();
    items.sort_unstable();
    let is_missing = |item: &ItemId| known.place(*item).is_none();
    let missing: Vec<ItemId> = items.iter().copied().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(known);
    }
    let mut read = HashMap::with_capacity(missing.len());
    for some in missing.chunks(BATCH) {
        // The mailbox is free for others between batches.
        let mut reader = core.read_unfolded().await?;
        let headers = load::headers(&mut reader, some).await?;
        read.extend(
            headers
                .into_iter()
                .map(|(item, header)| (item, said_by(&header))),
        );
    }
    let mut relations = Relations::default();
    for item in items {
        if let Some(said) = known.said(item).or_else(|| read.remove(&item)) {
            relations.push(item, &said);
        }
    }
    let relations = Arc::new(relations);
    index.keep_relations(relations.clone());
    core.counted_anew(folder, index);
    Ok(relations)
}

fn said_by(block: &[u8]) -> Said {
    let value = |name| header::find(block, name).map(|field| header::unfold(field.value));
    let ids = |name| value(name).map_or_else(Vec::new, |value| summary::message_ids(&value));
    let mut references = ids("References");
    if references.is_empty() {
        // RFC 5256 section 3, step 1: only the first of it.
        references = ids("In-Reply-To");
        references.truncate(1);
    }
    let oldest = references.len().saturating_sub(REFERENCES);
    let subject = subject::base(&word::decode(&value("Subject").unwrap_or_default()));
    Said {
        id: ids("Message-ID").first().map_or(0, |id| hash(id)),
        subject: match subject.text.as_str() {
            "" => 0,
            text => hash(&text.to_lowercase()),
        },
        is_reply: subject.is_reply_or_forward,
        references: references.iter().skip(oldest).map(|id| hash(id)).collect(),
    }
}

/// Never 0. Cryptographic, so that nobody can write a mail that joins the threads of others.
fn hash(text: &str) -> u64 {
    let digest = blake3::hash(text.as_bytes());
    let first = digest.as_bytes().first_chunk().copied();
    first.map_or(1, u64::from_le_bytes).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_win_over_in_reply_to_and_a_subject_loses_its_prefix() {
        let said = said_by(b"Message-ID: <c@x>\r\nReferences: <a@x>\r\n <b@x>\r\nIn-Reply-To: <z@x>\r\nSubject: Re: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n");
        assert_eq!(said.references, [hash("<a@x>"), hash("<b@x>")]);
        assert_eq!(
            (said.id, said.subject, said.is_reply),
            (hash("<c@x>"), hash("grüße"), true)
        );
        let said = said_by(b"In-Reply-To: <z@x> <y@x>\r\nSubject: Re:\r\n\r\n");
        assert_eq!(said.references, [hash("<z@x>")]);
        assert_eq!((said.id, said.subject), (0, 0));
    }

    #[test]
    fn an_item_is_found_with_its_own_references() {
        let mut relations = Relations::default();
        for (item, references) in [(3, vec![1, 2]), (5, vec![]), (9, vec![7])] {
            relations.push(
                ItemId(item),
                &Said {
                    id: item,
                    subject: 0,
                    is_reply: false,
                    references,
                },
            );
        }
        let of = |item| {
            relations
                .threaded(ItemId(item), 0, 1)
                .map(|message| message.references.to_vec())
        };
        assert_eq!(
            [of(3), of(5), of(9), of(4)],
            [Some(vec![1, 2]), Some(vec![]), Some(vec![7]), None]
        );
    }
}
