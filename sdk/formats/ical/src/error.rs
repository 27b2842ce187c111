use crate::contentline;

/// What is wrong with an object or a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no iCalendar.
    #[error(transparent)]
    Syntax(#[from] contentline::Error),
    /// A property whose value is none.
    #[error("{property}: {what}: {value:?}")]
    Value {
        /// Its name.
        property: String,
        /// In words for the author of the client.
        what: &'static str,
        /// The begin of what stands there.
        value: String,
    },
    /// iCalendar, but not what a collection may hold (RFC 4791 section 4.1) or not complete.
    #[error("{what}")]
    Object {
        /// The precondition it breaks.
        precondition: Precondition,
        /// In words for the author of the client.
        what: String,
    },
    /// An expansion that reached a bound.
    #[error("limit reached: {name} = {most}")]
    Limit {
        /// Its name.
        name: &'static str,
        /// Its value.
        most: usize,
    },
}

impl Error {
    pub(crate) fn value(property: &str, what: &'static str, value: &str) -> Error {
        Error::Value {
            property: property.to_owned(),
            what,
            value: value.chars().take(80).collect(),
        }
    }

    pub(crate) fn object(precondition: Precondition, what: impl Into<String>) -> Error {
        Error::Object {
            precondition,
            what: what.into(),
        }
    }

    /// The precondition of PUT that the error breaks (RFC 4791 section 5.3.2.1).
    pub fn precondition(&self) -> Precondition {
        match self {
            Error::Syntax(contentline::Error::Limit { name: "size", .. }) => {
                Precondition::MaxResourceSize
            }
            Error::Syntax(_) | Error::Value { .. } => Precondition::ValidCalendarData,
            Error::Object { precondition, .. } => *precondition,
            Error::Limit { .. } => Precondition::MaxInstances,
        }
    }
}

/// A precondition of CalDAV, in the namespace `urn:ietf:params:xml:ns:caldav`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// Another version than 2.0, another calendar than the Gregorian.
    SupportedCalendarData,
    /// Not iCalendar.
    ValidCalendarData,
    /// More than one UID, more than one kind, a METHOD.
    ValidCalendarObjectResource,
    /// A kind that no calendar of this server takes.
    SupportedCalendarComponent,
    /// Too large.
    MaxResourceSize,
    /// It happens too often.
    MaxInstances,
    /// Too many attendees.
    MaxAttendeesPerInstance,
    /// Components with different organisers (RFC 6638 section 3.2.4.3).
    SameOrganizerInAllComponents,
    /// An attendee changed what is the organiser's (RFC 6638 section 3.2.4.4).
    AllowedAttendeeSchedulingObjectChange,
}

impl Precondition {
    /// The local name of the element.
    pub const fn element(self) -> &'static str {
        match self {
            Precondition::SupportedCalendarData => "supported-calendar-data",
            Precondition::ValidCalendarData => "valid-calendar-data",
            Precondition::ValidCalendarObjectResource => "valid-calendar-object-resource",
            Precondition::SupportedCalendarComponent => "supported-calendar-component",
            Precondition::MaxResourceSize => "max-resource-size",
            Precondition::MaxInstances => "max-instances",
            Precondition::MaxAttendeesPerInstance => "max-attendees-per-instance",
            Precondition::SameOrganizerInAllComponents => "same-organizer-in-all-components",
            Precondition::AllowedAttendeeSchedulingObjectChange => {
                "allowed-attendee-scheduling-object-change"
            }
        }
    }
}
