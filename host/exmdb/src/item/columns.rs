//! The hot columns of an item as properties: the one place where a column and its tag meet.

use sqlx::{Row, sqlite::SqliteRow};
use waxwing_formats_mapi::{PropertyTag, Value, columns, tags};

use super::versions;
use crate::{
    ItemFlags, ItemId, MailboxGuid, Result,
    append::{MAX_TEXT, day_of},
    index::{IndexRow, row_of},
};

/// What [`TextColumns::of`] and [`row_of`] read, from `items`.
macro_rules! select_columns { ($rest:literal) => { concat!(
    "SELECT uid, id, modseq, flags, keywords, size, internal_date, save_date, sent_date, sent_day, class, subject, base_subject,
        sender, first_from, first_to, first_cc, message_id, cn, change_key, predecessors,
        (SELECT digest FROM blobs WHERE blobs.id = blob) AS digest ", $rest
) } }
pub(crate) use select_columns;

/// The columns of one item that are not in the folder index.
#[derive(Debug, Clone)]
pub(crate) struct TextColumns {
    class: String,
    subject: String,
    base_subject: String,
    sender: String,
    first_from: String,
    first_to: String,
    first_cc: String,
    message_id: String,
    pub(crate) cn: u64,
    pub(crate) change_key: Option<Vec<u8>>,
    pub(crate) predecessors: Option<Vec<u8>>,
    /// Of the message that it is.
    digest: Option<Vec<u8>>,
}

/// All columns of one item.
#[derive(Debug, Clone)]
pub(crate) struct ItemColumns {
    mailbox: MailboxGuid,
    pub(crate) index: IndexRow,
    pub(crate) texts: TextColumns,
}

impl ItemColumns {
    /// From a row of [`select_columns`].
    pub(crate) fn of(row: &SqliteRow, mailbox: MailboxGuid) -> Result<ItemColumns> {
        let texts = TextColumns {
            class: row.try_get(10)?,
            subject: row.try_get(11)?,
            base_subject: row.try_get(12)?,
            sender: row.try_get(13)?,
            first_from: row.try_get(14)?,
            first_to: row.try_get(15)?,
            first_cc: row.try_get(16)?,
            message_id: row.try_get(17)?,
            cn: row.try_get::<i64, _>(18)?.cast_unsigned(),
            change_key: row.try_get(19)?,
            predecessors: row.try_get(20)?,
            digest: row.try_get("digest")?,
        };
        Ok(ItemColumns {
            mailbox,
            index: row_of(row)?,
            texts,
        })
    }

    pub(crate) fn item(&self) -> ItemId {
        self.index.item
    }

    /// The value of a tag that is a column; None: it is not one, or the item does not have it.
    pub(crate) fn value(&self, tag: PropertyTag) -> Option<Value> {
        self.index
            .value(tag)
            .or_else(|| self.texts.value(tag))
            .or_else(|| self.version(tag))
    }

    fn version(&self, tag: PropertyTag) -> Option<Value> {
        let texts = &self.texts;
        let key = || {
            texts
                .change_key
                .clone()
                .unwrap_or_else(|| versions::change_key(self.mailbox, texts.cn))
        };
        match tag {
            tags::CHANGE_NUMBER => Some(Value::Int64(texts.cn.cast_signed())),
            tags::CHANGE_KEY => Some(Value::Binary(key())),
            tags::PREDECESSOR_CHANGE_LIST => {
                let list = texts.predecessors.clone();
                Some(Value::Binary(
                    list.unwrap_or_else(|| versions::with_change(&[], &key())),
                ))
            }
            _ => None,
        }
    }
}

/// Seconds since 1970 as PtypTime.
pub(crate) fn time_of(seconds: i64) -> Value {
    const BETWEEN_1601_AND_1970: i64 = 11_644_473_600;
    let since_1601 = seconds.saturating_add(BETWEEN_1601_AND_1970).max(0);
    Value::Time(since_1601.cast_unsigned().saturating_mul(10_000_000))
}

/// PtypTime as seconds since 1970.
pub(crate) fn seconds_of(time: u64) -> i64 {
    (time / 10_000_000).cast_signed() - 11_644_473_600
}

/// PidTagMessageFlags ([MS-OXCMSG] 2.2.1.6): mfRead, mfUnsent, mfHasAttach, mfFAI.
fn message_flags(flags: ItemFlags) -> i32 {
    let bit = |flag: u32, bit: i32| if flags.has(flag) { bit } else { 0 };
    bit(ItemFlags::SEEN, 0x1)
        | bit(ItemFlags::DRAFT, 0x8)
        | bit(ItemFlags::HAS_ATTACHMENT, 0x10)
        | bit(ItemFlags::ASSOCIATED, 0x40)
}

impl IndexRow {
    /// The value of a tag that the folder index holds.
    pub(crate) fn value(&self, tag: PropertyTag) -> Option<Value> {
        Some(match tag {
            columns::UID => Value::Int32(self.uid.cast_signed()),
            columns::MODSEQ => Value::Int64(self.modseq.cast_signed()),
            columns::INTERNAL_DATE => Value::Int64(self.internal_date),
            columns::INTERNAL_DAY => Value::Int32(day_of(self.internal_date)),
            columns::SENT_DAY => Value::Int32(self.sent_day),
            columns::SENT_DATE => Value::Int64(self.sent_date),
            columns::SIZE => Value::Int64(self.size.cast_signed()),
            columns::SAVE_DATE => Value::Int64(self.save_date),
            tags::MESSAGE_SIZE => Value::Int32(i32::try_from(self.size).unwrap_or(i32::MAX)),
            tags::MESSAGE_DELIVERY_TIME => time_of(self.internal_date),
            tags::CLIENT_SUBMIT_TIME => time_of(self.sent_date),
            tags::HAS_ATTACHMENTS => Value::Boolean(self.flags.has(ItemFlags::HAS_ATTACHMENT)),
            tags::READ => Value::Boolean(self.flags.has(ItemFlags::SEEN)),
            tags::MESSAGE_FLAGS => Value::Int32(message_flags(self.flags)),
            // followupFlagged ([MS-OXOFLAG] 2.2.1.1).
            tags::FLAG_STATUS if self.flags.has(ItemFlags::FLAGGED) => Value::Int32(2),
            _ => return None,
        })
    }
}

impl TextColumns {
    fn value(&self, tag: PropertyTag) -> Option<Value> {
        // A text that may be cut is answered whole from the bag.
        let text = |text: &String| {
            Some(text.clone())
                .filter(|text| !text.is_empty() && text.len() + 4 <= MAX_TEXT)
                .map(Value::Text)
        };
        match tag {
            tags::MESSAGE_CLASS => text(&self.class),
            tags::SUBJECT => text(&self.subject),
            columns::BASE_SUBJECT => Some(Value::Text(self.base_subject.clone())),
            tags::SENDER_NAME => text(&self.sender),
            columns::FIRST_FROM => Some(Value::Text(self.first_from.clone())),
            columns::FIRST_TO => Some(Value::Text(self.first_to.clone())),
            columns::FIRST_CC => Some(Value::Text(self.first_cc.clone())),
            tags::INTERNET_MESSAGE_ID => text(&self.message_id),
            columns::DIGEST => self.digest.clone().map(Value::Binary),
            _ => None,
        }
    }
}

/// A column that MAPI has no name for: no bag holds it.
pub(crate) fn is_store_column(tag: PropertyTag) -> bool {
    (0x67F0..=0x67FF).contains(&tag.id())
        || matches!(tag, columns::DISPLAY_FROM | columns::DISPLAY_TO)
}

/// Every tag that is a column, for "all properties".
pub(crate) const COLUMN_TAGS: [PropertyTag; 26] = [
    columns::UID,
    columns::MODSEQ,
    columns::INTERNAL_DATE,
    columns::INTERNAL_DAY,
    columns::SENT_DAY,
    columns::SENT_DATE,
    columns::SIZE,
    columns::SAVE_DATE,
    tags::MESSAGE_SIZE,
    tags::MESSAGE_DELIVERY_TIME,
    tags::CLIENT_SUBMIT_TIME,
    tags::HAS_ATTACHMENTS,
    tags::READ,
    tags::MESSAGE_FLAGS,
    tags::FLAG_STATUS,
    tags::MESSAGE_CLASS,
    tags::SUBJECT,
    columns::BASE_SUBJECT,
    tags::SENDER_NAME,
    columns::FIRST_FROM,
    columns::FIRST_TO,
    columns::FIRST_CC,
    tags::INTERNET_MESSAGE_ID,
    tags::CHANGE_NUMBER,
    tags::CHANGE_KEY,
    tags::PREDECESSOR_CHANGE_LIST,
];
