//! Local delivery.
//!
//! All recipients are resolved first, so a mailbox that several of them reach gets the message once. Then every mailbox is
//! appended to, a few at a time, from one body: Return-Path and the message, composed and never copied. A recipient's
//! outcome is the worst of its mailboxes' ([`Outcome::worst`]); what had arrived when the sender must come again is kept
//! in [`crate::retries`].

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
    time::Instant,
};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use waxwing_directory::{Directory, Resolution};
use waxwing_exmdb::{Body, ItemFlags, MailboxGuid, NewMail, Store};

use crate::{
    Envelope, Outcome, Recipient,
    header::Header,
    report::SuccessReport,
    retries::{Fingerprint, Retries},
};

/// RFC 5321 section 6.3 asks for at least 100.
const MAX_RECEIVED: usize = 100;
/// Mailboxes of one message that are appended to at the same time.
const AT_ONCE: usize = 8;
/// MS-OXCMSG: what the receive folder of mail is looked up by.
const MESSAGE_CLASS: &str = "IPM.Note";

/// Delivers to the mailboxes of this machine. Cheap to clone.
#[derive(Clone)]
pub struct Delivery(Arc<Inner>);

struct Inner {
    store: Store,
    directory: Directory,
    host_name: String,
    retries: Retries,
}

/// Where one recipient's message goes.
enum Destination {
    Mailboxes(BTreeSet<MailboxGuid>),
    Refused(Outcome),
}

impl Delivery {
    /// `host_name` is the Reporting-MTA of reports.
    pub fn new(store: Store, directory: Directory, host_name: String) -> Delivery {
        Delivery(Arc::new(Inner {
            store,
            directory,
            host_name,
            retries: Retries::default(),
        }))
    }

    /// Delivers to every recipient. One outcome per recipient, in their order; 250 means durable in every mailbox that
    /// it reaches.
    pub async fn deliver(&self, envelope: &Envelope, message: &Body) -> Vec<Outcome> {
        let outcomes = match self.admit(envelope, message).await {
            Ok(header) => self.deliver_admitted(envelope, message, &header).await,
            Err(refusal) => vec![refusal; envelope.recipients.len()],
        };
        for (recipient, outcome) in envelope.recipients.iter().zip(&outcomes) {
            tracing::info!(session = envelope.session, source = envelope.source, from = ?envelope.sender, to = ?recipient.address,
                size = message.size(), %outcome, "delivery");
        }
        outcomes
    }

    /// What refuses the message whoever it is for.
    async fn admit(&self, envelope: &Envelope, message: &Body) -> Result<Header, Outcome> {
        if envelope.sender.contains(char::is_control) {
            return Err(Outcome::bad_sender());
        }
        let header = Header::read(message)
            .await
            .map_err(|error| Outcome::store(&error))?;
        if header.received() > MAX_RECEIVED {
            return Err(Outcome::loops(MAX_RECEIVED));
        }
        Ok(header)
    }

    async fn deliver_admitted(
        &self,
        envelope: &Envelope,
        message: &Body,
        header: &Header,
    ) -> Vec<Outcome> {
        let mut destinations = Vec::with_capacity(envelope.recipients.len());
        for recipient in &envelope.recipients {
            destinations.push(self.destination(&recipient.address).await);
        }
        let mailboxes: BTreeSet<MailboxGuid> = destinations
            .iter()
            .flat_map(Destination::mailboxes)
            .collect();
        let arrived = match self.append_once(envelope, message, header, mailboxes).await {
            Ok(arrived) => arrived,
            Err(outcome) => return vec![outcome; envelope.recipients.len()],
        };
        let outcomes: Vec<Outcome> = destinations
            .into_iter()
            .map(|destination| destination.outcome(&arrived))
            .collect();
        self.report_success(envelope, &outcomes, header).await;
        outcomes
    }

    async fn destination(&self, address: &str) -> Destination {
        let users = match self.0.directory.resolve(address).await {
            Ok(Resolution::Local { users, .. }) => users,
            Ok(Resolution::Unknown) => return Destination::Refused(Outcome::unknown(address)),
            Ok(Resolution::Foreign) => return Destination::Refused(Outcome::foreign()),
            Ok(Resolution::Malformed(reason)) => {
                return Destination::Refused(Outcome::malformed(&reason));
            }
            Err(error) => return Destination::Refused(Outcome::directory(&error)),
        };
        if users.is_empty() {
            return Destination::Refused(Outcome::empty_group());
        }
        match users
            .iter()
            .map(|user| user.mailbox.parse())
            .collect::<Result<BTreeSet<MailboxGuid>, _>>()
        {
            Ok(mailboxes) => Destination::Mailboxes(mailboxes),
            Err(error) => Destination::Refused(Outcome::store(&error)),
        }
    }

    /// Appends to each mailbox that does not have the message from an earlier attempt.
    async fn append_once(
        &self,
        envelope: &Envelope,
        message: &Body,
        header: &Header,
        mailboxes: BTreeSet<MailboxGuid>,
    ) -> Result<HashMap<MailboxGuid, Outcome>, Outcome> {
        let fingerprint = async || {
            Fingerprint::of(&envelope.sender, message, header)
                .await
                .map_err(|error| Outcome::store(&error))
        };
        let before = match self.0.retries.is_empty() {
            true => HashSet::new(),
            false => self
                .0
                .retries
                .delivered(fingerprint().await?, Instant::now()),
        };
        let return_path =
            Body::from_bytes(format!("Return-Path: <{}>\r\n", envelope.sender).into());
        let whole = Body::concat(vec![return_path, message.clone()]);
        let (before, whole) = (&before, &whole);
        let arrived: HashMap<MailboxGuid, Outcome> = stream::iter(mailboxes)
            .map(|mailbox| async move {
                if before.contains(&mailbox) {
                    tracing::info!(session = envelope.session, %mailbox, "this mailbox has the message from an earlier attempt");
                    return (mailbox, Outcome::delivered());
                }
                (mailbox, self.append(mailbox, whole.clone(), &envelope.session).await)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        if arrived.values().any(Outcome::is_temporary) && arrived.values().any(Outcome::is_success)
        {
            let delivered = arrived
                .iter()
                .filter(|(_, outcome)| outcome.is_success())
                .map(|(mailbox, _)| *mailbox);
            // Without a fingerprint the mailboxes that have the message may get it again: better than none of them.
            if let Ok(message) = fingerprint().await {
                self.0.retries.remember(message, delivered, Instant::now());
            }
        }
        Ok(arrived)
    }

    async fn append(&self, mailbox: MailboxGuid, message: Body, session: &str) -> Outcome {
        let mail = NewMail {
            message,
            flags: ItemFlags::default(),
            keywords: Vec::new(),
            internal_date: None,
        };
        let appended = async {
            let mailbox = self.0.store.mailbox(mailbox).await?;
            let folder = mailbox.receive_folder(MESSAGE_CLASS).await?;
            mailbox.append(folder.id, vec![mail]).await
        };
        match appended.await {
            Ok(_) => Outcome::delivered(),
            Err(error) => {
                tracing::warn!(session, %mailbox, %error, "not delivered");
                Outcome::store(&error)
            }
        }
    }

    /// RFC 3461 section 5.2.4: a report for the recipients whose sender asked for one. None of a report (null sender).
    async fn report_success(&self, envelope: &Envelope, outcomes: &[Outcome], header: &Header) {
        let wanted = |(recipient, outcome): &(&Recipient, &Outcome)| {
            recipient.notify.success && !recipient.notify.never && outcome.is_success()
        };
        let recipients: Vec<_> = envelope
            .recipients
            .iter()
            .zip(outcomes)
            .filter(wanted)
            .collect();
        if recipients.is_empty() || envelope.sender.is_empty() {
            return;
        }
        let Destination::Mailboxes(mailboxes) = self.destination(&envelope.sender).await else {
            tracing::info!(session = envelope.session, to = ?envelope.sender,
                "no report of success: the sender is not of this server, and it sends no mail to others yet");
            return;
        };
        let report = SuccessReport {
            envelope,
            recipients: &recipients,
            header,
            host_name: &self.0.host_name,
            now: Timestamp::now(),
        };
        let return_path = Body::from_bytes("Return-Path: <>\r\n".into());
        let message = Body::concat(vec![return_path, Body::from_bytes(report.render())]);
        for mailbox in mailboxes {
            self.append(mailbox, message.clone(), &envelope.session)
                .await;
        }
    }
}

impl Destination {
    fn mailboxes(&self) -> impl Iterator<Item = MailboxGuid> {
        match self {
            Destination::Mailboxes(mailboxes) => Some(mailboxes.iter().copied()),
            Destination::Refused(_) => None,
        }
        .into_iter()
        .flatten()
    }

    fn outcome(self, arrived: &HashMap<MailboxGuid, Outcome>) -> Outcome {
        match self {
            Destination::Refused(outcome) => outcome,
            Destination::Mailboxes(mailboxes) => {
                let outcomes = mailboxes
                    .iter()
                    .filter_map(|mailbox| arrived.get(mailbox).cloned());
                Outcome::worst(outcomes).unwrap_or_else(Outcome::empty_group)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Fixture, envelope, notifying};

    const MESSAGE: &str = "Received: from a\r\nSubject: lunch\r\n\r\nat noon\r\n";

    fn codes(outcomes: &[crate::Outcome]) -> Vec<u16> {
        outcomes.iter().map(|outcome| outcome.code).collect()
    }

    #[tokio::test]
    async fn a_message_arrives_as_it_was_after_a_return_path() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        let outcomes = fixture
            .deliver(&envelope("bob@example.net", &["Anna@example.org"]), MESSAGE)
            .await;
        assert_eq!(outcomes[0].to_string(), "250 2.1.5 Delivered");
        assert_eq!(
            fixture.inbox("anna@example.org").await,
            [format!("Return-Path: <bob@example.net>\r\n{MESSAGE}")]
        );
    }

    #[tokio::test]
    async fn each_recipient_has_its_own_outcome() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        fixture
            .directory
            .add_group("empty@example.org", &[])
            .await
            .unwrap();
        let to = [
            "nobody@example.org",
            "anna@example.org",
            "x@example.net",
            "no address",
            "empty@example.org",
        ];
        let outcomes = fixture.deliver(&envelope("", &to), MESSAGE).await;
        let enhanced: Vec<_> = outcomes
            .iter()
            .map(|outcome| (outcome.code, outcome.enhanced.as_str()))
            .collect();
        assert_eq!(
            enhanced,
            [
                (550, "5.1.1"),
                (250, "2.1.5"),
                (550, "5.7.1"),
                (553, "5.1.3"),
                (550, "5.2.4")
            ]
        );
        assert!(fixture.inbox("anna@example.org").await[0].starts_with(b"Return-Path: <>\r\n"));
    }

    #[tokio::test]
    async fn a_mailbox_that_several_recipients_reach_gets_one_copy() {
        let fixture = Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
        let members = ["anna@example.org".to_owned(), "bob@example.org".to_owned()];
        fixture
            .directory
            .add_group("all@example.org", &members)
            .await
            .unwrap();
        fixture
            .directory
            .add_alias("a@example.org", "anna@example.org")
            .await
            .unwrap();
        let to = [
            "anna@example.org",
            "a@example.org",
            "all@example.org",
            "anna+x@example.org",
        ];
        assert_eq!(
            codes(&fixture.deliver(&envelope("", &to), MESSAGE).await),
            [250; 4]
        );
        assert_eq!(fixture.inbox("anna@example.org").await.len(), 1);
        assert_eq!(fixture.inbox("bob@example.org").await.len(), 1);
    }

    #[tokio::test]
    async fn a_retry_after_a_partial_failure_arrives_once_everywhere() {
        let fixture = Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
        let members = ["anna@example.org".to_owned(), "bob@example.org".to_owned()];
        fixture
            .directory
            .add_group("all@example.org", &members)
            .await
            .unwrap();
        fixture.without_mailbox("bob@example.org").await;
        let envelope = envelope(
            "carol@example.net",
            &["all@example.org", "anna@example.org"],
        );
        assert_eq!(
            codes(&fixture.deliver(&envelope, MESSAGE).await),
            [451, 250]
        );
        fixture.with_mailbox_again("bob@example.org").await;
        let retried = MESSAGE.replace("from a", "from a, later");
        assert_eq!(
            codes(&fixture.deliver(&envelope, &retried).await),
            [250, 250]
        );
        assert_eq!(fixture.inbox("anna@example.org").await.len(), 1);
        assert_eq!(fixture.inbox("bob@example.org").await.len(), 1);
        assert_eq!(
            codes(&fixture.deliver(&envelope, "Subject: another\r\n\r\n").await),
            [250, 250]
        );
        assert_eq!(fixture.inbox("anna@example.org").await.len(), 2);
    }

    #[tokio::test]
    async fn a_loop_is_stopped() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        for (hops, code) in [(100, 250), (101, 554)] {
            let message = format!("{}\r\nbody\r\n", "Received: from a\r\n".repeat(hops));
            assert_eq!(
                codes(
                    &fixture
                        .deliver(&envelope("", &["anna@example.org"]), &message)
                        .await
                ),
                [code],
                "{hops} hops"
            );
        }
    }

    #[tokio::test]
    async fn a_sender_cannot_write_fields_of_its_own() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        let outcomes = fixture
            .deliver(&envelope("a>\r\nX-Evil: 1", &["anna@example.org"]), MESSAGE)
            .await;
        assert_eq!(codes(&outcomes), [553]);
    }

    #[tokio::test]
    async fn a_local_sender_is_told_of_success_when_it_asked() {
        let fixture = Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
        let plain = envelope(
            "bob@example.org",
            &["anna@example.org", "nobody@example.org"],
        );
        fixture.deliver(&plain, MESSAGE).await;
        assert!(
            fixture.inbox("bob@example.org").await.is_empty(),
            "nobody asked"
        );
        fixture.deliver(&notifying(plain), MESSAGE).await;
        let reports = fixture.inbox("bob@example.org").await;
        let report = String::from_utf8(reports[0].to_vec()).unwrap();
        assert!(report.starts_with("Return-Path: <>\r\n"));
        assert!(
            report.contains("Final-Recipient: rfc822; anna@example.org")
                && !report.contains("nobody"),
            "{report}"
        );
    }

    #[tokio::test]
    async fn a_report_never_asks_for_a_report() {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        let outcomes = fixture
            .deliver(&notifying(envelope("", &["anna@example.org"])), MESSAGE)
            .await;
        assert_eq!(codes(&outcomes), [250]);
        assert_eq!(fixture.inbox("anna@example.org").await.len(), 1);
    }
}
