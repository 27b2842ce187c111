//! Which mailboxes are meant (RFC 5465 section 6, RFC 7377 section 2.2).

use serde::{Deserialize, Serialize};

use super::{Bad, cursor::Cursor, limits};
use crate::names::MailboxName;

/// Mailboxes by what they are. It is frozen with a NOTIFY: new kinds come at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum MailboxFilter {
    /// The selected one.
    Selected,
    /// Those into which mail is delivered.
    Inboxes,
    /// Those of the user.
    Personal,
    /// Those that the user has subscribed to.
    Subscribed,
    /// These, and all below them.
    Subtree(Vec<MailboxName>),
    /// These, and those right below them.
    SubtreeOne(Vec<MailboxName>),
    /// These.
    Mailboxes(Vec<MailboxName>),
}

impl MailboxFilter {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let name = cursor.atom("mailboxes")?.to_ascii_uppercase();
        Ok(match name.as_str() {
            "SELECTED" => MailboxFilter::Selected,
            "INBOXES" => MailboxFilter::Inboxes,
            "PERSONAL" => MailboxFilter::Personal,
            "SUBSCRIBED" => MailboxFilter::Subscribed,
            "SUBTREE" => MailboxFilter::Subtree(names(cursor)?),
            "SUBTREE-ONE" => MailboxFilter::SubtreeOne(names(cursor)?),
            "MAILBOXES" => MailboxFilter::Mailboxes(names(cursor)?),
            _ => return Err(Bad::new(format!("unknown kind of mailboxes {name}"))),
        })
    }
}

/// One, or several in parentheses.
fn names(cursor: &mut Cursor<'_>) -> Result<Vec<MailboxName>, Bad> {
    cursor.space()?;
    let names = match cursor.peek() {
        Some(b'(') => cursor.list("mailboxes", Cursor::mailbox)?,
        _ => vec![cursor.mailbox()?],
    };
    match names.len() {
        0 => Err(Bad::new("expected a mailbox")),
        1..=limits::LIST_PATTERNS => Ok(names),
        _ => Err(Bad::new("more than 100 mailboxes")),
    }
}
