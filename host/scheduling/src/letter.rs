//! A message of iTIP as mail (RFC 6047): a text for people, and the calendar beside it.

use std::fmt::Write as _;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use jiff::{Timestamp, fmt::rfc2822};
use waxwing_directory::User;
use waxwing_formats_ical::schedule::Method;
use waxwing_formats_ical::{Calendar, contentline::Component};

/// Octets of a line of base64 (RFC 2045 section 6.8).
const MAX_LINE: usize = 76;
/// Octets of a text in the header.
const MAX_HEADER: usize = 200;

/// Sends mail.
#[async_trait]
pub trait Post: Send + Sync {
    /// Whether the letter is on its way, durably.
    async fn post(&self, letter: Letter) -> bool;
}

/// A mail to one recipient.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Who writes it.
    pub from: User,
    /// The address.
    pub to: String,
    /// The whole message, lines ending in CRLF.
    pub message: Bytes,
    /// It is in the recipient's calendar already: at its arrival there is nothing to be done.
    pub is_applied: bool,
}

/// Who writes to whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope<'e> {
    pub(crate) from: &'e User,
    pub(crate) to: &'e str,
    /// The server says it, not a person: nothing answers it (RFC 3834).
    pub(crate) is_automatic: bool,
}

/// Writes the mail of a message.
pub(crate) fn render(envelope: Envelope<'_>, calendar: &Calendar) -> Bytes {
    let Envelope {
        from,
        to,
        is_automatic,
    } = envelope;
    let method = calendar.method().unwrap_or_default();
    let inner = calendar
        .component()
        .components
        .iter()
        .find(|component| !component.is("VTIMEZONE"));
    let summary = inner
        .and_then(|component| component.line("SUMMARY"))
        .map_or_else(|| "(no title)".to_owned(), |line| line.as_text());
    let unique = format!("{:032x}", rand::random::<u128>());
    let domain = from.address.rsplit_once('@').map_or("", |(_, d)| d);
    let kind = inner.map_or_else(
        || "VEVENT".to_owned(),
        |inner| inner.name.to_ascii_uppercase(),
    );
    let verb = verb(&method, inner);
    let mut out = String::new();
    let date = rfc2822::to_string(&Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC));
    let head = [
        ("From", mailbox(&from.display_name, &from.address)),
        ("To", format!("<{}>", plain(to))),
        ("Subject", encoded(&format!("{verb}: {summary}"))),
        ("Date", date.unwrap_or_default()),
        ("Message-ID", format!("<{unique}@{domain}>")),
        ("MIME-Version", "1.0".to_owned()),
        (
            "Content-Type",
            format!("multipart/alternative; boundary=\"itip-{unique}\""),
        ),
    ];
    for (name, value) in head {
        // Writing to a String cannot fail.
        let _ = write!(out, "{name}: {value}\r\n");
    }
    if is_automatic {
        out.push_str("Auto-Submitted: auto-replied\r\n");
    }
    out.push_str("\r\n");
    let words = words(from, &verb, (&summary, inner));
    part(&mut out, &unique, "text/plain; charset=utf-8", &words);
    let media = format!("text/calendar; charset=utf-8; method={method}; component={kind}");
    part(&mut out, &unique, &media, &calendar.to_text());
    let _ = write!(out, "--itip-{unique}--\r\n");
    Bytes::from(out)
}

fn part(out: &mut String, unique: &str, media: &str, content: &str) {
    let _ = write!(
        out,
        "--itip-{unique}\r\nContent-Type: {media}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    );
    let encoded = STANDARD.encode(content);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at(rest.len().min(MAX_LINE));
        out.push_str(line);
        out.push_str("\r\n");
        rest = behind;
    }
}

/// What the mail is, in a word or two.
fn verb(method: &str, inner: Option<&Component>) -> String {
    let answer = inner
        .and_then(|component| component.line("ATTENDEE"))
        .and_then(|line| line.parameter("PARTSTAT"))
        .unwrap_or_default()
        .to_ascii_uppercase();
    let verb = match (Method::of_name(method), answer.as_str()) {
        (Some(Method::Reply), "ACCEPTED") => "Accepted",
        (Some(Method::Reply), "DECLINED") => "Declined",
        (Some(Method::Reply), "TENTATIVE") => "Tentative",
        (Some(Method::Reply), _) => "Answer",
        (Some(Method::Cancel), _) => "Cancelled",
        (Some(Method::Counter), _) => "New time proposed",
        (Some(Method::DeclineCounter), _) => "Proposal declined",
        (Some(Method::Refresh), _) => "Please send again",
        _ => "Invitation",
    };
    verb.to_owned()
}

fn words(from: &User, verb: &str, (summary, inner): (&str, Option<&Component>)) -> String {
    let who = match from.display_name.is_empty() {
        true => from.address.clone(),
        false => format!("{} <{}>", from.display_name, from.address),
    };
    let mut text = format!("{verb}: {summary}\r\n\r\nFrom: {who}\r\n");
    let mut line = |label: &str, name: &str| {
        let found = inner.and_then(|component| component.line(name));
        if let Some(found) = found {
            let zone = found.parameter("TZID").unwrap_or_default();
            let value = found.as_text().replace('\n', "\r\n");
            let _ = write!(text, "{label}: {value} {zone}\r\n");
        }
    };
    line("Start", "DTSTART");
    line("End", "DTEND");
    line("Due", "DUE");
    line("Instance", "RECURRENCE-ID");
    line("Repeats", "RRULE");
    line("Where", "LOCATION");
    line("Comment", "COMMENT");
    line("About", "DESCRIPTION");
    text
}

/// RFC 5322 section 3.4.
fn mailbox(name: &str, address: &str) -> String {
    match name.is_empty() {
        true => format!("<{}>", plain(address)),
        false => format!("{} <{}>", encoded(name), plain(address)),
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// RFC 2047, always encoded: what stands in a meeting never ends a field or a phrase.
fn encoded(text: &str) -> String {
    let mut text = plain(text);
    text.truncate(text.floor_char_boundary(MAX_HEADER));
    let mut words = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (word, behind) = rest.split_at(rest.floor_char_boundary(42));
        words.push(format!("=?utf-8?B?{}?=", STANDARD.encode(word)));
        rest = behind;
    }
    words.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use waxwing_formats_mime::{Structure, header, text};

    use super::*;

    #[test]
    fn a_letter_is_read_as_it_was_meant_whatever_stands_in_the_meeting() {
        let source = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\n\
            SUMMARY:Grüße\\nBcc: x@y.z\r\nDTSTART:20300101T100000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let limits = waxwing_formats_ical::Limits::default().text;
        let calendar = Calendar::parse(source.as_bytes(), &limits).unwrap();
        let from = User {
            address: "ann@a.example".into(),
            display_name: "Ann \"A\" \r\nX: y".into(),
            mailbox: String::new(),
            enabled: true,
            features_off: Vec::new(),
        };
        let envelope = Envelope {
            from: &from,
            to: "bob@b.example",
            is_automatic: false,
        };
        let message = render(envelope, &calendar);
        let structure = Structure::parse(&message);
        let (start, length) = structure.root.header;
        let (start, end) = (start as usize, (start + length) as usize);
        assert_eq!(header::fields(&message[start..end]).count(), 7);
        let subject = text::header_values(&message[start..end], "Subject");
        assert_eq!(subject, ["Invitation: GrüßeBcc: x@y.z"]);
        let part = structure.part(&[2]).unwrap();
        assert_eq!(text::of_part(&message, part).unwrap(), calendar.to_text());
        assert!(message.is_ascii());
        let longest = message
            .split(|octet| *octet == b'\n')
            .map(<[u8]>::len)
            .max();
        assert!(longest < Some(120));
    }
}
