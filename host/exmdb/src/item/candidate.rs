//! An item on its way through a restriction: as much of it as is loaded. A restriction first meets the folder index row,
//! which decides flags, dates, sizes and UIDs; what it could not decide says what it misses, and only that is loaded,
//! for many items at once.

use std::borrow::Cow;

use bytes::Bytes;
use waxwing_formats_mapi::{
    Bag, Item, Lookup, Needs, Property, PropertyTag, Restriction, TextScope, Value, Verdict, fold,
    tags,
};
use waxwing_formats_mime::{Structure, text};

use super::{bag, columns::ItemColumns};
use crate::index::IndexRow;

/// An item, as much of it as is loaded.
#[derive(Debug)]
pub(crate) struct Candidate<'a> {
    pub(crate) row: IndexRow,
    pub(crate) position: Option<u32>,
    /// Bits to show besides the row's: `\Recent`.
    pub(crate) view_flags: u32,
    /// Keyword names by number.
    pub(crate) keywords: &'a [String],
    pub(crate) columns: Option<ItemColumns>,
    pub(crate) bag: Option<Vec<u8>>,
    pub(crate) header: Option<Bytes>,
    pub(crate) message: Option<Message>,
    pub(crate) recipients: Option<Vec<Vec<Property>>>,
    pub(crate) attachments: Option<Vec<Vec<Property>>>,
}

/// A whole message with its structure.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) bytes: Bytes,
    pub(crate) structure: Option<Structure>,
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
            columns: None,
            bag: None,
            header: None,
            message: None,
            recipients: None,
            attachments: None,
        }
    }

    /// A property of a loaded item; Null: it does not have it.
    pub(crate) fn known(&self, tag: PropertyTag) -> Value {
        match self.property(tag) {
            Lookup::Known(Some(value)) => value.into_owned(),
            Lookup::Known(None) | Lookup::Missing(_) => Value::Null,
        }
    }

    fn bag_value(&self, tag: PropertyTag) -> Option<Value> {
        let packed = self.bag.as_deref().filter(|packed| !packed.is_empty())?;
        Bag::open(packed)
            .and_then(|bag| bag.get(tag))
            .ok()
            .flatten()
    }
}

impl Item for Candidate<'_> {
    fn property(&self, tag: PropertyTag) -> Lookup<Option<Cow<'_, Value>>> {
        if let Some(value) = self.row.value(tag) {
            return Lookup::Known(Some(Cow::Owned(value)));
        }
        match (&self.columns, &self.bag) {
            (Some(columns), Some(_)) => Lookup::Known(
                columns
                    .value(tag)
                    .or_else(|| self.bag_value(tag))
                    .map(Cow::Owned),
            ),
            _ => Lookup::Missing(Needs::BAG),
        }
    }

    fn flags(&self) -> u32 {
        self.row.flags.0 | self.view_flags
    }

    fn has_keyword(&self, name: &str) -> bool {
        let names = self
            .row
            .keywords
            .iter()
            .filter_map(|number| self.keywords.get(usize::from(*number)));
        names
            .into_iter()
            .any(|known| known.eq_ignore_ascii_case(name))
    }

    fn uid(&self) -> u32 {
        self.row.uid
    }

    fn position(&self) -> Option<u32> {
        self.position
    }

    fn header(&self, name: &str) -> Lookup<Vec<Cow<'_, str>>> {
        match &self.header {
            Some(block) => Lookup::Known(
                text::header_values(block, name)
                    .into_iter()
                    .map(Cow::Owned)
                    .collect(),
            ),
            None => Lookup::Missing(Needs::HEADER),
        }
    }

    fn text_contains(&self, scope: TextScope, wanted: &str) -> Lookup<bool> {
        let Some(message) = &self.message else {
            return Lookup::Missing(Needs::BODY);
        };
        let Some(structure) = &message.structure else {
            return Lookup::Known(false);
        };
        let in_header = scope == TextScope::Whole
            && fold::contains(&text::header(&message.bytes, structure), wanted);
        Lookup::Known(
            in_header
                || text::body(&message.bytes, structure)
                    .any(|part| fold::contains(part.as_ref(), wanted)),
        )
    }

    fn sub_fits(&self, tag: PropertyTag, node: &Restriction) -> Verdict {
        let (rows, needs) = match tag {
            tags::MESSAGE_RECIPIENTS => (&self.recipients, Needs::RECIPIENTS),
            tags::MESSAGE_ATTACHMENTS => (&self.attachments, Needs::ATTACHMENTS),
            _ => return Verdict::Differs,
        };
        let Some(rows) = rows else {
            return Verdict::NeedsMore(needs);
        };
        let fits = rows
            .iter()
            .any(|row| node.evaluate(&SubRow(row)) == Verdict::Fits);
        if fits {
            Verdict::Fits
        } else {
            Verdict::Differs
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
