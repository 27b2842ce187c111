//! The store's identifiers. One counter of 48 bits per mailbox gives folder ids, item ids and change numbers
//! ([MS-OXCFXICS] 2.2.1), so that two of them never have the same number; UIDs are per folder (RFC 9051 2.3.1.1).

use std::{fmt, str::FromStr};

use crate::Error;

macro_rules! ids { ($($(#[$doc:meta])* $name:ident($inner:ty);)*) => { $(
    $(#[$doc])*
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
    pub struct $name(pub $inner);

    impl fmt::Display for $name {
        fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt(out)
        }
    }
)* } }

ids! {
    /// A folder of one mailbox; the counter part of its FID.
    FolderId(u64);
    /// An item of one mailbox; the counter part of its MID. A move keeps it.
    ItemId(u64);
    /// A version: `cn`, `read_cn` or `flag_cn`.
    ChangeNumber(u64);
    /// A view of this process.
    ViewId(u64);
    /// IMAP UID.
    Uid(u32);
    /// IMAP UIDVALIDITY.
    UidValidity(u32);
}

/// The largest number the counter gives: 48 bits.
pub(crate) const COUNTER_MAX: u64 = (1 << 48) - 1;

/// Identity of a mailbox for ever; its address belongs to the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxGuid(pub [u8; 16]);

impl MailboxGuid {
    /// A new one that nobody has.
    #[must_use]
    pub fn random() -> MailboxGuid {
        MailboxGuid(rand::random())
    }
}

impl fmt::Display for MailboxGuid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl FromStr for MailboxGuid {
    type Err = Error;

    /// # Errors
    /// `Invalid` unless the text is 32 hexadecimal digits.
    fn from_str(text: &str) -> Result<MailboxGuid, Error> {
        let wrong = || {
            Error::Invalid(format!(
                "{text:?} is not a mailbox guid of 32 hexadecimal digits"
            ))
        };
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| wrong())?;
        Ok(MailboxGuid(number.to_be_bytes()))
    }
}

impl serde::Serialize for MailboxGuid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for MailboxGuid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<MailboxGuid, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_survives_its_text_form() {
        let guid = MailboxGuid::random();
        assert_eq!(guid.to_string().len(), 32);
        assert_eq!(guid.to_string().parse::<MailboxGuid>().unwrap(), guid);
        assert!("xyz".parse::<MailboxGuid>().is_err());
        assert!(
            "+1111111111111111111111111111111"
                .parse::<MailboxGuid>()
                .is_err()
        );
    }
}
