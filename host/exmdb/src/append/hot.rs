//! The hot columns of a message: what lists, sorts and threads. Derived at append; the rest of the properties wait until
//! somebody asks.

use waxwing_formats_mime::{Structure, Summary};

/// Octets of a text column; the whole stands in the blob.
pub(crate) const MAX_TEXT: usize = 1024;
/// Message ids kept for threading: the oldest (the thread's root) and the newest.
const MAX_PARENTS: usize = 64;

/// Texts are decoded and cut to 1 KiB.
#[derive(Debug)]
pub(crate) struct Hot {
    pub(crate) class: String,
    pub(crate) subject: String,
    pub(crate) base_subject: String,
    pub(crate) sender: String,
    pub(crate) first_from: String,
    pub(crate) first_to: String,
    pub(crate) first_cc: String,
    pub(crate) message_id: String,
    pub(crate) parents: String,
    pub(crate) sent_date: Option<i64>,
    pub(crate) sent_day: Option<i32>,
    pub(crate) has_attachment: bool,
}

/// The text as a column holds it.
pub(crate) fn cut(mut text: String) -> String {
    text.truncate(text.floor_char_boundary(MAX_TEXT));
    text
}

impl Hot {
    pub(crate) fn of(message: &[u8], structure: &Structure) -> Hot {
        let summary = Summary::of(message, structure);
        let mut parents = summary.references;
        if parents.is_empty() {
            parents = summary.in_reply_to;
        }
        parents.retain(|parent| parent.len() <= MAX_TEXT);
        if parents.len() > MAX_PARENTS {
            parents.drain(1..=parents.len() - MAX_PARENTS);
        }
        Hot {
            class: summary.message_class.to_owned(),
            subject: cut(summary.subject),
            base_subject: cut(summary.base_subject),
            sender: cut(summary.sender_name),
            first_from: cut(summary.first_from),
            first_to: cut(summary.first_to),
            first_cc: cut(summary.first_cc),
            message_id: cut(summary.message_id.unwrap_or_default()),
            parents: parents.join(" "),
            sent_date: summary.date.map(|date| date.seconds),
            sent_day: summary.date.map(|date| date.local_day),
            has_attachment: summary.has_attachment,
        }
    }
}
