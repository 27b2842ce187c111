//! LIST with its options (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 6154, RFC 9590) and STATUS items.

use super::{Bad, EntryName, cursor::Cursor, limits};
use crate::names::MailboxName;

/// LIST selection options.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SelectionOptions {
    /// SUBSCRIBED
    pub subscribed: bool,
    /// RECURSIVEMATCH
    pub recursive_match: bool,
    /// SPECIAL-USE
    pub special_use: bool,
}

/// LIST return options.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReturnOptions {
    /// SUBSCRIBED
    pub subscribed: bool,
    /// CHILDREN
    pub children: bool,
    /// SPECIAL-USE
    pub special_use: bool,
    /// STATUS
    pub status: Vec<StatusItem>,
    /// METADATA (RFC 9590)
    pub metadata: Vec<EntryName>,
    /// MYRIGHTS (RFC 8440)
    pub my_rights: bool,
}

/// A whole LIST.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListRequest {
    /// Selection options.
    pub selection: SelectionOptions,
    /// Reference name, in Unicode.
    pub reference: String,
    /// Patterns, in Unicode.
    pub patterns: Vec<String>,
    /// Return options.
    pub returns: ReturnOptions,
    /// Whether it used anything of RFC 5258.
    pub extended: bool,
}

/// What STATUS can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusItem {
    /// MESSAGES
    Messages,
    /// RECENT
    Recent,
    /// UIDNEXT
    UidNext,
    /// UIDVALIDITY
    UidValidity,
    /// UNSEEN
    Unseen,
    /// DELETED
    Deleted,
    /// DELETED-STORAGE
    DeletedStorage,
    /// SIZE
    Size,
    /// HIGHESTMODSEQ
    HighestModSeq,
    /// APPENDLIMIT
    AppendLimit,
    /// MAILBOXID
    MailboxId,
}

impl StatusItem {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let name = cursor.atom("a status item")?;
        Ok(match name.to_ascii_uppercase().as_str() {
            "MESSAGES" => StatusItem::Messages,
            "RECENT" => StatusItem::Recent,
            "UIDNEXT" => StatusItem::UidNext,
            "UIDVALIDITY" => StatusItem::UidValidity,
            "UNSEEN" => StatusItem::Unseen,
            "DELETED" => StatusItem::Deleted,
            "DELETED-STORAGE" => StatusItem::DeletedStorage,
            "SIZE" => StatusItem::Size,
            "HIGHESTMODSEQ" => StatusItem::HighestModSeq,
            "APPENDLIMIT" => StatusItem::AppendLimit,
            "MAILBOXID" => StatusItem::MailboxId,
            _ => return Err(Bad::new(format!("unknown status item {name}"))),
        })
    }

    pub(super) fn parse_list(cursor: &mut Cursor<'_>) -> Result<Vec<Self>, Bad> {
        match cursor.list("status items", StatusItem::parse)? {
            items if items.is_empty() => Err(Bad::new("expected status items")),
            items => Ok(items),
        }
    }
}

/// A pattern or reference: like a name, with wildcards.
fn pattern(cursor: &mut Cursor<'_>) -> Result<String, Bad> {
    let raw = match cursor.peek() {
        Some(b'"' | b'{') => cursor.astring("a mailbox pattern")?,
        _ => cursor
            .take_while(|b| b > 0x20 && !matches!(b, b'(' | b')' | b'{' | b'"' | b'\\' | 0x7F))
            .to_vec(),
    };
    if raw.len() > limits::MAILBOX_NAME {
        return Err(Bad::new("the mailbox pattern is longer than 1000 octets"));
    }
    // No name is like a pattern in the wrong encoding; so it is not wrong, it only matches nothing.
    Ok(match MailboxName::from_wire(&raw, cursor.mode.utf8) {
        Some(name) => name.as_str().to_owned(),
        None => String::from_utf8_lossy(&raw).into_owned(),
    })
}

impl ListRequest {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let mut request = ListRequest::default();
        if cursor.peek() == Some(b'(') {
            request.extended = true;
            request.selection = selection(cursor)?;
            cursor.space()?;
        }
        request.reference = pattern(cursor)?;
        cursor.space()?;
        if cursor.peek() == Some(b'(') {
            request.extended = true;
            request.patterns = cursor.list("mailbox patterns", pattern)?;
        } else {
            request.patterns = vec![pattern(cursor)?];
        }
        if request.patterns.len() > limits::LIST_PATTERNS {
            return Err(Bad::new("more than 100 mailbox patterns"));
        }
        if cursor.eat(b' ') {
            request.extended = true;
            if !cursor.eat_word("RETURN ") {
                return Err(Bad::new("expected RETURN"));
            }
            request.returns = returns(cursor)?;
        }
        Ok(request)
    }

    /// LSUB: reference and pattern only.
    pub(super) fn parse_plain(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let reference = pattern(cursor)?;
        cursor.space()?;
        Ok(ListRequest {
            reference,
            patterns: vec![pattern(cursor)?],
            ..ListRequest::default()
        })
    }
}

fn selection(cursor: &mut Cursor<'_>) -> Result<SelectionOptions, Bad> {
    let mut options = SelectionOptions::default();
    let mut base = false;
    cursor.list("selection options", |cursor| {
        let name = cursor.atom("a selection option")?;
        match name.to_ascii_uppercase().as_str() {
            "SUBSCRIBED" => (options.subscribed, base) = (true, true),
            "SPECIAL-USE" => (options.special_use, base) = (true, true),
            "RECURSIVEMATCH" => options.recursive_match = true,
            // There are no remote mailboxes: to ask for them too changes nothing.
            "REMOTE" => {}
            _ => return Err(Bad::new(format!("unknown selection option {name}"))),
        }
        Ok(())
    })?;
    match options.recursive_match && !base {
        true => Err(Bad::new("RECURSIVEMATCH needs another selection option")),
        false => Ok(options),
    }
}

fn returns(cursor: &mut Cursor<'_>) -> Result<ReturnOptions, Bad> {
    let mut options = ReturnOptions::default();
    cursor.list("return options", |cursor| {
        let name = cursor.atom("a return option")?;
        match name.to_ascii_uppercase().as_str() {
            "SUBSCRIBED" => options.subscribed = true,
            "CHILDREN" => options.children = true,
            "SPECIAL-USE" => options.special_use = true,
            "MYRIGHTS" => options.my_rights = true,
            "STATUS" => {
                cursor.space()?;
                options.status = StatusItem::parse_list(cursor)?;
            }
            "METADATA" => {
                cursor.space()?;
                options.metadata = EntryName::parse_several(cursor)?;
            }
            _ => return Err(Bad::new(format!("unknown return option {name}"))),
        }
        Ok(())
    })?;
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Mode;

    fn parse(text: &str) -> Result<ListRequest, Bad> {
        ListRequest::parse(&mut Cursor::new(text.as_bytes(), Mode::default()))
    }

    #[test]
    fn a_plain_list_is_not_extended() {
        let request = parse(r#""" "*""#).unwrap();
        assert_eq!(
            (request.patterns.as_slice(), request.extended),
            (&["*".to_owned()][..], false)
        );
        assert_eq!(parse(r#""" %"#).unwrap().patterns, ["%"]);
    }

    #[test]
    fn options_patterns_and_status_are_read() {
        let request = parse(
            r#"(SUBSCRIBED RECURSIVEMATCH) "" (INBOX "a/%") RETURN (CHILDREN STATUS (MESSAGES SIZE))"#,
        );
        let request = request.unwrap();
        assert!(
            request.selection.subscribed && request.selection.recursive_match && request.extended
        );
        assert_eq!(request.patterns, ["INBOX", "a/%"]);
        assert_eq!(
            request.returns.status,
            [StatusItem::Messages, StatusItem::Size]
        );
    }

    #[test]
    fn recursive_match_alone_is_refused() {
        assert!(parse(r#"(RECURSIVEMATCH) "" *"#).is_err());
        assert!(parse(r#"(FOO) "" *"#).is_err());
    }
}
