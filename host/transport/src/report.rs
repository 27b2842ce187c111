//! Reports to a sender: RFC 3464 delivery status in an RFC 6522 multipart/report.
//!
//! Written here by hand: the form is fixed, ASCII unless an address is not (then RFC 6533's `message/global-*`), and
//! every value that comes from outside goes through [`one_line`]. A report of a failure returns the message where the sender did not
//! ask for the header only (RFC 3461 section 4.3) and it is not large; all others return the header.

use std::fmt::Write as _;

use bytes::{BufMut, Bytes, BytesMut};
use jiff::{Timestamp, fmt::rfc2822};
use waxwing_exmdb::Body;

use crate::{
    Envelope, Outcome, Recipient,
    header::Header,
    queue::NewReport,
    report_values::{decode_xtext, one_line, original_recipient},
};

/// Octets of the original header that a report returns.
const MAX_RETURNED: usize = 64 * 1024;
/// Octets of a message that a report of a failure returns whole.
pub(crate) const MAX_WHOLE: u64 = 256 * 1024;

/// What happened to a recipient: RFC 3464 section 2.3.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Delivered,
    /// To a host that makes no such reports.
    Relayed,
    /// To the members of a group, or to where an alias leads.
    Expanded,
    Delayed,
    Failed,
}

impl Action {
    fn word(self) -> &'static str {
        match self {
            Action::Delivered => "delivered",
            Action::Relayed => "relayed",
            Action::Expanded => "expanded",
            Action::Delayed => "delayed",
            Action::Failed => "failed",
        }
    }

    fn subject(self) -> &'static str {
        match self {
            Action::Delivered | Action::Relayed | Action::Expanded => {
                "Delivery report: your message was delivered"
            }
            Action::Delayed => "Delivery report: your message is delayed",
            Action::Failed => "Delivery report: your message was not delivered",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Action::Delivered => "Your message was delivered to:",
            Action::Relayed => {
                "Your message was handed over to a server that sends no reports of delivery, for:"
            }
            Action::Expanded => "Your message was sent on to those who are reached by:",
            Action::Delayed => {
                "Your message could not be delivered yet. It is tried again; you need not send it again."
            }
            Action::Failed => {
                "Your message could not be delivered, and will not be tried again, for:"
            }
        }
    }
}

/// One recipient of a report.
#[derive(Debug, Clone)]
pub(crate) struct Reported<'a> {
    pub(crate) address: &'a str,
    /// ORCPT, as given.
    pub(crate) original: Option<&'a str>,
    pub(crate) action: Action,
    pub(crate) outcome: &'a Outcome,
    /// The host that said so; empty when it was this server.
    pub(crate) host: &'a str,
}

/// A report about recipients of one message, to whom the same happened.
pub(crate) struct Report<'a> {
    pub(crate) sender: &'a str,
    /// ENVID, as given.
    pub(crate) envelope_id: Option<&'a str>,
    pub(crate) recipients: &'a [Reported<'a>],
    pub(crate) header: &'a Header,
    /// The message, where it is to be returned.
    pub(crate) whole: Option<Bytes>,
    /// Of the Reporting-MTA.
    pub(crate) host_name: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) arrived: Timestamp,
    /// Of a delayed message.
    pub(crate) retried_until: Option<Timestamp>,
}

impl Report<'_> {
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
        match &self.whole {
            Some(whole) => {
                let is_global = !self.header.octets().is_ascii();
                let kind = if is_global { "global" } else { "rfc822" };
                part(&mut message, &boundary, &format!("message/{kind}"), whole);
            }
            None => {
                let returned = self.returned();
                let kind = match returned.is_ascii() {
                    true => "text/rfc822-headers",
                    false => "message/global-headers",
                };
                part(&mut message, &boundary, kind, &returned);
            }
        }
        message.put_slice(format!("--{boundary}--\r\n").as_bytes());
        message.freeze()
    }

    /// For the queue: with the null reverse-path, so that nobody is ever told of what becomes of it.
    pub(crate) fn queued(&self, session: &str) -> NewReport {
        let recipient = Recipient {
            address: self.sender.to_owned(),
            ..Recipient::default()
        };
        NewReport {
            envelope: Envelope {
                recipients: vec![recipient],
                smtp_utf8: true,
                source: "report".to_owned(),
                session: session.to_owned(),
                ..Envelope::default()
            },
            message: Body::from_bytes(self.render()),
        }
    }

    fn action(&self) -> Action {
        self.recipients
            .first()
            .map_or(Action::Delivered, |first| first.action)
    }

    fn head(&self, unique: &str, boundary: &str) -> String {
        let host = self.host_name;
        format!(
            "From: Mail Delivery System <postmaster@{host}>\r\n\
             To: <{sender}>\r\n\
             Subject: {subject}\r\n\
             Date: {date}\r\n\
             Message-ID: <{unique}@{host}>\r\n\
             Auto-Submitted: auto-replied\r\n\
             MIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n\
             \tboundary=\"{boundary}\"\r\n\
             \r\n",
            sender = one_line(self.sender),
            subject = self.action().subject(),
            date = date(self.now),
        )
    }

    fn words(&self) -> String {
        let mut words = format!(
            "This is the mail system at {}.\r\n\r\n{}\r\n\r\n",
            self.host_name,
            self.action().words(),
        );
        for recipient in self.recipients {
            let _ = write!(words, "    <{}>\r\n", one_line(recipient.address));
            if matches!(recipient.action, Action::Failed | Action::Delayed) {
                let _ = write!(words, "        {}\r\n", one_line(&recipient.said()));
            }
        }
        words
    }

    /// RFC 3464 section 2: fields of the message, then a group of fields per recipient.
    fn status(&self) -> String {
        let mut status = String::new();
        if let Some(id) = self.envelope_id {
            let _ = write!(
                status,
                "Original-Envelope-Id: {}\r\n",
                one_line(&decode_xtext(id))
            );
        }
        let _ = write!(
            status,
            "Reporting-MTA: dns; {}\r\nArrival-Date: {}\r\n",
            self.host_name,
            date(self.arrived)
        );
        for recipient in self.recipients {
            status.push_str("\r\n");
            self.group(&mut status, recipient);
        }
        status
    }

    fn group(&self, status: &mut String, recipient: &Reported<'_>) {
        if let Some(original) = recipient.original {
            let original = original_recipient(original);
            let _ = write!(status, "Original-Recipient: {original}\r\n");
        }
        let kind = if recipient.address.is_ascii() {
            "rfc822"
        } else {
            "utf-8"
        };
        let _ = write!(
            status,
            "Final-Recipient: {kind}; {}\r\nAction: {}\r\nStatus: {}\r\n",
            one_line(recipient.address),
            recipient.action.word(),
            one_line(&recipient.outcome.enhanced),
        );
        if !recipient.host.is_empty() {
            let name = recipient.host.split(' ').next().unwrap_or_default();
            let _ = write!(
                status,
                "Remote-MTA: dns; {}\r\nDiagnostic-Code: smtp; {}\r\n",
                one_line(name),
                one_line(&recipient.outcome.to_string()),
            );
        }
        if matches!(recipient.action, Action::Failed | Action::Delayed) {
            let _ = write!(status, "Last-Attempt-Date: {}\r\n", date(self.now));
        }
        if let (Action::Delayed, Some(until)) = (recipient.action, self.retried_until) {
            let _ = write!(status, "Will-Retry-Until: {}\r\n", date(until));
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

impl Reported<'_> {
    fn said(&self) -> String {
        match self.host {
            "" => self.outcome.to_string(),
            host => format!("{host} said: {}", self.outcome),
        }
    }
}

/// RFC 5322 section 3.3.
fn date(time: Timestamp) -> String {
    rfc2822::to_string(&time.to_zoned(jiff::tz::TimeZone::UTC)).unwrap_or_default()
}

fn part(message: &mut BytesMut, boundary: &str, content_type: &str, content: &[u8]) {
    let encoding = if content.is_ascii() { "7bit" } else { "8bit" };
    message.put_slice(
        format!("--{boundary}\r\nContent-Type: {content_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n").as_bytes(),
    );
    message.put_slice(content);
    message.put_slice(b"\r\n");
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

    async fn render(
        envelope: &Envelope,
        message: &str,
        (action, outcome): (Action, Outcome),
        whole: bool,
    ) -> Bytes {
        let header = Header::read(&Body::from_bytes(message.to_owned().into()))
            .await
            .unwrap();
        let host = match action {
            Action::Failed => "mx.example.net (192.0.2.1:25)",
            _ => "",
        };
        let recipients: Vec<_> = envelope
            .recipients
            .iter()
            .map(|recipient| Reported {
                address: &recipient.address,
                original: recipient.original.as_deref(),
                action,
                outcome: &outcome,
                host,
            })
            .collect();
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        Report {
            sender: &envelope.sender,
            envelope_id: envelope.envelope_id.as_deref(),
            recipients: &recipients,
            header: &header,
            whole: whole.then(|| message.to_owned().into()),
            host_name: "mx.example.org",
            now,
            arrived: now,
            retried_until: None,
        }
        .render()
    }

    async fn report(envelope: &Envelope, message: &str) -> Bytes {
        let done = (Action::Delivered, Outcome::delivered());
        render(envelope, message, done, false).await
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
            ['Arrival-Date=Tue, 14 Nov 2023 22:13:20 +0000', 'Original-Envelope-Id=QQ+314', 'Reporting-MTA=dns; mx.example.org']\n\
            ['Action=delivered', 'Final-Recipient=rfc822; anna@example.org', 'Original-Recipient=rfc822; anna+x@example.org', 'Status=2.1.5']\n\
            ['Action=delivered', 'Final-Recipient=rfc822; carol@example.org', 'Status=2.1.5']\n\
            text/rfc822-headers\n\
            lunch\n";
        assert_eq!(read, expected);
    }

    #[tokio::test]
    async fn a_failure_says_who_refused_and_returns_the_message() {
        let envelope = envelope(&[("carol@example.net", None)]);
        let refused = Outcome::said(550, "5.1.1", "No such user");
        let failed = (Action::Failed, refused);
        let report = render(&envelope, "Subject: lunch\r\n\r\nat noon", failed, true).await;
        let read = python(&report);
        let expected = "multipart/report delivery-status bob@example.org auto-replied\n\
            text/plain\n\
            message/delivery-status\n\
            ['Arrival-Date=Tue, 14 Nov 2023 22:13:20 +0000', 'Original-Envelope-Id=QQ+314', 'Reporting-MTA=dns; mx.example.org']\n\
            ['Action=failed', 'Diagnostic-Code=smtp; 550 5.1.1 No such user', 'Final-Recipient=rfc822; carol@example.net', \
            'Last-Attempt-Date=Tue, 14 Nov 2023 22:13:20 +0000', 'Remote-MTA=dns; mx.example.net', 'Status=5.1.1']\n\
            message/rfc822\n";
        assert_eq!(read, expected);
        assert!(String::from_utf8_lossy(&report).contains("at noon"));
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
}
