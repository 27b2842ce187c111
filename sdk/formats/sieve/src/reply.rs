//! The messages that a script sends: whole, with every line end and the fields that keep other machines from answering them.

use crate::evaluate::Moment;
use crate::header::{encode, render};

/// What is answered.
pub(crate) struct Original<'a> {
    pub(crate) sender: &'a str,
    pub(crate) recipient: &'a str,
    /// The primary address of whose script it is.
    pub(crate) owner: &'a str,
    pub(crate) subject: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) references: Option<String>,
    /// Seconds since 1970.
    pub(crate) now: i64,
}

/// What a `vacation` says.
pub(crate) struct Answer<'a> {
    pub(crate) from: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) text: &'a str,
    /// The text is a MIME entity with its header.
    pub(crate) mime: bool,
}

/// Octets of a line of text; longer ones are cut in two (RFC 5322 section 2.1.1).
const LINE: usize = 900;

pub(crate) fn vacation(original: &Original<'_>, answer: &Answer<'_>) -> Vec<u8> {
    let owner = original.owner;
    let mut out = match &answer.from {
        Some(from) => from_field(from),
        None => render("From", &format!("<{owner}>")),
    };
    let of_original = original.subject.as_deref().unwrap_or("no subject");
    let subject = match &answer.subject {
        Some(subject) => subject.clone(),
        None => format!("Auto: {of_original}"),
    };
    out.push_str(&addressed(original, &subject, "auto-replied"));
    if answer.mime {
        out.push_str(&lines(answer.text));
    } else {
        out.push_str(&content(answer.text));
    }
    out.into_bytes()
}

/// RFC 5429 section 2.1.1: a notice that the message was not accepted, as a report (RFC 3462) of which the machine's part is
/// RFC 8098.
pub(crate) fn rejection(original: &Original<'_>, reason: &str) -> Vec<u8> {
    let boundary = boundary(original);
    let mut out = render("From", &format!("<{}>", original.owner));
    out.push_str(&addressed(original, "Rejected mail", "auto-replied"));
    out.push_str(&format!(
        "Content-Type: multipart/report; report-type=disposition-notification;\r\n boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"
    ));
    let text = format!(
        "Your message to <{}> was not accepted. This is what its recipient says:\r\n\r\n{reason}\r\n",
        original.recipient
    );
    out.push_str(&content(&text));
    out.push_str(&format!(
        "\r\n--{boundary}\r\nContent-Type: message/disposition-notification\r\n\r\n"
    ));
    out.push_str(&render(
        "Final-Recipient",
        &format!("rfc822; {}", original.recipient),
    ));
    if let Some(id) = &original.message_id {
        out.push_str(&render("Original-Message-ID", id));
    }
    out.push_str("Disposition: automatic-action/MDN-sent-automatically; deleted\r\n");
    out.push_str(&format!("\r\n--{boundary}--\r\n"));
    out.into_bytes()
}

/// The fields that every answer has.
fn addressed(original: &Original<'_>, subject: &str, submitted: &str) -> String {
    let now = Moment {
        seconds: original.now,
        offset: 0,
    };
    let domain = original
        .owner
        .rsplit_once('@')
        .map_or("localhost", |(_, domain)| domain);
    let mut out = render("To", &format!("<{}>", original.sender));
    out.push_str(&render("Subject", subject));
    out.push_str(&render("Date", &now.rfc5322()));
    out.push_str(&render(
        "Message-ID",
        &format!("<{}@{domain}>", boundary(original)),
    ));
    if let Some(id) = &original.message_id {
        out.push_str(&render("In-Reply-To", id));
        let references = original.references.as_deref().unwrap_or_default();
        out.push_str(&render("References", format!("{references} {id}").trim()));
    }
    out.push_str(&render("Auto-Submitted", submitted));
    // RFC 3834 is not known to everybody.
    out.push_str("X-Auto-Response-Suppress: All\r\nMIME-Version: 1.0\r\n");
    out
}

/// A display name may need encoding, the address behind it must not be.
fn from_field(from: &str) -> String {
    let encoded = match from.rsplit_once('<') {
        Some((name, address)) if !name.is_ascii() => {
            format!("{} <{address}", encode(name.trim().trim_matches('"')))
        }
        _ => from.to_owned(),
    };
    render("From", &encoded)
}

/// A text part, its header first.
fn content(text: &str) -> String {
    let encoding = if text.is_ascii() { "7bit" } else { "8bit" };
    format!(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{}",
        lines(text)
    )
}

/// Every line with CRLF and none too long.
fn lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for line in text.lines() {
        let mut length = 0;
        for character in line.chars().filter(|c| *c != '\r' && *c != '\0') {
            if length + character.len_utf8() > LINE {
                out.push_str("\r\n");
                length = 0;
            }
            out.push(character);
            length += character.len_utf8();
        }
        out.push_str("\r\n");
    }
    out
}

/// One that differs between two answers and is not in a text by chance. FNV-1a over what the answer is made of: it need not
/// be secret, and the crate has no randomness.
fn boundary(original: &Original<'_>) -> String {
    let id = original.message_id.as_deref().unwrap_or_default();
    let now = original.now.to_string();
    let parts = [original.sender, original.recipient, id, now.as_str()];
    let hash = parts
        .iter()
        .flat_map(|part| part.bytes().chain([0]))
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| {
            (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3)
        });
    format!("sieve-{hash:016x}-{now}")
}
