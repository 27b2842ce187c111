//! What SMTP says about a message outside it. The shapes of WIT `transport/delivery`.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// RFC 3461 section 4.1 NOTIFY. None set: the RFC's default, which is failure (and delay as we like).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Notify {
    /// No report at all.
    pub never: bool,
    /// A report when it is delivered.
    pub success: bool,
    /// A report when it is not.
    pub failure: bool,
    /// A report when it takes long.
    pub delay: bool,
}

impl Notify {
    /// Whether it is told that a message is not delivered.
    pub(crate) fn wants_failure(self) -> bool {
        let silent = !self.success && !self.failure && !self.delay;
        !self.never && (silent || self.failure)
    }
}

/// One RCPT.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recipient {
    /// Without angle brackets.
    pub address: String,
    /// Which reports the sender wants.
    pub notify: Notify,
    /// RFC 3461 section 4.2 ORCPT, as given (`rfc822;anna+2Bx@example.org`).
    pub original: Option<String>,
}

/// What TLS a message asks for on its way to other servers (RFC 8689).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TlsDemand {
    /// What the operator and the recipient's domain ask for.
    #[default]
    Usual,
    /// REQUIRETLS: no hop without TLS to a host that has proved its name and asks the same of the next, whatever else is configured.
    Required,
    /// `TLS-Required: No` in its header: it shall rather arrive than be kept back by the policy of a domain.
    Waived,
}

/// One mail transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Envelope {
    /// Without angle brackets; empty for the null reverse-path.
    pub sender: String,
    /// In the order of the RCPT commands.
    pub recipients: Vec<Recipient>,
    /// RFC 3461 section 4.4 ENVID, as given (xtext).
    pub envelope_id: Option<String>,
    /// RET=HDRS.
    pub return_headers_only: bool,
    /// The transaction asked for SMTPUTF8 (RFC 6531).
    pub smtp_utf8: bool,
    /// BODY=: `7BIT`, `8BITMIME`, `BINARYMIME`.
    pub body_type: String,
    /// The name that the client gave (HELO, EHLO, LHLO).
    pub helo: String,
    /// `smtp`, `lmtp`, `submission`, or a plugin's own.
    pub source: String,
    /// For log lines.
    pub session: String,
    /// Who has connected to bring it; none when it comes from within.
    pub peer: Option<IpAddr>,
    /// The connection that brought it is encrypted.
    pub encrypted: bool,
    /// Somebody has looked at it in the quarantine and let it go on: hooks are not asked once more.
    pub released: bool,
    /// It belongs into Junk unless its owner's filter says otherwise.
    pub junk: bool,
    /// What the transaction asked for; what the header asks for is seen when the message is queued.
    pub tls_demand: TlsDemand,
    /// The policy of its author's domain says that it is not the author's (DMARC), whatever is done about it.
    pub unproven: bool,
}
