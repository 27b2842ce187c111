//! What an object is, and what a collection takes.

use waxwing_formats_ical as ical;

/// As WIT `objects.object.kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Event = 1,
    ToDo = 2,
    Journal = 3,
    FreeBusy = 4,
    Availability = 5,
    Card = 6,
}

impl Kind {
    pub(crate) const ALL: [Kind; 6] = [
        Kind::Event,
        Kind::ToDo,
        Kind::Journal,
        Kind::FreeBusy,
        Kind::Availability,
        Kind::Card,
    ];

    pub(crate) fn of_code(code: u32) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| *kind as u32 == code)
    }

    pub(crate) fn of_ical(kind: ical::Kind) -> Kind {
        match kind {
            ical::Kind::Event => Kind::Event,
            ical::Kind::Todo => Kind::ToDo,
            ical::Kind::Journal => Kind::Journal,
            ical::Kind::FreeBusy => Kind::FreeBusy,
            ical::Kind::Availability => Kind::Availability,
        }
    }

    /// The component's name.
    pub(crate) fn component(self) -> &'static str {
        match self {
            Kind::Event => "VEVENT",
            Kind::ToDo => "VTODO",
            Kind::Journal => "VJOURNAL",
            Kind::FreeBusy => "VFREEBUSY",
            Kind::Availability => "VAVAILABILITY",
            Kind::Card => "VCARD",
        }
    }

    pub(crate) fn of_component(name: &str) -> Option<Kind> {
        Kind::ALL
            .into_iter()
            .find(|kind| kind.component().eq_ignore_ascii_case(name))
    }

    /// The media type of an object.
    pub(crate) fn media_type(self) -> String {
        match self {
            Kind::Card => "text/vcard; charset=utf-8".to_owned(),
            other => format!(
                "text/calendar; charset=utf-8; component={}",
                other.component()
            ),
        }
    }

    fn bit(self) -> u8 {
        1 << (self as u8)
    }
}

/// A set of kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kinds(u8);

impl Kinds {
    pub(crate) const NONE: Kinds = Kinds(0);
    /// A calendar that takes all that calendars are for.
    pub(crate) const CALENDAR: Kinds = Kinds(
        (1 << Kind::Event as u8)
            | (1 << Kind::ToDo as u8)
            | (1 << Kind::Journal as u8)
            | (1 << Kind::FreeBusy as u8)
            | (1 << Kind::Availability as u8),
    );

    pub(crate) fn only(kind: Kind) -> Kinds {
        Kinds(kind.bit())
    }

    #[must_use]
    pub(crate) fn with(self, kind: Kind) -> Kinds {
        Kinds(self.0 | kind.bit())
    }

    pub(crate) fn has(self, kind: Kind) -> bool {
        self.0 & kind.bit() != 0
    }

    pub(crate) fn iter(self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(move |kind| self.has(*kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_known_by_code_and_component() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of_code(kind as u32), Some(kind));
            assert_eq!(
                Kind::of_component(&kind.component().to_lowercase()),
                Some(kind)
            );
        }
        assert_eq!(Kind::of_code(0), None);
        assert!(Kinds::CALENDAR.has(Kind::Journal) && !Kinds::CALENDAR.has(Kind::Card));
        assert_eq!(Kinds::NONE.iter().count(), 0);
    }
}
