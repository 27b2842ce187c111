//! Which messages of which source are in a mailbox already.
//!
//! Kept in the mailbox's own key-value space, so it goes where the mailbox goes. A batch is three commits: `open` names the messages
//! that are about to be appended and the folder's next UID; the append; `done/<number>` names what is stored. A
//! crash leaves `open` behind, and the next run looks whether the append happened: it is all or nothing, so
//! the first message found at that UID or later proves the rest. Whoever deletes an imported message does not get it again.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};
use waxwing_exmdb::{Columns, FolderId, Mailbox, Query, Selection, Uid};

use crate::{Error, Result};

/// Owner of the keys.
const OWNER: &str = "waxwing-import";
const OPEN: &str = "open";
const DONE: &str = "done/";
/// Keys per listing, rows per page.
const PAGE: u32 = 500;
const DIGEST: usize = 32;

/// A message: digest of folder, octets and how often the same came before in this run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct MessageKey([u8; DIGEST]);

impl MessageKey {
    fn new(content: blake3::Hash, occurrence: u32) -> MessageKey {
        let mut digest = blake3::Hasher::new();
        digest
            .update(content.as_bytes())
            .update(&occurrence.to_le_bytes());
        MessageKey(*digest.finalize().as_bytes())
    }
}

/// A batch that is about to be appended.
#[derive(Serialize, Deserialize)]
struct Open {
    folder: FolderId,
    uid_next: Uid,
    keys: Vec<MessageKey>,
}

pub(super) struct Record {
    done: HashSet<MessageKey>,
    seen: HashMap<blake3::Hash, u32>,
    next_batch: u32,
}

impl Record {
    /// Reads what earlier runs did, and settles what a crash left open.
    pub(super) async fn open(mailbox: &Mailbox) -> Result<Record> {
        let mut record = Record {
            done: HashSet::new(),
            seen: HashMap::new(),
            next_batch: 0,
        };
        let mut after: Option<String> = None;
        loop {
            let names = mailbox.kv_list(OWNER, DONE, after.as_deref(), PAGE).await?;
            let Some(last) = names.last().cloned() else {
                break;
            };
            for name in names {
                let digests = mailbox.kv_get(OWNER, &name).await?.unwrap_or_default();
                let keys = digests.as_chunks::<DIGEST>().0;
                record
                    .done
                    .extend(keys.iter().map(|digest| MessageKey(*digest)));
                let number = name
                    .strip_prefix(DONE)
                    .and_then(|number| u32::from_str_radix(number, 16).ok());
                record.next_batch = record.next_batch.max(number.unwrap_or(0) + 1);
            }
            after = Some(last);
        }
        if let Some(open) = mailbox.kv_get(OWNER, OPEN).await? {
            let open: Open = serde_json::from_slice(&open)
                .map_err(|error| Error::Failed(format!("record of imports: {error}")))?;
            record.settle(mailbox, open).await?;
        }
        Ok(record)
    }

    /// The key of the next message of this run.
    pub(super) fn next_key(&mut self, folder: FolderId, octets: &[u8]) -> MessageKey {
        let content = content(folder, octets);
        let occurrence = self.seen.entry(content).or_insert(0);
        let key = MessageKey::new(content, *occurrence);
        *occurrence += 1;
        key
    }

    pub(super) fn is_done(&self, key: MessageKey) -> bool {
        self.done.contains(&key)
    }

    /// Before the append.
    pub(super) async fn announce(
        &self,
        mailbox: &Mailbox,
        folder: FolderId,
        uid_next: Uid,
        keys: &[MessageKey],
    ) -> Result<()> {
        let open = Open {
            folder,
            uid_next,
            keys: keys.to_vec(),
        };
        let open = serde_json::to_vec(&open)
            .map_err(|error| Error::Failed(format!("record of imports: {error}")))?;
        Ok(mailbox.kv_put(OWNER, OPEN, &open).await?)
    }

    /// After the append.
    pub(super) async fn done(&mut self, mailbox: &Mailbox, keys: &[MessageKey]) -> Result<()> {
        let name = format!("{DONE}{:08x}", self.next_batch);
        mailbox
            .kv_put(
                OWNER,
                &name,
                &keys.iter().flat_map(|key| key.0).collect::<Vec<u8>>(),
            )
            .await?;
        mailbox.kv_delete(OWNER, OPEN).await?;
        self.next_batch += 1;
        self.done.extend(keys);
        Ok(())
    }

    async fn settle(&mut self, mailbox: &Mailbox, open: Open) -> Result<()> {
        let recorded = open.keys.iter().all(|key| self.done.contains(key));
        if !recorded && is_stored(mailbox, &open).await? {
            return self.done(mailbox, &open.keys).await;
        }
        Ok(mailbox.kv_delete(OWNER, OPEN).await?)
    }
}

fn content(folder: FolderId, octets: &[u8]) -> blake3::Hash {
    blake3::Hasher::new()
        .update(&folder.0.to_le_bytes())
        .update(octets)
        .finalize()
}

/// Whether the first message of the batch is in its folder.
async fn is_stored(mailbox: &Mailbox, open: &Open) -> Result<bool> {
    let view = match mailbox.open_view(open.folder, true).await {
        Ok(view) => view,
        Err(waxwing_exmdb::Error::NotFound(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let mut after = 0;
    loop {
        let selection = Selection::Uids(vec![open.uid_next.0..=u32::MAX]);
        let page = view
            .fetch(Query {
                selection,
                columns: Columns::default(),
                tags: Vec::new(),
                changed_since: None,
                after,
                limit: PAGE,
            })
            .await?;
        let items: Vec<_> = page.rows.iter().map(|row| row.item).collect();
        for body in view.open_bodies(&items).await {
            let body = body?;
            let octets = body
                .read(0, usize::try_from(body.size()).unwrap_or(usize::MAX))
                .await?;
            let content = content(open.folder, &octets);
            // As many occurrences as a batch can hold.
            if (0..=open.keys.len()).any(|n| {
                u32::try_from(n).is_ok_and(|n| open.keys.contains(&MessageKey::new(content, n)))
            }) {
                view.close();
                return Ok(true);
            }
        }
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    view.close();
    Ok(false)
}
