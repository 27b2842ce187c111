//! Mail that somebody who is logged in hands in (RFC 6409): to anybody, but only under a name of the own.
//!
//! The reverse-path and every mailbox of From must be an identity of the principal: the own address with any detail, or an alias of it
//! ([`waxwing_directory::Directory::is_identity`]). It is checked here and not in the plugin, so that a plugin that is broken into
//! can forge nobody else. Sender may stand beside it (RFC 5322 section 3.6.2) and is checked in the same way.

use jiff::Timestamp;
use waxwing_directory::User;
use waxwing_exmdb::Body;
use waxwing_formats_mime::{Address, address, header as mime};

use crate::{
    Delivery, Envelope, Outcome, deliver::turned_away, destination::Relaying, header::Header,
    passed::Passed,
};

/// A message with all that is said about it.
#[derive(Debug, Clone)]
pub struct Submission {
    /// As SMTP gave it.
    pub envelope: Envelope,
    /// Who is logged in.
    pub principal: User,
    /// RFC 4865: not to leave before.
    pub hold_until: Option<Timestamp>,
}

impl Delivery {
    /// Takes a message for anybody. One outcome per recipient, in their order; 250 means durable in every mailbox that it reaches, and in
    /// the queue for everybody else.
    pub async fn submit(&self, submission: &Submission, message: &Body) -> Vec<Outcome> {
        let envelope = &submission.envelope;
        let to_all = |refusal| turned_away(envelope, refusal);
        let signed = async {
            let authors = self.check_names(submission, message).await;
            let authors = authors.map_err(to_all)?;
            let login = submission.principal.address.as_str();
            let early = self.hooks_before(envelope, message, Some(login)).await;
            let early = early.map_err(to_all)?;
            let passed = Passed::new(envelope.clone(), message.clone());
            let passed = self
                .filtered_by_operator(passed, early, Some(login))
                .await?;
            let message = self.signed(authors.first(), &passed.message).await;
            let message = message.map_err(to_all)?;
            Ok(Passed { message, ..passed })
        };
        let due = submission.hold_until.map(Timestamp::as_millisecond);
        let outcomes = match signed.await {
            Ok(passed) => self.carry_on(passed, Relaying::Allowed, due).await,
            Err(answers) => answers,
        };
        // Where the client has to come again it does so with all of it.
        let is_taken =
            outcomes.iter().any(Outcome::is_success) && !outcomes.iter().any(Outcome::is_temporary);
        if is_taken {
            self.keep_sent(submission, message).await;
        }
        outcomes
    }

    /// With the signatures of its author's domain.
    pub(crate) async fn signed(
        &self,
        author: Option<&String>,
        message: &Body,
    ) -> Result<Body, Outcome> {
        let domain = author.and_then(|author| author.rsplit_once('@'));
        match domain {
            Some((_, domain)) => self.signing().sign(domain, message).await,
            None => Ok(message.clone()),
        }
    }

    /// Whether a principal may write as an address; the null reverse-path is everybody's (RFC 5321 section 4.5.5).
    ///
    /// # Errors
    /// The reply for who may not.
    pub async fn may_send_as(&self, principal: &User, address: &str) -> Result<(), Outcome> {
        if address.is_empty() {
            return Ok(());
        }
        match self.directory().is_identity(principal, address).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Outcome::not_own(address, &principal.address)),
            Err(error) => Err(Outcome::directory(&error)),
        }
    }

    /// The authors, once all of them are the principal.
    pub(crate) async fn check_names(
        &self,
        submission: &Submission,
        message: &Body,
    ) -> Result<Vec<String>, Outcome> {
        let principal = &submission.principal;
        self.may_send_as(principal, &submission.envelope.sender)
            .await?;
        let header = Header::read(message)
            .await
            .map_err(|error| Outcome::store(&error))?;
        let authors = authors(header.octets());
        if authors.is_empty() {
            return Err(Outcome::no_author());
        }
        for author in &authors {
            self.may_send_as(principal, author).await?;
        }
        Ok(authors)
    }
}

/// The mailboxes of all From and Sender fields, those of From first. A field that names nobody counts as a name that nobody has.
pub(crate) fn authors(header: &[u8]) -> Vec<String> {
    let (mut authors, mut senders) = (Vec::new(), Vec::new());
    let mut from = false;
    for field in mime::fields(header) {
        let is_from = field.is("From");
        if !is_from && !field.is("Sender") {
            continue;
        }
        from |= is_from;
        let listed = address::parse(&mime::unfold(field.value));
        let mailboxes: Vec<String> = listed
            .iter()
            .filter(|address| address.is_mailbox())
            .map(spelled)
            .collect();
        let named = if is_from { &mut authors } else { &mut senders };
        if mailboxes.is_empty() {
            named.push("(nobody)".to_owned());
        }
        named.extend(mailboxes);
    }
    authors.append(&mut senders);
    // Without From there is no author, whoever sends.
    if from { authors } else { Vec::new() }
}

/// Quoted where it must be, as the directory reads it.
fn spelled(address: &Address) -> String {
    let text = |octets: &Option<Vec<u8>>| {
        String::from_utf8_lossy(octets.as_deref().unwrap_or_default()).into_owned()
    };
    let (local, host) = (text(&address.mailbox), text(&address.host));
    let is_plain = local
        .chars()
        .all(|c| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(c));
    if is_plain {
        format!("{local}@{host}")
    } else {
        let quoted = local.replace('\\', "\\\\").replace('"', "\\\"");
        format!("\"{quoted}\"@{host}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fixture, envelope};

    #[test]
    fn every_author_is_found_however_the_field_is_written() {
        for (header, expected) in [
            ("From: Anna <a@b.c>\r\n", vec!["a@b.c"]),
            (
                "from:\r\n a@b.c,\r\n =?utf-8?q?B?= <b@b.c>\r\n",
                vec!["a@b.c", "b@b.c"],
            ),
            ("From: a@b.c\r\nSender: s@b.c\r\n", vec!["a@b.c", "s@b.c"]),
            ("From: a@b.c\r\nFrom: x@y.z\r\n", vec!["a@b.c", "x@y.z"]),
            ("From: \"x y\"@b.c\r\n", vec!["\"x y\"@b.c"]),
            ("From:\r\nSubject: From: a@b.c\r\n", vec!["(nobody)"]),
            ("Sender: a@b.c\r\n", vec![]),
        ] {
            assert_eq!(authors(header.as_bytes()), expected, "{header}");
        }
    }

    #[tokio::test]
    async fn nobody_writes_under_another_name() {
        let fixture = Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
        fixture
            .directory
            .add_alias("info@example.org", "anna@example.org")
            .await
            .unwrap();
        for (sender, from, code) in [
            ("anna@example.org", "Anna <ANNA@example.org>", 250),
            ("info@example.org", "anna+x@example.org", 250),
            ("", "info@example.org", 250),
            ("bob@example.org", "anna@example.org", 550),
            ("anna@example.org", "bob@example.org", 550),
            ("anna@example.org", "anna@example.org, bob@example.org", 550),
            ("anna@example.org", "", 550),
            ("anna@example.net", "anna@example.org", 550),
        ] {
            let message = format!("From: {from}\r\n\r\nhello\r\n");
            let outcomes = fixture
                .submit(
                    "anna@example.org",
                    &envelope(sender, &["bob@example.org"]),
                    &message,
                )
                .await;
            assert_eq!(outcomes[0].code, code, "{sender} {from} {}", outcomes[0]);
        }
        let outcomes = fixture
            .submit(
                "anna@example.org",
                &envelope("anna@example.org", &["bob@example.org"]),
                "X: y\r\n\r\n",
            )
            .await;
        assert_eq!(
            outcomes[0].to_string(),
            "550 5.6.0 The message has no From field"
        );
    }
}
