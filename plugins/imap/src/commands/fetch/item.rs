//! The items of one message.

use waxwing_formats_mapi::{PropertyTag, columns};
use waxwing_formats_mime::{Envelope, SectionPart as Cut, Structure, header};
use waxwing_sdk::bodies::Body;
use waxwing_sdk::store::{TableRow, Value};

use crate::parse::{FetchItem, Section, SectionPart};
use crate::render::body_structure::{self, Style};
use crate::render::{date, decimal, envelope, object_id, text};
use crate::session::{Enabled, Output, Refusal, row_flags, row_start};

use super::plan::Plan;

/// A header of an embedded message longer than this is not searched for fields.
const EMBEDDED_HEADER: u64 = 256 * 1024;

/// A message, and what its items are made of.
pub(super) struct Message<'a> {
    pub(super) row: TableRow<'a>,
    pub(super) body: Option<&'a Body>,
    pub(super) described: Described<'a>,
    pub(super) keywords: &'a [String],
    pub(super) enabled: Enabled,
}

/// What was read of the structure that came with the row.
pub(super) enum Described<'a> {
    /// Nothing: it is not needed, or damaged.
    Not,
    Envelope(Envelope<&'a [u8]>),
    Whole(Box<Structure>),
}

impl<'a> Described<'a> {
    /// As much as the items need: lists of a folder ask for envelopes only.
    pub(super) fn read(plan: &Plan, structure: &'a [u8]) -> Described<'a> {
        let described = match (plan.needs_structure, plan.needs_parts) {
            (false, _) => None,
            (true, false) => Structure::decode_envelope(structure).map(Described::Envelope),
            (true, true) => {
                Structure::decode(structure).map(|structure| Described::Whole(Box::new(structure)))
            }
        };
        described.unwrap_or(Described::Not)
    }
}

/// The value of a section.
pub(super) enum Cutting {
    /// There is no such section.
    Nil,
    /// In the plugin's memory.
    Bytes(Vec<u8>),
    /// Offset and length in the body.
    Range(u64, u64),
}

impl Message<'_> {
    /// `* 5 FETCH (…)`, or nothing when it fails. `told` is there when flags were changed by the FETCH itself: they are added, with the modseq if it says so.
    pub(super) fn render(
        &self,
        out: &mut Output,
        items: &[FetchItem],
        told: Option<bool>,
    ) -> Result<(), Refusal> {
        let mark = out.mark();
        let done = self.line(out, items, told);
        if done.is_err() {
            out.rewind(mark);
        }
        done
    }

    fn line(
        &self,
        out: &mut Output,
        items: &[FetchItem],
        told: Option<bool>,
    ) -> Result<(), Refusal> {
        row_start(out.text(), self.row, self.enabled.uid_only);
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.text().push(b' ');
            }
            self.item(out, item)?;
        }
        if let Some(with_modseq) = told {
            if !items.contains(&FetchItem::Flags) {
                out.text().push(b' ');
                self.item(out, &FetchItem::Flags)?;
            }
            if with_modseq && !items.contains(&FetchItem::ModSeq) {
                out.text().push(b' ');
                self.item(out, &FetchItem::ModSeq)?;
            }
        }
        out.line(")");
        Ok(())
    }

    fn item(&self, out: &mut Output, item: &FetchItem) -> Result<(), Refusal> {
        let row = self.row;
        let whole = |part| Section {
            path: Vec::new(),
            part,
        };
        match item {
            FetchItem::Uid => number(out, "UID ", u64::from(row.uid), ""),
            FetchItem::ModSeq => number(out, "MODSEQ (", row.modseq, ")"),
            FetchItem::Size => number(out, "RFC822.SIZE ", row.size, ""),
            FetchItem::Flags => {
                out.text().extend_from_slice(b"FLAGS ");
                row_flags(out.text(), row, self.keywords);
            }
            FetchItem::InternalDate => {
                out.text().extend_from_slice(b"INTERNALDATE ");
                date::date_time(out.text(), row.internal_date);
            }
            FetchItem::SaveDate => {
                out.word("SAVEDATE ");
                date::date_time(out.text(), row.save_date);
            }
            FetchItem::EmailId => self.email_id(out),
            // RFC 8474 section 5.2: no threads are kept.
            FetchItem::ThreadId => out.word("THREADID NIL"),
            FetchItem::Preview => self.preview(out),
            FetchItem::Envelope => {
                out.text().extend_from_slice(b"ENVELOPE ");
                self.envelope(out.text())?;
            }
            FetchItem::BodyStructure { extended } => {
                let (name, style) = match extended {
                    true => ("BODYSTRUCTURE ", self.style(true)),
                    false => ("BODY ", self.style(false)),
                };
                out.text().extend_from_slice(name.as_bytes());
                body_structure::body(out.text(), &self.structure()?.root, style);
            }
            FetchItem::Rfc822 => self.section(out, "RFC822", &whole(SectionPart::Whole), None)?,
            FetchItem::Rfc822Header => {
                self.section(out, "RFC822.HEADER", &whole(SectionPart::Header), None)?
            }
            FetchItem::Rfc822Text => {
                self.section(out, "RFC822.TEXT", &whole(SectionPart::Text), None)?
            }
            FetchItem::Binary { path, partial, .. } => self.binary(out, path, *partial)?,
            FetchItem::BinarySize(path) => self.binary_size(out, path)?,
            FetchItem::Body {
                section, partial, ..
            } => {
                let name = label(section, partial.map(|(offset, _)| offset));
                self.section(out, &name, section, *partial)?;
            }
        }
        Ok(())
    }

    fn email_id(&self, out: &mut Output) {
        let id = match self.property(columns::DIGEST) {
            Some(Value::Binary(digest)) => object_id::email(digest),
            _ => object_id::item(self.row.item),
        };
        out.word(&format!("EMAILID ({id})"));
    }

    fn preview(&self, out: &mut Output) {
        out.word("PREVIEW ");
        let preview = match self.property(columns::PREVIEW) {
            Some(Value::Text(preview)) => Some(preview.as_bytes()),
            _ => None,
        };
        text::nstring(out.text(), preview, self.enabled.utf8);
    }

    fn property(&self, PropertyTag(tag): PropertyTag) -> Option<&Value> {
        let found = self
            .row
            .properties
            .iter()
            .find(|property| property.tag == tag);
        found.map(|property| &property.value)
    }

    fn style(&self, extended: bool) -> Style {
        Style {
            extended,
            utf8: self.enabled.utf8,
        }
    }

    pub(super) fn structure(&self) -> Result<&Structure, Refusal> {
        match &self.described {
            Described::Whole(structure) => Ok(structure),
            Described::Not | Described::Envelope(_) => Err(self.damaged()),
        }
    }

    fn envelope(&self, text: &mut Vec<u8>) -> Result<(), Refusal> {
        match &self.described {
            Described::Whole(structure) => {
                envelope::envelope(text, &structure.envelope, self.enabled.utf8);
            }
            Described::Envelope(short) => envelope::envelope(text, short, self.enabled.utf8),
            Described::Not => return Err(self.damaged()),
        }
        Ok(())
    }

    /// The store's record of the message is damaged; `waxwing mailbox check` finds it too.
    fn damaged(&self) -> Refusal {
        waxwing_sdk::error!(
            "the structure of a message cannot be read",
            uid = self.row.uid
        );
        Refusal::no("[SERVERBUG] The structure of a message cannot be read")
    }

    fn section(
        &self,
        out: &mut Output,
        name: &str,
        section: &Section,
        partial: Option<(u64, u64)>,
    ) -> Result<(), Refusal> {
        let value = self.value(section)?;
        let text = out.text();
        text.extend_from_slice(name.as_bytes());
        text.push(b' ');
        match value {
            Cutting::Nil => text.extend_from_slice(b"NIL"),
            Cutting::Bytes(bytes) => {
                let (offset, length) = cut((0, bytes.len() as u64), partial);
                let from = usize::try_from(offset).unwrap_or(usize::MAX);
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                let part = bytes
                    .get(from..)
                    .and_then(|rest| rest.get(..length))
                    .unwrap_or_default();
                octets(text, part);
            }
            Cutting::Range(offset, length) => match (cut((offset, length), partial), self.body) {
                ((_, 0), _) => text.extend_from_slice(b"{0}\r\n"),
                ((offset, length), Some(body)) => {
                    number(out, "{", length, "}\r\n");
                    out.body(body.dup(), offset, length);
                }
                (_, None) => text.extend_from_slice(b"NIL"),
            },
        }
        Ok(())
    }

    pub(super) fn value(&self, section: &Section) -> Result<Cutting, Refusal> {
        let cut = match &section.part {
            SectionPart::Whole if section.path.is_empty() => {
                return Ok(Cutting::Range(0, self.row.size));
            }
            SectionPart::Header if section.path.is_empty() => {
                return Ok(Cutting::Bytes(self.row.header.to_vec()));
            }
            SectionPart::Fields { not, names } if section.path.is_empty() => {
                return Ok(Cutting::Bytes(header::select(self.row.header, names, *not)));
            }
            SectionPart::Whole => Cut::Whole,
            SectionPart::Text => Cut::Text,
            SectionPart::Mime => Cut::Mime,
            SectionPart::Header | SectionPart::Fields { .. } => Cut::Header,
        };
        let structure = self.structure()?;
        let Some((offset, length)) = structure.section(&section.path, cut) else {
            return Ok(Cutting::Nil);
        };
        match (&section.part, self.body) {
            (SectionPart::Fields { not, names }, Some(body)) => {
                let octets = u32::try_from(length.min(EMBEDDED_HEADER)).unwrap_or(u32::MAX);
                let block = body.read(offset, octets)?;
                Ok(Cutting::Bytes(header::select(&block, names, *not)))
            }
            _ => Ok(Cutting::Range(offset, length)),
        }
    }
}

/// A number between words.
fn number(out: &mut Output, before: &str, number: u64, behind: &str) {
    out.word(before);
    decimal(out.text(), number);
    out.word(behind);
}

/// Octets of a message as they are, in a literal: what BODY[HEADER] shows is what BODY[] begins with.
pub(super) fn octets(text: &mut Vec<u8>, part: &[u8]) {
    text.extend_from_slice(format!("{{{}}}\r\n", part.len()).as_bytes());
    text.extend_from_slice(part);
}

/// The part of a range that a partial FETCH names.
pub(super) fn cut((offset, length): (u64, u64), partial: Option<(u64, u64)>) -> (u64, u64) {
    match partial {
        None => (offset, length),
        Some((first, most)) => {
            let first = first.min(length);
            (offset + first, (length - first).min(most))
        }
    }
}

/// `BODY[1.HEADER.FIELDS (From)]<0>`
fn label(section: &Section, offset: Option<u64>) -> String {
    let mut label = Vec::from(&b"BODY["[..]);
    let mut words: Vec<String> = section.path.iter().map(u32::to_string).collect();
    words.extend(match &section.part {
        SectionPart::Whole => None,
        SectionPart::Header => Some("HEADER".to_owned()),
        SectionPart::Text => Some("TEXT".to_owned()),
        SectionPart::Mime => Some("MIME".to_owned()),
        SectionPart::Fields { not: false, .. } => Some("HEADER.FIELDS".to_owned()),
        SectionPart::Fields { not: true, .. } => Some("HEADER.FIELDS.NOT".to_owned()),
    });
    label.extend_from_slice(words.join(".").as_bytes());
    if let SectionPart::Fields { names, .. } = &section.part {
        label.extend_from_slice(b" (");
        for (at, name) in names.iter().enumerate() {
            if at > 0 {
                label.push(b' ');
            }
            text::astring(&mut label, name, false);
        }
        label.push(b')');
    }
    label.push(b']');
    if let Some(offset) = offset {
        label.extend_from_slice(format!("<{offset}>").as_bytes());
    }
    String::from_utf8_lossy(&label).into_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use waxwing_sdk::store::ItemFlags;
    use waxwing_sdk::stream::Action;

    const MAIL: &[u8] = b"Subject: outer\r\nFrom: a@b\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nTo: c\r\n\r\ntext\r\n";

    fn rendered(items: &[FetchItem], told: Option<bool>) -> String {
        line_of(MAIL, items, told).unwrap()
    }

    /// The line for items of a message.
    pub(crate) fn rendered_of(mail: &[u8], items: &[FetchItem]) -> Result<String, Refusal> {
        line_of(mail, items, None)
    }

    fn line_of(mail: &[u8], items: &[FetchItem], told: Option<bool>) -> Result<String, Refusal> {
        let structure = Structure::parse(mail);
        let header = &mail[..structure.root.header.1 as usize];
        let row = TableRow {
            position: 5,
            uid: 7,
            item: 1,
            modseq: 9,
            flags: ItemFlags::SEEN,
            keywords: &[0],
            internal_date: 0,
            save_date: 0,
            size: mail.len() as u64,
            structure: &[],
            header,
            properties: &[],
        };
        let body = Body::of(mail);
        let keywords = ["work".to_owned()];
        let message = Message {
            row,
            body: Some(&body),
            described: Described::Whole(Box::new(structure)),
            keywords: &keywords,
            enabled: Enabled::default(),
        };
        let mut out = Output::default();
        let done = message.render(&mut out, items, told);
        let text = |action: Action| match action {
            Action::Send(bytes) => String::from_utf8(bytes).unwrap(),
            Action::SendBody(range) => {
                let octets = range.body.read(range.offset, range.length as u32).unwrap();
                String::from_utf8(octets).unwrap()
            }
            other => panic!("{other:?}"),
        };
        let sent: String = out.into_turn(0).actions.into_iter().map(text).collect();
        assert!(done.is_ok() || sent.is_empty(), "{sent}");
        done.map(|()| sent)
    }

    fn body(path: &[u32], part: SectionPart, partial: Option<(u64, u64)>) -> FetchItem {
        FetchItem::Body {
            peek: true,
            section: Section {
                path: path.to_vec(),
                part,
            },
            partial,
        }
    }

    #[test]
    fn items_stand_in_the_order_asked_for() {
        let items = [
            FetchItem::Uid,
            FetchItem::Flags,
            FetchItem::Size,
            FetchItem::ModSeq,
        ];
        let size = MAIL.len();
        assert_eq!(
            rendered(&items, None),
            format!("* 5 FETCH (UID 7 FLAGS (\\Seen work) RFC822.SIZE {size} MODSEQ (9))\r\n")
        );
    }

    #[test]
    fn flags_that_the_fetch_changed_are_told() {
        assert_eq!(
            rendered(&[FetchItem::Uid], Some(true)),
            "* 5 FETCH (UID 7 FLAGS (\\Seen work) MODSEQ (9))\r\n"
        );
    }

    #[test]
    fn sections_are_cut_from_the_body_and_partials_from_sections() {
        assert_eq!(
            rendered(&[body(&[1], SectionPart::Text, Some((1, 2)))], None),
            "* 5 FETCH (BODY[1.TEXT]<1> {2}\r\nex)\r\n"
        );
        assert_eq!(
            rendered(&[body(&[], SectionPart::Whole, Some((900, 2)))], None),
            "* 5 FETCH (BODY[]<900> {0}\r\n)\r\n"
        );
        assert_eq!(
            rendered(&[body(&[2], SectionPart::Whole, None)], None),
            "* 5 FETCH (BODY[2] NIL)\r\n"
        );
    }

    #[test]
    fn fields_are_picked_from_any_header_with_its_empty_line() {
        let fields = |names: &[&str], not| SectionPart::Fields {
            not,
            names: names.iter().map(|&name| name.into()).collect(),
        };
        assert_eq!(
            rendered(&[body(&[], fields(&["subject", "x y"], false), None)], None),
            "* 5 FETCH (BODY[HEADER.FIELDS (subject \"x y\")] {18}\r\nSubject: outer\r\n\r\n)\r\n"
        );
        assert_eq!(
            rendered(&[body(&[1], fields(&["subject"], true), None)], None),
            "* 5 FETCH (BODY[1.HEADER.FIELDS.NOT (subject)] {9}\r\nTo: c\r\n\r\n)\r\n"
        );
    }
}
