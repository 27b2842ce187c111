//! Hooks in the mail flow: an operator's filter, which is asked about every message at the stages that its manifest names.
//!
//! An instance serves one call. It sees the message as those before it have left it, and answers what is to become of it; the host
//! does that. When it fails, the operator has said what happens: the sender comes again, the message goes on, or the version before
//! is asked.
//!
//! ```
//! use waxwing_sdk::mail_flow::{MailFlowHook, Message, Verdict, header_field, Edit};
//!
//! struct Stamp;
//! waxwing_sdk::mail_flow_hook!(Stamp);
//!
//! impl MailFlowHook for Stamp {
//!     fn on_message_in(_message: Message) -> Verdict {
//!         Verdict::Modify(vec![Edit::AddHeader(header_field("X-Seen-By", "stamp"))])
//!     }
//! }
//! ```

pub use crate::bindings::{
    mail_flow::waxwing::hook::types::{
        Connection, Edit, HeaderField, HeaderPlace, Message, Rejection, Verdict,
    },
    waxwing::transport::delivery::{Envelope, Notify, Recipient},
};
use crate::{
    Fault,
    bindings::bodies::Body,
    bodies::{self, Piece},
};

/// Filters mail on its way. A stage that is not written lets everything pass; the manifest's `stages` says which are called.
pub trait MailFlowHook: 'static {
    /// Who has connected. Changes that it wants are made when the message is there.
    #[must_use]
    fn on_connect(connection: Connection) -> Verdict {
        let _ = connection;
        Verdict::Accept
    }

    /// Sender and recipients, as the client has named them.
    #[must_use]
    fn on_envelope(connection: Connection, envelope: Envelope) -> Verdict {
        let _ = (connection, envelope);
        Verdict::Accept
    }

    /// A message from outside, with the results of SPF, DKIM and DMARC in its header.
    #[must_use]
    fn on_message_in(message: Message) -> Verdict {
        let _ = message;
        Verdict::Accept
    }

    /// A message that somebody of this server hands in, before it is signed.
    #[must_use]
    fn on_message_out(message: Message) -> Verdict {
        let _ = message;
        Verdict::Accept
    }

    /// Before a message is stored in one mailbox, to which this recipient of the envelope has led, and before its owner's own filter.
    #[must_use]
    fn on_deliver(message: Message, recipient: String) -> Verdict {
        let _ = (message, recipient);
        Verdict::Accept
    }
}

/// A header field, for [`Edit::AddHeader`] and [`Edit::InsertHeader`].
#[must_use]
pub fn header_field(name: &str, value: &str) -> HeaderField {
    HeaderField {
        name: name.to_owned(),
        value: value.to_owned(),
    }
}

/// The edits that put a value into the first field of a name, or add the field.
#[must_use]
pub fn replaced(name: &str, value: &str) -> Vec<Edit> {
    let place = HeaderPlace {
        name: name.to_owned(),
        occurrence: 1,
    };
    vec![
        Edit::RemoveHeader(place),
        Edit::AddHeader(header_field(name, value)),
    ]
}

/// A refusal for good, such as `550`, `5.7.1`.
#[must_use]
pub fn rejected(code: u16, enhanced: &str, text: &str) -> Verdict {
    Verdict::Reject(rejection(code, enhanced, text))
}

/// A refusal for now, such as `451`, `4.7.1`.
#[must_use]
pub fn deferred(code: u16, enhanced: &str, text: &str) -> Verdict {
    Verdict::Defer(rejection(code, enhanced, text))
}

fn rejection(code: u16, enhanced: &str, text: &str) -> Rejection {
    Rejection {
        code,
        enhanced: enhanced.to_owned(),
        text: text.to_owned(),
    }
}

/// A new body of these octets, for [`Edit::ReplaceBody`].
///
/// # Errors
/// `limit` when the host takes no more.
pub fn body_of(octets: Vec<u8>) -> Result<Body, Fault> {
    bodies::compose(&[Piece::Bytes(octets)])
}

/// A message as header and body, read whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// The fields, with the line end of the last one.
    pub header: Vec<u8>,
    /// What stands behind the empty line.
    pub body: Vec<u8>,
}

impl Whole {
    /// Reads a message that must not be longer than `limit` octets.
    ///
    /// # Errors
    /// `limit`, or what reading answers.
    pub fn read(message: &Body, limit: u64) -> Result<Whole, Fault> {
        Ok(Whole::of(bodies::read_all(message, limit)?))
    }

    /// A message that has been read.
    #[must_use]
    pub fn of(mut octets: Vec<u8>) -> Whole {
        let (end, begin) = empty_line(&octets);
        let body = octets.split_off(begin);
        octets.truncate(end);
        Whole {
            header: octets,
            body,
        }
    }

    /// The first field of a name, unfolded.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.header);
        let mut lines = text.lines().peekable();
        while let Some(line) = lines.next() {
            let Some((found, value)) = line.split_once(':') else {
                continue;
            };
            let mut value = value.trim().to_owned();
            while let Some(more) = lines.next_if(|line| line.starts_with([' ', '\t'])) {
                value.push(' ');
                value.push_str(more.trim());
            }
            if found.trim().eq_ignore_ascii_case(name) {
                return Some(value);
            }
        }
        None
    }
}

/// Where the header ends, and where the body begins.
fn empty_line(octets: &[u8]) -> (usize, usize) {
    let mut at = 0;
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        if line == b"\r\n" || line == b"\n" {
            return (at, at + line.len());
        }
        at += line.len();
    }
    (at, at)
}

/// Makes a component of a type that is [`MailFlowHook`].
///
/// Outside a host (native builds, tests) it only checks that the type is one.
#[macro_export]
macro_rules! mail_flow_hook {
    ($hook:ty) => {
        const _: fn() = || {
            fn is_a_hook<T: $crate::mail_flow::MailFlowHook>() {}
            is_a_hook::<$hook>();
        };
        $crate::__export_mail_flow!($hook);
    };
}

#[cfg(not(in_host))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_mail_flow {
    ($hook:ty) => {};
}

#[cfg(in_host)]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_mail_flow {
    ($hook:ty) => {
        const _: () = {
            use $crate::mail_flow::{Connection, Envelope, MailFlowHook, Message, Verdict};
            struct Component;
            impl $crate::bindings::mail_flow::exports::waxwing::hook::mail_flow::Guest
                for Component
            {
                fn on_connect(connection: Connection) -> Verdict {
                    <$hook as MailFlowHook>::on_connect(connection)
                }
                fn on_envelope(connection: Connection, envelope: Envelope) -> Verdict {
                    <$hook as MailFlowHook>::on_envelope(connection, envelope)
                }
                fn on_message_in(message: Message) -> Verdict {
                    <$hook as MailFlowHook>::on_message_in(message)
                }
                fn on_message_out(message: Message) -> Verdict {
                    <$hook as MailFlowHook>::on_message_out(message)
                }
                fn on_deliver(message: Message, recipient: String) -> Verdict {
                    <$hook as MailFlowHook>::on_deliver(message, recipient)
                }
            }
            $crate::bindings::mail_flow::export!(Component with_types_in $crate::bindings::mail_flow);
        };
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_header_and_body_however_its_lines_end() {
        for (text, header, body) in [
            ("A: 1\r\n\r\nx\r\n", "A: 1\r\n", "x\r\n"),
            ("A: 1\n\nx", "A: 1\n", "x"),
            ("A: 1\r\n", "A: 1\r\n", ""),
            ("\r\nx", "", "x"),
            ("", "", ""),
        ] {
            let whole = Whole::of(text.into());
            assert_eq!((whole.header, whole.body), (header.into(), body.into()));
        }
    }

    #[test]
    fn a_field_is_unfolded_and_found_in_any_case() {
        let whole =
            Whole::of("To: b\r\nSUBJECT: one\r\n two\r\nSubject: x\r\n\r\nSender: c".into());
        assert_eq!(whole.field("subject").unwrap(), "one two");
        assert_eq!(whole.field("sender"), None);
    }
}
