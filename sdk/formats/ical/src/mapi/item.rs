use super::{appointment, read, task};
use crate::{Error, Kind, Object, Precondition, Result, Zone};
use waxwing_formats_mapi::ItemProperties;

/// A calendar or task item.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item {
    /// Its own properties, PidTagMessageClass among them.
    pub properties: ItemProperties,
    /// Organiser and attendees, one row each.
    pub recipients: Vec<ItemProperties>,
    /// For each exception of PidLidAppointmentRecur what it says differently from the series; PidLidExceptionReplaceTime says which it is. A
    /// store keeps these as embedded messages.
    pub exceptions: Vec<ItemProperties>,
}

impl Item {
    /// What an object says. Dates and floating times are of the default zone; `mine` are the addresses of the owner of the calendar.
    ///
    /// # Errors
    /// [`Error::Object`] for a kind that MAPI has no item for; [`Error::Limit`].
    pub fn of(object: &Object, default: &Zone, mine: &[String]) -> Result<Item> {
        match object.kind() {
            Kind::Event => appointment::item(object, default, mine),
            Kind::Todo => task::item(object, default),
            _ => Err(Error::object(
                Precondition::SupportedCalendarComponent,
                "no item of MAPI says this",
            )),
        }
    }

    /// An object of an item. `uid` is for one that has no id of its own, `now` for one that does not say when it was changed.
    ///
    /// # Errors
    /// [`Error::Object`] when the item says too little or what no object can say; [`Error::Value`].
    pub fn to_object(&self, default: &Zone, uid: &str, now: i64) -> Result<Object> {
        read::object(self, default, uid, now)
    }

    pub(super) fn is_task(&self) -> bool {
        let class = self
            .properties
            .text(waxwing_formats_mapi::tags::MESSAGE_CLASS)
            .unwrap_or_default();
        class
            .get(..8)
            .is_some_and(|class| class.eq_ignore_ascii_case("IPM.Task"))
    }
}
