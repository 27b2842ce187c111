//! Rooms and equipment that answer for themselves.
//!
//! Which mailbox is one, and how it answers, is kept in the mailbox: an administrator says it, a backup takes it along. An answer is given
//! to an invitation as it stands in the calendar, after its commit; whatever comes in between is looked at by the next invitation.
//! **Bound**: a meeting is declined when one of its times in [`AHEAD`] is taken; what is later is not looked at.

use bytes::Bytes;
use waxwing_exmdb::{Body, Mailbox, ObjectCondition, ObjectOutcome, ObjectPlace, SchedulingState};
use waxwing_formats_ical::schedule::{Context, Message, Participation, answer, same_address};
use waxwing_formats_ical::{Calendar, Object, Range, Zone};

use crate::{Result, Scheduling, apply::copy_of, facts, guard::guarded, now, people::Person};

/// Seconds from now on that are looked at.
const AHEAD: i64 = 2 * 366 * 86_400;
/// Instances of a series that are looked at.
const MAX_INSTANCES: usize = 5_000;
/// Where it is kept.
const KEPT: (&str, &str) = ("scheduling", "resource");

/// CUTYPE of who is nobody (RFC 5545 section 3.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourceKind {
    /// ROOM.
    Room,
    /// RESOURCE.
    Equipment,
}

impl ResourceKind {
    /// CUTYPE.
    pub(crate) fn cutype(self) -> &'static str {
        match self {
            ResourceKind::Room => "ROOM",
            ResourceKind::Equipment => "RESOURCE",
        }
    }
}

/// How invitations are answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResourcePolicy {
    /// Accepted when it is free, else declined.
    IfFree,
    /// Always accepted.
    Accept,
    /// Always declined.
    Decline,
    /// By somebody who may edit the calendar.
    ByHand,
}

/// A room or a piece of equipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resource {
    /// What it is.
    pub kind: ResourceKind,
    /// How it answers.
    pub policy: ResourcePolicy,
}

const KINDS: [(ResourceKind, &str); 2] = [
    (ResourceKind::Room, "room"),
    (ResourceKind::Equipment, "equipment"),
];
const POLICIES: [(ResourcePolicy, &str); 4] = [
    (ResourcePolicy::IfFree, "if-free"),
    (ResourcePolicy::Accept, "accept"),
    (ResourcePolicy::Decline, "decline"),
    (ResourcePolicy::ByHand, "by-hand"),
];

fn of_name<T: Copy>(all: &[(T, &'static str)], name: &str) -> Option<T> {
    let found = all.iter().find(|(_, known)| *known == name);
    found.map(|(value, _)| *value)
}

fn name_of<T: PartialEq>(all: &[(T, &'static str)], value: &T) -> &'static str {
    let found = all.iter().find(|(known, _)| known == value);
    found.map_or("", |(_, name)| name)
}

impl Resource {
    /// From the names of kind and policy.
    #[must_use]
    pub fn of_names(kind: &str, policy: &str) -> Option<Resource> {
        Some(Resource {
            kind: of_name(&KINDS, kind)?,
            policy: of_name(&POLICIES, policy)?,
        })
    }

    /// The names of kind and policy.
    #[must_use]
    pub fn names(&self) -> (&'static str, &'static str) {
        (
            name_of(&KINDS, &self.kind),
            name_of(&POLICIES, &self.policy),
        )
    }
}

impl Scheduling {
    /// What a mailbox is, when it is nobody's.
    ///
    /// # Errors
    /// As the store's.
    pub async fn resource(&self, mailbox: &Mailbox) -> Result<Option<Resource>> {
        let kept = mailbox.kv_get(KEPT.0, KEPT.1).await?;
        let kept = kept.and_then(|octets| String::from_utf8(octets).ok());
        Ok(kept.and_then(|text| {
            let (kind, policy) = text.split_once(' ')?;
            Resource::of_names(kind, policy)
        }))
    }

    /// Makes a mailbox a room or equipment, or somebody's again.
    ///
    /// # Errors
    /// As the store's.
    pub async fn set_resource(&self, mailbox: &Mailbox, resource: Option<Resource>) -> Result<()> {
        match resource {
            None => mailbox.kv_delete(KEPT.0, KEPT.1).await?,
            Some(resource) => {
                let (kind, policy) = resource.names();
                let text = format!("{kind} {policy}");
                mailbox.kv_put(KEPT.0, KEPT.1, text.as_bytes()).await?;
            }
        }
        Ok(())
    }

    /// The answer of a room to what has just been brought to its calendar, which is in its copy then.
    pub(crate) async fn decide(
        &self,
        person: &Person,
        message: &Calendar,
    ) -> Result<Option<Message>> {
        let Some(resource) = self.resource(&person.mailbox).await? else {
            return Ok(None);
        };
        let Some(copy) = copy_of(&person.mailbox, message).await? else {
            return Ok(None);
        };
        if !is_asked(&copy.object, &person.addresses) {
            return Ok(None);
        }
        let participation = match resource.policy {
            ResourcePolicy::ByHand => return Ok(None),
            ResourcePolicy::Accept => Participation::Accepted,
            ResourcePolicy::Decline => Participation::Declined,
            ResourcePolicy::IfFree => match self.is_free(person, &copy.object).await? {
                true => Participation::Accepted,
                false => Participation::Declined,
            },
        };
        let (object, mine) = (copy.object, person.addresses.clone());
        let (answered, reply) = guarded(move || {
            let context = Context {
                mine: &mine,
                now: now(),
            };
            answer(&object, participation, &context)
        })
        .await?;
        let place = ObjectPlace {
            folder: copy.folder,
            name: copy.stored.name,
        };
        let unchanged = ObjectCondition::Is(vec![copy.stored.etag]);
        let source = Body::from_bytes(Bytes::from(answered.to_text()));
        let facts = facts::of_copy(&answered, now(), SchedulingState::Changed);
        let put = person.mailbox.put_object(place, unchanged, (source, facts));
        // Somebody has changed it meanwhile: what is not in the copy is not said either.
        let is_kept = matches!(
            put.await?,
            ObjectOutcome::Created(_) | ObjectOutcome::Replaced(_)
        );
        Ok(reply.filter(|_| is_kept))
    }

    async fn is_free(&self, person: &Person, object: &Object) -> Result<bool> {
        let object = object.clone();
        let uid = object.uid().to_owned();
        let range = Range::new(now(), now().saturating_add(AHEAD));
        let spans = guarded(move || {
            let found = object.occurrences(&Zone::UTC, range, MAX_INSTANCES)?;
            let span = |one: waxwing_formats_ical::Occurrence<'_>| Range::new(one.start, one.end);
            Ok(found.into_iter().map(span).collect::<Vec<_>>())
        })
        .await?;
        let busy = self.busy(person, range, Some(&uid)).await?;
        let taken = busy.spans();
        let meets = |span: &Range| {
            taken
                .iter()
                .any(|(_, taken)| taken.start < span.end && span.start < taken.end)
        };
        Ok(!spans.iter().any(meets))
    }
}

/// Whether an answer is wanted.
fn is_asked(object: &Object, mine: &[String]) -> bool {
    let lines = object.components().flat_map(|one| one.lines_of("ATTENDEE"));
    let mut own = lines.filter(|line| mine.iter().any(|one| same_address(one, &line.value)));
    own.any(|line| {
        line.parameter("PARTSTAT")
            .is_none_or(|answer| answer.eq_ignore_ascii_case("NEEDS-ACTION"))
    })
}
