//! NOTIFY (RFC 5465).

use serde::{Deserialize, Serialize};

use super::{Bad, Command, FetchItem, MailboxFilter, cursor::Cursor};

/// Groups in one command.
const GROUPS: usize = 32;
/// Items of a MessageNew.
const ITEMS: usize = 50;

/// Which mailboxes a group is of. It is frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum NotifyScope {
    /// SELECTED, or SELECTED-DELAYED: then expunges wait for a command.
    Selected {
        /// SELECTED-DELAYED
        delayed: bool,
    },
    /// Others.
    Others(MailboxFilter),
}

/// What is told of the mailboxes of a group. It is frozen.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyEvents {
    /// MessageNew and MessageExpunge, which are one choice (RFC 5465 section 5.2).
    pub messages: bool,
    /// FlagChange
    pub flags: bool,
    /// What MessageNew tells of a new message.
    pub items: Vec<FetchItem>,
}

/// Mailboxes and events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotifyGroup {
    /// Of which mailboxes.
    pub scope: NotifyScope,
    /// What.
    pub events: NotifyEvents,
}

/// What NOTIFY asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotifyRequest {
    /// NONE
    None,
    /// SET
    Set {
        /// STATUS: the mailboxes are told of at once.
        status: bool,
        /// The first that a mailbox is in counts.
        groups: Vec<NotifyGroup>,
    },
    /// SET with an event that nobody here tells of.
    BadEvent,
}

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    if cursor.eat_word("NONE") {
        return Ok(Command::Notify(NotifyRequest::None));
    }
    if !cursor.eat_word("SET ") {
        return Err(Bad::new("expected SET or NONE"));
    }
    let status = cursor.eat_word("STATUS ");
    let mut groups = Vec::new();
    let mut known = true;
    loop {
        groups.push(group(cursor, &mut known)?);
        if groups.len() > GROUPS {
            return Err(Bad::new("more than 32 groups of events"));
        }
        if !cursor.eat(b' ') {
            break;
        }
    }
    Ok(Command::Notify(match known {
        true => NotifyRequest::Set { status, groups },
        false => NotifyRequest::BadEvent,
    }))
}

fn group(cursor: &mut Cursor<'_>, known: &mut bool) -> Result<NotifyGroup, Bad> {
    cursor.expect(b'(', "a group of events")?;
    let scope = if cursor.eat_word("SELECTED-DELAYED ") {
        NotifyScope::Selected { delayed: true }
    } else if cursor.eat_word("SELECTED ") {
        NotifyScope::Selected { delayed: false }
    } else {
        let filter = MailboxFilter::parse(cursor)?;
        cursor.space()?;
        NotifyScope::Others(filter)
    };
    let mut events = NotifyEvents::default();
    if !cursor.eat_word("NONE") {
        events = events_of(cursor, known)?;
    }
    cursor.expect(b')', "a closing parenthesis")?;
    if !events.items.is_empty() && matches!(scope, NotifyScope::Others(_)) {
        return Err(Bad::new(
            "only of the selected mailbox messages are fetched",
        ));
    }
    Ok(NotifyGroup { scope, events })
}

fn events_of(cursor: &mut Cursor<'_>, known: &mut bool) -> Result<NotifyEvents, Bad> {
    let mut events = NotifyEvents::default();
    let (mut new, mut gone) = (false, false);
    cursor.list("events", |cursor| {
        let name = cursor.atom("an event")?.to_ascii_uppercase();
        match name.as_str() {
            "MESSAGENEW" => {
                new = true;
                if cursor.eat_word(" (") {
                    events.items = items(cursor)?;
                }
            }
            "MESSAGEEXPUNGE" => gone = true,
            "FLAGCHANGE" => events.flags = true,
            _ => *known = false,
        }
        Ok(())
    })?;
    if new != gone || (events.flags && !new) {
        return Err(Bad::new(
            "MessageNew and MessageExpunge go together, and FlagChange with them",
        ));
    }
    events.messages = new;
    Ok(events)
}

/// Behind the opening parenthesis.
fn items(cursor: &mut Cursor<'_>) -> Result<Vec<FetchItem>, Bad> {
    let mut items = vec![FetchItem::Uid];
    loop {
        let item = FetchItem::parse(cursor)?;
        if !items.contains(&item) {
            items.push(item);
        }
        if items.len() > ITEMS {
            return Err(Bad::new("more than 50 FETCH items"));
        }
        if cursor.eat(b')') {
            return Ok(items);
        }
        cursor.space()?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Parsed, parse_command};

    fn parsed(text: &str) -> Result<NotifyRequest, String> {
        match parse_command(format!("a NOTIFY {text}\r\n").as_bytes()) {
            Parsed::Command { request, .. } => match request.command {
                Command::Notify(request) => Ok(request),
                other => panic!("{other:?}"),
            },
            Parsed::Bad { text, .. } => Err(text),
            Parsed::Incomplete { .. } => panic!("{text}"),
        }
    }

    #[test]
    fn groups_name_mailboxes_and_events() {
        let Ok(NotifyRequest::Set { status, groups }) = parsed(
            "SET STATUS (SELECTED-DELAYED (MessageNew (FLAGS BODY.PEEK[HEADER.FIELDS (From)]) MessageExpunge FlagChange)) \
             (mailboxes (Junk \"a b\") NONE) (personal (MessageNew MessageExpunge))",
        ) else {
            panic!()
        };
        assert!(status && groups.len() == 3);
        assert_eq!(groups[0].scope, NotifyScope::Selected { delayed: true });
        assert_eq!(
            (groups[0].events.items.len(), groups[0].events.flags),
            (3, true)
        );
        assert_eq!(groups[1].events, NotifyEvents::default());
        assert!(groups[2].events.messages && !groups[2].events.flags);
        assert_eq!(parsed("NONE"), Ok(NotifyRequest::None));
    }

    #[test]
    fn events_that_are_one_choice_come_together() {
        for wrong in [
            "SET (personal (MessageNew))",
            "SET (personal (FlagChange))",
            "SET (personal (MessageNew (FLAGS) MessageExpunge))",
            "SET",
            "SET ()",
            "ALL",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
        assert_eq!(
            parsed("SET (personal (MailboxName))"),
            Ok(NotifyRequest::BadEvent)
        );
    }
}
