//! The only door for RFC 5322 messages: delivery and APPEND.
//!
//! Everything that needs no lock comes first ([`prepare`]): reading the body, its digest, its MIME structure, the hot columns,
//! compression, and the file of a large one. Then the append joins the mailbox's queue; whoever gets the lock commits
//! all that is queued in one transaction with one sync, and tells the others. An append alone waits for nobody; under load the
//! sync of one commit is the time in which the next one gathers.

mod hot;
mod prepare;

pub(crate) use hot::{MAX_TEXT, cut};
pub(crate) use prepare::{Prepared, prepare, prepare_content};

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;
use tracing::Instrument as _;

use crate::{
    Appended, ChangeNumber, Error, FolderId, ItemFlags, ItemId, Mailbox, NewMail, Result, Rights,
    Uid,
    blob::{PreparedBlob, PreparedPlace},
    index::{IndexRow, print_keywords},
    item::signature::{self, Signature},
    mailbox::{Core, Reader, commit::Work, now},
};
use hot::Hot;

/// Appends that wait for the lock.
#[derive(Debug, Default)]
pub(crate) struct Queue(Mutex<Vec<Waiting>>);

#[derive(Debug)]
struct Waiting {
    append: Append,
    answer: oneshot::Sender<Result<Appended>>,
}

#[derive(Debug)]
struct Append {
    folder: FolderId,
    creator: Option<String>,
    messages: Vec<Prepared>,
}

impl Queue {
    fn join(&self, waiting: Waiting) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(waiting);
    }

    fn take(&self) -> Vec<Waiting> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Mailbox {
    /// Adds messages, all or nothing; durable when it returns.
    ///
    /// # Errors
    /// `NotFound` without the folder, `Denied` without the right to create in it, `OverQuota`, `Unavailable` when it cannot be stored.
    pub async fn append(&self, folder: FolderId, messages: Vec<NewMail>) -> Result<Appended> {
        let state = self.core.state().await?;
        state.demand(&self.actor, folder, Rights::CREATE)?;
        let rights = state.rights(&self.actor, folder);
        let creator = self.actor.creator().map(str::to_owned);
        let spool = self.core.commons.spool.clone();
        let mut prepared = Vec::with_capacity(messages.len());
        for message in messages {
            match prepare(within(rights, message), spool.clone()).await {
                Ok(message) => prepared.push(message),
                Err(error) => return Err(self.core.note(error).await),
            }
        }
        let (answer, answered) = oneshot::channel();
        let append = Append {
            folder,
            creator,
            messages: prepared,
        };
        self.core.appends.join(Waiting { append, answer });
        let _goes_on_alone = tokio::spawn(lead(self.core.clone()).in_current_span());
        answered.await.unwrap_or_else(|_| {
            Err(Error::mailbox(
                self.core.guid,
                "the commit of the append was lost",
            ))
        })
    }
}

/// Who may only add says nothing by flags (RFC 4314 section 4).
fn within(rights: Rights, mut message: NewMail) -> NewMail {
    let mut may = 0;
    if rights.intersects(Rights::EDIT_ANY | Rights::EDIT_OWNED) {
        may |= !ItemFlags::DELETED;
    } else {
        message.keywords.clear();
    }
    if rights.intersects(Rights::DELETE_ANY | Rights::DELETE_OWNED) {
        may |= ItemFlags::DELETED;
    }
    message.flags.0 &= may;
    message
}

/// Commits whatever waits. Each append starts a leader; those that find the queue empty have nothing to do.
async fn lead(core: Arc<Core>) {
    // New rows meet no entry of the flag log.
    let reader = core.read_unfolded().await;
    let queue = core.appends.take();
    if queue.is_empty() {
        return;
    }
    let (appends, answers): (Vec<_>, Vec<_>) = queue
        .into_iter()
        .map(|waiting| (waiting.append, waiting.answer))
        .unzip();
    let outcome = match reader {
        Ok(reader) => match commit_together(reader, appends).await {
            Ok(results) => {
                core.works();
                Ok(results)
            }
            Err(error) => Err(core.note(error).await),
        },
        Err(error) => Err(error),
    };
    // An append whose caller went away is stored like any other; nobody is there to be told.
    match outcome {
        Ok(results) => answers
            .into_iter()
            .zip(results)
            .for_each(|(answer, result)| drop(answer.send(result))),
        Err(error) => answers
            .into_iter()
            .for_each(|answer| drop(answer.send(Err(error.clone())))),
    }
}

/// One transaction. The outer error is everybody's, the inner one an append's own.
async fn commit_together(reader: Reader, appends: Vec<Append>) -> Result<Vec<Result<Appended>>> {
    let mut work = Work::begin(reader).await?;
    let mut results = Vec::with_capacity(appends.len());
    for append in appends {
        match accept(&mut work, append).await {
            Ok(accepted) => match store(&mut work, accepted).await {
                Ok(appended) => results.push(Ok(appended)),
                Err(error) => {
                    work.roll_back().await;
                    return Err(error);
                }
            },
            Err(error) => results.push(Err(error)),
        }
    }
    let (core, appended) = (work.core().clone(), results.iter().flatten().count());
    work.commit().await?;
    core.commons.counters.appended(appended);
    Ok(results)
}

struct Accepted {
    append: Append,
    keywords: Vec<Vec<u16>>,
}

/// What can be wrong with one append alone: the folder went meanwhile, there is no room for it, a keyword is no keyword.
async fn accept(work: &mut Work, append: Append) -> Result<Accepted> {
    work.state.folder(append.folder)?;
    let octets = append.messages.iter().map(|message| message.blob.size);
    work.demand_room(append.messages.len(), octets.sum())?;
    let mut keywords = Vec::with_capacity(append.messages.len());
    for message in &append.messages {
        keywords.push(work.keyword_numbers(&message.keywords).await?);
    }
    Ok(Accepted { append, keywords })
}

async fn store(work: &mut Work, accepted: Accepted) -> Result<Appended> {
    let Accepted { append, keywords } = accepted;
    let mut appended = Appended {
        uid_validity: work.state.folder(append.folder)?.uid_validity,
        uids: Vec::new(),
        items: Vec::new(),
        change_number: ChangeNumber(work.state.counter),
    };
    let Append {
        folder,
        creator,
        messages,
    } = append;
    for (message, keywords) in messages.into_iter().zip(keywords) {
        let Prepared {
            blob,
            hot,
            flags,
            internal_date,
            ..
        } = message;
        let size = blob.size;
        let row = IndexRow {
            uid: work.next_uid(folder)?,
            item: ItemId(work.next_number()?),
            modseq: work.next_number()?,
            flags,
            keywords,
            size,
            internal_date,
            save_date: now(),
            sent_date: hot.sent_date.unwrap_or(internal_date),
            sent_day: hot.sent_day.unwrap_or_else(|| day_of(internal_date)),
        };
        insert(work, (folder, creator.as_deref()), &row, (blob, &hot)).await?;
        appended.uids.push(Uid(row.uid));
        appended.items.push(row.item);
        appended.change_number = ChangeNumber(row.modseq);
        work.came(folder, row)?;
    }
    Ok(appended)
}

/// Days since 1970 of an instant, UTC.
pub(crate) fn day_of(seconds: i64) -> i32 {
    i32::try_from(seconds.div_euclid(86_400)).unwrap_or_default()
}

macro_rules! item { ($before:literal) => { concat!($before,
    "INSERT INTO items (id, folder, uid, modseq, cn, read_cn, flag_cn, flags, size, internal_date, save_date, sent_date,
        sent_day, blob, keywords, class, subject, base_subject, sender, first_from, first_to, first_cc, message_id, parents,
        creator)
        VALUES (?2, ?3, ?4, ?5, ?5, ?5, ?5, ?6, ?7, ?8, ?9, ?10, ?11, (SELECT id FROM blobs WHERE digest = ?1), ?12, ?13, ?14,
        ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)"
) } }

/// An item whose blob is there.
const ITEM: &str = item!("");
/// An item and its blob, which the mailbox may have already: one statement for the database's thread.
const WITH_BLOB: &str = item!(
    "INSERT INTO blobs (digest, size, header_size, header_packed, frames, structure, data)
        VALUES (?1, ?23, ?24, ?25, ?26, ?27, ?28) ON CONFLICT (digest) DO NOTHING;
    INSERT INTO signatures (blob, version, bits)
        SELECT id, ?29, ?30 FROM blobs WHERE digest = ?1 AND ?30 IS NOT NULL ON CONFLICT (blob) DO NOTHING; "
);

pub(crate) async fn insert(
    work: &mut Work,
    (folder, creator): (FolderId, Option<&str>),
    row: &IndexRow,
    (blob, hot): (PreparedBlob, &Hot),
) -> Result<()> {
    let PreparedBlob { digest, .. } = blob;
    let (statements, blob) = match blob.place {
        PreparedPlace::Database(_) => (WITH_BLOB, Some(blob)),
        PreparedPlace::File(_) => {
            work.store_blob(blob).await?;
            (ITEM, None)
        }
    };
    let item = sqlx::query(statements)
        .bind(&digest[..])
        .bind(row.item.0.cast_signed())
        .bind(folder.0.cast_signed())
        .bind(row.uid)
        .bind(row.modseq.cast_signed())
        .bind(row.flags.0)
        .bind(row.size.cast_signed())
        .bind(row.internal_date)
        .bind(row.save_date)
        .bind(row.sent_date)
        .bind(row.sent_day)
        .bind(print_keywords(&row.keywords))
        .bind(&hot.class)
        .bind(&hot.subject)
        .bind(&hot.base_subject)
        .bind(&hot.sender)
        .bind(&hot.first_from)
        .bind(&hot.first_to)
        .bind(&hot.first_cc)
        .bind(&hot.message_id)
        .bind(&hot.parents)
        .bind(creator);
    let statement = match blob {
        Some(PreparedBlob {
            size,
            header_size,
            header_packed,
            frames,
            structure,
            signature,
            place: PreparedPlace::Database(data),
            ..
        }) => item
            .bind(size.cast_signed())
            .bind(header_size.cast_signed())
            .bind(header_packed.cast_signed())
            .bind(frames)
            .bind(structure)
            .bind(data)
            .bind(signature::VERSION)
            .bind(signature.as_ref().map(Signature::to_stored)),
        _ => item,
    };
    statement.execute(work.conn()?).await?;
    Ok(())
}
