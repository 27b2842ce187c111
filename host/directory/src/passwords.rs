//! Password hashes, and the memory of what was verified a moment ago.
//!
//! argon2id with the parameters that OWASP names (19 MiB, 2 passes, 1 lane), so one check costs some tens of
//! milliseconds of a core and 19 MiB: they run on blocking threads, as many at a time as there are cores ([`Turn`]).
//! A phone that opens ten connections a minute, or a load test with a thousand log-ins a second, would spend the machine
//! on the same answer. So a success is remembered for [`REMEMBERED_FOR`] under a BLAKE3 keyed digest of stored hash and password; the key
//! is random and lives in this process only, the password itself is kept nowhere, and a changed password changes the
//! stored hash, hence the digest. Failures are not remembered: a guess always costs its hash.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version,
    password_hash::SaltString,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{Error, Result};

/// How long a verified password needs no second hash.
const REMEMBERED_FOR: Duration = Duration::from_secs(300);
/// Verified passwords in memory; 48 octets each.
const MAX_REMEMBERED: usize = 65_536;
/// Octets. Longer ones are no passwords but a way to keep us busy.
const MAX_PASSWORD: usize = 1024;

/// What an argon2id hash costs (RFC 9106 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HashCost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Default for HashCost {
    /// The OWASP password storage cheat sheet's first choice.
    fn default() -> Self {
        HashCost {
            memory: 19_456,
            passes: 2,
            lanes: 1,
        }
    }
}

/// The most that a hash of elsewhere may cost: whoever logs in has it computed.
const DEAREST: HashCost = HashCost {
    memory: 1024 * 1024,
    passes: 64,
    lanes: 16,
};

/// A password hash that was made elsewhere: a PHC string of argon2id.
#[derive(Debug, Clone)]
pub struct KnownHash(String);

impl KnownHash {
    /// Takes a PHC string, also as Dovecot writes it, `{ARGON2ID}` before it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for any other hash, and for one that would cost more than a log-in may.
    pub fn parse(text: &str) -> Result<KnownHash> {
        let text = text.strip_prefix("{ARGON2ID}").unwrap_or(text);
        let no = |why: &str| Error::Invalid(format!("the password hash {why}"));
        let hash = PasswordHash::new(text)
            .ok()
            .filter(|hash| hash.algorithm == Algorithm::Argon2id.ident())
            .filter(|hash| hash.hash.is_some() && hash.salt.is_some());
        let hash = hash.ok_or_else(|| no("is no PHC string of argon2id ($argon2id$v=19$…)"))?;
        let params = Params::try_from(&hash).map_err(|error| no(&error.to_string()))?;
        let is_dear = params.m_cost() > DEAREST.memory
            || params.t_cost() > DEAREST.passes
            || params.p_cost() > DEAREST.lanes;
        if is_dear {
            return Err(no("costs more memory or passes than a log-in may"));
        }
        Ok(KnownHash(text.to_owned()))
    }

    /// The hash of a password that nobody knows, at the cost of all others.
    #[must_use]
    pub fn of_nobody() -> KnownHash {
        let text = |octets: &[u8]| {
            SaltString::encode_b64(octets).map_or_else(|_| String::new(), |text| text.to_string())
        };
        let cost = HashCost::default();
        KnownHash(format!(
            "$argon2id$v=19$m={},t={},p={}${}${}",
            cost.memory,
            cost.passes,
            cost.lanes,
            text(&rand::random::<[u8; 16]>()),
            text(&rand::random::<[u8; 32]>())
        ))
    }

    pub(crate) fn into_text(self) -> String {
        self.0
    }
}

/// The right to use a core for one hash.
pub(crate) struct Turn(#[allow(dead_code, reason = "held, not read")] OwnedSemaphorePermit);

pub(crate) struct Hasher {
    argon2: Argon2<'static>,
    turns: Arc<Semaphore>,
    remembered: Mutex<HashMap<[u8; 32], Instant>>,
    key: [u8; 32],
    /// Verified in place of the hash of a user who does not exist.
    dummy: String,
}

impl Hasher {
    pub(crate) async fn new(cost: HashCost) -> Result<Hasher> {
        let params = Params::new(cost.memory, cost.passes, cost.lanes, None)
            .map_err(|error| Error::Invalid(format!("cost of password hashes: {error}")))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut hasher = Hasher {
            argon2: Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            turns: Arc::new(Semaphore::new(cores)),
            remembered: Mutex::new(HashMap::new()),
            key: rand::random(),
            dummy: String::new(),
        };
        hasher.dummy = hasher.hash(SecretString::from("nobody's")).await?;
        Ok(hasher)
    }

    /// A PHC string for storage.
    pub(crate) async fn hash(&self, password: SecretString) -> Result<String> {
        if !is_possible(&password) {
            return Err(Error::Invalid(format!(
                "a password must have 1 to {MAX_PASSWORD} octets"
            )));
        }
        let turn = self.turn().await?;
        let argon2 = self.argon2.clone();
        let hashed = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let salt = SaltString::encode_b64(&rand::random::<[u8; 16]>())?;
            argon2
                .hash_password(password.expose_secret().as_bytes(), &salt)
                .map(|hash| hash.to_string())
        });
        let hashed = hashed
            .await
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        hashed.map_err(|error| Error::Unavailable(format!("password hash: {error}")))
    }

    /// Waits until a core is free for a hash. Do what must not be overtaken by other guesses after it.
    pub(crate) async fn turn(&self) -> Result<Turn> {
        let permit = self.turns.clone().acquire_owned().await;
        permit
            .map(Turn)
            .map_err(|error| Error::Unavailable(error.to_string()))
    }

    /// Whether this password was verified against this hash a moment ago.
    pub(crate) fn is_remembered(&self, stored: &str, password: &SecretString) -> bool {
        let digest = self.digest(stored, password);
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        remembered
            .get(&digest)
            .is_some_and(|at| at.elapsed() < REMEMBERED_FOR)
    }

    /// Compares; without a stored hash it costs the same and is never true. The turn comes back: who holds it until the outcome is
    /// counted lets no other guess in between.
    pub(crate) async fn verify(
        &self,
        turn: Turn,
        stored: Option<&str>,
        password: &SecretString,
    ) -> Result<(bool, Turn)> {
        if !is_possible(password) {
            return Ok((false, turn));
        }
        let hash = stored.unwrap_or(&self.dummy).to_owned();
        let (argon2, candidate) = (self.argon2.clone(), password.clone());
        // The turn goes along: a client that leaves meanwhile does not free the core.
        let verified = tokio::task::spawn_blocking(move || {
            // The cost is read from the stored hash.
            let verified = PasswordHash::new(&hash).is_ok_and(|hash| {
                argon2
                    .verify_password(candidate.expose_secret().as_bytes(), &hash)
                    .is_ok()
            });
            (verified, turn)
        });
        let (verified, turn) = verified
            .await
            .map_err(|error| Error::Unavailable(error.to_string()))?;
        match stored {
            Some(stored) if verified => {
                self.remember(self.digest(stored, password));
                Ok((true, turn))
            }
            _ => Ok((false, turn)),
        }
    }

    fn remember(&self, digest: [u8; 32]) {
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= MAX_REMEMBERED {
            remembered.retain(|_, at| at.elapsed() < REMEMBERED_FOR);
        }
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(digest, Instant::now());
    }

    fn digest(&self, stored: &str, password: &SecretString) -> [u8; 32] {
        let mut digest = blake3::Hasher::new_keyed(&self.key);
        // A PHC string holds no NUL, so nothing can be moved over the border.
        digest
            .update(stored.as_bytes())
            .update(&[0])
            .update(password.expose_secret().as_bytes());
        *digest.finalize().as_bytes()
    }
}

fn is_possible(password: &SecretString) -> bool {
    (1..=MAX_PASSWORD).contains(&password.expose_secret().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::CHEAP;

    #[test]
    fn the_default_cost_is_what_owasp_names() {
        assert_eq!(
            HashCost::default(),
            HashCost {
                memory: 19_456,
                passes: 2,
                lanes: 1
            }
        );
    }

    #[tokio::test]
    async fn a_hash_fits_its_password_only_and_is_salted() {
        let hasher = Hasher::new(CHEAP).await.unwrap();
        let hash = hasher.hash("secret".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$"), "{hash}");
        assert_ne!(hash, hasher.hash("secret".into()).await.unwrap());
        for (password, fits) in [("secret", true), ("Secret", false), ("", false)] {
            let turn = hasher.turn().await.unwrap();
            let verified = hasher.verify(turn, Some(&hash), &password.into()).await;
            assert_eq!(verified.unwrap().0, fits, "{password}");
        }
        let turn = hasher.turn().await.unwrap();
        let verified = hasher.verify(turn, None, &"nobody's".into()).await;
        assert!(!verified.unwrap().0, "the dummy let somebody in");
    }

    #[tokio::test]
    async fn a_hash_of_elsewhere_is_argon2id_or_none_and_nobody_has_a_password() {
        let hasher = Hasher::new(CHEAP).await.unwrap();
        let hash = hasher.hash("secret".into()).await.unwrap();
        let dovecot = KnownHash::parse(&format!("{{ARGON2ID}}{hash}")).unwrap();
        assert_eq!(dovecot.into_text(), hash);
        for refused in ["secret", "{PLAIN}secret", "$2y$05$abc", "$6$salt$hash", ""] {
            assert!(KnownHash::parse(refused).is_err(), "{refused}");
        }
        let dear = "$argon2id$v=19$m=99999999,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA";
        let error = KnownHash::parse(dear).unwrap_err().to_string();
        assert!(error.contains("costs more"), "{error}");
        let nobody = KnownHash::of_nobody();
        KnownHash::parse(&nobody.0).unwrap();
        let turn = hasher.turn().await.unwrap();
        let verified = hasher
            .verify(turn, Some(&nobody.0), &"nobody's".into())
            .await;
        assert!(!verified.unwrap().0);
    }

    #[tokio::test]
    async fn only_what_was_verified_is_remembered() {
        let hasher = Hasher::new(CHEAP).await.unwrap();
        let hash = hasher.hash("secret".into()).await.unwrap();
        assert!(!hasher.is_remembered(&hash, &"secret".into()));
        let turn = hasher.turn().await.unwrap();
        hasher
            .verify(turn, Some(&hash), &"secret".into())
            .await
            .unwrap();
        assert!(hasher.is_remembered(&hash, &"secret".into()));
        assert!(!hasher.is_remembered(&hash, &"wrong".into()));
        let other = hasher.hash("secret".into()).await.unwrap();
        assert!(
            !hasher.is_remembered(&other, &"secret".into()),
            "a changed password was still known"
        );
    }

    #[tokio::test]
    async fn the_memory_of_verified_passwords_is_bounded() {
        let hasher = Hasher::new(CHEAP).await.unwrap();
        for number in 0..=MAX_REMEMBERED as u64 {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&number.to_le_bytes());
            hasher.remember(digest);
        }
        assert_eq!(hasher.remembered.lock().unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_empty_or_endless_password_is_refused() {
        let hasher = Hasher::new(CHEAP).await.unwrap();
        for password in [String::new(), "x".repeat(MAX_PASSWORD + 1)] {
            assert!(matches!(
                hasher.hash(password.into()).await,
                Err(Error::Invalid(_))
            ));
        }
    }
}
