//! Contacts of MAPI (MS-OXVCARD, MS-OXOCNTC): cards as properties, and properties as cards.
//!
//! One table says which property is which field of which line. Reading a card fills the properties; an edited contact is written into its card by
//! the same table, so that only the fields that differ change, and everything the table does not name stays: [`patched`]. A new card is an
//! edit of an empty one: [`to_card`].
//!
//! **What MAPI cannot say** stays in the card: addresses beyond the third, a third number of a kind, members of groups, photographs by
//! reference, days without a year.

mod photo;
mod table;
mod write;

pub use photo::Photo;
pub use write::{patched, to_card};

use crate::contentline::{Component, Line, text};
use crate::{Card, Kind};
use table::{ENTRIES, Target};
use waxwing_formats_mapi::{ItemProperties, Value, lids, sets, tags};

/// A contact.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Contact {
    /// Its properties, PidTagMessageClass among them.
    pub properties: ItemProperties,
    /// Its photograph: an attachment with PidTagAttachmentContactPhoto.
    pub photo: Option<Photo>,
}

impl Contact {
    /// What a card says.
    pub fn of(card: &Card) -> Contact {
        let tree = card.component();
        let mut out = ItemProperties::default();
        let class = if card.kind() == Kind::Group {
            "IPM.DistList"
        } else {
            "IPM.Contact"
        };
        out.set_text(tags::MESSAGE_CLASS, class);
        for entry in ENTRIES {
            if let Some(value) = entry.read(tree) {
                match entry.target {
                    Target::Tag(tag) => out.set_text(tag, value),
                    Target::Lid(lid) => out.set_lid_text(lid, value),
                }
            }
        }
        let name = card.formatted_name();
        out.set_text(tags::DISPLAY_NAME, name.clone());
        out.set(tags::SUBJECT, Value::Text(name.clone()));
        out.set(tags::NORMALIZED_SUBJECT, Value::Text(name.clone()));
        out.set_lid_text(lids::FILE_UNDER, file_under(&out, &name));
        addresses(&name, &mut out);
        for (property, tag) in table::DAYS {
            if let Some(day) = tree.line(property).and_then(|line| table::day(&line.value)) {
                out.set(tag, Value::time(day));
            }
        }
        let keywords = keywords(tree);
        if !keywords.is_empty() {
            out.set_name(sets::PUBLIC_STRINGS, "Keywords", Value::MultiText(keywords));
        }
        let class = tree
            .value("CLASS")
            .map(|class| class.trim().to_ascii_uppercase());
        let sensitivity = match class.as_deref() {
            Some("PRIVATE") => 2,
            Some("CONFIDENTIAL") => 3,
            _ => 0,
        };
        out.set(tags::SENSITIVITY, Value::Int32(sensitivity));
        out.set_lid(lids::PRIVATE, Value::Boolean(sensitivity != 0));
        let photo = tree.line("PHOTO").and_then(Photo::of);
        out.set_lid(lids::HAS_PICTURE, Value::Boolean(photo.is_some()));
        Contact {
            properties: out,
            photo,
        }
    }
}

fn keywords(tree: &Component) -> Vec<String> {
    tree.lines_of("CATEGORIES")
        .flat_map(|line: &Line| text::list(&line.value))
        .filter(|one| !one.is_empty())
        .collect()
}

/// `Surname, Given`, as Outlook files by default.
fn file_under(properties: &ItemProperties, name: &str) -> String {
    match (
        properties.text(tags::SURNAME),
        properties.text(tags::GIVEN_NAME),
    ) {
        (Some(surname), Some(given)) => format!("{surname}, {given}"),
        _ => name.to_owned(),
    }
}

/// What belongs to each address besides itself (MS-OXOCNTC 2.2.1.2).
fn addresses(name: &str, out: &mut ItemProperties) {
    for step in [0, 0x10, 0x20] {
        let at = |(set, lid): waxwing_formats_mapi::item::Lid| (set, lid + step);
        let Some(address) = out
            .lid_text(at(lids::EMAIL_1_EMAIL_ADDRESS))
            .map(str::to_owned)
        else {
            continue;
        };
        out.set_lid_text(at(lids::EMAIL_1_ADDRESS_TYPE), "SMTP");
        let shown = if name == address {
            address.clone()
        } else {
            format!("{name} ({address})")
        };
        out.set_lid_text(at(lids::EMAIL_1_DISPLAY_NAME), shown);
        out.set_lid_text(at(lids::EMAIL_1_ORIGINAL_DISPLAY_NAME), address);
    }
}

#[cfg(test)]
mod tests;
