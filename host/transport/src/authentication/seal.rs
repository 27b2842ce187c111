//! ARC seals (RFC 8617) on what came from outside and is sent on, by an alias, a group or a filter: SPF breaks on the way, and a filter may
//! have changed the message, so whoever gets it must be told what it was when it came here.
//!
//! The checks are made again rather than kept: results borrow the message, few messages are sent on, and DNS answers are in the
//! resolver's memory. Sealed is with the RSA key of this server's own domain; without one, and for a chain that is broken for good, the
//! message goes as it is. So it does when anything fails: a seal is an advantage, no duty.

use std::sync::Arc;

use bytes::Bytes;
use mail_auth::{
    arc::ArcSealer,
    common::{
        crypto::{RsaKey, Sha256},
        headers::HeaderWriter as _,
    },
    dkim::Done,
};
use waxwing_exmdb::Body;

use super::{Authentication, AuthenticationMode, examine::Examination};
use crate::{Delivery, Envelope, Outcome};

/// Seals.
pub(crate) type Sealer = ArcSealer<RsaKey<Sha256>, Done>;

impl Delivery {
    /// `message`, which is sent on, with a seal about `original`, which it was when it came.
    pub(crate) async fn sealed(&self, envelope: &Envelope, original: &Body, message: Body) -> Body {
        let Some((authentication, peer)) = self.checked_peer(envelope) else {
            return message;
        };
        if authentication.config.mode == AuthenticationMode::Off {
            return message;
        }
        let sealed = async {
            let Some(sealer) = self.signing().sealer(self.host_name()).await? else {
                return Ok(None);
            };
            let examination = authentication.examination(envelope, peer)?;
            let fields = authentication.seal(examination, sealer, original, &message);
            fields.await
        };
        match sealed.await {
            Ok(Some(fields)) => {
                Body::concat(vec![Body::from_bytes(fields.into()), message.clone()])
            }
            Ok(None) => message,
            Err(outcome) => {
                tracing::warn!(session = envelope.session, %outcome, "sent on without a seal");
                message
            }
        }
    }
}

impl Authentication {
    async fn seal(
        &self,
        examination: Examination,
        sealer: Arc<Sealer>,
        original: &Body,
        message: &Body,
    ) -> Result<Option<String>, Outcome> {
        let (_permit, original) = self.whole(original).await?;
        let size = usize::try_from(message.size()).unwrap_or(usize::MAX);
        let message = message.read(0, size).await;
        let message = message.map_err(|error| Outcome::store(&error))?;
        let task =
            tokio::spawn(async move { fields(&examination, &sealer, &original, &message).await });
        Ok(task.await.unwrap_or_else(|error| {
            tracing::error!(%error, "sealing a message broke");
            None
        }))
    }
}

/// The three fields of a set; none when there is nothing to say.
async fn fields(
    examination: &Examination,
    sealer: &Sealer,
    original: &Bytes,
    message: &Bytes,
) -> Option<String> {
    let original = examination.read(original)?;
    let findings = examination.findings(&original).await;
    let results = examination.results(&original, &findings);
    let message = examination.read(message)?;
    match sealer.seal(&message, &results, &findings.arc) {
        Ok(set) => Some(set.to_header()),
        Err(error) => {
            tracing::info!(%error, "sent on without a seal");
            None
        }
    }
}
