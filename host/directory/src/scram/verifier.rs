//! What proves a password without being one (RFC 5802 section 3): two keys, made with a salt and many iterations. Whoever reads
//! them can try passwords against them, as against any hash, and cannot log in with them.

use std::num::NonZeroU32;

use ring::{digest, hmac, pbkdf2};

/// SHA-256.
pub(super) const KEY: usize = 32;
/// Octets of a salt.
pub(crate) const SALT: usize = 16;

/// A key, a signature or a proof.
pub(super) type Key = [u8; KEY];

/// What a client must know to make a proof. One for all secrets of a user, so that a proof can be held against each of them: a
/// client does not say which it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    pub(crate) salt: [u8; SALT],
    pub(crate) iterations: NonZeroU32,
}

/// Of one secret. Not comparable and not printed.
#[derive(Clone)]
pub(crate) struct Verifier {
    stored: Key,
    server: Key,
}

impl Terms {
    /// New ones.
    pub(crate) fn random(iterations: NonZeroU32) -> Terms {
        Terms {
            salt: rand::random(),
            iterations,
        }
    }

    /// For the database.
    pub(crate) fn to_octets(self) -> Vec<u8> {
        [&self.salt[..], &self.iterations.get().to_le_bytes()].concat()
    }

    pub(crate) fn from_octets(octets: &[u8]) -> Option<Terms> {
        let (salt, iterations) = octets.split_first_chunk()?;
        let iterations = u32::from_le_bytes(iterations.try_into().ok()?);
        Some(Terms {
            salt: *salt,
            iterations: NonZeroU32::new(iterations)?,
        })
    }
}

impl Verifier {
    /// RFC 5802 section 3; costs as many hashes as the terms say.
    pub(crate) fn of(secret: &str, terms: &Terms) -> Verifier {
        let mut salted = [0; KEY];
        // RFC 5802 section 2.2. What cannot be prepared is taken as it is, as clients do.
        let prepared = stringprep::saslprep(secret);
        let prepared = prepared.as_deref().unwrap_or(secret);
        pbkdf2::derive(
            pbkdf2::PBKDF2_HMAC_SHA256,
            terms.iterations,
            &terms.salt,
            prepared.as_bytes(),
            &mut salted,
        );
        let client = mac(&salted, b"Client Key");
        Verifier {
            stored: hash(&client),
            server: mac(&salted, b"Server Key"),
        }
    }

    /// For the database.
    pub(crate) fn to_octets(&self) -> Vec<u8> {
        [self.stored, self.server].concat()
    }

    pub(crate) fn from_octets(octets: &[u8]) -> Option<Verifier> {
        let (stored, server) = octets.split_first_chunk()?;
        Some(Verifier {
            stored: *stored,
            server: server.try_into().ok()?,
        })
    }

    /// One behind the other.
    pub(crate) fn all_from(octets: &[u8]) -> Vec<Verifier> {
        let each = octets.chunks_exact(2 * KEY);
        each.filter_map(Verifier::from_octets).collect()
    }

    /// The server's signature, if the proof is of this secret.
    pub(super) fn accept(&self, proof: &Key, auth_message: &[u8]) -> Option<Key> {
        let signature = mac(&self.stored, auth_message);
        let mut client = [0; KEY];
        let pairs = proof.iter().zip(&signature);
        client
            .iter_mut()
            .zip(pairs)
            .for_each(|(octet, (proof, mask))| *octet = proof ^ mask);
        // Its comparison takes the same time wherever two differ.
        let same = blake3::Hash::from_bytes(hash(&client)) == blake3::Hash::from_bytes(self.stored);
        same.then(|| mac(&self.server, auth_message))
    }
}

pub(super) fn mac(key: &[u8], message: &[u8]) -> Key {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message);
    whole(tag.as_ref())
}

fn hash(octets: &[u8]) -> Key {
    whole(digest::digest(&digest::SHA256, octets).as_ref())
}

/// SHA-256 has 32 octets, which its type does not say.
fn whole(octets: &[u8]) -> Key {
    let mut key = [0; KEY];
    key.iter_mut()
        .zip(octets)
        .for_each(|(to, from)| *to = *from);
    key
}
