use crate::contentline::{self, Component, Line};
use crate::series::Series;
use crate::{Calendar, Duration, Error, Form, Moment, Precondition, Range, Result, Rule, Zone};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// VEVENT.
    Event,
    /// VTODO.
    Todo,
    /// VJOURNAL.
    Journal,
    /// VFREEBUSY.
    FreeBusy,
    /// VAVAILABILITY (RFC 7953).
    Availability,
}

impl Kind {
    /// All of them: what `supported-calendar-component-set` may name.
    pub const ALL: [Kind; 5] = [
        Kind::Event,
        Kind::Todo,
        Kind::Journal,
        Kind::FreeBusy,
        Kind::Availability,
    ];

    /// The name of its components.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Event => "VEVENT",
            Kind::Todo => "VTODO",
            Kind::Journal => "VJOURNAL",
            Kind::FreeBusy => "VFREEBUSY",
            Kind::Availability => "VAVAILABILITY",
        }
    }

    /// The kind of a component.
    pub fn of_name(name: &str) -> Option<Kind> {
        Kind::ALL
            .into_iter()
            .find(|kind| name.eq_ignore_ascii_case(kind.name()))
    }
}

/// What bounds an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of its text.
    pub text: contentline::Limits,
    /// Instances in the year after its DTSTART.
    pub instances_a_year: usize,
    /// ATTENDEE of one component.
    pub attendees: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            text: contentline::Limits {
                size: 10 * 1024 * 1024,
                components: 3_000,
                ..contentline::Limits::default()
            },
            instances_a_year: 10_000,
            attendees: 1_000,
        }
    }
}

const YEAR: i64 = 366 * 86_400;

/// One calendar object resource (RFC 4791 section 4.1): one UID, one kind, no METHOD, at most one component without RECURRENCE-ID, and
/// values that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    tree: Component,
    kind: Kind,
    uid: String,
}

impl Object {
    /// Reads what a client puts, with the usual limits.
    ///
    /// # Errors
    /// As [`Object::parse_within`].
    pub fn parse(octets: &[u8]) -> Result<Object> {
        Object::parse_within(octets, &Limits::default())
    }

    /// Reads what a client puts.
    ///
    /// # Errors
    /// Any [`Error`]; [`Error::precondition`] says which precondition is broken.
    pub fn parse_within(octets: &[u8], limits: &Limits) -> Result<Object> {
        Object::of_calendar(Calendar::parse(octets, &limits.text)?, limits)
    }

    /// Makes an object of a VCALENDAR.
    ///
    /// # Errors
    /// As [`Object::parse_within`].
    pub fn of_calendar(calendar: Calendar, limits: &Limits) -> Result<Object> {
        Object::of(calendar, limits, true)
    }

    /// The same of what a message carries: without DTSTART, which RFC 5546 does not ask of answers and cancellations.
    pub(crate) fn of_message(calendar: Calendar, limits: &Limits) -> Result<Object> {
        Object::of(calendar.without_method(), limits, false)
    }

    fn of(calendar: Calendar, limits: &Limits, dated: bool) -> Result<Object> {
        let tree = calendar.tree;
        let wrong = |what: &str| Error::object(Precondition::ValidCalendarObjectResource, what);
        if tree.line("METHOD").is_some() {
            return Err(wrong("METHOD may not stand in an object of a collection"));
        }
        let inner = || {
            tree.components
                .iter()
                .filter(|component| !component.is("VTIMEZONE"))
        };
        let first = inner()
            .next()
            .ok_or_else(|| wrong("there is no component besides time zones"))?;
        let kind = Kind::of_name(&first.name).ok_or_else(|| {
            Error::object(
                Precondition::SupportedCalendarComponent,
                format!("{} is not supported", shown(&first.name)),
            )
        })?;
        if inner().any(|component| !component.is(kind.name())) {
            return Err(wrong("components of more than one kind"));
        }
        let uid = first
            .value("UID")
            .map(str::trim)
            .filter(|uid| !uid.is_empty());
        let uid = uid.ok_or_else(|| wrong("UID is missing"))?.to_owned();
        if inner().any(|component| component.value("UID").map(str::trim) != Some(uid.as_str())) {
            return Err(wrong("components of more than one UID"));
        }
        let mut ids = HashSet::new();
        for component in inner() {
            check(component, kind, limits)?;
            if dated && kind == Kind::Event && component.line("DTSTART").is_none() {
                return Err(Error::object(
                    Precondition::ValidCalendarData,
                    "DTSTART is missing",
                ));
            }
            let id = component
                .line("RECURRENCE-ID")
                .map(|line| (line.value.trim(), line.parameter("TZID")));
            if !ids.insert(id) {
                return Err(wrong("two components for the same recurrence"));
            }
        }
        let object = Object { tree, kind, uid };
        object.check_instances(limits)?;
        Ok(object)
    }

    fn check_instances(&self, limits: &Limits) -> Result<()> {
        let start = self.master().and_then(|master| master.line("DTSTART"));
        let Some(start) = start.filter(|_| self.is_recurring()) else {
            return Ok(());
        };
        let series = Series::of(self, &Zone::UTC)?;
        let start = series.zones().to_utc(&Moment::of_line(start)?);
        let mut found = 0;
        let _ = series.visit(Range::new(start, start.saturating_add(YEAR)), &mut |_| {
            found += 1;
            if found > limits.instances_a_year {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })?;
        if found > limits.instances_a_year {
            return Err(Error::Limit {
                name: "instances in a year",
                most: limits.instances_a_year,
            });
        }
        Ok(())
    }

    /// Its only kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its only UID.
    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// The VCALENDAR.
    pub fn component(&self) -> &Component {
        &self.tree
    }

    /// The VCALENDAR.
    pub fn into_calendar(self) -> Calendar {
        Calendar { tree: self.tree }
    }

    /// Its components without the time zones.
    pub fn components(&self) -> impl Iterator<Item = &Component> {
        self.tree.components_of(self.kind.name())
    }

    /// The component without RECURRENCE-ID. Somebody who is invited to single instances has none.
    pub fn master(&self) -> Option<&Component> {
        self.components()
            .find(|component| component.line("RECURRENCE-ID").is_none())
    }

    /// The component that stands for all: the master, or the first.
    pub fn main(&self) -> &Component {
        self.master()
            .or_else(|| self.components().next())
            .unwrap_or(&self.tree)
    }

    /// A text of the main component, its escapes undone: SUMMARY, LOCATION, DESCRIPTION.
    pub fn text(&self, name: &str) -> Option<String> {
        self.main().line(name).map(Line::as_text)
    }

    /// SUMMARY.
    pub fn summary(&self) -> Option<String> {
        self.text("SUMMARY")
    }

    /// A date of the main component: DTSTART, DTEND, DUE, LAST-MODIFIED, DTSTAMP, CREATED, COMPLETED.
    pub fn moment(&self, name: &str) -> Option<Moment> {
        self.main()
            .line(name)
            .and_then(|line| Moment::of_line(line).ok())
    }

    /// Whether it has more than one instance, or its master could.
    pub fn is_recurring(&self) -> bool {
        let repeats = |component: &Component| {
            ["RRULE", "RDATE", "RECURRENCE-ID"]
                .into_iter()
                .any(|name| component.line(name).is_some())
        };
        self.components().any(repeats)
    }

    /// ORGANIZER of the main component, or of the first that has one.
    pub fn organizer(&self) -> Option<&Line> {
        self.main().line("ORGANIZER").or_else(|| {
            self.components()
                .find_map(|component| component.line("ORGANIZER"))
        })
    }

    /// ATTENDEE of all components, each address once: its first line.
    pub fn attendees(&self) -> Vec<&Line> {
        let mut seen = HashSet::new();
        self.components()
            .flat_map(|component| component.lines_of("ATTENDEE"))
            .filter(|line| seen.insert(line.value.trim().to_ascii_lowercase()))
            .collect()
    }

    /// SEQUENCE of the main component; 0 when there is none.
    pub fn sequence(&self) -> i64 {
        sequence(self.main())
    }

    /// As text.
    pub fn to_text(&self) -> String {
        self.tree.to_text()
    }
}

/// SEQUENCE of a component.
pub(crate) fn sequence(component: &Component) -> i64 {
    component
        .value("SEQUENCE")
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or(0)
}

fn shown(name: &str) -> String {
    name.chars().take(40).collect()
}

/// The values that time depends on can be read, and those that must be there are.
fn check(component: &Component, kind: Kind, limits: &Limits) -> Result<()> {
    let missing = |what: &str| Error::object(Precondition::ValidCalendarData, what);
    for line in &component.lines {
        match line.name.to_ascii_uppercase().as_str() {
            "DTSTART" | "DTEND" | "DUE" | "RECURRENCE-ID" | "DTSTAMP" | "CREATED"
            | "LAST-MODIFIED" | "COMPLETED" => {
                Moment::of_line(line)?;
            }
            "RDATE" | "EXDATE" => {
                Moment::list_of_line(line)?;
            }
            "RRULE" => {
                Rule::parse(&line.value)?;
            }
            "DURATION" => {
                Duration::parse("DURATION", &line.value)?;
            }
            "FREEBUSY" => {
                crate::free_busy::periods(line)?;
            }
            _ => {}
        }
    }
    for name in ["DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID"] {
        if component.lines_of(name).count() > 1 {
            return Err(missing(&format!("{name} stands twice in one component")));
        }
    }
    let start = component.line("DTSTART").map(Moment::of_line).transpose()?;
    let repeats = component.line("RRULE").is_some() || component.line("RDATE").is_some();
    if repeats && start.is_none() && component.line("DUE").is_none() {
        return Err(missing("a recurring component has no DTSTART"));
    }
    if let (Some(start), Some(end)) = (&start, component.line("DTEND").or(component.line("DUE"))) {
        let end = Moment::of_line(end)?;
        if kind == Kind::Event && (end.form == Form::Date) != (start.form == Form::Date) {
            return Err(missing(
                "one of DTSTART and DTEND is a date, the other is not",
            ));
        }
    }
    if component.lines_of("ATTENDEE").count() > limits.attendees {
        return Err(Error::object(
            Precondition::MaxAttendeesPerInstance,
            format!("limit reached: attendees = {}", limits.attendees),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
