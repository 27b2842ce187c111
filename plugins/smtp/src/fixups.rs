//! What a submission server may do to a message (RFC 6409 section 8), and no more: Date and Message-ID are added where they are missing,
//! Bcc is taken out. All other octets stay as they are, so that signatures hold.

use std::ops::Range;

use waxwing_formats_mime::header;

/// What is to be changed in a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fixups {
    /// Lines before it, each with its CRLF.
    pub(crate) added: String,
    /// What of it stays, in order; what follows the header stays too.
    pub(crate) kept: Vec<Range<u64>>,
}

/// `header` is the message's beginning up to its empty line. `date` and `id` are the values to add.
pub(crate) fn plan(header: &[u8], date: &str, id: &str) -> Fixups {
    let mut added = String::new();
    let mut kept = Vec::new();
    let (mut has_date, mut has_id, mut from) = (false, false, 0);
    for field in header::fields(header) {
        has_date |= field.is("Date");
        has_id |= field.is("Message-ID");
        if field.is("Bcc") || field.is("Resent-Bcc") {
            let start = field.offset as u64;
            if start > from {
                kept.push(from..start);
            }
            from = start + field.raw.len() as u64;
        }
    }
    if !has_date {
        added.push_str(&format!("Date: {date}\r\n"));
    }
    if !has_id {
        added.push_str(&format!("Message-ID: <{id}>\r\n"));
    }
    kept.push(from..u64::MAX);
    Fixups { added, kept }
}

/// Where the header ends in the octets so far: behind its empty line, or before the body of a message that has none.
pub(crate) fn end(octets: &[u8]) -> Option<usize> {
    if octets.starts_with(b"\r\n") || octets.starts_with(b"\n") {
        return Some(0);
    }
    let mut at = 0;
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        at += line.len();
        let rest = octets.get(at..).unwrap_or_default();
        if line.ends_with(b"\n") && (rest.starts_with(b"\r\n") || rest.starts_with(b"\n")) {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed(header: &str) -> String {
        let Fixups { added, kept } = plan(header.as_bytes(), "today", "1@here");
        let rest = kept.into_iter().map(|range| {
            let end = usize::try_from(range.end)
                .unwrap_or(usize::MAX)
                .min(header.len());
            header[range.start as usize..end].to_owned()
        });
        added + &rest.collect::<String>()
    }

    #[test]
    fn what_is_missing_is_added_and_bcc_is_taken_out() {
        for (header, expected) in [
            (
                "From: a\r\n",
                "Date: today\r\nMessage-ID: <1@here>\r\nFrom: a\r\n",
            ),
            (
                "date: x\r\nMessage-Id: <y>\r\n",
                "date: x\r\nMessage-Id: <y>\r\n",
            ),
            (
                "Date: x\r\nBCC: a,\r\n b\r\nTo: c\r\nbcc:\r\nMessage-ID: <y>\r\n",
                "Date: x\r\nTo: c\r\nMessage-ID: <y>\r\n",
            ),
            (
                "Bcc: a\r\nDate: x\r\nMessage-ID: <y>\r\n",
                "Date: x\r\nMessage-ID: <y>\r\n",
            ),
            ("", "Date: today\r\nMessage-ID: <1@here>\r\n"),
        ] {
            assert_eq!(fixed(header), expected);
        }
    }

    #[test]
    fn a_header_ends_before_its_empty_line() {
        for (octets, expected) in [
            ("A: 1\r\n\r\nbody", Some(6)),
            ("A: 1\n\nbody", Some(5)),
            ("\r\nbody", Some(0)),
            ("A: 1\r\n", None),
            ("", None),
        ] {
            assert_eq!(end(octets.as_bytes()), expected, "{octets:?}");
        }
    }
}
