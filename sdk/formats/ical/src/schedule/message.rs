use crate::contentline::{Component, Line};
use crate::{Calendar, Moment, Object};

/// A METHOD of iTIP (RFC 5546 section 1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// PUBLISH.
    Publish,
    /// REQUEST.
    Request,
    /// REPLY.
    Reply,
    /// ADD.
    Add,
    /// CANCEL.
    Cancel,
    /// REFRESH.
    Refresh,
    /// COUNTER.
    Counter,
    /// DECLINECOUNTER.
    DeclineCounter,
}

const METHODS: [(Method, &str); 8] = [
    (Method::Publish, "PUBLISH"),
    (Method::Request, "REQUEST"),
    (Method::Reply, "REPLY"),
    (Method::Add, "ADD"),
    (Method::Cancel, "CANCEL"),
    (Method::Refresh, "REFRESH"),
    (Method::Counter, "COUNTER"),
    (Method::DeclineCounter, "DECLINECOUNTER"),
];

impl Method {
    /// The value of METHOD.
    pub fn name(self) -> &'static str {
        METHODS
            .iter()
            .find(|(method, _)| *method == self)
            .map_or("REQUEST", |(_, name)| name)
    }

    /// The method of a value.
    pub fn of_name(name: &str) -> Option<Method> {
        METHODS
            .iter()
            .find(|(_, known)| name.eq_ignore_ascii_case(known))
            .map(|(method, _)| *method)
    }
}

/// A message of iTIP for one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it does.
    pub method: Method,
    /// Whom it is from, as ORGANIZER or ATTENDEE names him.
    pub originator: String,
    /// Whom it is for.
    pub recipient: String,
    /// The text, with METHOD.
    pub calendar: Calendar,
    /// Only answers of other attendees changed: worth an update of a local copy, not a mail.
    pub minor: bool,
}

/// A VCALENDAR of a method with these components and the time zones they name.
pub(super) fn calendar(method: Method, of: &Object, components: Vec<Component>) -> Calendar {
    let mut calendar = Calendar::new();
    calendar.tree.lines.push(Line::new("METHOD", method.name()));
    let inner: Vec<&Component> = components.iter().collect();
    let zones = Calendar {
        tree: of.component().clone(),
    }
    .with(&inner);
    calendar.tree.components.extend(
        zones
            .tree
            .components
            .into_iter()
            .filter(|one| one.is("VTIMEZONE")),
    );
    calendar.tree.components.extend(components);
    calendar
}

/// When an attendee gave the answer that is noted. Apple's server calls it so, and clients keep it.
pub(super) const ANSWERED: &str = "X-CALENDARSERVER-DTSTAMP";

/// Takes out of the line of a person what is only for this server.
pub(super) fn without_orders(line: &mut Line) {
    for name in [
        "SCHEDULE-AGENT",
        "SCHEDULE-STATUS",
        "SCHEDULE-FORCE-SEND",
        ANSWERED,
    ] {
        line.remove_parameter(name);
    }
}

/// A component as it may leave: without alarms, which are the organiser's own, and without what was only for this server.
pub(super) fn outgoing(mut component: Component, now: i64) -> Component {
    component.components.retain(|inner| !inner.is("VALARM"));
    for line in component
        .lines
        .iter_mut()
        .filter(|line| line.is("ATTENDEE") || line.is("ORGANIZER"))
    {
        without_orders(line);
    }
    component
        .lines
        .retain(|line| !(line.is("TRANSP") || line.is("REQUEST-STATUS")));
    component.set(Moment::utc(now).to_line("DTSTAMP"));
    component
}
