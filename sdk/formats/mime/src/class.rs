//! What kind of message this is: PidTagMessageClass (MS-OXCMAIL 2.1.3.2.2) and which parts are attachments.

use crate::structure::{Part, PartKind, Structure};
use crate::text::slice;
use crate::{header, parameter};

/// The message class: `IPM.Note`, S/MIME's, or that of a report.
pub fn message_class(message: &[u8], structure: &Structure) -> &'static str {
    let root = &structure.root;
    match (root.media_type.as_slice(), root.subtype.as_slice()) {
        (b"MULTIPART", b"SIGNED") if is_smime_signed(root) => "IPM.Note.SMIME.MultipartSigned",
        (b"MULTIPART", b"REPORT") => report_class(message, root).unwrap_or("IPM.Note"),
        (b"APPLICATION", b"PKCS7-MIME" | b"X-PKCS7-MIME") => "IPM.Note.SMIME",
        (b"APPLICATION", b"OCTET-STREAM") if has_p7m_name(root) => "IPM.Note.SMIME",
        _ => "IPM.Note",
    }
}

fn is_smime_signed(root: &Part) -> bool {
    let protocol = parameter::plain_value(&root.params, "PROTOCOL").unwrap_or_default();
    let protocol = protocol.to_ascii_lowercase();
    matches!(
        protocol.as_slice(),
        b"application/pkcs7-signature" | b"application/x-pkcs7-signature"
    )
}

fn has_p7m_name(root: &Part) -> bool {
    file_name(root).is_some_and(|name| name.to_ascii_lowercase().ends_with(b".p7m"))
}

/// The class of a delivery report (RFC 3464) or of a read receipt (RFC 8098).
fn report_class(message: &[u8], root: &Part) -> Option<&'static str> {
    let PartKind::Multipart(parts) = &root.kind else {
        return None;
    };
    let find = |subtypes: &[&[u8]]| {
        parts.iter().find(|part| {
            part.media_type == b"MESSAGE" && subtypes.contains(&part.subtype.as_slice())
        })
    };
    if let Some(status) = find(&[b"DELIVERY-STATUS", b"GLOBAL-DELIVERY-STATUS"]) {
        return Some(delivery_class(slice(message, status.body)));
    }
    let notification = find(&[
        b"DISPOSITION-NOTIFICATION",
        b"GLOBAL-DISPOSITION-NOTIFICATION",
    ])?;
    let block = slice(message, notification.body);
    let disposition = header::find(block, "Disposition").map(|field| header::unfold(field.value));
    let disposition = disposition.unwrap_or_default().to_ascii_lowercase();
    let deleted = memchr::memmem::find(&disposition, b"deleted").is_some();
    Some(if deleted {
        "REPORT.IPM.Note.IPNNRN"
    } else {
        "REPORT.IPM.Note.IPNRN"
    })
}

/// The worst that happened to some recipient names the report.
fn delivery_class(status: &[u8]) -> &'static str {
    let actions = [
        (&b"failed"[..], "REPORT.IPM.Note.NDR"),
        (b"delayed", "REPORT.IPM.Note.Delayed.DR"),
        (b"relayed", "REPORT.IPM.Note.Relayed.DR"),
        (b"expanded", "REPORT.IPM.Note.Expanded.DR"),
        (b"delivered", "REPORT.IPM.Note.DR"),
    ];
    // Fields come in blocks, one for each recipient, with empty lines between them.
    let mut worst = actions.len();
    for line in status.split(|byte| *byte == b'\n') {
        let Some(value) = header::find(line, "Action").map(|field| field.value) else {
            continue;
        };
        let value = value.trim_ascii();
        let action = |(name, _): &(&[u8], _)| {
            value
                .get(..name.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        worst = actions.iter().position(action).unwrap_or(worst).min(worst);
    }
    actions
        .get(worst)
        .map_or("REPORT.IPM.Note.NDR", |(_, class)| class)
}

/// The undecoded file name of a part.
fn file_name(part: &Part) -> Option<&[u8]> {
    let disposition = part.disposition.iter().map(|(_, params)| params);
    let all = disposition
        .flat_map(|params| ["FILENAME", "FILENAME*"].map(|name| parameter::value(params, name)));
    let named = ["NAME", "NAME*"].map(|name| parameter::value(&part.params, name));
    all.chain(named).flatten().next()
}

/// Where a part stands, as far as that decides whether it is an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The message's only part.
    Root,
    /// The first of several: it may be the body.
    Body,
    /// One of several alternatives.
    Alternative,
    /// A later part.
    Later,
    /// A later part of multipart/related: what the body shows in itself.
    Related,
    /// Machine-readable content of a report or a signature: neither body nor attachment.
    Machine,
}

/// The leaves and embedded messages of a message with their places, in its order; does not look
/// into embedded messages.
pub(crate) fn leaves(structure: &Structure) -> Vec<(&Part, Place)> {
    let mut out = Vec::new();
    let mut open = vec![(&structure.root, Place::Root)];
    while let Some((part, place)) = open.pop() {
        let PartKind::Multipart(children) = &part.kind else {
            out.push((part, place));
            continue;
        };
        let places = children.iter().enumerate().map(|(index, child)| {
            let inherits = matches!(place, Place::Machine | Place::Related);
            let own = child_place(part, index, child);
            (child, if inherits { place } else { own })
        });
        let places: Vec<_> = places.collect();
        open.extend(places.into_iter().rev());
    }
    out
}

fn child_place(parent: &Part, index: usize, child: &Part) -> Place {
    match parent.subtype.as_slice() {
        b"ALTERNATIVE" => Place::Alternative,
        b"RELATED" if index > 0 => Place::Related,
        b"SIGNED" | b"REPORT" if index > 0 => Place::Machine,
        b"ENCRYPTED" => Place::Machine,
        _ if index == 0 => Place::Body,
        // The first part of a multipart further down may be text that belongs to the body.
        _ if matches!(child.kind, PartKind::Multipart(_)) => Place::Body,
        _ => Place::Later,
    }
}

/// Whether a leaf or embedded message is an attachment that a user would look for.
pub(crate) fn is_attachment(part: &Part, place: Place) -> bool {
    let attached = part.disposition.as_ref().map(|(kind, _)| kind.as_slice());
    match place {
        Place::Machine => false,
        Place::Related => attached == Some(b"ATTACHMENT"),
        _ if attached == Some(b"ATTACHMENT") => true,
        Place::Root | Place::Body | Place::Alternative if part.media_type == b"TEXT" => false,
        _ if part.media_type == b"TEXT" => file_name(part).is_some(),
        _ => !is_machine_type(part),
    }
}

fn is_machine_type(part: &Part) -> bool {
    matches!(
        part.subtype.as_slice(),
        b"PKCS7-MIME"
            | b"X-PKCS7-MIME"
            | b"PKCS7-SIGNATURE"
            | b"X-PKCS7-SIGNATURE"
            | b"PGP-SIGNATURE"
    ) && part.media_type == b"APPLICATION"
}

/// Whether the message has an attachment.
pub(crate) fn has_attachment(structure: &Structure) -> bool {
    let mut leaves = leaves(structure).into_iter();
    leaves.any(|(part, place)| is_attachment(part, place))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(message: &str) -> &'static str {
        message_class(message.as_bytes(), &Structure::parse(message.as_bytes()))
    }

    fn report(kind: &str, fields: &str) -> String {
        format!(
            "Content-Type: multipart/report; boundary=b\n\n--b\n\nSorry\n\
             --b\nContent-Type: message/{kind}\n\nReporting-MTA: dns; x\n\n{fields}\n--b--\n"
        )
    }

    #[test]
    fn the_class_tells_signed_encrypted_and_reporting_messages() {
        let table = [
            ("Content-Type: text/html\n\n".to_owned(), "IPM.Note"),
            ("Content-Type: application/pkcs7-mime\n\n".to_owned(), "IPM.Note.SMIME"),
            ("Content-Type: application/octet-stream; name=a.P7M\n\n".to_owned(), "IPM.Note.SMIME"),
            (
                "Content-Type: multipart/signed; boundary=b; protocol=\"application/pkcs7-signature\"\n\n--b\n\nx\n--b--".to_owned(),
                "IPM.Note.SMIME.MultipartSigned",
            ),
            (report("delivery-status", "Action: delivered\n\nAction: Failed (x)"), "REPORT.IPM.Note.NDR"),
            (report("delivery-status", "action: delivered"), "REPORT.IPM.Note.DR"),
            (report("delivery-status", "Action: delayed"), "REPORT.IPM.Note.Delayed.DR"),
            (report("disposition-notification", "Disposition: manual-action; displayed"), "REPORT.IPM.Note.IPNRN"),
            (report("rfc822-headers", ""), "IPM.Note"),
        ];
        for (message, expected) in table {
            assert_eq!(class(&message), expected, "{message}");
        }
    }

    #[test]
    fn only_what_a_user_would_look_for_is_an_attachment() {
        let multipart = |kind: &str, parts: &[&str]| {
            let parts: String = parts
                .iter()
                .map(|part| format!("--b\n{part}\n\nx\n"))
                .collect();
            format!("Content-Type: multipart/{kind}; boundary=b\n\n{parts}--b--\n")
        };
        let (html, image) = ("Content-Type: text/html", "Content-Type: image/png");
        let named = "Content-Disposition: inline; filename=a.txt";
        let attached = "Content-Disposition: attachment";
        let signature = "Content-Type: application/pgp-signature; name=s.asc";
        let table = [
            ("\nx".to_owned(), false),
            (format!("{image}\n\nx"), true),
            (multipart("mixed", &["", ""]), false),
            (multipart("mixed", &["", named]), true),
            (multipart("mixed", &["", attached]), true),
            (
                multipart("mixed", &["", "Content-Type: message/rfc822"]),
                true,
            ),
            (multipart("alternative", &["", html]), false),
            (multipart("related", &[html, image]), false),
            (multipart("signed", &["", signature]), false),
        ];
        for (message, expected) in table {
            let structure = Structure::parse(message.as_bytes());
            assert_eq!(has_attachment(&structure), expected, "{message}");
        }
    }

    #[test]
    fn a_report_carries_no_attachment() {
        let message = report("delivery-status", "Action: failed");
        assert!(!has_attachment(&Structure::parse(message.as_bytes())));
    }
}
