use super::table::{self, ENTRIES, Entry, Target};
use super::{Contact, keywords};
use crate::contentline::{Component, Line, text};
use crate::{Card, Result, Version};
use waxwing_formats_mapi::{ItemProperties, Value, sets, tags};

/// A new card of a contact.
///
/// # Errors
/// [`crate::Error::Card`] when the UID is empty.
pub fn to_card(contact: &Contact, version: Version, uid: &str) -> Result<Card> {
    let mut tree = Component::new("VCARD");
    for (name, value) in [
        ("VERSION", version.name()),
        ("PRODID", "-//Waxwing//Waxwing//EN"),
        ("UID", uid),
    ] {
        tree.lines.push(Line::new(name, value));
    }
    tree.lines.push(Line::new("FN", ""));
    if version == Version::V3 {
        tree.lines.push(Line::new("N", ";;;;"));
    }
    let empty = Card::of_component(tree)?;
    let card = patched(&empty, contact)?;
    let name = card.formatted_name();
    let mut tree = card.into_component();
    tree.set(Line::text("FN", &name));
    Card::of_component(tree)
}

/// A card after its contact was edited: what differs from what the card said is written, everything else stays.
///
/// # Errors
/// [`crate::Error::Card`]; not for a card that is one.
pub fn patched(card: &Card, edited: &Contact) -> Result<Card> {
    let before = Contact::of(card);
    let mut tree = card.component().clone();
    let read = |properties: &ItemProperties, target: Target| {
        let text = match target {
            Target::Tag(tag) => properties.text(tag),
            Target::Lid(lid) => properties.lid_text(lid),
        };
        text.map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let mut emptied = Vec::new();
    for entry in ENTRIES {
        let wanted = read(&edited.properties, entry.target);
        if wanted != read(&before.properties, entry.target) {
            write(&mut tree, entry, wanted.as_deref(), &mut emptied);
        }
    }
    let name = edited.properties.text(tags::DISPLAY_NAME);
    if let Some(name) =
        name.filter(|name| before.properties.text(tags::DISPLAY_NAME) != Some(*name))
    {
        put(&mut tree, Line::text("FN", name));
    }
    days(&mut tree, card.version(), (&before, edited));
    others(&mut tree, card.version(), (&before, edited));
    // From the back, so that no place moves before it is looked at.
    emptied.sort_unstable();
    emptied.dedup();
    for at in emptied.into_iter().rev() {
        let is_empty = tree
            .lines
            .get(at)
            .is_some_and(|line| line.value.chars().all(|one| one == ';'));
        if is_empty {
            tree.lines.remove(at);
        }
    }
    Card::of_component(tree)
}

/// Puts a value where the first of its name stands and keeps the parameters of that.
fn put(tree: &mut Component, line: Line) {
    match tree.line_mut(&line.name) {
        Some(own) => own.value = line.value,
        None => tree.lines.push(line),
    }
}

fn write(tree: &mut Component, entry: &Entry, wanted: Option<&str>, emptied: &mut Vec<usize>) {
    let place = match (entry.place(tree), wanted) {
        (Some(place), _) => place,
        (None, None) => return,
        (None, Some(_)) => {
            tree.lines.push(entry.line());
            tree.lines.len() - 1
        }
    };
    let Some(line) = tree.lines.get_mut(place) else {
        return;
    };
    let value = text::escape(wanted.unwrap_or_default());
    line.value = match entry.field {
        None => value,
        Some(field) => {
            let mut fields: Vec<String> =
                text::split(&line.value, ';').map(str::to_owned).collect();
            let all = if entry.property == "ADR" {
                7
            } else {
                field + 1
            };
            fields.resize(fields.len().max(all), String::new());
            if let Some(own) = fields.get_mut(field) {
                *own = value;
            }
            fields.join(";")
        }
    };
    // 3.0 must have an N, and a removed line would move what the table counts.
    if wanted.is_none() && entry.property != "N" {
        emptied.push(place);
    }
}

fn days(tree: &mut Component, version: Version, (before, edited): (&Contact, &Contact)) {
    for (property, tag) in [
        ("BDAY", tags::BIRTHDAY),
        ("ANNIVERSARY", tags::WEDDING_ANNIVERSARY),
    ] {
        let day = |contact: &Contact| {
            contact
                .properties
                .get(tag)
                .and_then(Value::unix_seconds)
                .and_then(table::date)
        };
        let (was, is) = (day(before), day(edited));
        if was == is {
            continue;
        }
        let old = table::DAYS
            .iter()
            .filter(|(_, own)| *own == tag)
            .map(|(name, _)| *name);
        let name = old.into_iter().find(|name| tree.line(name).is_some());
        let new = if property == "ANNIVERSARY" && version == Version::V3 {
            "X-ANNIVERSARY"
        } else {
            property
        };
        let name = name.unwrap_or(new);
        match is {
            Some(date) if version == Version::V3 => {
                put(tree, Line::new(name, date.strftime("%Y-%m-%d").to_string()))
            }
            Some(date) => put(tree, Line::new(name, date.strftime("%Y%m%d").to_string())),
            None => tree.remove(name),
        }
    }
}

fn others(tree: &mut Component, version: Version, (before, edited): (&Contact, &Contact)) {
    let said = |contact: &Contact| match contact
        .properties
        .get_name(sets::PUBLIC_STRINGS, "Keywords")
    {
        Some(Value::MultiText(list)) => list.clone(),
        _ => Vec::new(),
    };
    let wanted = said(edited);
    if wanted != said(before) && wanted != keywords(tree) {
        tree.remove("CATEGORIES");
        if !wanted.is_empty() {
            let list: Vec<String> = wanted.iter().map(|one| text::escape(one)).collect();
            tree.lines.push(Line::new("CATEGORIES", list.join(",")));
        }
    }
    let sensitivity = |contact: &Contact| {
        contact
            .properties
            .get(tags::SENSITIVITY)
            .and_then(Value::as_integer)
            .unwrap_or(0)
    };
    if sensitivity(edited) != sensitivity(before) {
        match sensitivity(edited) {
            0 => tree.remove("CLASS"),
            3 => put(tree, Line::new("CLASS", "CONFIDENTIAL")),
            _ => put(tree, Line::new("CLASS", "PRIVATE")),
        }
    }
    if edited.photo != before.photo {
        tree.remove("PHOTO");
        tree.lines
            .extend(edited.photo.as_ref().map(|photo| photo.to_line(version)));
    }
}
