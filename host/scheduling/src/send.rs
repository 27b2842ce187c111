//! From somebody here to others.

use std::{collections::VecDeque, time::Instant};

use waxwing_directory::User;
use waxwing_formats_ical::{
    Calendar,
    schedule::{Change, same_address},
};

use crate::{
    Error, FOLLOWING_TIME, Letter, MAX_FOLLOWING, Post, Result, Scheduling, guard,
    letter::{Envelope, render},
    people::{Person, Whose},
    trust,
};

/// A message for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// A calendar user address.
    pub recipient: String,
    /// A VCALENDAR with METHOD.
    pub calendar: String,
    /// Only answers of others changed: nobody gets a mail.
    pub minor: bool,
}

/// What became of a message (RFC 6638 section 3.2.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It left as mail.
    Sent,
    /// It has been brought to the calendar.
    Delivered,
    /// There is nobody of that address.
    Unknown,
    /// It is not from whom it says, or about what is not his.
    Refused,
    /// It could not be brought there.
    Failed,
}

impl Status {
    /// SCHEDULE-STATUS.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Status::Sent => "1.1",
            Status::Delivered => "1.2",
            Status::Unknown => "3.7",
            Status::Refused => "3.8",
            Status::Failed => "5.1",
        }
    }
}

/// A message on its way.
struct Way {
    from: User,
    recipient: String,
    calendar: Calendar,
    minor: bool,
    /// It follows from another one: no person says it.
    is_automatic: bool,
}

impl Scheduling {
    /// Sends messages of somebody. One status for each, in their order.
    ///
    /// # Errors
    /// When it is not known who he is.
    pub async fn send(
        &self,
        post: &dyn Post,
        owner: &User,
        messages: Vec<Outgoing>,
    ) -> Result<Vec<Status>> {
        let addresses = self.addresses(owner).await?;
        let mut following = VecDeque::new();
        let mut statuses = Vec::with_capacity(messages.len());
        for message in messages {
            let sent = async {
                let calendar = guard::calendar(message.calendar.into_bytes()).await?;
                if !trust::is_from(&calendar, &addresses) {
                    return Ok(Status::Refused);
                }
                let way = Way {
                    from: owner.clone(),
                    recipient: message.recipient.clone(),
                    calendar,
                    minor: message.minor,
                    is_automatic: false,
                };
                self.bring(post, way, &mut following).await
            };
            statuses.push(told(&message.recipient, sent.await));
        }
        self.follow(post, following).await;
        Ok(statuses)
    }

    /// What follows from messages, and from that, until nothing does.
    async fn follow(&self, post: &dyn Post, mut ways: VecDeque<Way>) {
        let began = Instant::now();
        for _ in 0..MAX_FOLLOWING {
            if began.elapsed() > FOLLOWING_TIME {
                break;
            }
            let Some(way) = ways.pop_front() else {
                return;
            };
            let recipient = way.recipient.clone();
            let brought = self.bring(post, way, &mut ways).await;
            told(&recipient, brought);
        }
        tracing::warn!(
            left = ways.len(),
            "limit reached: messages that follow from others = {MAX_FOLLOWING}, in seconds = {}",
            FOLLOWING_TIME.as_secs()
        );
    }

    async fn bring(
        &self,
        post: &dyn Post,
        way: Way,
        following: &mut VecDeque<Way>,
    ) -> Result<Status> {
        let (address, status) = match self.whose(&way.recipient).await? {
            Whose::Nobody => return Ok(Status::Unknown),
            Whose::Mail(address) => (address, Status::Sent),
            Whose::Person(person) => {
                let status = match self.bring_to(&person, &way.calendar, following).await {
                    Ok(()) => Status::Delivered,
                    Err(error @ Error::NotTheirs(_)) => return Err(error),
                    // He hears of it by mail all the same.
                    Err(error) => {
                        tracing::warn!(to = person.user.address, %error, "a scheduling message does not come to the calendar");
                        Status::Failed
                    }
                };
                (person.user.address, status)
            }
        };
        if way.minor {
            return Ok(status);
        }
        let envelope = Envelope {
            from: &way.from,
            to: &address,
            is_automatic: way.is_automatic,
        };
        let letter = Letter {
            message: render(envelope, &way.calendar),
            from: way.from,
            to: address,
            is_applied: status == Status::Delivered,
        };
        let is_sent = post.post(letter).await;
        // What is in the calendar has arrived, whatever became of the mail.
        Ok(match (status, is_sent) {
            (Status::Sent, false) => Status::Failed,
            (Status::Failed, true) => Status::Sent,
            (status, _) => status,
        })
    }

    async fn bring_to(
        &self,
        person: &Person,
        calendar: &Calendar,
        following: &mut VecDeque<Way>,
    ) -> Result<()> {
        let is_resource = self.resource(&person.mailbox).await?.is_some();
        if is_resource && !asks_for(calendar, &person.addresses) {
            return Err(Error::NotTheirs("the room is not asked to come"));
        }
        let turn = match is_resource {
            true => Some(self.rooms.lock().await),
            false => None,
        };
        let applied = self.apply(person, calendar).await?;
        tracing::info!(to = person.user.address, method = calendar.method(), change = ?applied.change, "scheduling");
        let mut messages = applied.following;
        if matches!(applied.change, Change::Invited | Change::Updated(_)) {
            match self.decide(person, calendar).await {
                Ok(answer) => messages.extend(answer),
                // It stays unanswered, as it would with a person.
                Err(error) => {
                    tracing::warn!(to = person.user.address, %error, "a room gives no answer")
                }
            }
        }
        drop(turn);
        following.extend(messages.into_iter().map(|message| Way {
            from: person.user.clone(),
            recipient: message.recipient,
            calendar: message.calendar,
            minor: message.minor,
            is_automatic: true,
        }));
        Ok(())
    }

    /// A message that came as mail, for somebody here; what follows from it leaves.
    pub(crate) async fn bring_in(
        &self,
        post: &dyn Post,
        person: &Person,
        calendar: &Calendar,
    ) -> Result<()> {
        let mut following = VecDeque::new();
        self.bring_to(person, calendar, &mut following).await?;
        self.follow(post, following).await;
        Ok(())
    }
}

/// Whether a REQUEST names one of the addresses as an attendee; what is no REQUEST asks for nothing.
fn asks_for(calendar: &Calendar, addresses: &[String]) -> bool {
    let is_request = calendar
        .method()
        .is_some_and(|method| method.eq_ignore_ascii_case("REQUEST"));
    let components = calendar.component().components.iter();
    let mut attendees = components.flat_map(|component| component.lines_of("ATTENDEE"));
    !is_request || attendees.any(|line| addresses.iter().any(|one| same_address(one, &line.value)))
}

fn told(recipient: &str, brought: Result<Status>) -> Status {
    brought.unwrap_or_else(|error| {
        tracing::warn!(to = recipient, %error, "a scheduling message is not delivered");
        match error {
            Error::NotTheirs(_) => Status::Refused,
            _ => Status::Failed,
        }
    })
}
