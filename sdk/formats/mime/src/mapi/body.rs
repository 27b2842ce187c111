//! The body: PidTagBody, PidTagHtml and what describes them (MS-OXCMAIL 2.1.3.3).
//!
//! The first HTML part and the first plain part that may be the body are it; all others are attachments. A mail
//! without a plain part has the text of its HTML as PidTagBody.

use super::code_page;
use super::message::Properties;
use crate::class::{self, Place};
use crate::structure::{Part, Structure};
use crate::{charset, header, text, transfer};
use std::borrow::Cow;
use waxwing_formats_mapi::{Value, tags};

/// PidTagNativeBody.
const NATIVE_PLAIN: i32 = 1;
const NATIVE_HTML: i32 = 3;
const UTF_8: i32 = 65001;

/// The parts that are the body.
#[derive(Default)]
pub(super) struct Chosen<'a> {
    plain: Option<&'a Part>,
    html: Option<&'a Part>,
}

impl<'a> Chosen<'a> {
    pub(super) fn of(structure: &'a Structure) -> Self {
        let mut chosen = Chosen::default();
        for (part, place) in class::leaves(structure) {
            let may_be_body = matches!(place, Place::Root | Place::Body | Place::Alternative);
            if !may_be_body || class::is_attachment(part, place) || part.media_type != b"TEXT" {
                continue;
            }
            match part.subtype.as_slice() {
                b"HTML" if chosen.html.is_none() => chosen.html = Some(part),
                b"PLAIN" if chosen.plain.is_none() => chosen.plain = Some(part),
                _ => {}
            }
        }
        chosen
    }

    pub(super) fn contains(&self, part: &Part) -> bool {
        let is = |chosen: Option<&Part>| chosen.is_some_and(|chosen| std::ptr::eq(chosen, part));
        is(self.plain) || is(self.html)
    }
}

pub(super) fn properties(message: &[u8], structure: &Structure, out: &mut Properties) {
    let chosen = Chosen::of(structure);
    let text = chosen.plain.or(chosen.html);
    let text = text.and_then(|part| text::of_part(message, part));
    let text = text.unwrap_or_default().replace('\0', "");
    out.push(tags::BODY, Value::Text(text));
    let Some(html) = chosen.html else {
        let label = chosen.plain.map(text::label).unwrap_or_default();
        let page = code_page::of(&label).unwrap_or(UTF_8);
        out.push(tags::INTERNET_CODEPAGE, Value::Int32(page));
        out.push(tags::NATIVE_BODY, Value::Int32(NATIVE_PLAIN));
        return;
    };
    out.push(tags::NATIVE_BODY, Value::Int32(NATIVE_HTML));
    let bytes = transfer::decode(&html.encoding, text::slice(message, html.body));
    let label = match text::label(html) {
        none if none.is_empty() => Cow::Borrowed(text::declared_charset(&bytes)),
        label => label,
    };
    // A charset without a code page is carried as UTF-8.
    let page = code_page::of(&label);
    let bytes = match page {
        Some(_) => Cow::Borrowed(bytes.as_ref()),
        None => Cow::Owned(charset::decode(&label, &bytes).into_bytes()),
    };
    let page = page.unwrap_or(UTF_8);
    out.push(tags::HTML, Value::Binary(bytes.into_owned()));
    out.push(tags::INTERNET_CODEPAGE, Value::Int32(page));
    let id = html.id.as_deref().map(header::unfold).unwrap_or_default();
    out.text(tags::BODY_CONTENT_ID, String::from_utf8_lossy(&id));
    let location = html.location.as_deref().unwrap_or_default();
    out.text(
        tags::BODY_CONTENT_LOCATION,
        String::from_utf8_lossy(location),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxwing_formats_mapi::PropertyTag;

    fn get(message: &str, tag: PropertyTag) -> Option<Value> {
        let structure = Structure::parse(message.as_bytes());
        let mut properties = super::super::properties(message.as_bytes(), &structure).into_iter();
        Some(properties.find(|property| property.tag == tag)?.value)
    }

    fn text(text: &str) -> Option<Value> {
        Some(Value::Text(text.to_owned()))
    }

    #[test]
    fn html_keeps_its_bytes_and_names_its_code_page() {
        let mail = "Content-Type: multipart/alternative; boundary=b\n\n--b\n\nplain\n--b\n\
            Content-Type: text/html; charset=koi8-r\nContent-Transfer-Encoding: quoted-printable\n\n<p>=C1\n--b--";
        assert_eq!(get(mail, tags::BODY), text("plain"));
        assert_eq!(
            get(mail, tags::HTML),
            Some(Value::Binary(b"<p>\xC1".to_vec()))
        );
        assert_eq!(
            get(mail, tags::INTERNET_CODEPAGE),
            Some(Value::Int32(20866))
        );
        assert_eq!(get(mail, tags::NATIVE_BODY), Some(Value::Int32(3)));
    }

    #[test]
    fn html_alone_gives_the_text_too() {
        let mail = "Content-Type: text/html; charset=x-unknown\n\n<p>a&amp;b</p>";
        assert_eq!(get(mail, tags::BODY), text("a&b"));
        assert_eq!(
            get(mail, tags::INTERNET_CODEPAGE),
            Some(Value::Int32(65001))
        );
    }

    #[test]
    fn a_message_without_text_has_an_empty_body() {
        assert_eq!(get("Content-Type: image/png\n\nx", tags::BODY), text(""));
        assert_eq!(get("Content-Type: image/png\n\nx", tags::HTML), None);
    }
}
