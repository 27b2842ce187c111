use super::message::calendar;
use super::{Message, Method};
use crate::contentline::{Component, Line};
use crate::free_busy::FreeBusy;
use crate::{Calendar, Error, Kind, Limits, Moment, Object, Precondition, Range, Result};

/// A free-busy request (RFC 5546 section 3.3.2), as it is posted to a scheduling outbox (RFC 6638 section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FreeBusyRequest {
    object: Object,
    /// Who asks.
    pub organizer: String,
    /// Whose time is asked for.
    pub attendees: Vec<String>,
    /// What time.
    pub range: Range,
    /// The UID of a meeting that is not to count: the one being moved (`X-CALENDARSERVER-MASK-UID`).
    pub mask_uid: Option<String>,
}

impl FreeBusyRequest {
    /// Reads a request.
    ///
    /// # Errors
    /// [`Error::Object`]: another METHOD or component, no ORGANIZER or ATTENDEE, no range.
    pub fn of(message: &Calendar, limits: &Limits) -> Result<FreeBusyRequest> {
        let wrong = |what: &str| Error::object(Precondition::ValidCalendarData, what);
        if message.method().as_deref() != Some("REQUEST") {
            return Err(wrong("METHOD is not REQUEST"));
        }
        let object = Object::of_calendar(message.clone().without_method(), limits)?;
        if object.kind() != Kind::FreeBusy {
            return Err(wrong("the component is no VFREEBUSY"));
        }
        let address = |line: &Line| line.value.trim().to_owned();
        let organizer = object
            .organizer()
            .map(address)
            .ok_or_else(|| wrong("ORGANIZER is missing"))?;
        let attendees: Vec<String> = object.attendees().into_iter().map(address).collect();
        if attendees.is_empty() {
            return Err(wrong("ATTENDEE is missing"));
        }
        let instant = |name: &str| object.moment(name).and_then(|moment| moment.as_utc());
        let range = instant("DTSTART")
            .zip(instant("DTEND"))
            .filter(|(start, end)| start < end);
        let (start, end) = range.ok_or_else(|| wrong("DTSTART and DTEND are no range in UTC"))?;
        let mask_uid = object.text("X-CALENDARSERVER-MASK-UID");
        Ok(FreeBusyRequest {
            organizer,
            attendees,
            range: Range::new(start, end),
            mask_uid,
            object,
        })
    }

    /// The answer of one attendee.
    pub fn reply(&self, attendee: &str, free_busy: &FreeBusy, now: i64) -> Message {
        let mut component: Component = free_busy.to_component(now);
        component
            .lines
            .insert(0, Line::new("UID", self.object.uid()));
        component
            .lines
            .extend(self.object.main().line("ORGANIZER").cloned());
        component.lines.push(Line::new("ATTENDEE", attendee));
        Message {
            method: Method::Reply,
            originator: attendee.to_owned(),
            recipient: self.organizer.clone(),
            calendar: calendar(Method::Reply, &self.object, vec![component]),
            minor: false,
        }
    }

    /// The request itself, for an attendee of another server: `Moment`s and all are as they came.
    pub fn message(&self, attendee: &str, now: i64) -> Message {
        let mut component = self.object.main().clone();
        component
            .lines
            .retain(|line| !line.is("ATTENDEE") || super::same_address(&line.value, attendee));
        component.set(Moment::utc(now).to_line("DTSTAMP"));
        Message {
            method: Method::Request,
            originator: self.organizer.clone(),
            recipient: attendee.to_owned(),
            calendar: calendar(Method::Request, &self.object, vec![component]),
            minor: false,
        }
    }
}
