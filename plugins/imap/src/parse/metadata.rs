//! GETMETADATA and SETMETADATA (RFC 5464), and what LIST can return of metadata (RFC 9590).

use super::{Bad, Command, cursor::Cursor};

/// Octets of an entry's name.
const NAME: usize = 256;
/// Entries in one command.
const ENTRIES: usize = 100;

/// The name of an entry, in lower case: `/private/comment`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryName(String);

impl EntryName {
    /// Reads a name as RFC 5464 section 3.2 has it.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(name: &str) -> Result<Self, Bad> {
        let name = name.to_ascii_lowercase();
        let scoped = ["/private", "/shared"].iter().any(|scope| {
            name.strip_prefix(scope)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        if !scoped {
            return Err(Bad::new("an entry begins with /private or /shared"));
        }
        if name.len() > NAME {
            return Err(Bad::new("the name of an entry is longer than 256 octets"));
        }
        let printable = name
            .bytes()
            .all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'*' | b'%'));
        if !printable || name.ends_with('/') || name.contains("//") {
            return Err(Bad::new("malformed name of an entry"));
        }
        Ok(EntryName(name))
    }

    /// In lower case.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it can hold a value: `/private` and `/shared` only hold others.
    pub fn holds_a_value(&self) -> bool {
        self.0.matches('/').count() > 1
    }

    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        EntryName::new(&cursor.text("the name of an entry")?)
    }

    /// One, or several in parentheses.
    pub(super) fn parse_several(cursor: &mut Cursor<'_>) -> Result<Vec<Self>, Bad> {
        let names = match cursor.peek() {
            Some(b'(') => cursor.list("names of entries", EntryName::parse)?,
            _ => vec![EntryName::parse(cursor)?],
        };
        bounded(names, "expected names of entries")
    }
}

fn bounded<T>(entries: Vec<T>, none: &str) -> Result<Vec<T>, Bad> {
    match entries.len() {
        0 => Err(Bad::new(none)),
        1..=ENTRIES => Ok(entries),
        _ => Err(Bad::new("more than 100 entries")),
    }
}

/// How far below an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// The entry itself.
    #[default]
    Zero,
    /// And those right below it.
    One,
    /// And all below it.
    Infinity,
}

/// What GETMETADATA asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataQuery {
    /// Entries to begin with.
    pub entries: Vec<EntryName>,
    /// DEPTH
    pub depth: Depth,
    /// MAXSIZE: larger values are left out.
    pub max_size: Option<u64>,
}

pub(super) fn get(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let mut query = MetadataQuery {
        entries: Vec::new(),
        depth: Depth::Zero,
        max_size: None,
    };
    if cursor.peek() == Some(b'(') {
        options(cursor, &mut query)?;
        cursor.space()?;
    }
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    query.entries = EntryName::parse_several(cursor)?;
    Ok(Command::GetMetadata { mailbox, query })
}

fn options(cursor: &mut Cursor<'_>, query: &mut MetadataQuery) -> Result<(), Bad> {
    cursor.list("options", |cursor| {
        let name = cursor.atom("an option")?.to_ascii_uppercase();
        cursor.space()?;
        match name.as_str() {
            "MAXSIZE" => query.max_size = Some(cursor.number64("a size")?),
            "DEPTH" if cursor.eat_word("infinity") => query.depth = Depth::Infinity,
            "DEPTH" => {
                query.depth = match cursor.number("a depth")? {
                    0 => Depth::Zero,
                    1 => Depth::One,
                    _ => return Err(Bad::new("DEPTH is 0, 1 or infinity")),
                }
            }
            _ => return Err(Bad::new(format!("unknown option {name}"))),
        }
        Ok(())
    })?;
    Ok(())
}

pub(super) fn set(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    let values = cursor.list("entries with their values", |cursor| {
        let name = EntryName::parse(cursor)?;
        if !name.holds_a_value() {
            return Err(Bad::new("this entry only holds others"));
        }
        cursor.space()?;
        Ok((name, cursor.nstring("a value or NIL")?))
    })?;
    let values = bounded(values, "expected entries with their values")?;
    Ok(Command::SetMetadata { mailbox, values })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Parsed, parse_command};

    fn command(text: &str) -> Result<Command, String> {
        match parse_command(format!("a {text}\r\n").as_bytes()) {
            Parsed::Command { request, .. } => Ok(request.command),
            Parsed::Bad { text, .. } => Err(text),
            Parsed::Incomplete { .. } => panic!("{text}"),
        }
    }

    #[test]
    fn entries_are_asked_for_with_options() {
        let Ok(Command::GetMetadata { mailbox, query }) = command(
            "GETMETADATA (MAXSIZE 1024 DEPTH infinity) \"INBOX\" (/shared/Comment /private)",
        ) else {
            panic!()
        };
        assert!(mailbox.is_inbox());
        assert_eq!((query.max_size, query.depth), (Some(1024), Depth::Infinity));
        assert_eq!(query.entries[0].as_str(), "/shared/comment");
        let Ok(Command::GetMetadata { mailbox, query }) = command("GETMETADATA \"\" /shared/admin")
        else {
            panic!()
        };
        assert_eq!((mailbox.as_str(), query.entries.len()), ("", 1));
    }

    #[test]
    fn values_are_strings_or_nothing() {
        let Ok(Command::SetMetadata { values, .. }) =
            command("SETMETADATA INBOX (/private/a NIL /private/b \"x\" /shared/c ~{2}\r\n\0y)")
        else {
            panic!()
        };
        let values: Vec<_> = values.into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, [None, Some(b"x".to_vec()), Some(b"\0y".to_vec())]);
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for wrong in [
            "/comment",
            "/privates/x",
            "/private/",
            "/private//x",
            "/shared/a*",
            "/shared/a%",
            "/shared/\"\"",
        ] {
            assert!(
                command(&format!("GETMETADATA INBOX {wrong}")).is_err(),
                "{wrong}"
            );
        }
        let long = format!("/shared/{}", "x".repeat(256));
        assert!(command(&format!("GETMETADATA INBOX {long}")).is_err());
        for wrong in [
            "SETMETADATA INBOX (/private NIL)",
            "SETMETADATA INBOX ()",
            "SETMETADATA INBOX (/private/a)",
            "GETMETADATA (DEPTH 2) INBOX /shared/a",
            "GETMETADATA INBOX ()",
        ] {
            assert!(command(wrong).is_err(), "{wrong}");
        }
        let many = "/shared/a ".repeat(101);
        assert!(command(&format!("GETMETADATA INBOX ({})", many.trim())).is_err());
    }
}
