//! The keys that mail of a domain is signed with (RFC 6376, RFC 8463): made here, kept here, and in a backup with everything else.
//!
//! A key is *waiting* until its record is published, *active* while it signs, *retired* while its record must stay so that what it has
//! signed can still be verified. Of each algorithm one key is active at most, so that a message has one signature of each. A private key
//! leaves only as a [`DkimSecret`], for whoever signs; nothing prints it.

use std::{fmt, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::{rand::SystemRandom, signature::Ed25519KeyPair, signature::KeyPair as _};
use rsa::{
    RsaPrivateKey,
    pkcs8::{EncodePrivateKey as _, EncodePublicKey as _},
};
use secrecy::{ExposeSecret as _, SecretSlice};
use serde::{Deserialize, Serialize};
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{Directory, DomainName, Error, Result};

/// RFC 8301 section 3.2: what signers should use.
const RSA_BITS: usize = 2048;
/// A label of DNS.
const MAX_LABEL: usize = 63;
/// Keys of one domain; whoever rotates removes old ones now and then.
const MAX_KEYS: i64 = 64;

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DkimAlgorithm {
    /// rsa-sha256 with 2048 bits, which everybody verifies.
    Rsa2048,
    /// ed25519-sha256 (RFC 8463).
    Ed25519,
}

impl DkimAlgorithm {
    /// `rsa2048`, `ed25519`.
    pub fn name(self) -> &'static str {
        match self {
            DkimAlgorithm::Rsa2048 => "rsa2048",
            DkimAlgorithm::Ed25519 => "ed25519",
        }
    }

    /// k= of a record.
    fn key_type(self) -> &'static str {
        match self {
            DkimAlgorithm::Rsa2048 => "rsa",
            DkimAlgorithm::Ed25519 => "ed25519",
        }
    }

    fn from_stored(text: &str) -> Result<DkimAlgorithm> {
        match text {
            "rsa2048" => Ok(DkimAlgorithm::Rsa2048),
            "ed25519" => Ok(DkimAlgorithm::Ed25519),
            other => Err(Error::Invalid(format!("a DKIM key of algorithm {other:?}"))),
        }
    }
}

impl fmt::Display for DkimAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a key is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DkimState {
    /// Its record is to be published; it signs nothing yet.
    Waiting,
    /// It signs.
    Active,
    /// It signs no more; its record stays for what it has signed.
    Retired,
}

impl DkimState {
    /// `waiting`, `active`, `retired`.
    pub fn name(self) -> &'static str {
        match self {
            DkimState::Waiting => "waiting",
            DkimState::Active => "active",
            DkimState::Retired => "retired",
        }
    }

    fn from_stored(text: &str) -> Result<DkimState> {
        match text {
            "waiting" => Ok(DkimState::Waiting),
            "active" => Ok(DkimState::Active),
            "retired" => Ok(DkimState::Retired),
            other => Err(Error::Invalid(format!("a DKIM key that is {other:?}"))),
        }
    }
}

/// What everybody may know of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkimKey {
    /// Whose mail it signs.
    pub domain: DomainName,
    /// Its name below `_domainkey`.
    pub selector: String,
    /// Its kind.
    pub algorithm: DkimAlgorithm,
    /// Where it is in its life.
    pub state: DkimState,
    /// Seconds since 1970.
    pub created: i64,
    public_key: Vec<u8>,
}

impl DkimKey {
    /// The name of the TXT record, without a final dot.
    pub fn record_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// What the TXT record says (RFC 6376 section 3.6.1).
    pub fn record(&self) -> String {
        let kind = self.algorithm.key_type();
        let key = STANDARD.encode(&self.public_key);
        format!("v=DKIM1; k={kind}; h=sha256; p={key}")
    }

    fn from_row(row: &SqliteRow) -> Result<DkimKey> {
        Ok(DkimKey {
            domain: DomainName::parse(row.try_get(0)?)?,
            selector: row.try_get(1)?,
            algorithm: DkimAlgorithm::from_stored(row.try_get(2)?)?,
            state: DkimState::from_stored(row.try_get(3)?)?,
            created: row.try_get(4)?,
            public_key: row.try_get(5)?,
        })
    }
}

/// A key that signs.
pub struct DkimSecret {
    /// d= of its signatures.
    pub domain: DomainName,
    /// s= of its signatures.
    pub selector: String,
    /// Its kind.
    pub algorithm: DkimAlgorithm,
    /// PKCS #8, DER.
    pub private_key: SecretSlice<u8>,
}

impl fmt::Debug for DkimSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "DkimSecret({}._domainkey.{})",
            self.selector, self.domain
        )
    }
}

impl Directory {
    /// Makes a key. It is active when no other of its algorithm is, else it waits for [`Directory::activate_dkim_key`]. Without
    /// a selector it is called after its algorithm and the day.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the domain, [`Error::AlreadyExists`] for the selector, [`Error::Invalid`], [`Error::Database`].
    pub async fn create_dkim_key(
        &self,
        domain: &str,
        selector: Option<&str>,
        algorithm: DkimAlgorithm,
    ) -> Result<DkimKey> {
        const INSERT: &str = "INSERT INTO dkim_keys (domain, selector, algorithm, state, private_key, public_key, created) \
            VALUES (?1, ?2, ?3, CASE WHEN EXISTS (SELECT 1 FROM dkim_keys WHERE domain = ?1 AND algorithm = ?3 AND state = 'active') \
            THEN 'waiting' ELSE 'active' END, ?4, ?5, unixepoch()) ON CONFLICT DO NOTHING";
        let domain = self.known_domain(&DomainName::parse(domain)?).await?;
        let selector = match selector {
            Some(selector) => checked_selector(selector)?,
            None => self.free_selector(domain.id, algorithm).await?,
        };
        let count: i64 = sqlx::query_scalar("SELECT count(*) FROM dkim_keys WHERE domain = ?")
            .bind(domain.id)
            .fetch_one(&self.0.pool)
            .await?;
        if count >= MAX_KEYS {
            return Err(Error::Invalid(format!(
                "{} has {MAX_KEYS} DKIM keys; remove old ones first",
                domain.name
            )));
        }
        let (private_key, public_key) = generate(algorithm).await?;
        let inserted = sqlx::query(INSERT)
            .bind(domain.id)
            .bind(&selector)
            .bind(algorithm.name())
            .bind(private_key.expose_secret())
            .bind(&public_key)
            .execute(&self.0.pool)
            .await?;
        if inserted.rows_affected() == 0 {
            return Err(Error::AlreadyExists(format!(
                "selector {selector} of {}",
                domain.name
            )));
        }
        self.0.cache.changed();
        self.dkim_key(domain.name.as_str(), &selector).await
    }

    /// The keys of a domain, by algorithm and age.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the domain, [`Error::Database`].
    pub async fn dkim_keys(&self, domain: &str) -> Result<Vec<DkimKey>> {
        const SQL: &str = "SELECT d.name, k.selector, k.algorithm, k.state, k.created, k.public_key FROM dkim_keys k \
            JOIN domains d ON d.id = k.domain WHERE d.id = ? ORDER BY k.algorithm DESC, k.created, k.selector";
        let domain = self.known_domain(&DomainName::parse(domain)?).await?;
        let rows = sqlx::query(SQL)
            .bind(domain.id)
            .fetch_all(&self.0.pool)
            .await?;
        rows.iter().map(DkimKey::from_row).collect()
    }

    /// One key.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn dkim_key(&self, domain: &str, selector: &str) -> Result<DkimKey> {
        let keys = self.dkim_keys(domain).await?;
        let found = keys.into_iter().find(|key| key.selector == selector);
        found.ok_or_else(|| no_key(domain, selector))
    }

    /// From now on this key signs, and the one of the same algorithm that did is retired.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn activate_dkim_key(&self, domain: &str, selector: &str) -> Result<()> {
        const SQL: &str = "UPDATE dkim_keys SET state = CASE WHEN selector = ?2 THEN 'active' ELSE 'retired' END \
            WHERE domain = ?1 AND algorithm = ?3 AND (selector = ?2 OR state = 'active')";
        let key = self.dkim_key(domain, selector).await?;
        let domain = self.known_domain(&key.domain).await?;
        sqlx::query(SQL)
            .bind(domain.id)
            .bind(&key.selector)
            .bind(key.algorithm.name())
            .execute(&self.0.pool)
            .await?;
        self.0.cache.changed();
        Ok(())
    }

    /// Removes a key for ever: what it has signed can be verified as long as its record stays.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn remove_dkim_key(&self, domain: &str, selector: &str) -> Result<()> {
        let known = self.known_domain(&DomainName::parse(domain)?).await?;
        let removed = sqlx::query("DELETE FROM dkim_keys WHERE domain = ? AND selector = ?")
            .bind(known.id)
            .bind(selector)
            .execute(&self.0.pool)
            .await?;
        if removed.rows_affected() == 0 {
            return Err(no_key(domain, selector));
        }
        self.0.cache.changed();
        Ok(())
    }

    /// The active keys for mail of a domain: its own, else those of the nearest domain of ours above it, which DMARC takes as well. None
    /// for a domain of others.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn dkim_signers(&self, domain: &str) -> Result<Arc<Vec<DkimSecret>>> {
        const SQL: &str = "SELECT selector, algorithm, private_key FROM dkim_keys WHERE domain = ? AND state = 'active' \
            ORDER BY algorithm DESC";
        let Ok(name) = DomainName::parse(domain) else {
            return Ok(Arc::default());
        };
        if let Some(known) = self.0.cache.signers(name.as_str()) {
            return Ok(known);
        }
        let asked = self.0.cache.now();
        let domains = self.all_domains().await?;
        let mut signers = Vec::new();
        let mut at = Some(name.as_str());
        while let Some(suffix) = at
            && signers.is_empty()
        {
            if let Some(known) = domains.get(suffix) {
                let rows = sqlx::query(SQL)
                    .bind(known.id)
                    .fetch_all(&self.0.pool)
                    .await?;
                for row in &rows {
                    let private_key: Vec<u8> = row.try_get(2)?;
                    signers.push(DkimSecret {
                        domain: known.name.clone(),
                        selector: row.try_get(0)?,
                        algorithm: DkimAlgorithm::from_stored(row.try_get(1)?)?,
                        private_key: private_key.into(),
                    });
                }
            }
            at = suffix.split_once('.').map(|(_, above)| above);
        }
        let signers = Arc::new(signers);
        self.0
            .cache
            .put_signers(asked, name.as_str(), signers.clone());
        Ok(signers)
    }

    /// `rsa-20261127`, or with a number when the day has one already.
    async fn free_selector(&self, domain: i64, algorithm: DkimAlgorithm) -> Result<String> {
        let day: String = sqlx::query_scalar("SELECT strftime('%Y%m%d', 'now')")
            .fetch_one(&self.0.pool)
            .await?;
        let taken: Vec<String> =
            sqlx::query_scalar("SELECT selector FROM dkim_keys WHERE domain = ?")
                .bind(domain)
                .fetch_all(&self.0.pool)
                .await?;
        let base = format!("{}-{day}", algorithm.key_type());
        let numbered = (2..).map(|number| format!("{base}-{number}"));
        let mut names = std::iter::once(base.clone()).chain(numbered);
        let free = names.find(|name| !taken.contains(name));
        Ok(free.unwrap_or(base))
    }
}

fn no_key(domain: &str, selector: &str) -> Error {
    Error::NotFound(format!(
        "{domain} has no DKIM key {selector}; `waxwing domain dkim {domain} list` names those that are"
    ))
}

/// RFC 6376 section 3.1: labels of letters, digits and hyphens.
fn checked_selector(text: &str) -> Result<String> {
    let is_label = |label: &str| {
        let is_inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !label.is_empty()
            && label.len() <= MAX_LABEL
            && label.chars().all(is_inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if text.len() <= 2 * MAX_LABEL && text.split('.').all(is_label) {
        return Ok(text.to_ascii_lowercase());
    }
    Err(Error::Invalid(format!(
        "{text:?} is not a selector: letters, digits and hyphens, as in mail2026"
    )))
}

/// Private and public half. Made aside: an RSA key takes a second or so.
async fn generate(algorithm: DkimAlgorithm) -> Result<(SecretSlice<u8>, Vec<u8>)> {
    let made = tokio::task::spawn_blocking(move || match algorithm {
        DkimAlgorithm::Rsa2048 => rsa_key(),
        DkimAlgorithm::Ed25519 => ed25519_key(),
    });
    let failed = |why: String| Error::Unavailable(format!("no key could be made: {why}"));
    made.await
        .map_err(|error| failed(error.to_string()))?
        .map_err(failed)
}

type Halves = (SecretSlice<u8>, Vec<u8>);

fn rsa_key() -> std::result::Result<Halves, String> {
    let key = RsaPrivateKey::new(&mut rsa::rand_core::OsRng, RSA_BITS)
        .map_err(|error| error.to_string())?;
    let private = key.to_pkcs8_der().map_err(|error| error.to_string())?;
    let public = key
        .to_public_key()
        .to_public_key_der()
        .map_err(|error| error.to_string())?;
    Ok((
        private.as_bytes().to_vec().into(),
        public.as_bytes().to_vec(),
    ))
}

fn ed25519_key() -> std::result::Result<Halves, String> {
    let private =
        Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|error| error.to_string())?;
    let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).map_err(|error| error.to_string())?;
    Ok((
        private.as_ref().to_vec().into(),
        pair.public_key().as_ref().to_vec(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    const DOMAIN: &str = "example.org";

    async fn states(directory: &Directory) -> Vec<(String, DkimState)> {
        let keys = directory.dkim_keys(DOMAIN).await.unwrap();
        keys.into_iter()
            .map(|key| (key.selector, key.state))
            .collect()
    }

    #[tokio::test]
    async fn the_first_key_signs_and_the_next_waits_until_it_takes_over() {
        let fixture = Fixture::new().await;
        let directory = &fixture.directory;
        for selector in ["a", "b"] {
            let made = directory.create_dkim_key(DOMAIN, Some(selector), DkimAlgorithm::Ed25519);
            made.await.unwrap();
        }
        assert_eq!(
            states(directory).await,
            [
                ("a".into(), DkimState::Active),
                ("b".into(), DkimState::Waiting)
            ]
        );
        directory.activate_dkim_key(DOMAIN, "b").await.unwrap();
        assert_eq!(
            states(directory).await,
            [
                ("a".into(), DkimState::Retired),
                ("b".into(), DkimState::Active)
            ]
        );
        let signers = directory.dkim_signers(DOMAIN).await.unwrap();
        assert_eq!(signers.len(), 1);
        assert_eq!(signers[0].selector, "b");
        directory.remove_dkim_key(DOMAIN, "b").await.unwrap();
        assert!(directory.dkim_signers(DOMAIN).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_domain_without_keys_signs_with_those_of_the_one_above_it() {
        let fixture = Fixture::new().await;
        let directory = &fixture.directory;
        directory.add_domain("sub.example.org").await.unwrap();
        let made = directory.create_dkim_key(DOMAIN, None, DkimAlgorithm::Ed25519);
        let key = made.await.unwrap();
        assert!(key.selector.starts_with("ed25519-20"), "{}", key.selector);
        for name in ["mx.sub.example.org", "example.org"] {
            let signers = directory.dkim_signers(name).await.unwrap();
            assert_eq!(signers[0].domain.as_str(), DOMAIN, "{name}");
        }
        for name in ["example.net", "org", ""] {
            assert!(directory.dkim_signers(name).await.unwrap().is_empty());
        }
    }

    #[tokio::test]
    async fn both_kinds_of_key_are_published_as_their_rfc_says() {
        let fixture = Fixture::new().await;
        let directory = &fixture.directory;
        for (algorithm, start, octets) in [
            (
                DkimAlgorithm::Rsa2048,
                "v=DKIM1; k=rsa; h=sha256; p=MIIBIjANBgkqhkiG9w0BAQEF",
                294,
            ),
            (
                DkimAlgorithm::Ed25519,
                "v=DKIM1; k=ed25519; h=sha256; p=",
                32,
            ),
        ] {
            let made = directory.create_dkim_key(DOMAIN, Some(algorithm.name()), algorithm);
            let key = made.await.unwrap();
            assert!(key.record().starts_with(start), "{}", key.record());
            assert_eq!(key.public_key.len(), octets);
            assert_eq!(
                key.record_name(),
                format!("{algorithm}._domainkey.example.org")
            );
        }
        let secrets = directory.dkim_signers(DOMAIN).await.unwrap();
        assert_eq!(
            format!("{:?}", secrets[0]),
            "DkimSecret(rsa2048._domainkey.example.org)"
        );
    }

    #[tokio::test]
    async fn a_selector_is_a_name_and_is_taken_once() {
        let fixture = Fixture::new().await;
        let create = |selector| {
            fixture
                .directory
                .create_dkim_key(DOMAIN, Some(selector), DkimAlgorithm::Ed25519)
        };
        create("Mail.2026").await.unwrap();
        assert!(matches!(
            create("mail.2026").await,
            Err(Error::AlreadyExists(_))
        ));
        for selector in ["", "a b", "-a", "a..b", "a;p=x"] {
            let refused = create(selector).await;
            assert!(matches!(refused, Err(Error::Invalid(_))), "{selector}");
        }
    }
}
