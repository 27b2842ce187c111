//! Address objects (RFC 6352 section 5.1).

use waxwing_formats_mapi::PropertyTag;
use waxwing_formats_mapi::tags::{MESSAGE_CLASS, SUBJECT};
use waxwing_formats_vcard::{Card, Error, Limits};
use waxwing_sdk::store::objects::{Facts, Scheduling};

use super::{bounded, text, timeless};
use crate::answer::Refusal;
use crate::kind::Kind;
use crate::xml::Name;

/// PidTagDisplayName.
const DISPLAY_NAME: PropertyTag = PropertyTag(0x3001_001F);

/// What the error of a source breaks.
pub(crate) fn refusal(error: &Error) -> Refusal {
    let condition = Name::carddav(error.precondition().element());
    Refusal::forbidden(condition, error.to_string())
}

pub(crate) fn facts(octets: &[u8]) -> Result<Facts, Refusal> {
    let limits = Limits {
        text: bounded(Limits::default().text),
    };
    let card = Card::parse_within(octets, &limits).map_err(|error| refusal(&error))?;
    let name = card.formatted_name();
    Ok(Facts {
        kind: Kind::Card as u32,
        uid: card.uid().to_owned(),
        properties: vec![
            text(MESSAGE_CLASS, "IPM.Contact"),
            text(SUBJECT, &name),
            text(DISPLAY_NAME, &name),
        ],
        occurrences: timeless(),
        scheduling: Scheduling::None,
    })
}
