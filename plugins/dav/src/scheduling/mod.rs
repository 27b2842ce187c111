//! Implicit scheduling (RFC 6638): what a change of a meeting tells others.
//!
//! What a change means is worked out by `waxwing-formats-ical` from what was there and what comes; the store makes the change only while that
//! is still there. Messages leave when the change is on disk: a change that is refused tells nobody, and one that is made and not told
//! (the server dies in between) is told with the next change. Then the answer of each delivery is noted in the object, in a commit that
//! leaves its Schedule-Tag as it is.
//!
//! The owner of the calendar is who organises or comes, whoever makes the change for him; whether that one may is the host's to say.

mod deliver;
mod outbox;
mod plan;
mod put;
mod remove;
mod replace;

pub(crate) use outbox::answer as ask_for_time;
pub(crate) use put::put;
pub(crate) use remove::remove;
pub(crate) use replace::Replaced;

use waxwing_formats_ical::{Limits, Object};
use waxwing_sdk::bodies::{self, Body, Piece};
use waxwing_sdk::fault::Fault;
use waxwing_sdk::scheduling;
use waxwing_sdk::store::objects::{self, Condition};

use crate::answer::Refusal;
use crate::visit::Opened;

/// How often a change is tried anew when another one came in between.
const ATTEMPTS: u32 = 5;

/// What a change wants to find, looked at anew whenever another one came in between: with a Schedule-Tag (RFC 6638 section 8.3) it does
/// not matter how often others have answered.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) etags: Condition,
    pub(crate) schedule_tag: Option<String>,
}

impl From<Condition> for Wanted {
    fn from(etags: Condition) -> Wanted {
        Wanted {
            etags,
            schedule_tag: None,
        }
    }
}

impl Wanted {
    pub(crate) fn holds(&self, there: Option<&objects::Object>) -> bool {
        let has_tag = self
            .schedule_tag
            .as_ref()
            .is_none_or(|tag| there.is_some_and(|there| there.schedule_tag.as_ref() == Some(tag)));
        has_tag && holds(&self.etags, there.map(|there| there.etag.as_str()))
    }
}

/// What is there now.
struct Before {
    row: objects::Object,
    object: Option<Object>,
}

/// Whether a condition holds for the entity tag of what is there (RFC 9110 section 13.1).
pub(crate) fn holds(condition: &Condition, there: Option<&str>) -> bool {
    match (condition, there) {
        (Condition::Any, _)
        | (Condition::Present, Some(_))
        | (Condition::Absent | Condition::NoneOf(_), None) => true,
        (Condition::Absent, Some(_)) | (Condition::Present | Condition::OneOf(_), None) => false,
        (Condition::OneOf(tags), Some(there)) => tags.iter().any(|tag| tag == there),
        (Condition::NoneOf(tags), Some(there)) => !tags.iter().any(|tag| tag == there),
    }
}

/// The row of a name.
pub(crate) fn row(opened: &Opened, name: &str) -> Result<Option<objects::Object>, Refusal> {
    let names = [name.to_owned()];
    let found = objects::get(&opened.mailbox, opened.collection.folder.id, &names)?;
    Ok(found.into_iter().flatten().next())
}

/// What is there, read.
fn before(opened: &Opened, name: &str) -> Result<Option<Before>, Refusal> {
    let names = [name.to_owned()];
    let read = objects::read(&opened.mailbox, opened.collection.folder.id, &names)?;
    let Some(sourced) = read.into_iter().flatten().next() else {
        return Ok(None);
    };
    let object = Object::parse_within(&sourced.source, &Limits::default());
    Ok(Some(Before {
        row: sourced.object,
        object: object.ok(),
    }))
}

/// An object as a body.
fn written(object: &Object) -> Result<Body, Fault> {
    bodies::compose(&[Piece::Bytes(object.to_text().into_bytes())])
}

/// All addresses of the owner of a calendar.
fn addresses(opened: &Opened) -> Result<Vec<String>, Refusal> {
    let mut addresses = scheduling::addresses(&opened.mailbox)?;
    // RFC 6638 section 2.4.1: a path is an address, too.
    let owner = &opened.collection.place.owner;
    addresses.push(crate::place::Place::Principal(owner.clone()).path());
    Ok(addresses)
}

#[cfg(test)]
mod tests;
