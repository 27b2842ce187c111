//! What an append does before it needs the mailbox: everything about one message that the message alone decides.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use waxwing_formats_mime::Structure;

use super::hot::Hot;
use crate::{
    Body, ItemFlags, NewMail, Result,
    blob::{self, PreparedBlob},
    body::{FRAME, blocking, pack},
    item::signature::Signature,
    mailbox::now,
};

/// Messages up to this size are prepared where they are; above, the work would hold up the others of its thread.
const INLINE: usize = 32 * 1024;

/// A message ready to be stored.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) blob: PreparedBlob,
    pub(crate) hot: Hot,
    pub(crate) flags: ItemFlags,
    pub(crate) keywords: Vec<String>,
    pub(crate) internal_date: i64,
}

impl Prepared {
    /// Content that is no message, with what lists show of it: class, subject, base subject, sender and first address. There is
    /// no such thing as an unread one.
    pub(crate) fn of_content(
        blob: PreparedBlob,
        [class, subject, base_subject, sender, first_from]: [String; 5],
    ) -> Prepared {
        let hot = Hot {
            class,
            subject,
            base_subject,
            sender,
            first_from,
            first_to: String::new(),
            first_cc: String::new(),
            message_id: String::new(),
            parents: String::new(),
            sent_date: None,
            sent_day: None,
            has_attachment: false,
        };
        Prepared {
            blob,
            hot,
            flags: ItemFlags(ItemFlags::SEEN),
            keywords: Vec::new(),
            internal_date: now(),
        }
    }
}

pub(crate) async fn prepare(mail: NewMail, spool: Arc<PathBuf>) -> Result<Prepared> {
    let message = mail.message.read_all().await?;
    let (blob, hot) = if message.len() <= INLINE {
        digest(&message, &spool)?
    } else {
        blocking(move || digest(&message, &spool)).await?
    };
    let mut flags = mail.flags.0 & ItemFlags::SETTABLE;
    if hot.has_attachment {
        flags |= ItemFlags::HAS_ATTACHMENT;
    }
    Ok(Prepared {
        blob,
        hot,
        flags: ItemFlags(flags),
        keywords: mail.keywords,
        internal_date: mail.internal_date.unwrap_or_else(now),
    })
}

fn digest(message: &Bytes, spool: &Path) -> Result<(PreparedBlob, Hot)> {
    let structure = Structure::parse(message);
    let header_size = structure.root.header.1;
    let packed = pack(
        message,
        usize::try_from(header_size).unwrap_or(usize::MAX),
        FRAME,
    )?;
    let blob = PreparedBlob {
        digest: *blake3::hash(message).as_bytes(),
        size: message.len() as u64,
        header_size,
        header_packed: packed.frames.packed_up_to(header_size),
        frames: packed.frames.encode(),
        structure: Some(structure.encode()),
        signature: Signature::of(message, &structure),
        place: blob::place(packed, spool)?,
    };
    Ok((blob, Hot::of(message, &structure)))
}

/// Bytes that are no message, such as an object, or an attachment of an item made from properties.
pub(crate) async fn prepare_content(content: Body, spool: Arc<PathBuf>) -> Result<PreparedBlob> {
    let content = content.read_all().await?;
    if content.len() <= INLINE {
        return packed_content(&content, &spool);
    }
    blocking(move || packed_content(&content, &spool)).await
}

fn packed_content(content: &Bytes, spool: &Path) -> Result<PreparedBlob> {
    let packed = pack(content, 0, FRAME)?;
    Ok(PreparedBlob {
        digest: *blake3::hash(content).as_bytes(),
        size: content.len() as u64,
        header_size: 0,
        header_packed: 0,
        frames: packed.frames.encode(),
        structure: None,
        signature: None,
        place: blob::place(packed, spool)?,
    })
}
