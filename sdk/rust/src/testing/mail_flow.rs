//! What a hook in the mail flow is told in a test: three-line fixtures.

use crate::{
    bindings::bodies::Body,
    mail_flow::{Connection, Envelope, Message, Notify, Recipient},
};

/// Somebody from outside, over SMTP with TLS.
#[must_use]
pub fn connection() -> Connection {
    Connection {
        session: "test".into(),
        protocol: "smtp".into(),
        peer_address: "192.0.2.1".into(),
        peer_name: None,
        helo: Some("mail.example.net".into()),
        encrypted: true,
        principal: None,
    }
}

/// `sender` to `recipients`.
#[must_use]
pub fn envelope(sender: &str, recipients: &[&str]) -> Envelope {
    Envelope {
        sender: sender.into(),
        recipients: recipients
            .iter()
            .map(|address| Recipient {
                address: (*address).into(),
                notify: Notify::empty(),
                original: None,
            })
            .collect(),
        envelope_id: None,
        return_headers_only: false,
        smtp_utf8: false,
        body_type: "8BITMIME".into(),
        helo: "mail.example.net".into(),
        source: "smtp".into(),
    }
}

/// A message from outside, of this text.
#[must_use]
pub fn message(text: &str) -> Message {
    Message {
        connection: connection(),
        envelope: envelope("bob@example.net", &["anna@example.org"]),
        body: Body::of(text.as_bytes()),
    }
}
