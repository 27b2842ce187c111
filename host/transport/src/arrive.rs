//! The one place where a message that has come to a mailbox is looked at before it is stored: the owner's own filter.
//!
//! It runs when its owner has an active script, so everybody else pays one look-up of a key.
//!
//! Promises:
//! - Whatever a filter does, no message is lost: one that fails, or asks for what cannot be done, leaves the message in the receive
//!   folder, with a line in the log.
//! - The order is: store, send on, remember. 250 therefore still says that all of it is on disk; what was remembered
//!   (a duplicate, an answer) is never of a message that may come again.
//! - A message that a filter has sent on carries `Delivered-To` of its owner. One that comes back with it is not sent on a second time.

use std::{sync::Arc, time::Instant};

use waxwing_exmdb::{Body, Error, Mailbox, MailboxGuid};
use waxwing_formats_mime::{address, header as mime};

use crate::{
    Delivery, Deposit, Envelope, Outcome, Post, Recipient, Step,
    deposit::deposit,
    destination::Relaying,
    duplicates::Arrived,
    filter::{Arrival, Filter},
    header::Header,
    report_values::one_line,
    submission::authors,
};

/// What says from which address of ours a message was sent on.
const DELIVERED_TO: &str = "Delivered-To";

/// A message on its way into one mailbox.
pub(crate) struct Incoming<'a> {
    pub(crate) envelope: &'a Envelope,
    pub(crate) recipient: &'a str,
    pub(crate) message: &'a Body,
    pub(crate) header: &'a Header,
    /// Where it goes when its owner's filter does not say otherwise.
    pub(crate) filing: &'a Deposit,
}

impl Incoming<'_> {
    /// What a filter wants, and what holds where it is silent.
    pub(crate) fn or_filing(&self, wanted: &Deposit) -> Deposit {
        let is_silent = wanted.folder.is_none() && wanted.special_use.is_none();
        let filing = match is_silent {
            true => self.filing.clone(),
            false => Deposit::default(),
        };
        Deposit {
            folder: wanted.folder.clone().or(filing.folder),
            special_use: wanted.special_use.clone(),
            create: wanted.create || filing.create,
            flags: [self.filing.flags.as_slice(), &wanted.flags].concat(),
            message: wanted.message.clone(),
        }
    }
}

impl Delivery {
    /// From now on arriving mail is shown to a filter.
    pub fn filter_with(&self, filter: Arc<dyn Filter>) {
        // The first one stays: there is one runtime.
        let _ = self.filter_slot().set(filter);
    }

    /// Brings a message into a mailbox, as its owner wants it.
    pub(crate) async fn arrive(&self, guid: MailboxGuid, incoming: &Incoming<'_>) -> Outcome {
        let (options, session) = (self.options(), &incoming.envelope.session);
        let window = options.duplicate_window;
        let is_asked =
            !window.is_zero() && (options.duplicates_of_lmtp || incoming.envelope.source != "lmtp");
        let known = match is_asked {
            true => Arrived::of(guid, incoming.message, incoming.header).await,
            false => None,
        };
        // What an operator lets go was stopped after it had come.
        let may_be_there = !incoming.envelope.released;
        let has = |known| self.duplicates().has(known, window, Instant::now());
        if may_be_there && known.is_some_and(has) {
            tracing::info!(session, mailbox = %guid, "it has the message already");
            return Outcome::delivered();
        }
        let outcome = match self.hooks_at_mailbox(guid, incoming).await {
            Ok(None) => self.arrive_new(guid, incoming).await,
            Ok(Some(changed)) => {
                let incoming = changed.incoming(incoming.recipient);
                self.arrive_new(guid, &incoming).await
            }
            Err(stopped) => stopped,
        };
        let is_there = outcome.is_success() && !outcome.is_discarded();
        if let (Some(known), true) = (known, is_there) {
            self.duplicates().note(known, window, Instant::now());
        }
        outcome
    }

    async fn arrive_new(&self, guid: MailboxGuid, incoming: &Incoming<'_>) -> Outcome {
        let session = &incoming.envelope.session;
        let arrived = async {
            let mailbox = self.store().mailbox(guid).await?;
            let Some(steps) = self.filtered(&mailbox, incoming).await else {
                deposit(&mailbox, incoming, incoming.filing).await?;
                self.bring_to_calendar(guid, incoming).await;
                return Ok(Outcome::delivered());
            };
            self.carry_out(&mailbox, incoming, steps).await
        };
        arrived.await.unwrap_or_else(|error: Error| {
            tracing::warn!(session, mailbox = %guid, %error, "not delivered");
            Outcome::store(&error)
        })
    }

    /// What the owner's filter says; none when there is none, or it failed.
    pub(crate) async fn filtered(
        &self,
        mailbox: &Mailbox,
        incoming: &Incoming<'_>,
    ) -> Option<Vec<Step>> {
        let filter = self.filter_slot().get()?;
        let session = &incoming.envelope.session;
        let script = async {
            let active = mailbox.active_script().await?;
            Ok::<_, Error>(match active {
                Some(active) => Some((mailbox.owner().await?, active)),
                None => None,
            })
        };
        let (owner, (script_name, script)) = match script.await {
            Ok(found) => found?,
            Err(error) => {
                tracing::warn!(session, mailbox = %mailbox.guid(), %error, "the script cannot be read, the message is kept");
                return None;
            }
        };
        let arrival = Arrival {
            mailbox: mailbox.clone(),
            owner,
            script_name,
            script,
            message: incoming.message.clone(),
            envelope: incoming.envelope.clone(),
            recipient: incoming.recipient.to_owned(),
            host_name: self.host_name().to_owned(),
        };
        let (owner, name) = (arrival.owner.clone(), arrival.script_name.clone());
        match filter.filter(arrival).await {
            Ok(steps) => Some(steps),
            Err(reason) => {
                tracing::warn!(session, owner, script = ?name, reason, "the filter failed, the message is kept");
                None
            }
        }
    }

    async fn carry_out(
        &self,
        mailbox: &Mailbox,
        incoming: &Incoming<'_>,
        steps: Vec<Step>,
    ) -> Result<Outcome, Error> {
        let session = &incoming.envelope.session;
        let mut outcome = Outcome::delivered();
        let (mut kept, mut remembered) = (false, Vec::new());
        for step in &steps {
            if let Step::Store(store) = step {
                deposit(mailbox, incoming, &incoming.or_filing(store)).await?;
                kept = true;
            }
        }
        for step in steps {
            match step {
                Step::Store(_) => {}
                Step::Redirect(post) => match self.redirect(mailbox, incoming, post).await? {
                    sent if sent.is_temporary() => return Ok(sent),
                    sent if !sent.is_success() && !kept => {
                        tracing::warn!(session, mailbox = %mailbox.guid(), outcome = %sent, "not sent on, the message is kept");
                        deposit(mailbox, incoming, incoming.filing).await?;
                        kept = true;
                    }
                    _ => {}
                },
                Step::Reply(post) => self.answer(mailbox, incoming, post).await,
                Step::Refuse { text, notice } => {
                    outcome = self.refuse(mailbox, incoming, &text, notice).await;
                }
                Step::Remember { key, seconds } => remembered.push((key, seconds)),
            }
        }
        // What its owner throws away is in no calendar.
        if kept {
            self.bring_to_calendar(mailbox.guid(), incoming).await;
        }
        if !remembered.is_empty()
            && let Err(error) = mailbox.remember(&remembered).await
        {
            tracing::warn!(session, mailbox = %mailbox.guid(), %error, "what a filter was to remember is lost");
        }
        tracing::info!(session, mailbox = %mailbox.guid(), %outcome, "filtered");
        Ok(outcome)
    }

    /// Sends the message on, unless it has come back.
    async fn redirect(
        &self,
        mailbox: &Mailbox,
        incoming: &Incoming<'_>,
        post: Post,
    ) -> Result<Outcome, Error> {
        let owner = mailbox.owner().await?;
        if has_been_at(incoming.header, &owner) {
            return Ok(Outcome::came_back());
        }
        let message = post.message.unwrap_or_else(|| incoming.message.clone());
        let (envelope, original) = (incoming.envelope, incoming.message);
        let message = self.sealed(envelope, original, message).await;
        let message = Body::concat(vec![delivered_to(&owner), message]);
        Ok(self
            .post(incoming, &post.sender, post.recipient, &message)
            .await)
    }

    async fn answer(&self, mailbox: &Mailbox, incoming: &Incoming<'_>, post: Post) {
        let Some(message) = post.message else {
            return;
        };
        let message = self.signed_for_owner(mailbox, message).await;
        let sent = self
            .post(incoming, &post.sender, post.recipient, &message)
            .await;
        if !sent.is_success() {
            tracing::info!(session = incoming.envelope.session, outcome = %sent, "an answer is not sent");
        }
    }

    /// A script may write any From into an answer; only what is its owner's own is signed.
    async fn signed_for_owner(&self, mailbox: &Mailbox, message: Body) -> Body {
        let signed = async {
            let owner = mailbox.owner().await.ok()?;
            let owner = self.directory().user(&owner).await.ok()?;
            let header = Header::read(&message).await.ok()?;
            let authors = authors(header.octets());
            for author in &authors {
                self.may_send_as(&owner, author).await.ok()?;
            }
            self.signed(authors.first(), &message).await.ok()
        };
        signed.await.unwrap_or(message)
    }

    /// In the transaction while it can still be told this recipient alone; else by a message.
    async fn refuse(
        &self,
        mailbox: &Mailbox,
        incoming: &Incoming<'_>,
        text: &str,
        notice: Option<Post>,
    ) -> Outcome {
        let envelope = incoming.envelope;
        if envelope.recipients.len() == 1 || envelope.source == "lmtp" {
            return Outcome::refused_by_recipient(text);
        }
        if let Some(notice) = notice.filter(|_| !envelope.sender.is_empty()) {
            self.answer(mailbox, incoming, notice).await;
        }
        Outcome::delivered()
    }

    async fn post(
        &self,
        incoming: &Incoming<'_>,
        sender: &str,
        address: String,
        message: &Body,
    ) -> Outcome {
        let envelope = Envelope {
            sender: sender.to_owned(),
            recipients: vec![Recipient {
                address,
                ..Recipient::default()
            }],
            smtp_utf8: incoming.envelope.smtp_utf8,
            tls_demand: incoming.envelope.tls_demand,
            body_type: "8BITMIME".into(),
            source: "filter".into(),
            session: incoming.envelope.session.clone(),
            ..Envelope::default()
        };
        let outcomes = Box::pin(self.carry(&envelope, message, Relaying::Allowed, None)).await;
        Outcome::worst(outcomes.into_iter()).unwrap_or_else(Outcome::empty_group)
    }
}

/// The field that says so.
pub(crate) fn delivered_to(address: &str) -> Body {
    let address = one_line(address);
    Body::from_bytes(format!("{DELIVERED_TO}: {address}\r\n").into())
}

/// Whether a message was sent on from an address of ours already.
pub(crate) fn has_been_at(header: &Header, address: &str) -> bool {
    mime::fields(header.octets())
        .filter(|field| field.is(DELIVERED_TO))
        .any(|field| names(field.value, address))
}

/// Whether a field names an address.
fn names(field: &[u8], wanted: &str) -> bool {
    let named = address::parse(field);
    named.iter().any(|address| {
        let parts = (address.mailbox.as_deref(), address.host.as_deref());
        let (Some(local), Some(domain)) = parts else {
            return false;
        };
        let spelled = [local, b"@", domain].concat();
        spelled.eq_ignore_ascii_case(wanted.as_bytes())
    })
}

#[cfg(test)]
mod tests;
