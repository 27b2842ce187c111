//! Attachments (MS-OXCMAIL 2.1.3.4, MS-OXCMSG 2.2.2): every part that is not the body.
//!
//! S/MIME is one attachment that holds the whole signed or encrypted entity (MS-OXOSMIME 2.1.3), from
//! which clients verify it; a signed mail's text is the body all the same.

use super::body::Chosen;
use super::message::Properties;
use crate::class::{self, Place};
use crate::structure::{Part, PartKind, Structure};
use crate::{header, text, transfer, word};
use waxwing_formats_mapi::{Property, Value, tags};

/// PidTagAttachMethod.
const BY_VALUE: i32 = 1;
const EMBEDDED_MESSAGE: i32 = 5;
/// PidTagAttachFlags: the HTML shows it.
const RENDERED_IN_BODY: i32 = 4;
/// Characters of a file name.
const MAX_NAME: usize = 255;

/// An attachment: a row of properties, and where its content is.
#[derive(Debug, Clone, PartialEq)]
pub struct Attachment<'a> {
    /// Unsorted, each tag once.
    pub properties: Vec<Property>,
    /// What it holds.
    pub content: Content<'a>,
}

/// What an attachment holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content<'a> {
    /// A message; its ranges lie in the same bytes as those of the one that holds it.
    Message(&'a Structure),
    /// Bytes: `prefix`, then the range of the message, decoded by the transfer encoding.
    Bytes {
        /// Header fields of an S/MIME entity; else empty.
        prefix: Vec<u8>,
        /// Offset and length in the message.
        range: (u64, u64),
        /// In upper case, as [`transfer::decode`] takes it.
        encoding: &'a [u8],
    },
}

impl Content<'_> {
    /// The content of an attachment by value; of an embedded message its source.
    pub fn read(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Content::Message(inner) => {
                let (header, body) = (inner.root.header, inner.root.body);
                text::slice(message, (header.0, header.1 + body.1)).to_vec()
            }
            Content::Bytes {
                prefix,
                range,
                encoding,
            } => {
                let mut out = prefix.clone();
                out.extend_from_slice(&transfer::decode(encoding, text::slice(message, *range)));
                out
            }
        }
    }
}

/// The attachments of a message in its order; PidTagAttachNumber counts them from 0.
pub fn attachments<'a>(message: &[u8], structure: &'a Structure) -> Vec<Attachment<'a>> {
    if class::message_class(message, structure).starts_with("IPM.Note.SMIME") {
        return vec![smime(message, &structure.root)];
    }
    let chosen = Chosen::of(structure);
    let parts = class::leaves(structure)
        .into_iter()
        .filter(|(part, place)| {
            let alternative = *place == Place::Alternative && part.media_type == b"TEXT";
            let empty_root = *place == Place::Root && part.body.1 == 0;
            !chosen.contains(part) && !alternative && !empty_root
        });
    let row = |(number, (part, place))| attachment(message, number, part, place);
    (0i32..).zip(parts).map(row).collect()
}

fn smime<'a>(message: &[u8], root: &'a Part) -> Attachment<'a> {
    let multipart = matches!(root.kind, PartKind::Multipart(_));
    let mut prefix = Vec::new();
    if multipart {
        let fields = header::fields(text::slice(message, root.header));
        let mime = fields.filter(|field| {
            let start = field.name.get(..8).unwrap_or_default();
            start.eq_ignore_ascii_case(b"content-")
        });
        mime.for_each(|field| prefix.extend_from_slice(field.raw));
        prefix.extend_from_slice(b"\r\n");
    }
    let content = Content::Bytes {
        prefix,
        range: root.body,
        encoding: if multipart { b"7BIT" } else { &root.encoding },
    };
    let mut out = Properties::default();
    describe(&mut out, message, 0, &content);
    name(&mut out, "smime.p7m");
    out.text(tags::ATTACH_MIME_TAG, mime_tag(root));
    Attachment {
        properties: out.into_list(),
        content,
    }
}

fn attachment<'a>(message: &[u8], number: i32, part: &'a Part, place: Place) -> Attachment<'a> {
    let content = match &part.kind {
        // An encoded message is against the standard; its structure is that of the encoded bytes.
        PartKind::Message(inner) if is_identity(&part.encoding) => Content::Message(inner),
        _ => Content::Bytes {
            prefix: Vec::new(),
            range: part.body,
            encoding: &part.encoding,
        },
    };
    let mut out = Properties::default();
    describe(&mut out, message, number, &content);
    match &content {
        Content::Message(inner) => {
            let subject = inner.envelope.subject.as_deref().unwrap_or_default();
            out.text(tags::DISPLAY_NAME, word::decode(subject));
        }
        Content::Bytes { .. } => name(&mut out, &file_name(part, number)),
    }
    out.text(tags::ATTACH_MIME_TAG, mime_tag(part));
    let id = part.id.as_deref().map(word::decode).unwrap_or_default();
    let id = id.trim().trim_start_matches('<').trim_end_matches('>');
    out.text(tags::ATTACH_CONTENT_ID, id);
    let location = part.location.as_deref().map(word::decode);
    out.text(tags::ATTACH_CONTENT_LOCATION, location.unwrap_or_default());
    if part.media_type == b"TEXT" {
        let label = text::label(part);
        out.text(
            tags::TEXT_ATTACHMENT_CHARSET,
            String::from_utf8_lossy(&label),
        );
    }
    let inline = place == Place::Related && !class::is_attachment(part, place);
    let flags = if inline { RENDERED_IN_BODY } else { 0 };
    out.push(tags::ATTACH_FLAGS, Value::Int32(flags));
    out.push(tags::ATTACHMENT_HIDDEN, Value::Boolean(inline));
    Attachment {
        properties: out.into_list(),
        content,
    }
}

fn is_identity(encoding: &[u8]) -> bool {
    !matches!(encoding, b"BASE64" | b"QUOTED-PRINTABLE")
}

fn describe(out: &mut Properties, message: &[u8], number: i32, content: &Content<'_>) {
    let method = match content {
        Content::Message(_) => EMBEDDED_MESSAGE,
        Content::Bytes { .. } => BY_VALUE,
    };
    let size = i32::try_from(content.read(message).len()).unwrap_or(i32::MAX);
    out.push(tags::ATTACH_NUMBER, Value::Int32(number));
    out.push(tags::ATTACH_METHOD, Value::Int32(method));
    out.push(tags::ATTACH_SIZE, Value::Int32(size));
    // -1: at no place in the text.
    out.push(tags::RENDERING_POSITION, Value::Int32(-1));
}

fn mime_tag(part: &Part) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_ascii_lowercase();
    format!("{}/{}", text(&part.media_type), text(&part.subtype))
}

/// The name the sender gave, else one that Exchange would give (MS-OXCMAIL 2.1.3.4.1.1).
fn file_name(part: &Part, number: i32) -> String {
    let disposition = part.disposition.as_ref().map(|(_, params)| params);
    let given = disposition.and_then(|params| word::parameter(params, "FILENAME"));
    let given = given.or_else(|| word::parameter(&part.params, "NAME"));
    let given = given.map(|name| clean_name(&name)).unwrap_or_default();
    if given.is_empty() {
        format!("ATT{:05}.{}", number.saturating_add(1), extension(part))
    } else {
        given
    }
}

/// A name that is one on every system: no path, no control characters.
fn clean_name(name: &str) -> String {
    let allowed = |character: char| match character {
        '\\' | '/' | ':' | '*' | '?' | '"' | '<' | '>' | '|' => '_',
        control if control.is_control() => '_',
        other => other,
    };
    let name: String = name.chars().map(allowed).take(MAX_NAME).collect();
    name.trim().trim_end_matches('.').to_owned()
}

fn extension(part: &Part) -> &'static str {
    match (part.media_type.as_slice(), part.subtype.as_slice()) {
        (b"TEXT", b"HTML") => "htm",
        (b"TEXT", b"CALENDAR") => "ics",
        (b"TEXT", b"VCARD" | b"X-VCARD") => "vcf",
        (b"TEXT", b"XML") | (b"APPLICATION", b"XML") => "xml",
        (b"TEXT", _) => "txt",
        (b"IMAGE", b"JPEG") => "jpg",
        (b"IMAGE", b"PNG") => "png",
        (b"IMAGE", b"GIF") => "gif",
        (b"IMAGE", b"TIFF") => "tif",
        (b"APPLICATION", b"PDF") => "pdf",
        (b"APPLICATION", b"ZIP") => "zip",
        (b"MESSAGE", _) => "eml",
        _ => "dat",
    }
}

fn name(out: &mut Properties, long: &str) {
    let (stem, extension) = match long.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, extension),
        _ => (long, ""),
    };
    out.text(tags::ATTACH_LONG_FILENAME, long);
    out.text(tags::DISPLAY_NAME, long);
    out.text(tags::ATTACH_FILENAME, short_name(stem, extension));
    if !extension.is_empty() {
        out.text(tags::ATTACH_EXTENSION, format!(".{extension}"));
    }
}

/// Eight characters, a dot and three.
fn short_name(stem: &str, extension: &str) -> String {
    let plain = |text: &str, len: usize| -> String {
        let letters = text.chars().filter(char::is_ascii_alphanumeric);
        letters.take(len).collect::<String>().to_ascii_uppercase()
    };
    let whole = plain(stem, MAX_NAME);
    let mut short = plain(stem, 8);
    if whole.len() > 8 || whole.len() < stem.chars().count() {
        short = format!("{}~1", plain(stem, 6));
    }
    let extension = plain(extension, 3);
    if extension.is_empty() {
        short
    } else {
        format!("{short}.{extension}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxwing_formats_mapi::PropertyTag;

    fn get(attachment: &Attachment<'_>, tag: PropertyTag) -> Option<Value> {
        let mut found = attachment.properties.iter().filter(|p| p.tag == tag);
        found.next().map(|property| property.value.clone())
    }

    fn text(text: &str) -> Option<Value> {
        Some(Value::Text(text.to_owned()))
    }

    const MAIL: &[u8] = b"Content-Type: multipart/mixed; boundary=m\n\n--m\n\
        Content-Type: multipart/related; boundary=r\n\n--r\nContent-Type: text/html\n\n<img src=cid:i>\n\
        --r\nContent-Type: image/png\nContent-ID: <i>\nContent-Transfer-Encoding: base64\n\nAAEC\n--r--\n\
        --m\nContent-Type: application/pdf; name*=utf-8''%C3%A4nnual/report.pdf\nContent-Disposition: attachment\n\n%PDF\n\
        --m\nContent-Type: message/rfc822\n\nSubject: inner\n\nhi\n--m\n\nfooter\n--m--\n";

    #[test]
    fn parts_that_are_not_the_body_are_attachments() {
        let structure = Structure::parse(MAIL);
        let attachments = attachments(MAIL, &structure);
        let [image, pdf, inner, footer] = attachments.as_slice() else {
            panic!("{attachments:?}")
        };
        assert_eq!(image.content.read(MAIL), [0, 1, 2]);
        assert_eq!(get(image, tags::ATTACH_CONTENT_ID), text("i"));
        assert_eq!(
            get(image, tags::ATTACHMENT_HIDDEN),
            Some(Value::Boolean(true))
        );
        assert_eq!(get(image, tags::ATTACH_LONG_FILENAME), text("ATT00001.png"));
        assert_eq!(get(image, tags::ATTACH_SIZE), Some(Value::Int32(3)));
        assert_eq!(
            get(pdf, tags::ATTACH_LONG_FILENAME),
            text("\u{e4}nnual_report.pdf")
        );
        assert_eq!(get(pdf, tags::ATTACH_FILENAME), text("NNUALR~1.PDF"));
        assert_eq!(get(pdf, tags::ATTACH_EXTENSION), text(".pdf"));
        assert_eq!(get(pdf, tags::ATTACH_MIME_TAG), text("application/pdf"));
        assert_eq!(
            get(pdf, tags::ATTACHMENT_HIDDEN),
            Some(Value::Boolean(false))
        );
        assert_eq!(get(inner, tags::ATTACH_METHOD), Some(Value::Int32(5)));
        assert_eq!(get(inner, tags::DISPLAY_NAME), text("inner"));
        assert_eq!(
            get(footer, tags::ATTACH_LONG_FILENAME),
            text("ATT00004.txt")
        );
        assert_eq!(get(footer, tags::ATTACH_NUMBER), Some(Value::Int32(3)));
    }

    #[test]
    fn an_embedded_message_is_converted_with_the_same_bytes() {
        let structure = Structure::parse(MAIL);
        let attachments = attachments(MAIL, &structure);
        let Some(Content::Message(inner)) = attachments.get(2).map(|a| &a.content) else {
            panic!("no message")
        };
        let properties = super::super::properties(MAIL, inner);
        let body = properties.iter().find(|p| p.tag == tags::BODY).unwrap();
        assert_eq!(body.value, Value::Text("hi".to_owned()));
    }

    #[test]
    fn smime_is_one_attachment_with_the_whole_entity() {
        let mail = b"Subject: x\r\nContent-Type: multipart/signed; boundary=b;\r\n\
            \x20protocol=\"application/pkcs7-signature\"\r\n\r\n--b\r\n\r\nhi\r\n--b--\r\n";
        let structure = Structure::parse(mail);
        let attachments = attachments(mail, &structure);
        let content = attachments[0].content.read(mail);
        assert!(content.starts_with(b"Content-Type: multipart/signed"));
        assert!(content.ends_with(b"\r\n\r\n--b\r\n\r\nhi\r\n--b--\r\n"));
        assert_eq!(
            get(&attachments[0], tags::ATTACH_LONG_FILENAME),
            text("smime.p7m")
        );
        assert_eq!(attachments.len(), 1);
    }

    #[test]
    fn names_are_made_safe_and_short() {
        assert_eq!(clean_name("../../etc\0/pa:ss."), ".._.._etc__pa_ss");
        assert_eq!(short_name("a", "txt"), "A.TXT");
        assert_eq!(short_name("verylongname", "jpeg"), "VERYLO~1.JPE");
    }
}
