//! DKIM signatures (RFC 6376, RFC 8463) on what starts here, and the keys for seals on what is sent on ([`crate::authentication`]).
//!
//! A message is signed where it enters the mail flow and not where it leaves: once, whoever it goes to, before the queue acknowledges it;
//! what a user's filter or a group sends on then still has its author's signature. Signed is what was handed in by somebody who is logged in,
//! what a filter answers in its owner's name, and what this server says itself; never what came from outside, whatever its From says.
//!
//! One pass over the octets makes one signature with each active key of the author's domain. Line ends are signed as
//! they will leave ([`crate::line_ends`]). A key that cannot be used is told in the log, and the message
//! goes without: mail that is not signed is better than mail that does not leave. What is kept: the parsed keys of the domains that
//! write, by the list that the directory gave, so that a new list makes new ones.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use mail_auth::{
    arc::ArcSealer,
    common::{
        crypto::{Ed25519Key, HashContext, HashImpl, RsaKey, Sha256, SigningKey},
        headers::HeaderWriter as _,
    },
    dkim::{Canonicalization, DkimSigner, Done},
};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use secrecy::ExposeSecret as _;
use waxwing_directory::{Directory, DkimAlgorithm, DkimSecret};
use waxwing_exmdb::Body;

use crate::{Outcome, authentication::Sealer, line_ends::LineEnds};

/// Read at a time.
const CHUNK: usize = 256 * 1024;
/// Domains whose keys are kept.
const MAX_DOMAINS: usize = 1_000;
/// RFC 6376 section 5.4.1. From twice: nobody can add a second one. Those that are missing are signed as missing.
const FIELDS: [&str; 14] = [
    "From",
    "From",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "Content-Language",
];

/// Signs, with the keys of the directory.
pub(crate) struct Signing {
    directory: Directory,
    kept: Mutex<HashMap<String, Kept>>,
}

struct Kept {
    /// What the keys were made of.
    secrets: Arc<Vec<DkimSecret>>,
    keys: Keys,
}

/// What one list of the directory is good for.
#[derive(Clone, Default)]
struct Keys {
    signers: Arc<Vec<Key>>,
    sealer: Option<Arc<Sealer>>,
}

enum Key {
    Rsa(DkimSigner<RsaKey<Sha256>, Done>),
    Ed25519(DkimSigner<Ed25519Key, Done>),
}

impl Signing {
    pub(crate) fn new(directory: Directory) -> Signing {
        Signing {
            directory,
            kept: Mutex::default(),
        }
    }

    /// The message with a signature for each key of a domain before it; as it is when there are none.
    ///
    /// # Errors
    /// The reply when nothing is known of the keys, or the message cannot be read.
    pub(crate) async fn sign(&self, domain: &str, message: &Body) -> Result<Body, Outcome> {
        let keys = self.keys(domain).await?.signers;
        if keys.is_empty() {
            return Ok(message.clone());
        }
        let signatures = signatures(&keys, message)
            .await
            .map_err(|error| Outcome::store(&error))?;
        let signatures = Body::from_bytes(signatures.into());
        Ok(Body::concat(vec![signatures, message.clone()]))
    }

    /// For ARC; none without an RSA key.
    pub(crate) async fn sealer(&self, domain: &str) -> Result<Option<Arc<Sealer>>, Outcome> {
        Ok(self.keys(domain).await?.sealer)
    }

    async fn keys(&self, domain: &str) -> Result<Keys, Outcome> {
        let secrets = self.directory.dkim_signers(domain).await;
        let secrets = secrets.map_err(|error| Outcome::directory(&error))?;
        if secrets.is_empty() {
            return Ok(Keys::default());
        }
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.get(domain)
            && Arc::ptr_eq(&known.secrets, &secrets)
        {
            return Ok(known.keys.clone());
        }
        let keys = Keys {
            signers: Arc::new(
                secrets
                    .iter()
                    .filter_map(|secret| usable(secret, key))
                    .collect(),
            ),
            sealer: secrets
                .iter()
                .filter(|secret| secret.algorithm == DkimAlgorithm::Rsa2048)
                .find_map(|secret| usable(secret, sealer))
                .map(Arc::new),
        };
        if kept.len() >= MAX_DOMAINS {
            kept.clear();
        }
        let new = Kept {
            secrets,
            keys: keys.clone(),
        };
        kept.insert(domain.to_owned(), new);
        Ok(keys)
    }
}

fn usable<T>(secret: &DkimSecret, make: impl Fn(&DkimSecret) -> mail_auth::Result<T>) -> Option<T> {
    match make(secret) {
        Ok(key) => Some(key),
        Err(error) => {
            tracing::error!(?secret, %error, "a DKIM key cannot be used, mail leaves without its signature");
            None
        }
    }
}

fn key(secret: &DkimSecret) -> mail_auth::Result<Key> {
    Ok(match secret.algorithm {
        DkimAlgorithm::Rsa2048 => Key::Rsa(signer(secret, rsa(secret)?)),
        DkimAlgorithm::Ed25519 => {
            let octets = secret.private_key.expose_secret();
            Key::Ed25519(signer(secret, Ed25519Key::from_pkcs8_der(octets)?))
        }
    })
}

fn rsa(secret: &DkimSecret) -> mail_auth::Result<RsaKey<Sha256>> {
    let octets = secret.private_key.expose_secret();
    RsaKey::from_key_der(PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(octets)))
}

fn sealer(secret: &DkimSecret) -> mail_auth::Result<Sealer> {
    Ok(ArcSealer::from_key(rsa(secret)?)
        .domain(secret.domain.as_str())
        .selector(secret.selector.as_str())
        .headers(FIELDS.into_iter().chain(["DKIM-Signature"]))
        .header_canonicalization(Canonicalization::Relaxed)
        .body_canonicalization(Canonicalization::Relaxed))
}

fn signer<K: SigningKey>(secret: &DkimSecret, key: K) -> DkimSigner<K, Done> {
    DkimSigner::from_key(key)
        .domain(secret.domain.as_str())
        .selector(secret.selector.as_str())
        .headers(FIELDS)
        .header_canonicalization(Canonicalization::Relaxed)
        .body_canonicalization(Canonicalization::Relaxed)
}

/// What a signer is fed with; mail-auth has one type for each kind of key.
trait Stream: Send {
    fn write(&mut self, octets: &[u8]);
    fn finish(self: Box<Self>) -> mail_auth::Result<String>;
}

struct Running<'k, K: SigningKey>(mail_auth::dkim::DkimSigningStream<'k, K>);

impl<K: SigningKey + Sync> Stream for Running<'_, K>
where
    <K::Hasher as HashImpl>::Context: HashContext + Send,
{
    fn write(&mut self, octets: &[u8]) {
        self.0.write(octets);
    }

    fn finish(self: Box<Self>) -> mail_auth::Result<String> {
        Ok(self.0.finish()?.to_header())
    }
}

impl Key {
    fn stream(&self) -> Box<dyn Stream + '_> {
        match self {
            Key::Rsa(signer) => Box::new(Running(signer.sign_streaming())),
            Key::Ed25519(signer) => Box::new(Running(signer.sign_streaming())),
        }
    }
}

/// The fields, one after the other.
async fn signatures(keys: &[Key], message: &Body) -> waxwing_exmdb::Result<String> {
    let mut streams: Vec<Box<dyn Stream + '_>> = keys.iter().map(Key::stream).collect();
    let (mut ends, mut lines, mut at) = (LineEnds::default(), Vec::new(), 0);
    loop {
        let chunk = message.read(at, CHUNK).await?;
        at += chunk.len() as u64;
        lines.clear();
        match chunk.is_empty() {
            true => std::mem::take(&mut ends).finish(&mut lines),
            false => ends.make_whole(&chunk, &mut lines),
        }
        for stream in &mut streams {
            stream.write(&lines);
        }
        if chunk.is_empty() {
            break;
        }
    }
    let mut fields = String::new();
    for stream in streams {
        match stream.finish() {
            Ok(field) => fields.push_str(&field),
            Err(error) => tracing::error!(%error, "a message could not be signed"),
        }
    }
    Ok(fields)
}
