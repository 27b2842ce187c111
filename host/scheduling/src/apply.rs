//! A message comes to somebody here: his copy becomes what it says, and the message goes into his inbox, in one commit.

use bytes::Bytes;
use waxwing_exmdb::{
    Body, Error as StoreError, FolderId, Mailbox, Object as Stored, ObjectCondition, ObjectPlace,
    ObjectPut, Role, SchedulingState,
};
use waxwing_formats_ical::schedule::{
    Change, Context, Message, Received, Stale, organizer_changed, receive, refresh, refreshed,
};
use waxwing_formats_ical::{Calendar, Kind, Object};

use crate::{Result, Scheduling, facts, guard::guarded, inbox, now, people::Person, trust};

/// How often a change is tried anew when another one came in between.
const ATTEMPTS: u32 = 5;

/// What is there of a meeting.
pub(crate) struct Copy {
    pub(crate) folder: FolderId,
    pub(crate) stored: Stored,
    pub(crate) object: Object,
}

/// What a message changed, and what follows from it.
pub(crate) struct Applied {
    pub(crate) change: Change,
    /// From the same person to others.
    pub(crate) following: Vec<Message>,
}

/// What is to be stored, worked out apart from the store.
struct Outcome {
    received: Received,
    following: Vec<Message>,
}

impl Scheduling {
    /// Brings a message to somebody, whose sender is known. A copy that is changed at the same time is looked at again.
    ///
    /// # Errors
    /// As the store's; `NotTheirs`.
    pub(crate) async fn apply(&self, person: &Person, message: &Calendar) -> Result<Applied> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            match self.apply_once(person, message).await {
                Err(crate::Error::Store(StoreError::Conflict(_))) if attempt < ATTEMPTS => {}
                other => return other,
            }
        }
    }

    async fn apply_once(&self, person: &Person, message: &Calendar) -> Result<Applied> {
        let copy = copy_of(&person.mailbox, message).await?;
        let (given, mine) = (message.clone(), person.addresses.clone());
        let stored = copy.as_ref().map(|copy| copy.object.clone());
        let context = Context {
            mine: &mine,
            now: now(),
        };
        trust::check(message, stored.as_ref(), &context)?;
        let addresses = mine.clone();
        let outcome = guarded(move || worked_out(&given, stored.as_ref(), &addresses)).await?;
        let Outcome {
            received,
            following,
        } = outcome;
        self.store(person, message, (copy.as_ref(), &received))
            .await?;
        Ok(Applied {
            change: received.change,
            following,
        })
    }

    async fn store(
        &self,
        person: &Person,
        message: &Calendar,
        (copy, received): (Option<&Copy>, &Received),
    ) -> Result<()> {
        let mut puts = Vec::new();
        if let Some(object) = &received.object {
            puts.push(put_copy(person, (copy, object), received).await?);
        }
        let mut pruned = None;
        if is_shown(&received.change) {
            let collections = self.collections(&person.mailbox).await?;
            puts.push(put_message(collections.inbox, message));
            pruned = Some(collections.inbox);
        }
        if puts.is_empty() {
            return Ok(());
        }
        person.mailbox.put_objects(puts).await?;
        if let Some(inbox) = pruned {
            // What had to be stored is.
            if let Err(error) = inbox::prune(&person.mailbox, inbox).await {
                tracing::debug!(to = person.user.address, %error, "the scheduling inbox is not tidied up");
            }
        }
        Ok(())
    }
}

/// Whether somebody finds the message in his inbox.
fn is_shown(change: &Change) -> bool {
    !matches!(
        change,
        Change::Answers | Change::Nothing(_) | Change::RefreshWanted(_)
    )
}

fn worked_out(
    message: &Calendar,
    stored: Option<&Object>,
    mine: &[String],
) -> waxwing_formats_ical::Result<Outcome> {
    let context = Context { mine, now: now() };
    let received = receive(message, stored, &context)?;
    let following = match (&received.change, stored, &received.object) {
        // The others are told who comes.
        (Change::Replied(answering, _), Some(stored), Some(object)) => {
            let told = organizer_changed(Some(stored), Some(object), &context)?;
            let others = told.messages.into_iter().filter(|message| {
                message.minor
                    && !waxwing_formats_ical::schedule::same_address(&message.recipient, answering)
            });
            others.collect()
        }
        (Change::RefreshWanted(address), Some(stored), _) => {
            refreshed(stored, address, &context)?.into_iter().collect()
        }
        // RFC 5546 section 3.2.4.
        (Change::Nothing(Stale::NeedsRefresh), ..) => {
            refresh(message, &context).into_iter().collect()
        }
        _ => Vec::new(),
    };
    Ok(Outcome {
        received,
        following,
    })
}

/// The UID of a message.
fn uid(message: &Calendar) -> Option<&str> {
    let components = &message.component().components;
    let inner = components
        .iter()
        .find(|component| !component.is("VTIMEZONE"))?;
    inner
        .value("UID")
        .map(str::trim)
        .filter(|uid| !uid.is_empty() && uid.len() <= 1024)
}

pub(crate) async fn copy_of(mailbox: &Mailbox, message: &Calendar) -> Result<Option<Copy>> {
    let Some(uid) = uid(message) else {
        return Ok(None);
    };
    for (folder, stored) in mailbox.objects_of_uid(uid).await? {
        let source = mailbox
            .read_objects_named(folder, std::slice::from_ref(&stored.name))
            .await?;
        let Some((stored, source)) = source.into_iter().flatten().next() else {
            continue;
        };
        // A card of this UID, or what another protocol has torn.
        if let Ok(object) = guarded(move || Object::parse(&source)).await {
            return Ok(Some(Copy {
                folder,
                stored,
                object,
            }));
        }
    }
    Ok(None)
}

async fn put_copy(
    person: &Person,
    (copy, object): (Option<&Copy>, &Object),
    received: &Received,
) -> Result<ObjectPut> {
    let (place, condition) = match copy {
        Some(copy) => (
            ObjectPlace {
                folder: copy.folder,
                name: copy.stored.name.clone(),
            },
            ObjectCondition::Is(vec![copy.stored.etag]),
        ),
        None => {
            let folder = match object.kind() {
                Kind::Todo => person.mailbox.folder_by_role(Role::Tasks).await?.id,
                _ => inbox::default_calendar(&person.mailbox).await?,
            };
            let place = ObjectPlace {
                folder,
                name: name(),
            };
            (place, ObjectCondition::Absent)
        }
    };
    let state = match received.keeps_schedule_tag() {
        true => SchedulingState::AnswersOnly,
        false => SchedulingState::Changed,
    };
    Ok(ObjectPut {
        place,
        condition,
        source: Body::from_bytes(Bytes::from(object.to_text())),
        facts: facts::of_copy(object, now(), state),
    })
}

fn put_message(inbox: FolderId, message: &Calendar) -> ObjectPut {
    let name = name();
    let components = &message.component().components;
    let inner = components
        .iter()
        .find(|component| !component.is("VTIMEZONE"));
    let kind = inner.and_then(|component| Kind::of_name(&component.name));
    let summary = inner
        .and_then(|component| component.line("SUMMARY"))
        .map(|line| line.as_text());
    let facts = facts::of_message(
        facts::kind(kind.unwrap_or(Kind::Event)),
        &name,
        summary.as_deref(),
    );
    ObjectPut {
        place: ObjectPlace {
            folder: inbox,
            name,
        },
        condition: ObjectCondition::Absent,
        source: Body::from_bytes(Bytes::from(message.to_text())),
        facts,
    }
}

/// A name that nothing has.
fn name() -> String {
    format!("{:032x}.ics", rand::random::<u128>())
}
