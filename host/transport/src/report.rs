//! Reports to a sender: RFC 3464 delivery status in an RFC 6522 multipart/report.
//!
//! Written here by hand: the form is fixed, ASCII unless an address is not (then RFC 6533's `message/global-*`), and
//! every value that comes from outside goes through [`one_line`]. A report of success returns the header only, whatever RET
//! says: RFC 3461 section 4.3 lets RET govern reports of failure, and says header only for the rest.

use std::fmt::Write as _;

use bytes::{BufMut, Bytes, BytesMut};
use jiff::{Timestamp, fmt::rfc2822};

use crate::{Envelope, Outcome, Recipient, header::Header};

/// Octets of the original header that a report returns.
const MAX_RETURNED: usize = 64 * 1024;

/// A report about recipients of one message, all of them delivered.
pub(crate) struct SuccessReport<'a> {
    pub(crate) envelope: &'a Envelope,
    pub(crate) recipients: &'a [(&'a Recipient, &'a Outcome)],
    pub(crate) header: &'a Header,
    /// Of the Reporting-MTA.
    pub(crate) host_name: &'a str,
    pub(crate) now: Timestamp,
}

impl SuccessReport<'_> {
    /// The whole message, lines ending in CRLF.
    pub(crate) fn render(&self) -> Bytes {
        let unique = format!("{:032x}", rand::random::<u128>());
        let boundary = format!("report-{unique}");
        let mut message = BytesMut::new();
        message.put_slice(self.head(&unique, &boundary).as_bytes());
        part(
            &mut message,
            &boundary,
            "text/plain; charset=utf-8",
            self.words().as_bytes(),
        );
        let status = self.status();
        let global = if status.is_ascii() { "" } else { "global-" };
        part(
            &mut message,
            &boundary,
            &format!("message/{global}delivery-status"),
            status.as_bytes(),
        );
        part(
            &mut message,
            &boundary,
            self.returned_type(),
            &self.returned(),
        );
        message.put_slice(format!("--{boundary}--\r\n").as_bytes());
        message.freeze()
    }

    fn head(&self, unique: &str, boundary: &str) -> String {
        let host = self.host_name;
        let date =
            rfc2822::to_string(&self.now.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default();
        format!(
            "From: Mail Delivery System <postmaster@{host}>\r\n\
             To: <{sender}>\r\n\
             Subject: Delivery report: your message was delivered\r\n\
             Date: {date}\r\n\
             Message-ID: <{unique}@{host}>\r\n\
             Auto-Submitted: auto-replied\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n\
             \tboundary=\"{boundary}\"\r\n\
             \r\n",
            sender = one_line(&self.envelope.sender),
        )
    }

    fn words(&self) -> String {
        let mut words = format!(
            "This is the mail system at {}.\r\n\r\nYour message was delivered to:\r\n\r\n",
            self.host_name
        );
        for (recipient, _) in self.recipients {
            let _ = write!(words, "    <{}>\r\n", one_line(&recipient.address));
        }
        words
    }

    /// RFC 3464 section 2: fields of the message, then a group of fields per recipient.
    fn status(&self) -> String {
        let mut status = String::new();
        if let Some(id) = &self.envelope.envelope_id {
            let _ = write!(
                status,
                "Original-Envelope-Id: {}\r\n",
                one_line(&decode_xtext(id))
            );
        }
        let _ = write!(status, "Reporting-MTA: dns; {}\r\n", self.host_name);
        for (recipient, outcome) in self.recipients {
            status.push_str("\r\n");
            if let Some(original) = &recipient.original {
                let _ = write!(
                    status,
                    "Original-Recipient: {}\r\n",
                    original_recipient(original)
                );
            }
            let kind = if recipient.address.is_ascii() {
                "rfc822"
            } else {
                "utf-8"
            };
            let _ = write!(
                status,
                "Final-Recipient: {kind}; {}\r\nAction: delivered\r\nStatus: {}\r\n",
                one_line(&recipient.address),
                outcome.enhanced
            );
        }
        status
    }

    fn returned_type(&self) -> &'static str {
        if self.returned().is_ascii() {
            "text/rfc822-headers"
        } else {
            "message/global-headers"
        }
    }

    /// The header, cut after a whole line where it is too long, with CRLF line ends.
    fn returned(&self) -> Vec<u8> {
        let mut returned = Vec::new();
        for line in self
            .header
            .octets()
            .split_inclusive(|octet| *octet == b'\n')
        {
            if returned.len() + line.len() > MAX_RETURNED {
                break;
            }
            returned.extend_from_slice(line.trim_ascii_end());
            returned.extend_from_slice(b"\r\n");
        }
        returned
    }
}

fn part(message: &mut BytesMut, boundary: &str, content_type: &str, content: &[u8]) {
    let encoding = if content.is_ascii() { "7bit" } else { "8bit" };
    message.put_slice(
        format!("--{boundary}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n").as_bytes(),
    );
    message.put_slice(content);
    message.put_slice(b"\r\n");
}

/// ORCPT in a report: the address type as it is, the address decoded (RFC 3461 section 6.3). The encoding of type
/// `utf-8` (RFC 6533 section 3) is also its form in a report.
fn original_recipient(original: &str) -> String {
    match original.split_once(';') {
        Some((kind, address)) if !kind.eq_ignore_ascii_case("utf-8") => {
            format!("{}; {}", one_line(kind), one_line(&decode_xtext(address)))
        }
        Some((kind, address)) => format!("{}; {}", one_line(kind), one_line(address)),
        None => format!("rfc822; {}", one_line(&decode_xtext(original))),
    }
}

/// RFC 3461 section 4: `+` and two upper-case hex digits. What is no xtext stays as it is.
fn decode_xtext(text: &str) -> String {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((octet, after)) = rest.split_first() {
        let digits = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) if *octet == b'+' => {
                plain.push(decoded);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                plain.push(*octet);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

/// No value from outside may start a line of ours.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };

    use waxwing_exmdb::Body;

    use super::*;

    /// What Python's own `email` reads in a report, as lines.
    const READER: &str = r"
import email, email.policy, sys
report = email.message_from_binary_file(sys.stdin.buffer, policy=email.policy.default)
assert not report.defects, report.defects
print(report.get_content_type(), report.get_param('report-type'), report['To'], report['Auto-Submitted'])
for part in report.iter_parts():
    assert not part.defects, part.defects
    print(part.get_content_type())
    if part.get_content_type() == 'message/delivery-status':
        for block in part.get_payload():
            print(sorted(f'{k}={v}' for k, v in block.items()))
    elif part.get_content_type() == 'text/rfc822-headers':
        print(email.message_from_string(part.get_payload())['Subject'])
";

    async fn report(envelope: &Envelope, message: &str) -> Bytes {
        let header = Header::read(&Body::from_bytes(message.to_owned().into()))
            .await
            .unwrap();
        let outcome = Outcome::delivered();
        let recipients: Vec<_> = envelope
            .recipients
            .iter()
            .map(|recipient| (recipient, &outcome))
            .collect();
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        SuccessReport {
            envelope,
            recipients: &recipients,
            header: &header,
            host_name: "mx.example.org",
            now,
        }
        .render()
    }

    fn python(report: &[u8]) -> String {
        let mut child = Command::new("python3")
            .args(["-c", READER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(report).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(report)
        );
        String::from_utf8(output.stdout).unwrap()
    }

    fn envelope(recipients: &[(&str, Option<&str>)]) -> Envelope {
        let recipient = |(address, original): &(&str, Option<&str>)| Recipient {
            address: (*address).into(),
            original: original.map(Into::into),
            ..Recipient::default()
        };
        Envelope {
            sender: "bob@example.org".into(),
            envelope_id: Some("QQ+2B314".into()),
            recipients: recipients.iter().map(recipient).collect(),
            ..Envelope::default()
        }
    }

    #[tokio::test]
    async fn python_reads_what_rfc_3464_says() {
        let envelope = envelope(&[
            ("anna@example.org", Some("rfc822;anna+2Bx@example.org")),
            ("carol@example.org", None),
        ]);
        let read = python(&report(&envelope, "Subject: lunch\nX: y\n\nsecret body").await);
        let expected = "multipart/report delivery-status bob@example.org auto-replied\n\
            text/plain\n\
            message/delivery-status\n\
            ['Original-Envelope-Id=QQ+314', 'Reporting-MTA=dns; mx.example.org']\n\
            ['Action=delivered', 'Final-Recipient=rfc822; anna@example.org', 'Original-Recipient=rfc822; anna+x@example.org', 'Status=2.1.5']\n\
            ['Action=delivered', 'Final-Recipient=rfc822; carol@example.org', 'Status=2.1.5']\n\
            text/rfc822-headers\n\
            lunch\n";
        assert_eq!(read, expected);
    }

    #[tokio::test]
    async fn only_the_header_is_returned() {
        let report = report(
            &envelope(&[("anna@example.org", None)]),
            "Subject: lunch\r\n\r\nsecret body",
        )
        .await;
        assert!(!String::from_utf8_lossy(&report).contains("secret body"));
    }

    #[tokio::test]
    async fn an_address_in_utf_8_makes_a_global_report() {
        let report = report(
            &envelope(&[("jörg@example.org", None)]),
            "Subject: grüße\r\n\r\n",
        )
        .await;
        let text = String::from_utf8(report.to_vec()).unwrap();
        for expected in [
            "message/global-delivery-status",
            "utf-8; jörg@example.org",
            "message/global-headers",
        ] {
            assert!(text.contains(expected), "{expected} is missing in {text}");
        }
    }

    #[tokio::test]
    async fn nothing_from_outside_starts_a_line() {
        let mut envelope = envelope(&[("anna@example.org", Some("rfc822;x+0D+0AAction: failed"))]);
        envelope.envelope_id = Some("x+0D+0AStatus: 5.0.0".into());
        let report = report(&envelope, "Subject: x\r\n\r\n").await;
        let text = String::from_utf8(report.to_vec()).unwrap();
        assert!(
            !text.contains("\r\nAction: failed") && !text.contains("\r\nStatus: 5"),
            "{text}"
        );
    }

    #[test]
    fn xtext_is_decoded_and_anything_else_kept() {
        for (text, plain) in [
            ("a+2Bb", "a+b"),
            ("a+", "a+"),
            ("a+zz", "a+zz"),
            ("+3D", "="),
            ("é", "é"),
        ] {
            assert_eq!(decode_xtext(text), plain);
        }
    }
}
