//! ENVELOPE (RFC 9051 section 7.5.2).

use waxwing_formats_mime::{Address, Envelope};

use super::text::nstring;

/// `(date subject (from) (sender) (reply-to) (to) (cc) (bcc) in-reply-to message-id)`
pub fn envelope<T: AsRef<[u8]>>(out: &mut Vec<u8>, envelope: &Envelope<T>, utf8: bool) {
    out.push(b'(');
    nstring(out, text(&envelope.date), utf8);
    out.push(b' ');
    nstring(out, text(&envelope.subject), utf8);
    let Envelope {
        from,
        sender,
        reply_to,
        to,
        cc,
        bcc,
        ..
    } = envelope;
    for list in [from, sender, reply_to, to, cc, bcc] {
        out.push(b' ');
        addresses(out, list, utf8);
    }
    out.push(b' ');
    nstring(out, text(&envelope.in_reply_to), utf8);
    out.push(b' ');
    nstring(out, text(&envelope.message_id), utf8);
    out.push(b')');
}

fn text<T: AsRef<[u8]>>(field: &Option<T>) -> Option<&[u8]> {
    field.as_ref().map(AsRef::as_ref)
}

/// Without a space between the addresses: `address *address`.
fn addresses<T: AsRef<[u8]>>(out: &mut Vec<u8>, list: &[Address<T>], utf8: bool) {
    if list.is_empty() {
        return out.extend_from_slice(b"NIL");
    }
    out.push(b'(');
    for address in list {
        out.push(b'(');
        let Address {
            name,
            route,
            mailbox,
            host,
        } = address;
        for (at, field) in [name, route, mailbox, host].into_iter().enumerate() {
            if at > 0 {
                out.push(b' ');
            }
            nstring(out, text(field), utf8);
        }
        out.push(b')');
    }
    out.push(b')');
}

#[cfg(test)]
mod tests {
    use super::*;
    use waxwing_formats_mime::Structure;

    #[test]
    fn the_fields_stand_in_their_order_with_single_spaces() {
        let message = b"Date: Wed, 17 Jul 1996 02:23:25 -0700\r\nFrom: Terry Gray <gray@cac.washington.edu>, b@c\r\n\
            To: imap@cac\r\nSubject: IMAP4rev2 \"WG\"\r\n\r\n";
        let mut out = Vec::new();
        envelope(&mut out, &Structure::parse(message).envelope, false);
        let from = "((\"Terry Gray\" NIL \"gray\" \"cac.washington.edu\")(NIL NIL \"b\" \"c\"))";
        let expected = format!(
            "(\"Wed, 17 Jul 1996 02:23:25 -0700\" \"IMAP4rev2 \\\"WG\\\"\" {from} {from} {from} ((NIL NIL \"imap\" \"cac\")) NIL NIL NIL NIL)"
        );
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
