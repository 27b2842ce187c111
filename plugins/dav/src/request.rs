//! A request with its fields read once.

use waxwing_sdk::bodies::{self, Body};
use waxwing_sdk::http;
use waxwing_sdk::store::objects::Condition;

use crate::answer::Refusal;
use crate::lock::Lists;
use crate::paging::{Cursor, Rest, Ticket};
use crate::place::Place;
use crate::scheduling::holds;
use crate::xml::{Element, read};

/// Octets of a body that is XML.
const MAX_XML: u64 = 4 * 1024 * 1024;

/// RFC 4918 section 10.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    Zero,
    One,
    Infinity,
}

/// What the `If` field was held against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    /// None: there was nothing.
    pub(crate) etag: Option<String>,
}

/// What a client sent.
pub(crate) struct Request {
    pub(crate) method: String,
    /// None where there can be nothing.
    pub(crate) place: Option<Place>,
    path: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Option<Body>,
    /// Where the answer goes on.
    pub(crate) cursor: Cursor,
    /// As `Rest::zones`.
    pub(crate) zones: Vec<String>,
    /// What its `If` field has found out about the resource; the change is held to it.
    pub(crate) seen: Option<Seen>,
}

impl Request {
    pub(crate) fn of(request: http::Request) -> Request {
        Request {
            method: request.method,
            place: Place::of(&request.path),
            path: request.path,
            headers: request.headers,
            body: request.body,
            cursor: Cursor::default(),
            zones: Vec::new(),
            seen: None,
        }
    }

    /// A request that goes on.
    pub(crate) fn of_ticket(ticket: Ticket) -> Result<Request, Refusal> {
        let body = ticket.body.map(bodies::resume).transpose()?;
        Ok(Request {
            method: ticket.method,
            place: Place::of(&ticket.path),
            path: ticket.path,
            headers: ticket.headers,
            body,
            cursor: ticket.cursor,
            zones: ticket.zones,
            seen: None,
        })
    }

    /// What is needed to go on.
    pub(crate) fn ticket(&self, rest: Rest) -> Ticket {
        const NEEDED: [&str; 3] = ["depth", "prefer", "brief"];
        let needed = |(name, _): &&(String, Vec<u8>)| NEEDED.contains(&name.as_str());
        Ticket {
            method: self.method.clone(),
            path: self.path.clone(),
            headers: self.headers.iter().filter(needed).cloned().collect(),
            body: self.body.as_ref().map(Body::keep),
            cursor: rest.cursor,
            zones: rest.zones,
        }
    }

    /// The first value of a field.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .and_then(|(_, value)| std::str::from_utf8(value).ok())
            .map(str::trim)
    }

    /// All members of a list that may stand in several fields.
    fn members(&self, name: &str) -> impl Iterator<Item = &str> {
        let fields = self.headers.iter().filter(move |(known, _)| known == name);
        fields
            .filter_map(|(_, value)| std::str::from_utf8(value).ok())
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|member| !member.is_empty())
    }

    pub(crate) fn body(&self) -> Option<&Body> {
        self.body.as_ref()
    }

    /// The depth, or what it is when none is given.
    pub(crate) fn depth(&self, absent: Depth) -> Result<Depth, Refusal> {
        match self.header("depth") {
            None => Ok(absent),
            Some("0") => Ok(Depth::Zero),
            Some("1") => Ok(Depth::One),
            Some(text) if text.eq_ignore_ascii_case("infinity") => Ok(Depth::Infinity),
            Some(_) => Err(Refusal::new(400, "Depth is 0, 1 or infinity")),
        }
    }

    /// RFC 8144, and `Brief` of the clients that came before it.
    pub(crate) fn wants_minimal(&self) -> bool {
        let preferred = |member: &str| {
            let (name, value) = member.split_once('=').unwrap_or((member, ""));
            name.trim().eq_ignore_ascii_case("return")
                && value
                    .trim()
                    .trim_matches('"')
                    .eq_ignore_ascii_case("minimal")
        };
        self.members("prefer").any(preferred)
            || self
                .header("brief")
                .is_some_and(|value| value.eq_ignore_ascii_case("t"))
    }

    /// RFC 8144 section 2: the new state comes back with the answer.
    pub(crate) fn wants_representation(&self) -> bool {
        self.members("prefer").any(|member| {
            member
                .replace(' ', "")
                .eq_ignore_ascii_case("return=representation")
        })
    }

    /// The root of a body of XML; none for an empty body.
    pub(crate) fn xml(&self) -> Result<Option<Element>, Refusal> {
        let Some(body) = self.body.as_ref().filter(|body| body.size() > 0) else {
            return Ok(None);
        };
        if body.size() > MAX_XML {
            return Err(Refusal::new(
                413,
                format!("the body has more than {MAX_XML} octets"),
            ));
        }
        let octets = bodies::read_all(body, MAX_XML)?;
        read(&octets)
            .map(Some)
            .map_err(|broken| Refusal::new(400, broken.to_string()))
    }

    /// The `If` field; none when there is none.
    pub(crate) fn lists(&self) -> Result<Option<Lists>, Refusal> {
        self.header("if").map(Lists::read).transpose()
    }

    /// What the store looks at within its commit: If-Match and If-None-Match, and what the `If` field was held against.
    pub(crate) fn condition(&self) -> Result<Condition, Refusal> {
        let condition = self.matching()?;
        let Some(seen) = &self.seen else {
            return Ok(condition);
        };
        if !holds(&condition, seen.etag.as_deref()) {
            return Err(Refusal::new(412, "it is not as the request says"));
        }
        Ok(match &seen.etag {
            Some(etag) => Condition::OneOf(vec![etag.clone()]),
            None => Condition::Absent,
        })
    }

    /// If-Match and If-None-Match (RFC 9110 section 13.1).
    fn matching(&self) -> Result<Condition, Refusal> {
        let matching = self.etags("if-match");
        let none = self.etags("if-none-match");
        match (matching, none) {
            (None, None) => Ok(Condition::Any),
            (Some(Tags::Any), None) => Ok(Condition::Present),
            (Some(Tags::These(tags)), None) => Ok(Condition::OneOf(tags)),
            (None, Some(Tags::Any)) => Ok(Condition::Absent),
            (None, Some(Tags::These(tags))) => Ok(Condition::NoneOf(tags)),
            (Some(_), Some(_)) => Err(Refusal::new(
                400,
                "If-Match and If-None-Match cannot both be looked at",
            )),
        }
    }

    /// Strong entity tags of a field. A weak one never matches for a change.
    fn etags(&self, name: &str) -> Option<Tags> {
        let mut members = self.members(name).peekable();
        members.peek()?;
        let mut tags = Vec::new();
        for member in members {
            if member == "*" {
                return Some(Tags::Any);
            }
            // Some clients leave the quotes out.
            if !member.starts_with("W/") {
                tags.push(member.trim_matches('"').to_owned());
            }
        }
        Some(Tags::These(tags))
    }

    /// If-Schedule-Tag-Match (RFC 6638 section 8.3), without quotes.
    pub(crate) fn schedule_tag(&self) -> Option<&str> {
        let value = self.header("if-schedule-tag-match")?;
        Some(value.trim_matches('"'))
    }

    /// Schedule-Reply: F (RFC 6638 section 8.1).
    pub(crate) fn wants_no_reply(&self) -> bool {
        self.header("schedule-reply")
            .is_some_and(|value| value.eq_ignore_ascii_case("f"))
    }

    /// Whether a client that has one of these tags has all that there is (If-None-Match of GET).
    pub(crate) fn knows(&self, etag: &str) -> bool {
        self.members("if-none-match").any(|member| {
            member == "*" || member.trim_start_matches("W/").trim_matches('"') == etag
        })
    }

    /// Where COPY and MOVE go to.
    pub(crate) fn destination(&self) -> Result<Place, Refusal> {
        let text = self
            .header("destination")
            .ok_or_else(|| Refusal::new(400, "Destination is missing"))?;
        Place::of_href(text)
            .ok_or_else(|| Refusal::new(403, "the destination is no place of this server"))
    }

    /// RFC 4918 section 10.6.
    pub(crate) fn overwrite(&self) -> bool {
        self.header("overwrite")
            .is_none_or(|value| !value.eq_ignore_ascii_case("f"))
    }

    /// Whether the body says that it is XML.
    pub(crate) fn is_xml(&self) -> bool {
        let media = self.media_type();
        media.is_some_and(|media| matches!(media.as_str(), "application/xml" | "text/xml"))
    }

    /// The media type of the body without parameters, in small letters.
    pub(crate) fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        let (media, _) = value.split_once(';').unwrap_or((value, ""));
        Some(media.trim().to_ascii_lowercase()).filter(|media| !media.is_empty())
    }
}

enum Tags {
    Any,
    These(Vec<String>),
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A request without a body.
    pub(crate) fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request {
        let header = |(name, value): &(&str, &str)| ((*name).to_owned(), value.as_bytes().to_vec());
        Request {
            method: method.into(),
            place: Place::of(path),
            path: path.into(),
            headers: headers.iter().map(header).collect(),
            body: None,
            cursor: Cursor::default(),
            zones: Vec::new(),
            seen: None,
        }
    }

    fn with(headers: &[(&str, &str)]) -> Request {
        request("PUT", "/dav/", headers)
    }

    #[test]
    fn conditions_are_strong_tags_with_or_without_quotes() {
        let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
        let condition = |headers: &[(&str, &str)]| with(headers).condition().unwrap();
        assert!(matches!(condition(&[]), Condition::Any));
        assert!(matches!(
            condition(&[("if-none-match", "*")]),
            Condition::Absent
        ));
        assert!(matches!(
            condition(&[("if-match", "*")]),
            Condition::Present
        ));
        let these = condition(&[("if-match", "\"a\", b, W/\"c\""), ("if-match", "\"d\"")]);
        assert!(matches!(these, Condition::OneOf(found) if found == tags(&["a", "b", "d"])));
        assert!(
            with(&[("if-match", "*"), ("if-none-match", "*")])
                .condition()
                .is_err()
        );
    }

    #[test]
    fn minimal_answers_are_asked_for_in_two_ways() {
        assert!(with(&[("prefer", "respond-async, return=minimal")]).wants_minimal());
        assert!(with(&[("brief", "t")]).wants_minimal());
        assert!(!with(&[("prefer", "return=representation")]).wants_minimal());
        assert!(with(&[("prefer", "return=representation")]).wants_representation());
    }

    #[test]
    fn a_depth_is_one_of_three() {
        assert_eq!(with(&[]).depth(Depth::One), Ok(Depth::One));
        assert_eq!(
            with(&[("depth", "Infinity")]).depth(Depth::Zero),
            Ok(Depth::Infinity)
        );
        assert!(with(&[("depth", "2")]).depth(Depth::Zero).is_err());
    }
}
