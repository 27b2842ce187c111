//! ENVELOPE (RFC 9051 section 7.5.2): ten fields, raw as they stand in the header.

use waxwing_formats_mime::{Address, Envelope};

use super::text::nstring;

/// Appends `(date subject from sender reply-to to cc bcc in-reply-to message-id)`.
pub fn envelope(out: &mut Vec<u8>, envelope: &Envelope, utf8: bool) {
    out.push(b'(');
    nstring(out, envelope.date.as_deref(), utf8);
    out.push(b' ');
    nstring(out, envelope.subject.as_deref(), utf8);
    let Envelope { from, sender, reply_to, to, cc, bcc, .. } = envelope;
    for list in [from, sender, reply_to, to, cc, bcc] {
        out.push(b' ');
        addresses(out, list, utf8);
    }
    out.push(b' ');
    nstring(out, envelope.in_reply_to.as_deref(), utf8);
    out.push(b' ');
    nstring(out, envelope.message_id.as_deref(), utf8);
    out.push(b')');
}

/// No space stands between two addresses, and an empty list is NIL.
fn addresses(out: &mut Vec<u8>, list: &[Address], utf8: bool) {
    if list.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for address in list {
        out.push(b'(');
        nstring(out, address.name.as_deref(), utf8);
        for field in [&address.route, &address.mailbox, &address.host] {
            out.push(b' ');
            nstring(out, field.as_deref(), utf8);
        }
        out.push(b')');
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use waxwing_formats_mime::Structure;

    use super::*;

    fn written(message: &str) -> String {
        let mut out = Vec::new();
        envelope(&mut out, &Structure::parse(message.as_bytes()).envelope, false);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn sender_and_reply_to_default_to_from() {
        assert_eq!(
            written("From: A B <a@b.test>\r\nSubject: x\r\n\r\n"),
            r#"(NIL "x" (("A B" NIL "a" "b.test")) (("A B" NIL "a" "b.test")) (("A B" NIL "a" "b.test")) NIL NIL NIL NIL NIL)"#
        );
    }

    #[test]
    fn addresses_stand_without_space_and_groups_are_bracketed() {
        let text = written("To: G: a@b.test;, c@d.test\r\n\r\n");
        assert!(text.contains(r#"((NIL NIL "G" NIL)(NIL NIL "a" "b.test")(NIL NIL NIL NIL)(NIL NIL "c" "d.test"))"#), "{text}");
    }
}
