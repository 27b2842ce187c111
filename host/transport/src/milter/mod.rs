//! Filters of others that speak Sendmail's milter protocol: rspamd, ClamAV, opendkim and their like.
//!
//! Each filter that is configured is asked in its order about every message that comes over SMTP or is submitted, once the message is whole:
//! it hears of connection, HELO, envelope, fields and body as they were, and what it says to any of them is the answer to the
//! end of the message. Not while the client waits at each command: a filter decides by the message in all but a few cases, a conversation
//! would have to survive hand-overs of the session, and the recipients that it refuses alone are refused all the same.
//!
//! What one filter changes the next one sees. **Promises**: a filter that cannot be asked, or talks nonsense, does what the operator says
//! (`accept`: the message passes, `tempfail`: the sender comes again); whatever it says is in the log with its address; a message that it
//! throws away is acknowledged and is gone, since that is what `discard` means. **Bounds**: the time of each step, packets of 1 MiB,
//! [`MAX_BODY`] octets of a new body, and the numbers of changes and fields.

mod protocol;
mod session;

use std::{fmt, net::IpAddr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use waxwing_exmdb::Body;

use self::{
    protocol::{Change, Trouble},
    session::{Decision, Wanted},
};
use crate::{Delivery, Envelope, HostPort, Outcome, edits::Edits, header::Header, passed::Passed};

/// Octets of a body that a filter puts in the place of ours.
const MAX_BODY: usize = 64 << 20;

/// Where a filter listens: `unix:/run/rspamd/milter.sock`, `inet:127.0.0.1:11332`, or host and port alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum MilterAddress {
    /// A host and its port.
    Tcp(HostPort),
    /// A socket of this machine.
    Unix(PathBuf),
}

impl TryFrom<String> for MilterAddress {
    type Error = String;

    fn try_from(text: String) -> Result<MilterAddress, String> {
        let socket = text
            .strip_prefix("unix:")
            .or_else(|| text.strip_prefix("local:"));
        match (socket, text.strip_prefix("inet:").unwrap_or(&text)) {
            (Some(path), _) if path.starts_with('/') => Ok(MilterAddress::Unix(path.into())),
            (None, host) if host.contains(':') => {
                HostPort::try_from(host.to_owned()).map(MilterAddress::Tcp)
            }
            _ => Err(format!(
                "\"{text}\" is not the address of a filter, such as unix:/run/rspamd/milter.sock or inet:127.0.0.1:11332"
            )),
        }
    }
}

impl From<MilterAddress> for String {
    fn from(address: MilterAddress) -> String {
        address.to_string()
    }
}

impl fmt::Display for MilterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MilterAddress::Tcp(host) => write!(f, "inet:{host}"),
            MilterAddress::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// What becomes of a message when its filter cannot be asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MilterFailure {
    /// It passes.
    Accept,
    /// Its sender comes again.
    #[default]
    Tempfail,
}

/// One filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Milter {
    /// Where it listens.
    pub address: MilterAddress,
    /// For each step of the conversation.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u64,
    /// What becomes of a message when it cannot be asked.
    #[serde(default)]
    pub on_failure: MilterFailure,
    /// Which messages: `smtp`, `submission`, or `lmtp`.
    #[serde(default = "sources", rename = "for")]
    pub sources: Vec<String>,
}

/// A filter may ask the net about a message.
fn timeout_seconds() -> u64 {
    60
}

fn sources() -> Vec<String> {
    vec!["smtp".to_owned(), "submission".to_owned()]
}

/// What a filter is told.
struct Mail<'a> {
    envelope: &'a Envelope,
    header: &'a Header,
    message: &'a Body,
    host_name: &'a str,
    principal: Option<&'a str>,
    /// The queue id of other servers; ours has none yet.
    id: &'a str,
}

impl Mail<'_> {
    /// Name, family, port and address.
    fn connection(&self) -> Vec<u8> {
        let name = protocol::strings(&[self.envelope.helo.as_bytes()]);
        let address = match self.envelope.peer {
            Some(peer @ IpAddr::V4(_)) => (b'4', peer.to_string()),
            Some(peer @ IpAddr::V6(_)) => (b'6', peer.to_string()),
            None => return [name, vec![b'U']].concat(),
        };
        let (family, address) = address;
        let address = protocol::strings(&[address.as_bytes()]);
        [name, vec![family], 0_u16.to_be_bytes().to_vec(), address].concat()
    }

    /// Where the body begins, behind the empty line.
    async fn body_offset(&self) -> Result<u64, Trouble> {
        let end = self.header.octets().len() as u64;
        let line = self.message.read(end, 2).await;
        let line = line.map_err(|error| std::io::Error::other(error.to_string()))?;
        let empty = match &line[..] {
            [b'\r', b'\n'] => 2,
            [b'\n', ..] => 1,
            _ => 0,
        };
        Ok(end + empty)
    }
}

impl Delivery {
    /// A message through all filters; an error is the answer for all of its recipients.
    pub(crate) async fn through_milters(
        &self,
        passed: &mut Passed,
        principal: Option<&str>,
    ) -> Result<(), Outcome> {
        for milter in &self.options().milters {
            if milter.sources.contains(&passed.envelope.source) {
                self.pass(milter, passed, principal).await?;
            }
        }
        Ok(())
    }

    pub(crate) async fn pass(
        &self,
        milter: &Milter,
        passed: &mut Passed,
        principal: Option<&str>,
    ) -> Result<(), Outcome> {
        let header = Header::to_change(&passed.message).await?;
        let session = passed.envelope.session.clone();
        let mail = Mail {
            envelope: &passed.envelope,
            header: &header,
            message: &passed.message,
            host_name: self.host_name(),
            principal,
            id: &session,
        };
        let limit = Duration::from_secs(milter.timeout_seconds.max(1));
        let wanted = match session::ask(&milter.address, limit, &mail).await {
            Ok(wanted) => wanted,
            Err(trouble) => {
                tracing::error!(session, milter = %milter.address, %trouble, on_failure = ?milter.on_failure, "a filter cannot be asked");
                return match milter.on_failure {
                    MilterFailure::Accept => Ok(()),
                    MilterFailure::Tempfail => Err(Outcome::filter_unavailable()),
                };
            }
        };
        tracing::info!(session, milter = %milter.address, decision = ?wanted.decision, changes = wanted.changes.len(),
            refused = wanted.refused.len(), "filtered");
        passed.take(wanted, &header)
    }
}

impl Passed {
    fn take(&mut self, wanted: Wanted, header: &Header) -> Result<(), Outcome> {
        let refusal = |decision: &Decision| match decision {
            Decision::Accept => None,
            Decision::Discard => Some(Outcome::discarded()),
            Decision::Reject => Some(Outcome::refused_by_filter()),
            Decision::TemporaryFailure => Some(Outcome::put_off_by_filter()),
            Decision::Reply(text) => Some(Outcome::filter_reply(text)),
        };
        if let Some(outcome) = refusal(&wanted.decision) {
            return Err(outcome);
        }
        let refused: Vec<(String, Outcome)> = wanted
            .refused
            .iter()
            .filter_map(|(number, decision)| {
                let recipient = self.envelope.recipients.get(*number)?;
                Some((recipient.address.clone(), refusal(decision)?))
            })
            .collect();
        for (address, outcome) in refused {
            self.settle(&address, &outcome);
        }
        let mut edits = Edits::new(header, &self.message);
        let mut room = MAX_BODY;
        for change in &wanted.changes {
            if let Change::Body(piece) = change {
                room = room
                    .checked_sub(piece.len())
                    .ok_or_else(Outcome::filter_unavailable)?;
            }
            if !apply(change, &mut edits) {
                self.change_envelope(change, &mut edits);
            }
        }
        self.message = edits.message(&self.message);
        Ok(())
    }

    fn change_envelope(&mut self, change: &Change, edits: &mut Edits) {
        match change {
            Change::Sender(address) => self.set_sender(address),
            Change::AddRecipient(address) => self.add_recipient(address),
            Change::DeleteRecipient(address) => self.remove_recipient(address),
            Change::Quarantine(reason) => {
                self.envelope.junk = true;
                let reason = reason.replace(['\r', '\n'], " ");
                edits.insert(0, "X-Quarantine-Reason", reason.as_bytes());
            }
            _ => {}
        }
    }
}

/// Whether it was a change of the message.
fn apply(change: &Change, edits: &mut Edits) -> bool {
    match change {
        Change::Append { name, value } => edits.insert(usize::MAX, name, value),
        Change::Insert { at, name, value } => {
            edits.insert(usize::try_from(*at).unwrap_or(usize::MAX), name, value);
        }
        Change::Replace {
            number,
            name,
            value,
        } => edits.change(*number, name, value),
        Change::Body(piece) => edits.append_body(Body::from_bytes(piece.clone())),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests;
