//! The check of a credential: the only way to a principal.
//!
//! Order: find the account, ask [`crate::penalties`], then compare. A user who does not exist costs the same hash as one who does.
//! The limit is asked again when it is this guess's turn for a core, so a thousand connections opened at once get no more
//! guesses than the limit plus one per core.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use secrecy::SecretString;
use sqlx::Row;

use crate::{
    Directory, Error, Result, User,
    app_passwords::{self, now},
    passwords::Turn,
    penalties::Attempt,
    scram::{Secret, Terms, Verifier},
    users::{user_columns, user_tables},
};

/// Seconds between two notes of when an app password was used: a write per log-in would cost more than it tells.
const USE_NOTED_EVERY: i64 = 3600;
/// Aliases of aliases followed from a log-in name.
const MAX_ALIAS_STEPS: usize = 10;

/// What somebody shows to prove who they are.
#[derive(Debug, Clone)]
pub enum Credential {
    /// A password or an app password.
    Password {
        /// `user@domain`, `user`, `DOMAIN\user` or `domain.tld\user`.
        user: String,
        /// As typed.
        password: SecretString,
        /// SASL authzid: whom to act as; none or empty for oneself.
        act_as: Option<String>,
    },
    /// An OAuth 2 bearer token (RFC 7628).
    Bearer {
        /// Whom the client says it is for.
        user: Option<String>,
        /// The token.
        token: SecretString,
    },
    /// SASL EXTERNAL: a TLS client certificate.
    External {
        /// Whom the certificate names; none: there is no certificate.
        certificate_identity: Option<String>,
        /// SASL authzid.
        act_as: Option<String>,
    },
}

/// A user as a log-in needs it.
pub(crate) struct Account {
    pub(crate) id: i64,
    pub(crate) user: User,
    pub(crate) password_hash: String,
    scram_terms: Option<Terms>,
    verifier: Option<Verifier>,
    app_passwords: Vec<KnownAppPassword>,
}

struct KnownAppPassword {
    name: String,
    digest: Vec<u8>,
    /// Of each spelling.
    verifiers: Vec<Verifier>,
    /// Seconds since 1970; 0: never.
    last_used: AtomicI64,
}

impl Directory {
    /// Checks a credential; counts and delays failures, except from the networks of
    /// [`no_penalty_from`](crate::DirectoryConfig::no_penalty_from).
    ///
    /// # Errors
    /// [`Error::Denied`] after a delay that grows, [`Error::Limit`] after too many failures, [`Error::Refused`] for a kind of
    /// credential that is not accepted here, [`Error::Database`], [`Error::Unavailable`].
    pub async fn authenticate(&self, peer: IpAddr, credential: Credential) -> Result<User> {
        let outcome = self.check(peer, credential).await;
        self.0.logins.count(&outcome);
        outcome
    }

    async fn check(&self, peer: IpAddr, credential: Credential) -> Result<User> {
        match credential {
            Credential::Password {
                user,
                password,
                act_as,
            } => {
                let found = self.log_in(peer, &user, &password).await?;
                self.act_as(found, act_as.as_deref()).await
            }
            Credential::Bearer { .. } => Err(Error::Refused(
                "this server accepts no bearer tokens; log in with a password".into(),
            )),
            Credential::External {
                certificate_identity: None,
                ..
            } => Err(Error::Refused(
                "EXTERNAL needs a TLS client certificate, and this connection has none".into(),
            )),
            Credential::External { .. } => Err(Error::Refused(
                "this server accepts no client certificates; log in with a password".into(),
            )),
        }
    }

    async fn log_in(&self, peer: IpAddr, typed: &str, password: &SecretString) -> Result<User> {
        let account = self.account(typed).await?;
        let name = account
            .as_ref()
            .map_or(typed, |account| account.user.address.as_str());
        let guess = self.admit(peer, name)?;
        let (fits, turn) = self.fits(account.as_deref(), password, guess).await?;
        match account {
            Some(account) if fits && account.user.enabled => {
                self.count_success(guess);
                tracing::debug!(%peer, user = account.user.address, "logged in");
                Ok(account.user.clone())
            }
            account => {
                let disabled = account.is_some_and(|account| fits && !account.user.enabled);
                Err(self.deny(guess, typed, disabled, turn).await)
            }
        }
    }

    /// Whether another guess may be looked at.
    pub(crate) fn admit(&self, peer: IpAddr, name: &str) -> Result<Guess> {
        let guess = Guess {
            peer,
            attempt: Attempt::new(peer, name),
            counted: !self.is_trusted(peer),
        };
        if guess.counted {
            self.0
                .penalties
                .admit(guess.attempt, Instant::now())
                .inspect_err(|error| {
                    tracing::info!(%peer, user = ?name, %error, "log-in stopped");
                })?;
        }
        Ok(guess)
    }

    pub(crate) fn count_success(&self, guess: Guess) {
        if guess.counted {
            self.0.penalties.succeeded(guess.attempt, Instant::now());
        }
    }

    /// Counts a failure, lets the next guess have its turn, and waits.
    pub(crate) async fn deny(
        &self,
        guess: Guess,
        typed: &str,
        disabled: bool,
        turn: Option<Turn>,
    ) -> Error {
        tracing::info!(peer = %guess.peer, user = ?typed, disabled, "log-in denied");
        self.0.logins.denied();
        if guess.counted {
            let delay = self.0.penalties.failed(guess.attempt, Instant::now());
            drop(turn);
            tokio::time::sleep(delay).await;
        }
        Error::Denied
    }

    /// Whether a password or app password is this account's, and the turn it took to find out. Without an account: never, at the
    /// same cost.
    async fn fits(
        &self,
        account: Option<&Account>,
        password: &SecretString,
        guess: Guess,
    ) -> Result<(bool, Option<Turn>)> {
        let hasher = &self.0.hasher;
        if let Some(account) = account {
            if hasher.is_remembered(&account.password_hash, password) {
                return Ok((true, None));
            }
            if let Some(known) = account.app_password(password) {
                self.note_use(account.id, known).await?;
                self.learn(account, Secret::App(&known.name), password)
                    .await;
                return Ok((true, None));
            }
        }
        let turn = hasher.turn().await?;
        if guess.counted {
            self.0.penalties.admit(guess.attempt, Instant::now())?;
        }
        // Whoever waited for a turn beside others with the same password finds it verified now.
        if account.is_some_and(|account| hasher.is_remembered(&account.password_hash, password)) {
            return Ok((true, None));
        }
        let stored = account.map(|account| account.password_hash.as_str());
        let (fits, turn) = hasher.verify(turn, stored, password).await?;
        if let Some(account) = account.filter(|_| fits) {
            // Learning takes a turn of its own, and waits for ever when nobody gives his back.
            drop(turn);
            self.learn(account, Secret::Password, password).await;
            return Ok((true, None));
        }
        Ok((fits, Some(turn)))
    }

    pub(crate) async fn act_as(&self, user: User, act_as: Option<&str>) -> Result<User> {
        let Some(wanted) = act_as.filter(|wanted| !wanted.is_empty()) else {
            return Ok(user);
        };
        match self.account(wanted).await? {
            Some(account) if account.user.address == user.address => Ok(user),
            _ => Err(Error::Refused(format!(
                "{} may not act as {wanted:?}",
                user.address
            ))),
        }
    }

    /// The account that a log-in name means.
    pub(crate) async fn account(&self, typed: &str) -> Result<Option<Arc<Account>>> {
        if let Some(account) = self.0.cache.account(typed) {
            return Ok(Some(account));
        }
        let asked = self.0.cache.now();
        for address in self.candidates(typed).await? {
            let Some((mut id, mut kind)) = self.address_or_base_row(&address).await? else {
                continue;
            };
            for _ in 0..MAX_ALIAS_STEPS {
                if kind != "alias" {
                    break;
                }
                const SQL: &str = "SELECT a.id, a.kind FROM aliases JOIN addresses a ON a.id = aliases.target WHERE aliases.address = ?";
                (id, kind) = sqlx::query_as(SQL).bind(id).fetch_one(&self.0.pool).await?;
            }
            if kind == "user" {
                let account = Arc::new(self.load_account(id).await?);
                self.0.cache.put_account(asked, typed, account.clone());
                return Ok(Some(account));
            }
        }
        Ok(None)
    }

    async fn load_account(&self, id: i64) -> Result<Account> {
        const SQL: &str = concat!(
            "SELECT ",
            user_columns!(),
            ", u.password_hash, u.scram_terms, u.scram_verifier",
            user_tables!(),
            "WHERE u.address = ?"
        );
        let row = sqlx::query(SQL).bind(id).fetch_one(&self.0.pool).await?;
        type Kept = (String, Vec<u8>, i64, Option<Vec<u8>>);
        let app_passwords: Vec<Kept> = sqlx::query_as(
            "SELECT name, hash, coalesce(last_used, 0), scram_verifiers FROM app_passwords WHERE user = ?",
        )
        .bind(id)
        .fetch_all(&self.0.pool)
        .await?;
        Ok(Account {
            id,
            user: User::from_row(&row)?,
            password_hash: row.try_get(6)?,
            scram_terms: row
                .try_get::<Option<Vec<u8>>, _>(7)?
                .and_then(|octets| Terms::from_octets(&octets)),
            verifier: row
                .try_get::<Option<Vec<u8>>, _>(8)?
                .and_then(|octets| Verifier::from_octets(&octets)),
            app_passwords: app_passwords
                .into_iter()
                .map(|(name, digest, last_used, verifiers)| KnownAppPassword {
                    name,
                    digest,
                    verifiers: Verifier::all_from(&verifiers.unwrap_or_default()),
                    last_used: AtomicI64::new(last_used),
                })
                .collect(),
        })
    }

    async fn note_use(&self, user: i64, known: &KnownAppPassword) -> Result<()> {
        let (now, before) = (now(), known.last_used.load(Ordering::Relaxed));
        if now - before < USE_NOTED_EVERY {
            return Ok(());
        }
        known.last_used.store(now, Ordering::Relaxed);
        sqlx::query("UPDATE app_passwords SET last_used = ? WHERE user = ? AND name = ?")
            .bind(now)
            .bind(user)
            .bind(&known.name)
            .execute(&self.0.pool)
            .await?;
        Ok(())
    }

    fn is_trusted(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        self.0.trusted.iter().any(|network| network.contains(&peer))
    }
}

/// A log-in that may be looked at.
#[derive(Clone, Copy)]
pub(crate) struct Guess {
    peer: IpAddr,
    attempt: Attempt,
    counted: bool,
}

impl Account {
    /// As stored.
    pub(crate) fn terms(&self) -> Option<Terms> {
        self.scram_terms
    }

    /// Those under which something of this account can be proved: without a verifier it answers as if it were not there.
    pub(crate) fn provable(&self) -> Option<Terms> {
        self.scram_terms
            .filter(|_| self.verifiers().next().is_some())
    }

    pub(crate) fn verifiers(&self) -> impl Iterator<Item = &Verifier> {
        let apps = self.app_passwords.iter();
        self.verifier
            .iter()
            .chain(apps.flat_map(|known| &known.verifiers))
    }

    /// Whether a secret has its verifier.
    pub(crate) fn has_verifier(&self, secret: Secret<'_>) -> bool {
        match secret {
            Secret::Password => self.verifier.is_some(),
            Secret::App(name) => self
                .app_passwords
                .iter()
                .any(|known| known.name == name && !known.verifiers.is_empty()),
        }
    }

    fn app_password(&self, password: &SecretString) -> Option<&KnownAppPassword> {
        let digest = app_passwords::digest(password)?;
        // How far two digests agree says nothing about a password of 100 random bits: plain comparison will do.
        self.app_passwords
            .iter()
            .find(|known| known.digest == digest)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::{Fixture, PEER, TRUSTED};

    #[tokio::test]
    async fn only_the_right_password_of_an_enabled_user_logs_in() {
        let fixture = Fixture::with_users(&["anna"]).await;
        assert_eq!(
            fixture
                .log_in(PEER, "anna", "secret")
                .await
                .unwrap()
                .address,
            "anna@example.org"
        );
        for (user, password) in [
            ("anna", "Secret"),
            ("anna", ""),
            ("bob", "secret"),
            ("bob", "nobody's"),
        ] {
            assert!(
                matches!(
                    fixture.log_in(PEER, user, password).await,
                    Err(Error::Denied)
                ),
                "{user} {password}"
            );
        }
        fixture.directory.set_enabled("anna", false).await.unwrap();
        assert!(matches!(
            fixture.log_in(PEER, "anna", "secret").await,
            Err(Error::Denied)
        ));
    }

    #[tokio::test]
    async fn a_new_password_counts_at_once_and_the_old_one_no_more() {
        let fixture = Fixture::with_users(&["anna"]).await;
        fixture.log_in(PEER, "anna", "secret").await.unwrap();
        fixture
            .directory
            .set_password("anna", "better".into())
            .await
            .unwrap();
        assert!(matches!(
            fixture.log_in(PEER, "anna", "secret").await,
            Err(Error::Denied)
        ));
        fixture.log_in(PEER, "anna", "better").await.unwrap();
    }

    #[tokio::test]
    async fn too_many_failures_are_stopped_even_with_the_right_password() {
        let fixture = Fixture::with_users(&["anna"]).await;
        for _ in 0..10 {
            assert!(matches!(
                fixture.log_in(PEER, "anna", "wrong").await,
                Err(Error::Denied)
            ));
        }
        assert!(matches!(
            fixture.log_in(PEER, "ANNA@example.org", "secret").await,
            Err(Error::Limit(_))
        ));
        fixture
            .log_in("198.51.100.1", "anna", "secret")
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn a_trusted_network_is_never_stopped_or_delayed() {
        let fixture = Fixture::with_users(&["anna"]).await;
        for _ in 0..20 {
            assert!(matches!(
                fixture.log_in(TRUSTED, "anna", "wrong").await,
                Err(Error::Denied)
            ));
        }
        fixture.log_in(TRUSTED, "anna", "secret").await.unwrap();
    }

    #[tokio::test]
    async fn guesses_at_once_are_no_way_around_the_limit() {
        let fixture = Fixture::with_users(&["anna"]).await;
        let guesses = (0..60).map(|number| {
            let directory = fixture.directory.clone();
            tokio::spawn(async move {
                let credential = Credential::Password {
                    user: "anna".into(),
                    password: format!("guess {number}").into(),
                    act_as: None,
                };
                directory
                    .authenticate(PEER.parse().unwrap(), credential)
                    .await
                    .unwrap_err()
            })
        });
        let mut looked_at = 0;
        for guess in guesses.collect::<Vec<_>>() {
            looked_at += usize::from(matches!(guess.await.unwrap(), Error::Denied));
        }
        let cores = std::thread::available_parallelism().unwrap().get();
        assert!(
            (10..=10 + cores).contains(&looked_at),
            "{looked_at} guesses were looked at"
        );
    }

    #[tokio::test]
    async fn a_failure_waits() {
        let fixture = Fixture::with_users(&["anna"]).await;
        let start = Instant::now();
        let _ = fixture.log_in(PEER, "anna", "wrong").await;
        let _ = fixture.log_in(PEER, "anna", "wrong").await;
        assert!(start.elapsed() >= Duration::from_millis(3), "no delay");
    }

    #[tokio::test]
    async fn one_acts_as_oneself_only() {
        let fixture = Fixture::with_users(&["anna", "bob"]).await;
        let act_as = |whom: &str| {
            let credential = Credential::Password {
                user: "anna".into(),
                password: "secret".into(),
                act_as: Some(whom.into()),
            };
            fixture
                .directory
                .authenticate(PEER.parse().unwrap(), credential)
        };
        for oneself in ["", "anna", "Anna@example.org", "EXAMPLE\\anna"] {
            assert_eq!(act_as(oneself).await.unwrap().address, "anna@example.org");
        }
        for other in ["bob", "nobody", "x@y"] {
            assert!(
                matches!(act_as(other).await, Err(Error::Refused(_))),
                "{other}"
            );
        }
    }

    #[tokio::test]
    async fn a_token_and_a_certificate_are_refused_with_the_reason() {
        let fixture = Fixture::with_users(&["anna"]).await;
        let bearer = Credential::Bearer {
            user: Some("anna".into()),
            token: "t".into(),
        };
        let external = Credential::External {
            certificate_identity: None,
            act_as: None,
        };
        for (credential, reason) in [(bearer, "bearer"), (external, "certificate")] {
            let error = fixture
                .directory
                .authenticate(PEER.parse().unwrap(), credential)
                .await
                .unwrap_err();
            assert!(
                matches!(&error, Error::Refused(text) if text.contains(reason)),
                "{error}"
            );
        }
    }

    #[tokio::test]
    async fn a_thousand_log_ins_of_one_user_take_one_hash() {
        let fixture = Fixture::with_cost(crate::HashCost::default(), &["anna"]).await;
        let start = Instant::now();
        fixture.log_in(PEER, "anna", "secret").await.unwrap();
        let one = start.elapsed();
        let start = Instant::now();
        for _ in 0..1000 {
            fixture.log_in(PEER, "anna", "secret").await.unwrap();
        }
        assert!(
            start.elapsed() < one * 100,
            "{:?} against {one:?} for the first",
            start.elapsed()
        );
    }
}
