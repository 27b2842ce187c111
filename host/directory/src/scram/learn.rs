//! Verifiers in the database: made while a secret is at hand, and gone when it is.
//!
//! All secrets of a user share their terms. When the operator wants other iterations, the next log-in makes new terms, and the
//! verifiers of the old ones are dropped with them; each comes back when its secret is used.

use secrecy::{ExposeSecret, SecretString};
use sqlx::{Sqlite, Transaction};

use super::Terms;
use crate::{Directory, Result, authenticate::Account};

/// A secret that was just verified.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Secret<'a> {
    Password,
    /// By name.
    App(&'a str),
}

/// What is stored beside a new secret.
pub(crate) struct Made {
    terms: Terms,
    /// The user had none that can be used.
    new: bool,
    verifiers: Vec<u8>,
}

impl Directory {
    /// Makes what is missing. A log-in does not fail for it.
    pub(crate) async fn learn(&self, account: &Account, secret: Secret<'_>, typed: &SecretString) {
        let is_known = self.usable(account.terms()).is_some() && account.has_verifier(secret);
        if is_known || !self.has_scram() {
            return;
        }
        if let Err(error) = self.store_verifier(account, secret, typed).await {
            tracing::warn!(user = account.user.address, %error, "SCRAM cannot be used yet");
        }
    }

    async fn store_verifier(
        &self,
        account: &Account,
        secret: Secret<'_>,
        typed: &SecretString,
    ) -> Result<()> {
        let usable = self.usable(account.terms());
        let spellings = match secret {
            Secret::Password => vec![typed.clone()],
            Secret::App(_) => spellings(typed),
        };
        let Some((terms, verifiers)) = self.verifiers(usable, spellings).await? else {
            return Ok(());
        };
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        if usable.is_none() {
            new_terms(&mut transaction, account.id, terms).await?;
        }
        let stored = match secret {
            // Unless it was changed meanwhile.
            Secret::Password => sqlx::query(
                "UPDATE users SET scram_verifier = ? WHERE address = ? AND scram_terms = ? AND password_hash = ?",
            )
            .bind(verifiers)
            .bind(account.id)
            .bind(terms.to_octets())
            .bind(&account.password_hash),
            Secret::App(name) => sqlx::query(STORE_FOR_APP)
                .bind(verifiers)
                .bind(account.id)
                .bind(terms.to_octets())
                .bind(name),
        };
        stored.execute(&mut *transaction).await?;
        transaction.commit().await?;
        self.0.cache.changed();
        Ok(())
    }

    /// What goes beside a new password of a user, or of one who is being added.
    pub(crate) async fn made_for(
        &self,
        user: Option<i64>,
        password: &SecretString,
    ) -> Result<Option<Made>> {
        let usable = match user {
            Some(id) => self.usable(self.stored_terms(id).await?),
            None => None,
        };
        let made = self.verifiers(usable, vec![password.clone()]).await?;
        Ok(made.map(|made| Made::new(made, usable)))
    }

    /// What goes beside a new app password.
    pub(crate) async fn made_for_app(
        &self,
        user: i64,
        shown: &SecretString,
    ) -> Result<Option<Made>> {
        let usable = self.usable(self.stored_terms(user).await?);
        let made = self.verifiers(usable, spellings(shown)).await?;
        Ok(made.map(|made| Made::new(made, usable)))
    }

    fn usable(&self, terms: Option<Terms>) -> Option<Terms> {
        terms.filter(|terms| Some(terms.iterations) == self.0.scram_iterations)
    }

    async fn stored_terms(&self, user: i64) -> Result<Option<Terms>> {
        let stored: Option<Vec<u8>> =
            sqlx::query_scalar("SELECT scram_terms FROM users WHERE address = ?")
                .bind(user)
                .fetch_one(&self.0.pool)
                .await?;
        Ok(stored.and_then(|octets| Terms::from_octets(&octets)))
    }
}

impl Made {
    fn new((terms, verifiers): (Terms, Vec<u8>), usable: Option<Terms>) -> Made {
        Made {
            terms,
            new: usable.is_none(),
            verifiers,
        }
    }

    /// Within the transaction that stores the password.
    pub(crate) async fn store(
        self,
        transaction: &mut Transaction<'_, Sqlite>,
        user: i64,
    ) -> Result<()> {
        if self.new {
            new_terms(transaction, user, self.terms).await?;
        }
        sqlx::query("UPDATE users SET scram_verifier = ? WHERE address = ? AND scram_terms = ?")
            .bind(self.verifiers)
            .bind(user)
            .bind(self.terms.to_octets())
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }

    /// Within the transaction that stores the app password.
    pub(crate) async fn store_for_app(
        self,
        transaction: &mut Transaction<'_, Sqlite>,
        user: i64,
        name: &str,
    ) -> Result<()> {
        if self.new {
            new_terms(transaction, user, self.terms).await?;
        }
        sqlx::query(STORE_FOR_APP)
            .bind(self.verifiers)
            .bind(user)
            .bind(self.terms.to_octets())
            .bind(name)
            .execute(&mut **transaction)
            .await?;
        Ok(())
    }
}

/// Verifiers of a secret hold under the terms they were made with.
const STORE_FOR_APP: &str =
    "UPDATE app_passwords SET scram_verifiers = ?1 WHERE user = ?2 AND name = ?4
    AND EXISTS (SELECT 1 FROM users WHERE address = ?2 AND scram_terms = ?3)";

/// Other terms, and no verifier of the old ones.
async fn new_terms(
    transaction: &mut Transaction<'_, Sqlite>,
    user: i64,
    terms: Terms,
) -> Result<()> {
    sqlx::query("UPDATE users SET scram_terms = ?, scram_verifier = NULL WHERE address = ?")
        .bind(terms.to_octets())
        .bind(user)
        .execute(&mut **transaction)
        .await?;
    sqlx::query("UPDATE app_passwords SET scram_verifiers = NULL WHERE user = ?")
        .bind(user)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// An app password as it is shown, and without its hyphens: a client proves the one that was typed.
fn spellings(typed: &SecretString) -> Vec<SecretString> {
    let plain: String = typed
        .expose_secret()
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let mut shown = String::new();
    for (at, c) in plain.chars().enumerate() {
        if at > 0 && at % 4 == 0 {
            shown.push('-');
        }
        shown.push(c);
    }
    vec![shown.into(), plain.into()]
}
