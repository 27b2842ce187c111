//! The items of FETCH (RFC 9051 section 6.4.5, RFC 3501, RFC 3516, RFC 7162, RFC 8474, RFC 8514, RFC 8970, RFC 9394).

use serde::{Deserialize, Serialize};

use super::{Bad, Command, Partial, SequenceSet, cursor::Cursor, limits};

/// Which part of a section is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SectionPart {
    /// `BODY[]`, `BODY[1]`
    Whole,
    /// `HEADER`
    Header,
    /// `HEADER.FIELDS`, `HEADER.FIELDS.NOT`
    Fields {
        /// Whether all others are meant.
        not: bool,
        /// As the client spelled them.
        names: Vec<String>,
    },
    /// `TEXT`
    Text,
    /// `MIME`
    Mime,
}

/// `1.2.HEADER`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Section {
    /// Part numbers.
    pub path: Vec<u32>,
    /// What of the part.
    pub part: SectionPart,
}

/// An item of a FETCH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum FetchItem {
    /// ENVELOPE
    Envelope,
    /// FLAGS
    Flags,
    /// INTERNALDATE
    InternalDate,
    /// RFC822.SIZE
    Size,
    /// UID
    Uid,
    /// MODSEQ
    ModSeq,
    /// BODYSTRUCTURE, or BODY without a section
    BodyStructure {
        /// With extension data.
        extended: bool,
    },
    /// `BODY[…]`
    Body {
        /// Without setting `\Seen`.
        peek: bool,
        /// Which.
        section: Section,
        /// First octet and number of octets.
        partial: Option<(u64, u64)>,
    },
    /// `BINARY[…]` (RFC 3516)
    Binary {
        /// Without setting `\Seen`.
        peek: bool,
        /// Part numbers.
        path: Vec<u32>,
        /// First octet and number of octets, after decoding.
        partial: Option<(u64, u64)>,
    },
    /// `BINARY.SIZE[…]`
    BinarySize(Vec<u32>),
    /// RFC822
    Rfc822,
    /// RFC822.HEADER
    Rfc822Header,
    /// RFC822.TEXT
    Rfc822Text,
    /// SAVEDATE
    SaveDate,
    /// EMAILID
    EmailId,
    /// THREADID
    ThreadId,
    /// PREVIEW, also with LAZY: it is made at once
    Preview,
}

/// A whole FETCH.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchRequest {
    /// Of which messages.
    pub set: SequenceSet,
    /// What, each once, in the order asked for.
    pub items: Vec<FetchItem>,
    /// Only what changed since this modseq.
    pub changed_since: Option<u64>,
    /// VANISHED (RFC 7162).
    pub vanished: bool,
}

impl FetchItem {
    /// Whether it sets `\Seen`.
    pub fn sets_seen(&self) -> bool {
        matches!(
            self,
            FetchItem::Body { peek: false, .. }
                | FetchItem::Binary { peek: false, .. }
                | FetchItem::Rfc822
                | FetchItem::Rfc822Text
        )
    }

    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let name = cursor.text_while("a FETCH item", |b| b.is_ascii_alphanumeric() || b == b'.')?;
        let peek = match name.to_ascii_uppercase().as_str() {
            "ENVELOPE" => return Ok(FetchItem::Envelope),
            "FLAGS" => return Ok(FetchItem::Flags),
            "INTERNALDATE" => return Ok(FetchItem::InternalDate),
            "RFC822.SIZE" => return Ok(FetchItem::Size),
            "RFC822.HEADER" => return Ok(FetchItem::Rfc822Header),
            "RFC822.TEXT" => return Ok(FetchItem::Rfc822Text),
            "RFC822" => return Ok(FetchItem::Rfc822),
            "UID" => return Ok(FetchItem::Uid),
            "MODSEQ" => return Ok(FetchItem::ModSeq),
            "SAVEDATE" => return Ok(FetchItem::SaveDate),
            "EMAILID" => return Ok(FetchItem::EmailId),
            "THREADID" => return Ok(FetchItem::ThreadId),
            "PREVIEW" => {
                cursor.eat_word(" (LAZY)");
                return Ok(FetchItem::Preview);
            }
            "BODYSTRUCTURE" => return Ok(FetchItem::BodyStructure { extended: true }),
            "BODY" if cursor.peek() != Some(b'[') => {
                return Ok(FetchItem::BodyStructure { extended: false });
            }
            "BINARY" => return binary(cursor, false),
            "BINARY.PEEK" => return binary(cursor, true),
            "BINARY.SIZE" => return binary_section(cursor).map(FetchItem::BinarySize),
            "BODY" => false,
            "BODY.PEEK" => true,
            _ => return Err(Bad::new(format!("unknown FETCH item {name}"))),
        };
        cursor.expect(b'[', "a section")?;
        let section = Section::parse(cursor)?;
        cursor.expect(b']', "the end of the section")?;
        let partial = if cursor.eat(b'<') {
            Some(partial(cursor)?)
        } else {
            None
        };
        Ok(FetchItem::Body {
            peek,
            section,
            partial,
        })
    }
}

fn binary(cursor: &mut Cursor<'_>, peek: bool) -> Result<FetchItem, Bad> {
    let path = binary_section(cursor)?;
    let partial = if cursor.eat(b'<') {
        Some(partial(cursor)?)
    } else {
        None
    };
    Ok(FetchItem::Binary {
        peek,
        path,
        partial,
    })
}

fn binary_section(cursor: &mut Cursor<'_>) -> Result<Vec<u32>, Bad> {
    cursor.expect(b'[', "a section")?;
    let section = Section::parse(cursor)?;
    cursor.expect(b']', "the end of the section")?;
    match section.part {
        SectionPart::Whole => Ok(section.path),
        _ => Err(Bad::new("BINARY takes part numbers only")),
    }
}

fn partial(cursor: &mut Cursor<'_>) -> Result<(u64, u64), Bad> {
    let offset = cursor.number64("the first octet")?;
    cursor.expect(b'.', "a dot")?;
    let length = cursor.number64("the number of octets")?;
    cursor.expect(b'>', ">")?;
    if length == 0 {
        Err(Bad::new("the number of octets must not be 0"))
    } else {
        Ok((offset, length))
    }
}

impl Section {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let mut path = Vec::new();
        while cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            path.push(cursor.nz_number("a part number")?);
            if path.len() > limits::SECTION_DEPTH {
                return Err(Bad::new("a section is deeper than 100 parts"));
            }
            if !cursor.eat(b'.') {
                return Ok(Section {
                    path,
                    part: SectionPart::Whole,
                });
            }
        }
        if path.is_empty() && cursor.peek() == Some(b']') {
            return Ok(Section {
                path,
                part: SectionPart::Whole,
            });
        }
        let name = cursor.text_while("a section", |b| b.is_ascii_alphabetic() || b == b'.')?;
        let part = match name.to_ascii_uppercase().as_str() {
            "HEADER" => SectionPart::Header,
            "TEXT" => SectionPart::Text,
            "MIME" if !path.is_empty() => SectionPart::Mime,
            "HEADER.FIELDS" => SectionPart::Fields {
                not: false,
                names: field_names(cursor)?,
            },
            "HEADER.FIELDS.NOT" => SectionPart::Fields {
                not: true,
                names: field_names(cursor)?,
            },
            _ => return Err(Bad::new(format!("unknown section {name}"))),
        };
        Ok(Section { path, part })
    }
}

fn field_names(cursor: &mut Cursor<'_>) -> Result<Vec<String>, Bad> {
    cursor.space()?;
    let names = cursor.list("field names", |cursor| {
        let name = cursor.text("a field name")?;
        match !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b':')
        {
            true => Ok(name),
            false => Err(Bad::new("a field name must be printable and without colon")),
        }
    })?;
    if names.is_empty() {
        Err(Bad::new("expected field names"))
    } else {
        Ok(names)
    }
}

fn macro_items(cursor: &mut Cursor<'_>) -> Option<Vec<FetchItem>> {
    let fast = vec![FetchItem::Flags, FetchItem::InternalDate, FetchItem::Size];
    let all = [fast.clone(), vec![FetchItem::Envelope]].concat();
    let full = [
        all.clone(),
        vec![FetchItem::BodyStructure { extended: false }],
    ]
    .concat();
    [("FAST", fast), ("ALL", all), ("FULL", full)]
        .into_iter()
        .find_map(|(name, items)| cursor.eat_word(name).then_some(items))
}

/// FETCH or UID FETCH.
pub(super) fn parse(cursor: &mut Cursor<'_>, uid: bool) -> Result<Command, Bad> {
    let mut partial = None;
    let request = FetchRequest::parse(cursor, uid, &mut partial)?;
    Ok(Command::Fetch {
        uid,
        request,
        partial,
    })
}

impl FetchRequest {
    fn parse(
        cursor: &mut Cursor<'_>,
        uid: bool,
        partial: &mut Option<Partial>,
    ) -> Result<Self, Bad> {
        let set = SequenceSet::parse(cursor)?;
        cursor.space()?;
        let listed = match (cursor.peek(), macro_items(cursor)) {
            (_, Some(items)) => items,
            (Some(b'('), None) => cursor.list("FETCH items", FetchItem::parse)?,
            _ => vec![FetchItem::parse(cursor)?],
        };
        if listed.is_empty() {
            return Err(Bad::new("expected FETCH items"));
        }
        if listed.len() > limits::FETCH_ITEMS {
            return Err(Bad::new("more than 200 FETCH items"));
        }
        let mut request = FetchRequest {
            set,
            items: Vec::new(),
            changed_since: None,
            vanished: false,
        };
        if uid {
            request.items.push(FetchItem::Uid);
        }
        listed.into_iter().for_each(|item| request.add(item));
        if cursor.eat(b' ') {
            request.modifiers(cursor, uid, partial)?;
        }
        Ok(request)
    }

    fn add(&mut self, item: FetchItem) {
        if !self.items.contains(&item) {
            self.items.push(item);
        }
    }

    fn modifiers(
        &mut self,
        cursor: &mut Cursor<'_>,
        uid: bool,
        partial: &mut Option<Partial>,
    ) -> Result<(), Bad> {
        cursor.list("FETCH modifiers", |cursor| {
            match cursor
                .atom("a FETCH modifier")?
                .to_ascii_uppercase()
                .as_str()
            {
                "CHANGEDSINCE" => {
                    cursor.space()?;
                    self.changed_since = Some(cursor.number64("a modseq")?);
                }
                "VANISHED" if uid => self.vanished = true,
                "PARTIAL" if uid => {
                    cursor.space()?;
                    *partial = Some(Partial::parse(cursor)?);
                }
                name => return Err(Bad::new(format!("unknown FETCH modifier {name}"))),
            }
            Ok(())
        })?;
        if self.changed_since.is_some() {
            // RFC 7162 section 3.1.4.1: CHANGEDSINCE implies the item.
            self.add(FetchItem::ModSeq);
        }
        if self.vanished && self.changed_since.is_none() {
            Err(Bad::new("VANISHED needs CHANGEDSINCE"))
        } else {
            Ok(())
        }
    }

    /// Whether any item sets `\Seen`.
    pub fn sets_seen(&self) -> bool {
        self.items.iter().any(FetchItem::sets_seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Mode;

    fn items(text: &str) -> Result<Vec<FetchItem>, Bad> {
        let mut cursor = Cursor::new(text.as_bytes(), Mode::default());
        let request = FetchRequest::parse(&mut cursor, false, &mut None)?;
        cursor.end()?;
        Ok(request.items)
    }

    #[test]
    fn macros_stand_for_their_items() {
        assert_eq!(
            items("1 fast"),
            Ok(vec![
                FetchItem::Flags,
                FetchItem::InternalDate,
                FetchItem::Size
            ])
        );
        assert_eq!(
            items("1 FULL").unwrap().last(),
            Some(&FetchItem::BodyStructure { extended: false })
        );
    }

    #[test]
    fn sections_with_partials_are_read() {
        let read = items("1 BODY.PEEK[1.2.HEADER.FIELDS (From \"To\")]<0.2048>").unwrap();
        let [
            FetchItem::Body {
                peek: true,
                section,
                partial,
            },
        ] = read.as_slice()
        else {
            panic!()
        };
        assert_eq!(
            (section.path.as_slice(), partial),
            (&[1, 2][..], &Some((0, 2048)))
        );
        assert_eq!(
            section.part,
            SectionPart::Fields {
                not: false,
                names: vec!["From".into(), "To".into()]
            }
        );
        assert!(items("1 (BODY[] BODY[1.MIME] BODY[TEXT] BODY[2])").is_ok());
    }

    #[test]
    fn what_is_no_section_is_refused() {
        for wrong in [
            "1 BODY[MIME]",
            "1 BODY[0]",
            "1 BODY[1.]",
            "1 BODY[]<1>",
            "1 BODY[]<0.0>",
            "1 BODY[",
            "1 ()",
            "1 FOO",
        ] {
            assert!(items(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn binary_takes_part_numbers_only() {
        let sought = vec![
            FetchItem::Binary {
                peek: true,
                path: vec![1, 2],
                partial: Some((0, 9)),
            },
            FetchItem::BinarySize(vec![1]),
        ];
        assert_eq!(
            items("1 (BINARY.PEEK[1.2]<0.9> BINARY.SIZE[1])"),
            Ok(sought)
        );
        assert!(items("1 BINARY[1.MIME]").is_err());
    }

    #[test]
    fn a_preview_may_be_lazy_and_modifiers_still_follow() {
        let read = items("1 PREVIEW (LAZY) (CHANGEDSINCE 5)");
        assert_eq!(read, Ok(vec![FetchItem::Preview, FetchItem::ModSeq]));
        assert_eq!(items("1 (PREVIEW (LAZY) UID)").unwrap().len(), 2);
        assert!(items("1 (UID) (PARTIAL 1:2)").is_err(), "only of UID FETCH");
    }

    #[test]
    fn changedsince_implies_modseq() {
        assert_eq!(
            items("1:* (FLAGS) (CHANGEDSINCE 12)").unwrap().last(),
            Some(&FetchItem::ModSeq)
        );
        assert!(items("1:* (FLAGS) (VANISHED CHANGEDSINCE 12)").is_err());
    }
}
