//! What each test asks.

use waxwing_formats_mime::{Part, PartKind, Structure, charset, parameter, text, transfer};

use super::moment::Moment;
use super::{Loaded, Machine, act, address};
use crate::header::decoded;
use crate::limits::MAX_MESSAGE;
use crate::matching::{self, MatchType, regex};
use crate::script::{
    AddressPart, BodyTransform, Duplicate, DuplicateId, Index, Key, Matcher, Test, TestKind, Zone,
};
use crate::text::Text;
use crate::{Action, Error, Result};

/// Whether matches are kept as match variables.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    Captures,
    Nothing,
}

impl Machine<'_> {
    pub(super) fn test(&mut self, test: &Test) -> Result<bool> {
        self.count_instruction(test.line)?;
        let line = test.line;
        Ok(match &test.kind {
            TestKind::True => true,
            TestKind::False => false,
            TestKind::Not(inner) => !self.test(inner)?,
            TestKind::AllOf(tests) => {
                for test in tests {
                    if !self.test(test)? {
                        return Ok(false);
                    }
                }
                true
            }
            TestKind::AnyOf(tests) => {
                for test in tests {
                    if self.test(test)? {
                        return Ok(true);
                    }
                }
                false
            }
            TestKind::Exists(names) => names.iter().all(|name| self.header.has(&self.text(name))),
            TestKind::Size { over, octets } => match over {
                true => self.arrival.size > *octets,
                false => self.arrival.size < *octets,
            },
            TestKind::Duplicate(duplicate) => self.duplicate(duplicate),
            TestKind::MailboxExists(folders) => {
                let folders = self.texts(folders);
                folders
                    .iter()
                    .all(|folder| self.surroundings.has_folder(folder))
            }
            TestKind::SpecialUseExists { folder, uses } => {
                let folder = folder.as_ref().map(|folder| self.text(folder));
                let uses = self.texts(uses);
                uses.iter().all(|special| {
                    self.surroundings
                        .has_special_use(special, folder.as_deref())
                })
            }
            other => return self.comparison(line, other),
        })
    }

    /// Tests that compare texts with keys.
    fn comparison(&mut self, line: u32, test: &TestKind) -> Result<bool> {
        match test {
            TestKind::Header {
                names,
                index,
                matcher,
            } => {
                let fields = self.fields(names, *index);
                let values = fields.iter().map(|field| decoded(field)).collect();
                self.any(line, matcher, values, Keep::Captures)
            }
            TestKind::Address {
                names,
                index,
                part,
                matcher,
            } => {
                let fields = self.fields(names, *index);
                let addresses: Vec<String> = fields
                    .iter()
                    .flat_map(|field| address::of_field(field))
                    .collect();
                self.any_part(line, matcher, *part, &addresses)
            }
            TestKind::Envelope {
                fields,
                part,
                matcher,
            } => {
                let addresses = self.envelope(fields);
                self.any_part(line, matcher, *part, &addresses)
            }
            _ => self.other_comparison(line, test),
        }
    }

    /// Those whose texts are not addresses or fields.
    fn other_comparison(&mut self, line: u32, test: &TestKind) -> Result<bool> {
        match test {
            TestKind::Body { transform, matcher } => {
                let texts = self.body_texts(transform);
                self.any(line, matcher, texts, Keep::Nothing)
            }
            TestKind::String { sources, matcher } => {
                let mut sources = self.texts(sources);
                let counts = matches!(matcher.kind, MatchType::Count(_));
                sources.retain(|source| !counts || !source.is_empty());
                self.any(line, matcher, sources, Keep::Captures)
            }
            TestKind::HasFlag { variables, matcher } => self.has_flag(line, variables, matcher),
            TestKind::Date {
                header,
                zone,
                part,
                matcher,
            } => {
                let moment = self.moment(header.as_ref(), *zone);
                let parts = moment.map(|moment| moment.part(*part));
                self.any(line, matcher, parts.into_iter().collect(), Keep::Captures)
            }
            TestKind::Environment { item, matcher } => {
                let item = self.text(item).to_ascii_lowercase();
                let known = self
                    .arrival
                    .environment
                    .iter()
                    .find(|(name, _)| *name == item);
                let values: Vec<String> =
                    known.map(|(_, value)| value.clone()).into_iter().collect();
                // An unknown item is not an empty one, and has no number either (RFC 5183 section 4).
                Ok(!values.is_empty() && self.any(line, matcher, values, Keep::Captures)?)
            }
            _ => Ok(false),
        }
    }

    /// The undecoded values of all fields of these names; of each name the one that the index means.
    fn fields(&self, names: &[Text], index: Option<Index>) -> Vec<Vec<u8>> {
        let mut fields = Vec::new();
        for name in self.texts(names) {
            fields.extend(
                pick(self.header.raw(&name), index)
                    .into_iter()
                    .map(<[u8]>::to_vec),
            );
        }
        fields
    }

    fn envelope(&self, fields: &[Text]) -> Vec<String> {
        let mut addresses = Vec::new();
        for field in self.texts(fields) {
            match field.to_ascii_lowercase().as_str() {
                "from" => addresses.push(self.arrival.sender.to_owned()),
                "to" => addresses.push(self.arrival.recipient.to_owned()),
                _ => {}
            }
        }
        addresses
    }

    /// The date of a field, the first one without an index, or now.
    fn moment(&self, field: Option<&(Text, Option<Index>)>, zone: Zone) -> Option<Moment> {
        let moment = match field {
            None => Moment {
                seconds: self.arrival.now,
                offset: 0,
            },
            Some((name, index)) => {
                let first = Index {
                    number: 1,
                    from_last: false,
                };
                let name = self.text(name);
                let found = pick(self.header.raw(&name), Some(index.unwrap_or(first)));
                Moment::of_field(found.first()?)?
            }
        };
        Some(match zone {
            Zone::Original => moment,
            Zone::Local => moment.at(0),
            Zone::Offset(offset) => moment.at(offset),
        })
    }

    pub(super) fn text(&self, text: &Text) -> String {
        text.expand(|piece| self.variables.piece(piece))
    }

    pub(super) fn texts(&self, texts: &[Text]) -> Vec<String> {
        texts.iter().map(|text| self.text(text)).collect()
    }

    fn any_part(
        &mut self,
        line: u32,
        matcher: &Matcher,
        part: AddressPart,
        addresses: &[String],
    ) -> Result<bool> {
        let delimiter = self.arrival.delimiter;
        let parts = addresses
            .iter()
            .filter_map(|address| address::part(address, part, delimiter));
        self.any(line, matcher, parts.collect(), Keep::Captures)
    }

    /// Whether any of the texts matches any of the keys; for `:count` whether their number does.
    fn any(
        &mut self,
        line: u32,
        matcher: &Matcher,
        texts: Vec<String>,
        keep: Keep,
    ) -> Result<bool> {
        let texts = match matcher.kind {
            MatchType::Count(_) => vec![texts.len().to_string()],
            _ => texts,
        };
        for key in &matcher.keys {
            let expanded = self.text(&key.text);
            for text in &texts {
                if let Some(captures) = self.one(line, matcher, key, (text, &expanded))? {
                    if keep == Keep::Captures
                        && matches!(matcher.kind, MatchType::Matches | MatchType::Regex)
                    {
                        self.variables.capture(captures);
                    }
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// As `any` for one text, without match variables.
    pub(super) fn any_quietly(&mut self, line: u32, matcher: &Matcher, text: &str) -> Result<bool> {
        self.any(line, matcher, vec![text.to_owned()], Keep::Nothing)
    }

    fn one(
        &mut self,
        line: u32,
        matcher: &Matcher,
        key: &Key,
        (text, expanded): (&str, &str),
    ) -> Result<Option<matching::Captures>> {
        let length = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX);
        let (octets, of_key) = (length(text) + 1, length(expanded));
        let cost = match matcher.kind {
            MatchType::Matches => octets.saturating_mul(1 + of_key / 2),
            MatchType::Regex => octets.saturating_mul(4 + of_key),
            _ => octets + of_key,
        };
        self.count_work(line, cost)?;
        let failed = |what| Error::at(line, what);
        match (&key.regex, matcher.kind) {
            (Some(regex), MatchType::Regex) => Ok(matching::groups(regex, text)),
            (None, MatchType::Regex) => {
                let regex = regex(expanded, matcher.comparator).map_err(failed)?;
                Ok(matching::groups(&regex, text))
            }
            (_, kind) => Ok(matching::matches(kind, matcher.comparator, text, expanded)),
        }
    }

    fn has_flag(&mut self, line: u32, variables: &[String], matcher: &Matcher) -> Result<bool> {
        let mut flags = Vec::new();
        for name in variables {
            act::add_flags(&mut flags, self.variables.get(name));
        }
        if variables.is_empty() {
            flags = self.flags.clone();
        }
        // A key may be several flags (RFC 5232 section 2), except where it is a number or a pattern.
        if !matches!(matcher.kind, MatchType::Is | MatchType::Contains) {
            return self.any(line, matcher, flags, Keep::Captures);
        }
        let keys: Vec<String> = matcher
            .keys
            .iter()
            .map(|key| self.text(&key.text))
            .collect();
        let keys = keys
            .iter()
            .flat_map(|key| key.split_whitespace())
            .map(|key| Key {
                text: Text::literal(key),
                regex: None,
            });
        let split = Matcher {
            keys: keys.collect(),
            ..matcher.clone()
        };
        self.any(line, &split, flags, Keep::Captures)
    }

    fn duplicate(&mut self, duplicate: &Duplicate) -> bool {
        let (kind, id) = match &duplicate.id {
            DuplicateId::Unique(text) => ("unique".to_owned(), Some(self.text(text))),
            DuplicateId::Header(name) => {
                let name = self.text(name);
                (name.to_ascii_lowercase(), self.header.values(&name).next())
            }
        };
        let Some(id) = id.filter(|id| !id.is_empty()) else {
            return false;
        };
        let handle = duplicate
            .handle
            .as_ref()
            .map(|handle| self.text(handle))
            .unwrap_or_default();
        let key = format!("duplicate\0{handle}\0{kind}\0{id}");
        let seen = self.surroundings.seen(&key);
        if !seen || duplicate.last {
            let remember = Action::Remember {
                key,
                seconds: duplicate.seconds,
            };
            if !self.remember.contains(&remember) {
                self.remember.push(remember);
            }
        }
        seen
    }

    fn loaded(&mut self) -> &Loaded {
        let surroundings = &mut self.surroundings;
        self.body.get_or_insert_with(|| {
            let mut octets = surroundings.message();
            octets.truncate(MAX_MESSAGE);
            let structure = Structure::parse(&octets);
            Loaded { octets, structure }
        })
    }

    fn body_texts(&mut self, transform: &BodyTransform) -> Vec<String> {
        match transform {
            BodyTransform::Raw => {
                let loaded = self.loaded();
                vec![
                    String::from_utf8_lossy(slice(&loaded.octets, loaded.structure.root.body))
                        .into_owned(),
                ]
            }
            BodyTransform::Text => {
                let loaded = self.loaded();
                text::body(&loaded.octets, &loaded.structure).collect()
            }
            BodyTransform::Content(types) => {
                let types = self.texts(types);
                let loaded = self.loaded();
                let mut texts = Vec::new();
                let mut open = vec![&loaded.structure.root];
                while let Some(part) = open.pop() {
                    if types.iter().any(|wanted| is_type(part, wanted)) {
                        texts.extend(content(&loaded.octets, part));
                    }
                    match &part.kind {
                        PartKind::Multipart(parts) => open.extend(parts.iter().rev()),
                        PartKind::Message(inner) => open.push(&inner.root),
                        PartKind::Leaf => {}
                    }
                }
                texts
            }
        }
    }
}

/// Those that an index means; all without one.
fn pick<'a>(
    mut fields: impl DoubleEndedIterator<Item = &'a [u8]>,
    index: Option<Index>,
) -> Vec<&'a [u8]> {
    let Some(index) = index else {
        return fields.collect();
    };
    let at = usize::try_from(index.number - 1).unwrap_or(usize::MAX);
    let found = match index.from_last {
        true => fields.rev().nth(at),
        false => fields.nth(at),
    };
    found.into_iter().collect()
}

fn slice(octets: &[u8], (offset, length): (u64, u64)) -> &[u8] {
    let at = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    octets
        .get(at(offset)..at(offset.saturating_add(length)))
        .unwrap_or_default()
}

/// RFC 5173 section 5.2: a type, a type with its subtype, or everything.
fn is_type(part: &Part, wanted: &str) -> bool {
    if wanted.is_empty() {
        return true;
    }
    let same = |one: &[u8], other: &str| one.eq_ignore_ascii_case(other.as_bytes());
    match wanted.split_once('/') {
        Some((kind, subtype)) => same(&part.media_type, kind) && same(&part.subtype, subtype),
        None => same(&part.media_type, wanted),
    }
}

/// What a part says, decoded: of an embedded message its header, of a multipart nothing.
fn content(octets: &[u8], part: &Part) -> Option<String> {
    match &part.kind {
        PartKind::Multipart(_) => None,
        PartKind::Message(inner) => Some(text::header(octets, inner)),
        PartKind::Leaf => {
            let body = transfer::decode(&part.encoding, slice(octets, part.body));
            let label = parameter::value(&part.params, "charset").unwrap_or(b"us-ascii");
            Some(match part.media_type.as_slice() {
                b"TEXT" => charset::decode(label, &body),
                _ => String::from_utf8_lossy(&body).into_owned(),
            })
        }
    }
}
