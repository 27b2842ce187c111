//! An item on its way through a restriction: as much of it as is loaded. A restriction first meets the folder index row,
//! which decides flags, dates, sizes and UIDs; what it could not decide says what it misses, and only that is loaded,
//! for many items at once.

use std::borrow::Cow;

use bytes::Bytes;
use waxwing_formats_mapi::{
    Bag, Item, Lookup, Needs, Property, PropertyTag, Restriction, TextScope, Value, Verdict,
    columns, fold, tags,
};
use waxwing_formats_mime::{Structure, summary::display_of_first, text};

use super::{
    bag,
    columns::{ItemColumns, is_store_column},
    signature::Signature,
};
use crate::{ItemId, index::IndexRow};

/// An item, as much of it as is loaded.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) row: IndexRow,
    pub(crate) position: Option<u32>,
    /// Bits to show besides the row's: `\Recent`.
    view_flags: u32,
    /// Keyword names by number.
    keywords: &'a [String],
    /// Where it is known without loading anything.
    subject: Option<&'a str>,
    /// Of its message's text, where there is one and it was asked for.
    pub(super) signature: Option<Signature>,
    pub(super) loaded: Option<Box<Loaded>>,
}

/// What was read of an item for a restriction or an order.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) columns: ItemColumns,
    pub(super) bag: Option<Vec<u8>>,
    pub(super) header: Option<Bytes>,
    pub(super) names: Option<DisplayNames>,
    pub(super) message: Option<Message>,
    pub(super) recipients: Option<Vec<Vec<Property>>>,
    pub(super) attachments: Option<Vec<Vec<Property>>>,
}

impl Loaded {
    pub(super) fn new(columns: ItemColumns) -> Loaded {
        Loaded {
            columns,
            bag: None,
            header: None,
            names: None,
            message: None,
            recipients: None,
            attachments: None,
        }
    }
}

/// What RFC 5957 sorts a message by.
#[derive(Debug, Default)]
pub(super) struct DisplayNames {
    from: String,
    to: String,
}

impl DisplayNames {
    /// Of the stored structure of a message; without one there are no addresses.
    pub(super) fn of(structure: Option<&Bytes>) -> DisplayNames {
        let envelope = structure.and_then(|octets| Structure::decode_envelope(octets));
        envelope.map_or_else(DisplayNames::default, |envelope| DisplayNames {
            from: display_of_first(&envelope.from),
            to: display_of_first(&envelope.to),
        })
    }

    fn value(&self, tag: PropertyTag) -> Option<Value> {
        match tag {
            columns::DISPLAY_FROM => Some(Value::Text(self.from.clone())),
            columns::DISPLAY_TO => Some(Value::Text(self.to.clone())),
            _ => None,
        }
    }
}

/// A whole message with its structure.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) bytes: Bytes,
    pub(super) structure: Option<Structure>,
}

impl<'a> Candidate<'a> {
    pub(crate) fn new(
        row: IndexRow,
        position: Option<u32>,
        view_flags: u32,
        keywords: &'a [String],
    ) -> Candidate<'a> {
        Candidate {
            row,
            position,
            view_flags,
            keywords,
            subject: None,
            signature: None,
            loaded: None,
        }
    }

    /// With its decoded subject.
    pub(crate) fn with_subject(self, subject: Option<&'a str>) -> Candidate<'a> {
        Candidate { subject, ..self }
    }

    /// The subject, where no header has to be read for it. RFC 9051 section 6.4.4 means the envelope's, of which there is one.
    fn subject(&self) -> Option<Cow<'_, str>> {
        let column = || match self.loaded.as_ref()?.columns.value(tags::SUBJECT)? {
            Value::Text(subject) => Some(Cow::Owned(subject)),
            _ => None,
        };
        self.subject.map(Cow::Borrowed).or_else(column)
    }

    pub(super) fn item(&self) -> ItemId {
        self.row.item
    }

    /// A property of a loaded item; Null: it does not have it.
    pub(super) fn known(&self, tag: PropertyTag) -> Value {
        match self.property(tag) {
            Lookup::Known(Some(value)) => value.into_owned(),
            Lookup::Known(None) | Lookup::Missing(_) => Value::Null,
        }
    }

    /// The signature of a message that was read because it has none.
    pub(super) fn learnt(&self) -> Option<(ItemId, Signature)> {
        let message = self.loaded.as_ref()?.message.as_ref()?;
        let structure = message.structure.as_ref();
        let structure = structure.filter(|_| self.signature.is_none())?;
        Some((self.item(), Signature::of(&message.bytes, structure)?))
    }

    fn part<T>(&self, part: impl FnOnce(&Loaded) -> Option<&T>, needs: Needs) -> Lookup<&T> {
        let part = self.loaded.as_deref().and_then(part);
        part.map_or(Lookup::Missing(needs), Lookup::Known)
    }
}

/// A value of a packed bag; a damaged one has none (the check reports it).
fn bag_value(packed: &[u8], tag: PropertyTag) -> Option<Value> {
    if packed.is_empty() {
        return None;
    }
    Bag::open(packed)
        .and_then(|bag| bag.get(tag))
        .ok()
        .flatten()
}

impl Item for Candidate<'_> {
    fn property(&self, tag: PropertyTag) -> Lookup<Option<Cow<'_, Value>>> {
        if let Some(value) = self.row.value(tag) {
            return Lookup::Known(Some(Cow::Owned(value)));
        }
        let Some(loaded) = &self.loaded else {
            return Lookup::Missing(Needs::BAG);
        };
        let name = || loaded.names.as_ref().and_then(|names| names.value(tag));
        match (loaded.columns.value(tag).or_else(name), &loaded.bag) {
            (Some(value), _) => Lookup::Known(Some(Cow::Owned(value))),
            (None, _) if is_store_column(tag) => Lookup::Known(None),
            (None, Some(packed)) => Lookup::Known(bag_value(packed, tag).map(Cow::Owned)),
            (None, None) => Lookup::Missing(Needs::BAG),
        }
    }

    fn flags(&self) -> u32 {
        self.row.flags.0 | self.view_flags
    }

    fn has_keyword(&self, name: &str) -> bool {
        let mut names = self
            .row
            .keywords
            .iter()
            .filter_map(|number| self.keywords.get(usize::from(*number)));
        names.any(|known| known.eq_ignore_ascii_case(name))
    }

    fn uid(&self) -> u32 {
        self.row.uid
    }

    fn position(&self) -> Option<u32> {
        self.position
    }

    fn header(&self, name: &str) -> Lookup<Vec<Cow<'_, str>>> {
        if name.eq_ignore_ascii_case("subject")
            && let Some(subject) = self.subject()
        {
            return Lookup::Known(vec![subject]);
        }
        match self.part(|loaded| loaded.header.as_ref(), Needs::HEADER) {
            Lookup::Known(block) => Lookup::Known(
                text::header_values(block, name)
                    .into_iter()
                    .map(Cow::Owned)
                    .collect(),
            ),
            Lookup::Missing(needs) => Lookup::Missing(needs),
        }
    }

    fn text_contains(&self, scope: TextScope, wanted: &str) -> Lookup<bool> {
        let signature = self.signature.as_ref();
        if signature.is_some_and(|signature| !signature.may_contain(wanted)) {
            return Lookup::Known(false);
        }
        let message = match self.part(|loaded| loaded.message.as_ref(), Needs::BODY) {
            Lookup::Known(message) => message,
            Lookup::Missing(needs) => return Lookup::Missing(needs),
        };
        let Some(structure) = &message.structure else {
            return Lookup::Known(false);
        };
        let in_header = scope == TextScope::Whole
            && fold::contains(&text::header(&message.bytes, structure), wanted);
        let in_body = || {
            text::body(&message.bytes, structure).any(|part| fold::contains(part.as_ref(), wanted))
        };
        Lookup::Known(in_header || in_body())
    }

    fn sub_fits(&self, tag: PropertyTag, node: &Restriction) -> Verdict {
        let rows = match tag {
            tags::MESSAGE_RECIPIENTS => {
                self.part(|loaded| loaded.recipients.as_ref(), Needs::RECIPIENTS)
            }
            tags::MESSAGE_ATTACHMENTS => {
                self.part(|loaded| loaded.attachments.as_ref(), Needs::ATTACHMENTS)
            }
            _ => return Verdict::Differs,
        };
        match rows {
            Lookup::Missing(needs) => Verdict::NeedsMore(needs),
            Lookup::Known(rows)
                if rows
                    .iter()
                    .any(|row| node.evaluate(&SubRow(row)) == Verdict::Fits) =>
            {
                Verdict::Fits
            }
            Lookup::Known(_) => Verdict::Differs,
        }
    }
}

/// A recipient or an attachment: properties and nothing else.
struct SubRow<'a>(&'a [Property]);

impl Item for SubRow<'_> {
    fn property(&self, tag: PropertyTag) -> Lookup<Option<Cow<'_, Value>>> {
        Lookup::Known(bag::find(self.0, tag).map(|property| Cow::Borrowed(&property.value)))
    }

    fn flags(&self) -> u32 {
        0
    }

    fn has_keyword(&self, _: &str) -> bool {
        false
    }

    fn uid(&self) -> u32 {
        0
    }

    fn position(&self) -> Option<u32> {
        None
    }

    fn header(&self, _: &str) -> Lookup<Vec<Cow<'_, str>>> {
        Lookup::Known(Vec::new())
    }

    fn text_contains(&self, _: TextScope, _: &str) -> Lookup<bool> {
        Lookup::Known(false)
    }

    fn sub_fits(&self, _: PropertyTag, _: &Restriction) -> Verdict {
        Verdict::Differs
    }
}
