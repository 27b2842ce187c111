//! The commands of RFC 4314.

use super::{Bad, Command, cursor::Cursor};
use crate::names::MailboxName;
use crate::rights::{RightsChange, RightsMode, is_right};

/// Letters of one SETACL.
const LETTERS: usize = 64;

/// What is asked of the rights of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AclRequest {
    /// SETACL
    Set {
        /// For whom.
        identifier: String,
        /// What.
        change: RightsChange,
    },
    /// DELETEACL
    Delete {
        /// Of whom.
        identifier: String,
    },
    /// GETACL
    Get,
    /// LISTRIGHTS
    ListRights {
        /// For whom.
        identifier: String,
    },
    /// MYRIGHTS
    MyRights,
}

pub(super) fn set(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let (mailbox, identifier) = of_somebody(cursor)?;
    cursor.space()?;
    let text = cursor.text("rights")?;
    let (mode, letters) = match text.split_at_checked(1) {
        Some(("+", letters)) => (RightsMode::Add, letters),
        Some(("-", letters)) => (RightsMode::Remove, letters),
        _ => (RightsMode::Replace, text.as_str()),
    };
    // RFC 4314 section 3.1
    if let Some(unknown) = letters.chars().find(|letter| !is_right(*letter)) {
        return Err(Bad::new(format!("unknown right {unknown:?}")));
    }
    if letters.len() > LETTERS {
        return Err(Bad::new("more than 64 rights"));
    }
    let change = RightsChange {
        mode,
        letters: letters.to_owned(),
    };
    let request = AclRequest::Set { identifier, change };
    Ok(Command::Acl { mailbox, request })
}

pub(super) fn delete(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let (mailbox, identifier) = of_somebody(cursor)?;
    let request = AclRequest::Delete { identifier };
    Ok(Command::Acl { mailbox, request })
}

pub(super) fn list_rights(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let (mailbox, identifier) = of_somebody(cursor)?;
    let request = AclRequest::ListRights { identifier };
    Ok(Command::Acl { mailbox, request })
}

pub(super) fn get(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let mailbox = cursor.mailbox()?;
    let request = AclRequest::Get;
    Ok(Command::Acl { mailbox, request })
}

pub(super) fn my_rights(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let mailbox = cursor.mailbox()?;
    let request = AclRequest::MyRights;
    Ok(Command::Acl { mailbox, request })
}

fn of_somebody(cursor: &mut Cursor<'_>) -> Result<(MailboxName, String), Bad> {
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    Ok((mailbox, cursor.text("an identifier")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Parsed, parse_command};

    fn parsed(text: &str) -> Result<Command, String> {
        match parse_command(format!("a {text}\r\n").as_bytes()) {
            Parsed::Command { request, .. } => Ok(request.command),
            Parsed::Bad { text, .. } => Err(text),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn rights_are_replaced_added_and_taken_away() {
        for (rights, mode, letters) in [
            ("lrs", RightsMode::Replace, "lrs"),
            ("+te", RightsMode::Add, "te"),
            ("\"-w\"", RightsMode::Remove, "w"),
            ("\"\"", RightsMode::Replace, ""),
        ] {
            let Ok(Command::Acl { request, .. }) =
                parsed(&format!("SETACL INBOX bob@example.org {rights}"))
            else {
                panic!("{rights}")
            };
            let change = RightsChange {
                mode,
                letters: letters.into(),
            };
            let identifier = "bob@example.org".to_owned();
            assert_eq!(request, AclRequest::Set { identifier, change });
        }
    }

    #[test]
    fn a_right_that_is_not_known_is_bad() {
        assert_eq!(
            parsed("SETACL INBOX anyone lrz"),
            Err("unknown right 'z'".to_owned())
        );
        assert!(parsed("SETACL INBOX anyone").is_err());
        assert!(parsed("LISTRIGHTS INBOX").is_err());
        assert!(parsed("MYRIGHTS").is_err());
    }
}
