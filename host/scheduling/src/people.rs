//! Who a calendar user address is.

use waxwing_directory::{Resolution, User};
use waxwing_exmdb::{Mailbox, MailboxGuid};

use crate::{Result, Scheduling};

/// Somebody with a mailbox here.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) user: User,
    pub(crate) mailbox: Mailbox,
    /// All his calendar user addresses, the primary one first.
    pub(crate) addresses: Vec<String>,
}

/// Who an address is.
pub(crate) enum Whose {
    Person(Box<Person>),
    /// Mail leads there: another server, or a group.
    Mail(String),
    Nobody,
}

/// The mail address of a calendar user address.
pub(crate) fn mail_address(address: &str) -> Option<&str> {
    let (scheme, rest) = address.trim().split_once(':')?;
    let rest = rest.split('?').next().unwrap_or(rest);
    let is_mail = scheme.eq_ignore_ascii_case("mailto") && rest.contains('@');
    is_mail.then_some(rest)
}

impl Scheduling {
    /// The calendar user addresses of somebody here, the primary one first.
    ///
    /// # Errors
    /// As the directory's.
    pub async fn addresses(&self, user: &User) -> Result<Vec<String>> {
        let mut addresses = vec![format!("mailto:{}", user.address)];
        for other in self.directory.identities(user).await? {
            let other = format!("mailto:{other}");
            if !addresses.contains(&other) {
                addresses.push(other);
            }
        }
        Ok(addresses)
    }

    pub(crate) async fn person(&self, user: User) -> Result<Person> {
        let guid: MailboxGuid = user
            .mailbox
            .parse()
            .map_err(|_| waxwing_exmdb::Error::Corrupt("a mailbox has no guid".into()))?;
        Ok(Person {
            mailbox: self.store.mailbox(guid).await?,
            addresses: self.addresses(&user).await?,
            user,
        })
    }

    /// CUTYPE of an address (RFC 5545 section 3.2.3).
    ///
    /// # Errors
    /// As the directory's and the store's.
    pub async fn kind(&self, address: &str) -> Result<&'static str> {
        Ok(match self.whose(address).await? {
            Whose::Nobody => "UNKNOWN",
            Whose::Mail(mail) => match self.directory.resolve(&mail).await? {
                Resolution::Local { .. } => "GROUP",
                _ => "UNKNOWN",
            },
            Whose::Person(person) => match self.resource(&person.mailbox).await? {
                Some(resource) => resource.kind.cutype(),
                None => "INDIVIDUAL",
            },
        })
    }

    pub(crate) async fn whose(&self, address: &str) -> Result<Whose> {
        let Some(mail) = mail_address(address) else {
            return Ok(Whose::Nobody);
        };
        match self.directory.resolve(mail).await? {
            Resolution::Local { users, foreign, .. } => match users.as_slice() {
                [user] if foreign.is_empty() && self.directory.is_identity(user, mail).await? => {
                    let mut person = self.person(user.clone()).await?;
                    // With a detail (`ann+x@…`) it is his as well.
                    person.addresses.push(format!("mailto:{mail}"));
                    Ok(Whose::Person(Box::new(person)))
                }
                _ => Ok(Whose::Mail(mail.to_owned())),
            },
            Resolution::Foreign => Ok(Whose::Mail(mail.to_owned())),
            Resolution::Unknown | Resolution::Malformed(_) => Ok(Whose::Nobody),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_calendar_user_address_is_a_mail_address_or_none() {
        assert_eq!(mail_address(" MAILTO:a@b.c"), Some("a@b.c"));
        assert_eq!(mail_address("mailto:a@b.c?subject=x"), Some("a@b.c"));
        assert_eq!(mail_address("urn:uuid:1"), None);
        assert_eq!(mail_address("/dav/principals/a%40b.c/"), None);
        assert_eq!(mail_address("mailto:"), None);
    }
}
