//! Delivery: into mailboxes, and into the queue for everybody else.
//!
//! All recipients are resolved first ([`crate::destination`]), so a mailbox that several of them reach gets the message once. Then every
//! mailbox takes it ([`crate::arrive`]), a few at a time, from one body, composed and never copied; and those
//! elsewhere share one message of the queue. A recipient's outcome is the worst of its places' ([`Outcome::worst`]), so that 250
//! says that all of it is on disk; what had arrived when the sender must come again is kept in [`crate::retries`].

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use waxwing_directory::Directory;
use waxwing_exmdb::{Body, BodyWriter, MailboxGuid, Store};
use waxwing_scheduling::Scheduling;

use self::places::{Forward, Places};
use crate::{
    Deposit, Envelope, Filter, Hooks, Milter, Outcome, Quarantine, Queue, Recipient,
    arrive::{Incoming, delivered_to},
    authentication::Authentication,
    destination::{Destination, Poster, Relaying},
    duplicates::Duplicates,
    header::Header,
    hook::Early,
    passed::Passed,
    queue::NewReport,
    report::{Action, Report, Reported},
    retries::{Fingerprint, Place, Retries},
    signing::Signing,
};

/// RFC 5321 section 6.3 asks for at least 100.
const MAX_RECEIVED: usize = 100;
/// Mailboxes of one message that are appended to at the same time.
const AT_ONCE: usize = 8;

/// Delivers to the mailboxes of this machine, and hands what is for others to the queue. Cheap to clone.
#[derive(Clone)]
pub struct Delivery(Arc<Inner>);

struct Inner {
    store: Store,
    directory: Directory,
    queue: Queue,
    host_name: String,
    retries: Retries,
    signing: Signing,
    authentication: OnceLock<Authentication>,
    options: OnceLock<DeliveryOptions>,
    duplicates: Duplicates,
    scheduling: Scheduling,
    filter: OnceLock<Arc<dyn Filter>>,
    hooks: OnceLock<Arc<dyn Hooks>>,
    quarantine: OnceLock<Quarantine>,
}

impl Delivery {
    /// `host_name` is the Reporting-MTA of reports.
    pub fn new(store: Store, directory: Directory, queue: Queue, host_name: String) -> Delivery {
        Delivery(Arc::new(Inner {
            scheduling: Scheduling::new(store.clone(), directory.clone()),
            store,
            signing: Signing::new(directory.clone()),
            directory,
            queue,
            host_name,
            retries: Retries::default(),
            authentication: OnceLock::new(),
            options: OnceLock::new(),
            duplicates: Duplicates::default(),
            filter: OnceLock::new(),
            hooks: OnceLock::new(),
            quarantine: OnceLock::new(),
        }))
    }

    /// Delivers to every recipient that is ours. One outcome per recipient, in their order; 250 means durable in every mailbox that
    /// it reaches, and in the queue for everybody to whom it is forwarded.
    pub async fn deliver(&self, envelope: &Envelope, message: &Body) -> Vec<Outcome> {
        let to_all = |refusal| turned_away(envelope, refusal);
        let entered = async {
            let early = self.hooks_before(envelope, message, None).await;
            let early = early.map_err(to_all)?;
            let checked = self.authenticated(envelope, message).await;
            let checked = checked.map_err(to_all)?;
            let (envelope, message) = checked.unwrap_or((envelope.clone(), message.clone()));
            self.filtered_by_operator(Passed::new(envelope, message), early, None)
                .await
        };
        match entered.await {
            Ok(passed) => self.carry_on(passed, Relaying::Refused, None).await,
            Err(answers) => answers,
        }
    }

    /// What hooks, milters and hooks make of a message, in this order; an error is the answers for its recipients.
    pub(crate) async fn filtered_by_operator(
        &self,
        passed: Passed,
        early: Early,
        principal: Option<&str>,
    ) -> Result<Passed, Vec<Outcome>> {
        let mut passed = passed;
        let asked = async {
            self.with_early(&mut passed, early).await?;
            self.through_milters(&mut passed, principal).await?;
            self.through_hooks(&mut passed, principal).await
        };
        match asked.await {
            Ok(()) => Ok(passed),
            Err(outcome) => Err(passed.stopped(&outcome)),
        }
    }

    /// Whether a message of so many octets (0: not known yet) would be taken for an address of ours; the reply when not. A group is
    /// full when all of its members are.
    pub async fn receives(&self, address: String, size: u64) -> Option<Outcome> {
        let recipient = Recipient {
            address,
            ..Recipient::default()
        };
        let nobody = Envelope::default();
        let (directory, poster) = (&self.0.directory, Poster::of(&nobody));
        let destination = Destination::of(directory, &recipient, Relaying::Refused, poster).await;
        if destination.foreign().next().is_some() {
            return None;
        }
        let mut full = None;
        for guid in destination.mailboxes() {
            let room = async {
                let mailbox = self.0.store.mailbox(guid).await?;
                mailbox.demand_room(size).await
            };
            match room.await {
                Err(error @ waxwing_exmdb::Error::OverQuota(_)) => {
                    full = Some(Outcome::store(&error));
                }
                // What else is wrong is told when the message is there, and may have passed by then.
                _ => return None,
            }
        }
        full
    }

    /// What has passed the filters: those that are left, and those that were added, in one delivery, so that a retry brings it to nobody
    /// twice.
    pub(crate) async fn carry_on(
        &self,
        passed: Passed,
        relaying: Relaying,
        due: Option<i64>,
    ) -> Vec<Outcome> {
        let Passed {
            mut envelope,
            message,
            decided,
            added,
        } = passed;
        let relaying = match relaying {
            Relaying::Refused => Relaying::AllowedAfter(envelope.recipients.len()),
            other => other,
        };
        let nobody_left = envelope.recipients.is_empty();
        envelope.recipients.extend(added);
        let outcomes = self.carry(&envelope, &message, relaying, due).await;
        let mut outcomes = outcomes.into_iter();
        let own: Vec<Option<Outcome>> = decided
            .into_iter()
            .map(|decided| decided.or_else(|| outcomes.next()))
            .collect();
        let added: Vec<Outcome> = outcomes.collect();
        // Led to others altogether, it is theirs or nobody's.
        let is_lost = nobody_left && !added.iter().any(Outcome::is_success);
        let put_off = added
            .into_iter()
            .find(|outcome| is_lost || outcome.is_temporary());
        own.into_iter()
            .map(|outcome| match (outcome, &put_off) {
                (Some(outcome), Some(put_off)) if outcome.is_success() => put_off.clone(),
                (Some(outcome), _) => outcome,
                (None, _) => Outcome::empty_group(),
            })
            .collect()
    }

    /// The same to anybody, at once or at a time (milliseconds since 1970); until then everything is in the queue.
    pub(crate) async fn carry(
        &self,
        envelope: &Envelope,
        message: &Body,
        relaying: Relaying,
        due: Option<i64>,
    ) -> Vec<Outcome> {
        let outcomes = match self.admit(envelope, message).await {
            Ok(header) => {
                let (directory, poster) = (&self.0.directory, Poster::of(envelope));
                let mut destinations = Vec::with_capacity(envelope.recipients.len());
                for (number, recipient) in envelope.recipients.iter().enumerate() {
                    let relaying = relaying.of(number);
                    let found = Destination::of(directory, recipient, relaying, poster).await;
                    destinations.push(found.unless_it_came_back(recipient, &header));
                }
                let outcomes = match due {
                    Some(due) => self.hold(envelope, message, destinations, due).await,
                    None => {
                        self.deliver_admitted(envelope, message, &header, destinations)
                            .await
                    }
                };
                self.report_refused(envelope, &header, outcomes).await
            }
            Err(refusal) => vec![refusal; envelope.recipients.len()],
        };
        for (recipient, outcome) in envelope.recipients.iter().zip(&outcomes) {
            tracing::info!(session = envelope.session, source = envelope.source, from = ?envelope.sender, to = ?recipient.address,
                size = message.size(), %outcome, "delivery");
        }
        outcomes
    }

    pub(crate) fn filter_slot(&self) -> &OnceLock<Arc<dyn Filter>> {
        &self.0.filter
    }

    pub(crate) fn hooks_slot(&self) -> &OnceLock<Arc<dyn Hooks>> {
        &self.0.hooks
    }

    /// From now on hooks can keep messages apart.
    pub fn quarantine_in(&self, quarantine: Quarantine) {
        // The first one stays: there is one data directory.
        let _ = self.0.quarantine.set(quarantine);
    }

    /// What hooks have kept apart.
    pub fn quarantine(&self) -> Option<&Quarantine> {
        self.0.quarantine.get()
    }

    /// As the operator wants it, from now on.
    pub fn configure(&self, options: DeliveryOptions) {
        // The first ones stay: there is one configuration.
        let _ = self.0.options.set(options);
    }

    pub(crate) fn options(&self) -> &DeliveryOptions {
        self.0.options.get_or_init(DeliveryOptions::default)
    }

    pub(crate) fn scheduling_room(&self) -> &Scheduling {
        &self.0.scheduling
    }

    pub(crate) fn duplicates(&self) -> &Duplicates {
        &self.0.duplicates
    }

    pub(crate) fn authentication_slot(&self) -> &OnceLock<Authentication> {
        &self.0.authentication
    }

    pub(crate) fn signing(&self) -> &Signing {
        &self.0.signing
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.store
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.0.directory
    }

    pub(crate) fn queue(&self) -> &Queue {
        &self.0.queue
    }

    pub(crate) fn host_name(&self) -> &str {
        &self.0.host_name
    }

    /// For a message that comes out of the queue.
    pub(crate) fn spool(&self) -> BodyWriter {
        self.0.store.spool()
    }

    /// What refuses the message whoever it is for.
    pub(crate) async fn admit(
        &self,
        envelope: &Envelope,
        message: &Body,
    ) -> Result<Header, Outcome> {
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

    /// RFC 4865: everybody who exists waits in the queue.
    async fn hold(
        &self,
        envelope: &Envelope,
        message: &Body,
        destinations: Vec<Destination>,
        due: i64,
    ) -> Vec<Outcome> {
        let is_refused = |destination: &Destination| matches!(destination, Destination::Refused(_));
        let recipients: Vec<Recipient> = envelope
            .recipients
            .iter()
            .zip(&destinations)
            .filter(|(_, destination)| !is_refused(destination))
            .map(|(recipient, _)| recipient.clone())
            .collect();
        let queued = match recipients.is_empty() {
            true => Outcome::empty_group(),
            false => self.enqueue(envelope, recipients, message, Some(due)).await,
        };
        destinations
            .into_iter()
            .map(|destination| match destination {
                Destination::Refused(outcome) => outcome,
                Destination::Reached { .. } => queued.clone(),
            })
            .collect()
    }

    async fn enqueue(
        &self,
        envelope: &Envelope,
        recipients: Vec<Recipient>,
        message: &Body,
        due: Option<i64>,
    ) -> Outcome {
        let envelope = Envelope {
            recipients,
            ..envelope.clone()
        };
        match self.0.queue.add(envelope, message.clone(), due).await {
            Ok(id) => Outcome::queued(id),
            Err(error) => Outcome::queue(&error),
        }
    }

    async fn deliver_admitted(
        &self,
        envelope: &Envelope,
        message: &Body,
        header: &Header,
        destinations: Vec<Destination>,
    ) -> Vec<Outcome> {
        let arrived = match self
            .arrive_once(envelope, message, header, &destinations)
            .await
        {
            Ok(arrived) => arrived,
            Err(outcome) => return vec![outcome; envelope.recipients.len()],
        };
        let mut reportable = Vec::new();
        let mut outcomes = Vec::with_capacity(destinations.len());
        for (recipient, destination) in envelope.recipients.iter().zip(destinations) {
            let action = match destination.is_forwarded() {
                true => Action::Expanded,
                false => Action::Delivered,
            };
            let ends_here = destination.ends_here();
            let outcome = destination.outcome(&arrived);
            if ends_here && outcome.is_success() && !outcome.is_discarded() {
                reportable.push((recipient, action, outcome.clone()));
            }
            outcomes.push(outcome);
        }
        self.report_success(envelope, &reportable, header).await;
        outcomes
    }

    /// Brings the message to each place where it is not from an earlier attempt.
    async fn arrive_once(
        &self,
        envelope: &Envelope,
        message: &Body,
        header: &Header,
        destinations: &[Destination],
    ) -> Result<HashMap<Place, Outcome>, Outcome> {
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
        let places = Places::of(envelope, destinations, &before);
        if places.known > 0 {
            tracing::info!(
                session = envelope.session,
                places = places.known,
                "some have the message from an earlier attempt"
            );
        }
        let mut arrived: HashMap<Place, Outcome> = before
            .into_iter()
            .map(|place| (place, Outcome::delivered()))
            .collect();
        let into_mailboxes = self.arrive_all(envelope, message, header, places.mailboxes);
        arrived.extend(into_mailboxes.await);
        arrived.extend(self.send_on(envelope, message, places.foreign).await);
        if arrived.values().any(Outcome::is_temporary) && arrived.values().any(Outcome::is_success)
        {
            let delivered = arrived
                .iter()
                .filter(|(_, outcome)| outcome.is_success())
                .map(|(place, _)| place.clone());
            // Without a fingerprint those that have the message may get it again: better than none of them.
            if let Ok(message) = fingerprint().await {
                self.0.retries.remember(message, delivered, Instant::now());
            }
        }
        Ok(arrived)
    }

    /// To the queue: one message for those who were written to, and one for each address of ours that leads elsewhere, which says so.
    async fn send_on(
        &self,
        envelope: &Envelope,
        message: &Body,
        foreign: BTreeMap<String, Forward>,
    ) -> Vec<(Place, Outcome)> {
        let mut by_origin: BTreeMap<Option<String>, Vec<Recipient>> = BTreeMap::new();
        for Forward { origin, recipient } in foreign.into_values() {
            by_origin.entry(origin).or_default().push(recipient);
        }
        if by_origin.is_empty() {
            return Vec::new();
        }
        let sealed = self.sealed(envelope, message, message.clone()).await;
        let mut arrived = Vec::new();
        for (origin, recipients) in by_origin {
            let message = match origin {
                Some(origin) => Body::concat(vec![delivered_to(&origin), sealed.clone()]),
                None => sealed.clone(),
            };
            let places: Vec<Place> = recipients
                .iter()
                .map(|recipient| Place::Foreign(recipient.address.clone()))
                .collect();
            let queued = self.enqueue(envelope, recipients, &message, None).await;
            arrived.extend(places.into_iter().map(|place| (place, queued.clone())));
        }
        arrived
    }

    async fn arrive_all(
        &self,
        envelope: &Envelope,
        message: &Body,
        header: &Header,
        mailboxes: BTreeMap<MailboxGuid, String>,
    ) -> Vec<(Place, Outcome)> {
        stream::iter(mailboxes)
            .map(|(mailbox, recipient)| async move {
                let incoming = Incoming {
                    envelope,
                    recipient: &recipient,
                    message,
                    header,
                    filing: &Deposit::default(),
                };
                let outcome = self.arrive(mailbox, &incoming).await;
                (Place::Mailbox(mailbox), outcome)
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await
    }

    /// With the signatures of this server's domain; without them when they cannot be had, since a report must not be lost over that.
    pub(crate) async fn signed_report(&self, report: NewReport) -> NewReport {
        let signed = self.0.signing.sign(&self.0.host_name, &report.message);
        match signed.await {
            Ok(message) => NewReport { message, ..report },
            Err(outcome) => {
                tracing::warn!(%outcome, "a report leaves without a signature");
                report
            }
        }
    }

    /// RFC 3461 section 5.2.4: a report for the recipients whose sender asked for one. None of a report (null sender).
    async fn report_success(
        &self,
        envelope: &Envelope,
        reached: &[(&Recipient, Action, Outcome)],
        header: &Header,
    ) {
        let wanted = |recipient: &Recipient| recipient.notify.success && !recipient.notify.never;
        for kind in [Action::Delivered, Action::Expanded] {
            let recipients: Vec<Reported<'_>> = reached
                .iter()
                .filter(|(recipient, action, _)| *action == kind && wanted(recipient))
                .map(|(recipient, action, outcome)| Reported {
                    address: &recipient.address,
                    original: recipient.original.as_deref(),
                    action: *action,
                    outcome,
                    host: "",
                })
                .collect();
            if recipients.is_empty() || envelope.sender.is_empty() {
                continue;
            }
            let report = Report {
                sender: &envelope.sender,
                envelope_id: envelope.envelope_id.as_deref(),
                recipients: &recipients,
                header,
                whole: None,
                host_name: &self.0.host_name,
                now: Timestamp::now(),
                arrived: Timestamp::now(),
                retried_until: None,
            };
            let report = self.signed_report(report.queued(&envelope.session)).await;
            let NewReport { envelope, message } = report;
            if let Err(error) = self.0.queue.add(envelope, message, None).await {
                tracing::warn!(%error, "a report of success is lost");
            }
        }
    }
}

/// One refusal for all.
pub(crate) fn turned_away(envelope: &Envelope, refusal: Outcome) -> Vec<Outcome> {
    tracing::info!(session = envelope.session, source = envelope.source, from = ?envelope.sender, outcome = %refusal, "refused");
    vec![refusal; envelope.recipients.len()]
}

/// What the operator wants of deliveries.
#[derive(Debug, Clone, Default)]
pub struct DeliveryOptions {
    /// For so long the same message is not stored twice in a mailbox.
    pub duplicate_window: Duration,
    /// What comes over LMTP too.
    pub duplicates_of_lmtp: bool,
    /// A copy of what is submitted goes to the Sent folder of its sender.
    pub save_sent: bool,
    /// Filters of others, in the order in which they are asked.
    pub milters: Vec<Milter>,
}

mod places;
mod refused;
#[cfg(test)]
mod tests;
