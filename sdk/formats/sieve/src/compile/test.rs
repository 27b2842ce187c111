//! What each test takes.

use super::{Arguments, Compiler};
use crate::capability::Capability as C;
use crate::lexer::shown;
use crate::script::{
    AddressPart, BodyTransform, DatePart, Duplicate, DuplicateId, Test, TestKind, Zone,
};
use crate::text::Text;
use crate::tree::Node;
use crate::{Error, Result};

/// RFC 7352 section 3.2: a week when nothing is said.
const DUPLICATE_SECONDS: u64 = 7 * 86_400;
const MAX_DUPLICATE_SECONDS: u64 = 90 * 86_400;

const TESTS: [&str; 20] = [
    "true",
    "false",
    "not",
    "allof",
    "anyof",
    "header",
    "address",
    "envelope",
    "exists",
    "size",
    "body",
    "string",
    "hasflag",
    "date",
    "currentdate",
    "mailboxexists",
    "specialuse_exists",
    "duplicate",
    "environment",
    "if",
];

/// `; did you mean …?`, if a known name has the same letters but one or two.
pub(super) fn proposal(given: &str, known: &[&str]) -> String {
    let distance = |candidate: &str| {
        let (longer, shorter) = match given.len() > candidate.len() {
            true => (given, candidate),
            false => (candidate, given),
        };
        let mut left: Vec<char> = shorter.chars().collect();
        let mut missing = 0;
        for letter in longer.chars() {
            match left.iter().position(|other| *other == letter) {
                Some(at) => {
                    left.remove(at);
                }
                None => missing += 1,
            }
        }
        missing + left.len()
    };
    let nearest = known.iter().min_by_key(|candidate| distance(candidate));
    match nearest.filter(|candidate| distance(candidate) <= 2 && given.len() > 2) {
        Some(candidate) => format!("; did you mean `{candidate}`?"),
        None => String::new(),
    }
}

impl Compiler {
    pub(super) fn one_test(&self, node: &Node) -> Result<Test> {
        match node.tests.as_slice() {
            [test] => self.test(test),
            _ => Err(Error::at(
                node.line,
                format!("{} takes one test", node.name),
            )),
        }
    }

    fn test(&self, node: &Node) -> Result<Test> {
        let kind = match node.name.as_str() {
            "not" => {
                Arguments::new(node, self.required).finish()?;
                TestKind::Not(Box::new(self.one_test(node)?))
            }
            "allof" | "anyof" => {
                Arguments::new(node, self.required).finish()?;
                if node.tests.is_empty() {
                    let what = format!("{} takes tests in parentheses", node.name);
                    return Err(Error::at(node.line, what));
                }
                let tests: Result<Vec<Test>> =
                    node.tests.iter().map(|test| self.test(test)).collect();
                match node.name.as_str() {
                    "allof" => TestKind::AllOf(tests?),
                    _ => TestKind::AnyOf(tests?),
                }
            }
            _ => self.leaf(node)?,
        };
        Ok(Test {
            line: node.line,
            kind,
        })
    }

    fn leaf(&self, node: &Node) -> Result<TestKind> {
        let name = node.name.as_str();
        let capability = match name {
            "envelope" => Some(C::Envelope),
            "body" => Some(C::Body),
            "string" => Some(C::Variables),
            "hasflag" => Some(C::Imap4Flags),
            "date" | "currentdate" => Some(C::Date),
            "mailboxexists" => Some(C::Mailbox),
            "specialuse_exists" => Some(C::SpecialUse),
            "duplicate" => Some(C::Duplicate),
            "environment" => Some(C::Environment),
            "true" | "false" | "exists" | "size" | "header" | "address" => None,
            _ => {
                let nearest = proposal(name, &TESTS);
                let what = format!("there is no test `{}`{nearest}", shown(name));
                return Err(Error::at(node.line, what));
            }
        };
        if let Some(capability) = capability {
            self.needs(node.line, name, capability)?;
        }
        let mut arguments = self.plain(node)?;
        let kind = match name {
            "true" => TestKind::True,
            "false" => TestKind::False,
            "exists" => TestKind::Exists(arguments.strings("the names of fields")?),
            "size" => size(&mut arguments)?,
            "header" => header(&mut arguments)?,
            "address" => address(&mut arguments)?,
            "envelope" => envelope(&mut arguments)?,
            "body" => body(&mut arguments)?,
            "string" => {
                let how = arguments.match_type()?;
                TestKind::String {
                    sources: arguments.strings("texts")?,
                    matcher: arguments.keys(how)?,
                }
            }
            "hasflag" => self.has_flag(&mut arguments)?,
            "date" | "currentdate" => date(&mut arguments)?,
            "mailboxexists" => TestKind::MailboxExists(arguments.strings("the names of folders")?),
            "specialuse_exists" => special_use(&mut arguments)?,
            "duplicate" => duplicate(&mut arguments)?,
            _ => {
                let how = arguments.match_type()?;
                TestKind::Environment {
                    item: arguments.string("the name of an item")?,
                    matcher: arguments.keys(how)?,
                }
            }
        };
        arguments.finish()?;
        Ok(kind)
    }

    fn has_flag(&self, arguments: &mut Arguments<'_>) -> Result<TestKind> {
        let how = arguments.match_type()?;
        let mut variables = Vec::new();
        if arguments.count() == 2 {
            self.needs(arguments.line, "a variable of flags", C::Variables)?;
            for name in arguments.strings("the names of variables")? {
                variables.push(arguments.variable_name(&name)?);
            }
        }
        Ok(TestKind::HasFlag {
            variables,
            matcher: arguments.keys(how)?,
        })
    }
}

fn size(arguments: &mut Arguments<'_>) -> Result<TestKind> {
    let (over, under) = (arguments.tag("over", None)?, arguments.tag("under", None)?);
    if over == under {
        return Err(Error::at(arguments.line, "size takes :over or :under"));
    }
    Ok(TestKind::Size {
        over,
        octets: arguments.number("a number of octets")?,
    })
}

fn header(arguments: &mut Arguments<'_>) -> Result<TestKind> {
    let index = arguments.index(Some(C::Index))?;
    let how = arguments.match_type()?;
    Ok(TestKind::Header {
        index,
        names: arguments.strings("the names of fields")?,
        matcher: arguments.keys(how)?,
    })
}

fn part(arguments: &mut Arguments<'_>) -> Result<AddressPart> {
    let mut found = None;
    for (tag, part, capability) in [
        ("all", AddressPart::All, None),
        ("localpart", AddressPart::LocalPart, None),
        ("domain", AddressPart::Domain, None),
        ("user", AddressPart::User, Some(C::Subaddress)),
        ("detail", AddressPart::Detail, Some(C::Subaddress)),
    ] {
        if arguments.tag(tag, capability)? && found.replace(part).is_some() {
            let what = format!("{} takes only one part of an address", arguments.command);
            return Err(Error::at(arguments.line, what));
        }
    }
    Ok(found.unwrap_or(AddressPart::All))
}

fn address(arguments: &mut Arguments<'_>) -> Result<TestKind> {
    let index = arguments.index(Some(C::Index))?;
    let part = part(arguments)?;
    let how = arguments.match_type()?;
    Ok(TestKind::Address {
        names: arguments.strings("the names of fields")?,
        index,
        part,
        matcher: arguments.keys(how)?,
    })
}

fn envelope(arguments: &mut Arguments<'_>) -> Result<TestKind> {
    let part = part(arguments)?;
    let how = arguments.match_type()?;
    let fields = arguments.strings("\"from\" or \"to\"")?;
    for field in fields.iter().filter_map(Text::constant) {
        if !field.eq_ignore_ascii_case("from") && !field.eq_ignore_ascii_case("to") {
            let what = format!(
                "an envelope has \"from\" and \"to\", not \"{}\"",
                shown(field)
            );
            return Err(Error::at(arguments.line, what));
        }
    }
    Ok(TestKind::Envelope {
        fields,
        part,
        matcher: arguments.keys(how)?,
    })
}

fn body(arguments: &mut Arguments<'_>) -> Result<TestKind> {
    let raw = arguments.tag("raw", None)?;
    let content = arguments.tagged_texts("content", None)?;
    let text = arguments.tag("text", None)?;
    if usize::from(raw) + usize::from(text) + usize::from(content.is_some()) > 1 {
        let what = "body takes only one of :raw, :content and :text";
        return Err(Error::at(arguments.line, what));
    }
    let transform = match content {
        Some(types) => BodyTransform::Content(types),
        None if raw => BodyTransform::Raw,
        None => BodyTransform::Text,
    };
    let how = arguments.match_type()?;
    Ok(TestKind::Body {
        transform,
        matcher: arguments.keys(how)?,
    })
}

fn date(arguments: &mut Arguments<'_>) -> Result<TestKind> {
    let is_current = arguments.command == "currentdate";
    let index = match is_current {
        true => None,
        false => arguments.index(Some(C::Index))?,
    };
    let zone = match arguments.tagged_text("zone", None)? {
        None => Zone::Local,
        Some(text) => text
            .constant()
            .and_then(offset)
            .map(Zone::Offset)
            .ok_or_else(|| Error::at(arguments.line, ":zone takes an offset such as \"+0100\""))?,
    };
    let original = !is_current && arguments.tag("originalzone", None)?;
    if original && zone != Zone::Local {
        let what = "date takes only one of :zone and :originalzone";
        return Err(Error::at(arguments.line, what));
    }
    let how = arguments.match_type()?;
    let header = match is_current {
        true => None,
        false => Some((arguments.string("the name of a field")?, index)),
    };
    let name = arguments.string("a part of a date")?;
    let part = name.constant().unwrap_or_default();
    let part = date_part(part).ok_or_else(|| {
        let what = format!("\"{}\" is not a part of a date", shown(part));
        Error::at(arguments.line, what)
    })?;
    Ok(TestKind::Date {
        header,
        zone: if original { Zone::Original } else { zone },
        part,
        matcher: arguments.keys(how)?,
    })
}

/// `+0130` in seconds.
fn offset(text: &str) -> Option<i32> {
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let digits = text.get(1..).filter(|digits| digits.len() == 4)?;
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..)?.parse().ok()?;
    (hours < 24 && minutes < 60 && !digits.contains(['+', '-']))
        .then_some(sign * (hours * 60 + minutes) * 60)
}

fn date_part(name: &str) -> Option<DatePart> {
    Some(match name.to_ascii_lowercase().as_str() {
        "year" => DatePart::Year,
        "month" => DatePart::Month,
        "day" => DatePart::Day,
        "date" => DatePart::Date,
        "julian" => DatePart::Julian,
        "hour" => DatePart::Hour,
        "minute" => DatePart::Minute,
        "second" => DatePart::Second,
        "time" => DatePart::Time,
        "iso8601" => DatePart::Iso8601,
        "std11" => DatePart::Std11,
        "zone" => DatePart::Zone,
        "weekday" => DatePart::Weekday,
        _ => return None,
    })
}

fn special_use(arguments: &mut Arguments<'_>) -> Result<TestKind> {
    let folder = match arguments.count() {
        2 => Some(arguments.string("the name of a folder")?),
        _ => None,
    };
    Ok(TestKind::SpecialUseExists {
        folder,
        uses: arguments.strings("special uses")?,
    })
}

fn duplicate(arguments: &mut Arguments<'_>) -> Result<TestKind> {
    let header = arguments.tagged_text("header", None)?;
    let unique = arguments.tagged_text("uniqueid", None)?;
    let id = match (header, unique) {
        (Some(_), Some(_)) => {
            let what = "duplicate takes only one of :header and :uniqueid";
            return Err(Error::at(arguments.line, what));
        }
        (None, Some(id)) => DuplicateId::Unique(id),
        (Some(name), None) => DuplicateId::Header(name),
        (None, None) => DuplicateId::Header(Text::literal("Message-ID")),
    };
    let seconds = arguments.tagged_number("seconds", None)?;
    Ok(TestKind::Duplicate(Box::new(Duplicate {
        handle: arguments.tagged_text("handle", None)?,
        id,
        seconds: seconds
            .unwrap_or(DUPLICATE_SECONDS)
            .min(MAX_DUPLICATE_SECONDS),
        last: arguments.tag("last", None)?,
    })))
}
