//! Meetings in the mail flow: what is scheduled here leaves as mail, and what comes as mail is brought to the calendar.
//!
//! A message that has arrived is stored first and looked at then, so that nothing in it can lose it; whatever is wrong with its calendar is
//! a line in the log. Bounds: [`MAX_MAIL`] octets of a message that is looked into, [`TIME`] for all that it changes.

use std::time::Duration;

use async_trait::async_trait;
use waxwing_directory::User;
use waxwing_exmdb::{Body, MailboxGuid};
use waxwing_formats_mime::header as mime;
use waxwing_scheduling::{Letter, Mail, Outgoing, Post, Scheduling, Status};

use crate::{Delivery, Envelope, Recipient, Submission, arrive::Incoming, submission::authors};

/// The source of mail about what is in the recipient's calendar already.
pub(crate) const APPLIED: &str = "scheduling";
/// Octets of a message that is looked into.
const MAX_MAIL: u64 = 16 * 1024 * 1024;
/// For all that a message changes.
const TIME: Duration = Duration::from_secs(30);

impl Delivery {
    /// Calendars, and who has time.
    #[must_use]
    pub fn scheduling(&self) -> &Scheduling {
        self.scheduling_room()
    }

    /// Sends messages of iTIP of somebody. One status for each, in their order.
    ///
    /// # Errors
    /// When it is not known who he is.
    pub async fn schedule(
        &self,
        owner: &User,
        messages: Vec<Outgoing>,
    ) -> waxwing_scheduling::Result<Vec<Status>> {
        self.scheduling().send(self, owner, messages).await
    }

    /// Brings what a stored message says of a meeting to the calendar of its recipient.
    pub(crate) async fn bring_to_calendar(&self, guid: MailboxGuid, incoming: &Incoming<'_>) {
        if !may_be_meeting(incoming) {
            return;
        }
        let session = &incoming.envelope.session;
        let brought = async {
            let owner = self.store().mailbox(guid).await?.owner().await?;
            let header = mime::select(incoming.header.octets(), &["Sender"], true);
            let size = usize::try_from(incoming.message.size()).unwrap_or(usize::MAX);
            let mail = Mail {
                owner: self.directory().user(&owner).await?,
                recipient: incoming.recipient.to_owned(),
                authors: authors(&header),
                is_known: matches!(incoming.envelope.source.as_str(), "submission" | "lmtp"),
                message: incoming.message.read(0, size).await?.to_vec(),
            };
            self.scheduling().arrived(self, mail).await
        };
        match tokio::time::timeout(TIME, brought).await {
            Ok(Ok(false)) => {}
            Ok(Ok(true)) => {
                tracing::info!(session, mailbox = %guid, "a meeting is brought to the calendar")
            }
            Ok(Err(error)) => {
                tracing::info!(session, mailbox = %guid, %error, "a meeting is not brought to the calendar");
            }
            Err(_) => {
                tracing::warn!(session, mailbox = %guid, "limit reached: seconds for a meeting that comes as mail = {}", TIME.as_secs());
            }
        }
    }
}

/// What a header tells: nothing of most mail is read again.
fn may_be_meeting(incoming: &Incoming<'_>) -> bool {
    let envelope = incoming.envelope;
    let is_trusted = !envelope.junk && !envelope.unproven;
    if envelope.source == APPLIED || !is_trusted || incoming.message.size() > MAX_MAIL {
        return false;
    }
    let kind = mime::find(incoming.header.octets(), "Content-Type");
    kind.is_some_and(|field| {
        let value = field.value.trim_ascii_start().to_ascii_lowercase();
        value.starts_with(b"multipart/") || value.starts_with(b"text/calendar")
    })
}

#[async_trait]
impl Post for Delivery {
    async fn post(&self, letter: Letter) -> bool {
        let source = match letter.is_applied {
            true => APPLIED,
            false => "submission",
        };
        let submission = Submission {
            envelope: Envelope {
                sender: letter.from.address.clone(),
                recipients: vec![Recipient {
                    address: letter.to,
                    ..Recipient::default()
                }],
                body_type: "8BITMIME".into(),
                source: source.into(),
                session: "scheduling".into(),
                ..Envelope::default()
            },
            principal: letter.from,
            hold_until: None,
        };
        let message = Body::from_bytes(letter.message);
        let outcomes = self.submit(&submission, &message).await;
        outcomes.iter().all(crate::Outcome::is_success)
    }
}
