//! Where a recipient leads: mailboxes of this server, addresses elsewhere, or nowhere.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use waxwing_directory::{Directory, Resolution};
use waxwing_exmdb::MailboxGuid;

use crate::{
    Envelope, Notify, Outcome, Recipient, arrive::has_been_at, header::Header, meetings::APPLIED,
    report_values::xtext, retries::Place,
};

/// Addresses that one recipient may lead through; what is beyond that was never meant.
const MAX_STEPS: usize = 10_000;

/// Whether mail for others is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relaying {
    /// Whoever is logged in may write to anybody.
    Allowed,
    /// Only to addresses of ours, wherever those lead.
    Refused,
    /// Refused for so many recipients; those after them were added by a filter of the operator's.
    AllowedAfter(usize),
}

impl Relaying {
    /// For the recipient of a number.
    pub(crate) fn of(self, number: usize) -> Relaying {
        match self {
            Relaying::AllowedAfter(first) if number >= first => Relaying::Allowed,
            Relaying::AllowedAfter(_) => Relaying::Refused,
            all => all,
        }
    }
}

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Poster<'a> {
    sender: &'a str,
    /// The sender is who he says: he is logged in, or another server of ours has seen to that.
    is_known: bool,
}

impl<'a> Poster<'a> {
    pub(crate) fn of(envelope: &'a Envelope) -> Poster<'a> {
        Poster {
            sender: &envelope.sender,
            is_known: matches!(envelope.source.as_str(), "submission" | "lmtp" | APPLIED),
        }
    }

    /// Whether a group that does not take mail of everybody takes his. An address of ours may be anybody's who is not logged in.
    async fn may_write_to(self, directory: &Directory, group: &str) -> Result<(), Outcome> {
        let allowed = async {
            if !self.is_known && directory.resolve(self.sender).await? != Resolution::Foreign {
                return Ok(false);
            }
            directory.may_post(group, self.sender).await
        };
        match allowed.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Outcome::may_not_post(group)),
            Err(error) => Err(Outcome::directory(&error)),
        }
    }
}

/// Where one recipient's message goes.
pub(crate) enum Destination {
    Reached {
        mailboxes: BTreeSet<MailboxGuid>,
        /// Recipients for the queue, by address.
        foreign: BTreeMap<String, Recipient>,
        /// Some of them are not who was written to.
        forwarded: bool,
    },
    Refused(Outcome),
}

impl Destination {
    pub(crate) async fn of(
        directory: &Directory,
        recipient: &Recipient,
        relaying: Relaying,
        poster: Poster<'_>,
    ) -> Destination {
        let address = recipient.address.as_str();
        match directory.resolve(address).await {
            Ok(Resolution::Local { restricted, .. }) => {
                let reached = async {
                    if restricted {
                        poster.may_write_to(directory, address).await?;
                    }
                    Reach::from(directory, recipient).await
                };
                reached.await.unwrap_or_else(Destination::Refused)
            }
            Ok(Resolution::Unknown) => Destination::Refused(Outcome::unknown(address)),
            Ok(Resolution::Foreign) if relaying == Relaying::Allowed => Destination::Reached {
                mailboxes: BTreeSet::new(),
                foreign: BTreeMap::from([(address.to_owned(), recipient.clone())]),
                forwarded: false,
            },
            Ok(Resolution::Foreign) => Destination::Refused(Outcome::foreign()),
            Ok(Resolution::Malformed(reason)) => Destination::Refused(Outcome::malformed(&reason)),
            Err(error) => Destination::Refused(Outcome::directory(&error)),
        }
    }

    /// A message that leads elsewhere goes there once: with our own trace in it, it has come back.
    pub(crate) fn unless_it_came_back(self, recipient: &Recipient, header: &Header) -> Destination {
        match self.is_forwarded() && has_been_at(header, &recipient.address) {
            true => Destination::Refused(Outcome::came_back()),
            false => self,
        }
    }

    pub(crate) fn mailboxes(&self) -> impl Iterator<Item = MailboxGuid> {
        match self {
            Destination::Reached { mailboxes, .. } => Some(mailboxes.iter().copied()),
            Destination::Refused(_) => None,
        }
        .into_iter()
        .flatten()
    }

    pub(crate) fn foreign(&self) -> impl Iterator<Item = &Recipient> {
        match self {
            Destination::Reached { foreign, .. } => Some(foreign.values()),
            Destination::Refused(_) => None,
        }
        .into_iter()
        .flatten()
    }

    /// Somebody else has the message now, and the sender hears of it at once or not at all.
    pub(crate) fn is_forwarded(&self) -> bool {
        matches!(
            self,
            Destination::Reached {
                forwarded: true,
                ..
            }
        )
    }

    /// Whether it ends here, so that success can be reported.
    pub(crate) fn ends_here(&self) -> bool {
        self.is_forwarded() || self.foreign().next().is_none()
    }

    pub(crate) fn outcome(self, arrived: &HashMap<Place, Outcome>) -> Outcome {
        match self {
            Destination::Refused(outcome) => outcome,
            Destination::Reached {
                mailboxes, foreign, ..
            } => {
                let mailboxes = mailboxes.into_iter().map(Place::Mailbox);
                let places = mailboxes.chain(foreign.into_keys().map(Place::Foreign));
                let outcomes = places.filter_map(|place| arrived.get(&place).cloned());
                Outcome::worst(outcomes).unwrap_or_else(Outcome::empty_group)
            }
        }
    }
}

/// All that an address of ours leads to. An address elsewhere may have become one of ours since it was written down; it is followed
/// then, and each address once, so that a ring ends here and not in the queue.
struct Reach {
    mailboxes: BTreeSet<MailboxGuid>,
    foreign: BTreeSet<String>,
}

impl Reach {
    async fn from(directory: &Directory, recipient: &Recipient) -> Result<Destination, Outcome> {
        let mut reach = Reach {
            mailboxes: BTreeSet::new(),
            foreign: BTreeSet::new(),
        };
        let mut seen = HashSet::new();
        let mut open = vec![recipient.address.clone()];
        while let Some(address) = open.pop() {
            if seen.len() >= MAX_STEPS || !seen.insert(address.to_lowercase()) {
                continue;
            }
            open.extend(reach.follow(directory, address).await?);
        }
        if reach.mailboxes.is_empty() && reach.foreign.is_empty() {
            return Err(Outcome::empty_group());
        }
        let forwarded = !reach.foreign.is_empty();
        let foreign = reach.foreign.into_iter();
        Ok(Destination::Reached {
            mailboxes: reach.mailboxes,
            foreign: foreign
                .map(|address| (address.clone(), forward(recipient, address)))
                .collect(),
            forwarded,
        })
    }

    /// Notes what is reached, and answers what must be followed.
    async fn follow(
        &mut self,
        directory: &Directory,
        address: String,
    ) -> Result<Vec<String>, Outcome> {
        match directory.resolve(&address).await {
            Ok(Resolution::Local { users, foreign, .. }) => {
                for user in users {
                    let mailbox = user.mailbox.parse();
                    self.mailboxes
                        .insert(mailbox.map_err(|error| Outcome::store(&error))?);
                }
                Ok(foreign)
            }
            Ok(Resolution::Foreign) => {
                self.foreign.insert(address);
                Ok(Vec::new())
            }
            // A forward that leads nowhere does not keep the others from their mail.
            Ok(Resolution::Unknown | Resolution::Malformed(_)) => {
                tracing::warn!(address, "forwarded to an address that does not exist");
                Ok(Vec::new())
            }
            Err(error) => Err(Outcome::directory(&error)),
        }
    }
}

/// RFC 3461 section 5.2.7: success is reported where the message is sent on, and the reports of failure name who was written to.
fn forward(recipient: &Recipient, address: String) -> Recipient {
    let written = || format!("rfc822;{}", xtext(&recipient.address));
    Recipient {
        address,
        notify: Notify {
            success: false,
            never: recipient.notify.never
                || (recipient.notify.success
                    && !recipient.notify.failure
                    && !recipient.notify.delay),
            ..recipient.notify
        },
        original: Some(recipient.original.clone().unwrap_or_else(written)),
    }
}
