//! App passwords: one secret per device, shown once, revoked alone.
//!
//! They are made here, with 100 random bits, so a plain BLAKE3 of one cannot be turned back by trying: no argon2 is
//! needed, and a user with twenty devices does not cost twenty hashes per log-in. Read without regard to case, spaces and
//! hyphens, because people type them from a screen.

use std::time::{SystemTime, UNIX_EPOCH};

use secrecy::{ExposeSecret, SecretString};

use crate::{Directory, Error, Result};

/// Of 32 characters: five bits each, none that looks like another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Characters: 100 bits.
const LENGTH: usize = 20;
/// Names in octets.
const MAX_NAME: usize = 100;

/// What is known of an app password afterwards.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AppPassword {
    /// What it is for: `phone`.
    pub name: String,
    /// Seconds since 1970.
    pub created: i64,
    /// Seconds since 1970, exact to an hour; none: never.
    pub last_used: Option<i64>,
}

/// A new one; its password is not kept.
#[derive(Debug, Clone)]
pub struct NewAppPassword {
    /// The primary address of its user.
    pub user: String,
    /// What it is for.
    pub name: String,
    /// `abcd-efgh-ijkm-npqr-stuv`
    pub password: SecretString,
}

impl Directory {
    /// Makes an app password.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the user, [`Error::AlreadyExists`] and [`Error::Invalid`] for the name, [`Error::Database`].
    pub async fn add_app_password(&self, user: &str, name: &str) -> Result<NewAppPassword> {
        if name.trim() != name
            || name.is_empty()
            || name.len() > MAX_NAME
            || name.contains(char::is_control)
        {
            return Err(Error::Invalid(format!(
                "{name:?} is no name for an app password: 1 to {MAX_NAME} octets, no space around it"
            )));
        }
        let id = self.user_id(user).await?;
        let user = self.user(user).await?.address;
        let password = random();
        let hash = digest(&password)
            .ok_or_else(|| Error::Unavailable("could not make an app password".into()))?;
        let made = self.made_for_app(id, &password).await?;
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        let added = sqlx::query("INSERT INTO app_passwords (user, name, hash, created) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING")
            .bind(id)
            .bind(name)
            .bind(hash.as_slice())
            .bind(now())
            .execute(&mut *transaction)
            .await?;
        if added.rows_affected() == 0 {
            return Err(Error::AlreadyExists(format!(
                "app password {name} of {user}"
            )));
        }
        if let Some(made) = made {
            made.store_for_app(&mut transaction, id, name).await?;
        }
        transaction.commit().await?;
        self.0.cache.changed();
        Ok(NewAppPassword {
            user,
            name: name.to_owned(),
            password,
        })
    }

    /// A user's app passwords, by name.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the user, [`Error::Database`].
    pub async fn app_passwords(&self, user: &str) -> Result<Vec<AppPassword>> {
        let id = self.user_id(user).await?;
        let rows = sqlx::query_as(
            "SELECT name, created, last_used FROM app_passwords WHERE user = ? ORDER BY name",
        )
        .bind(id)
        .fetch_all(&self.0.pool)
        .await?;
        Ok(rows
            .into_iter()
            .map(|(name, created, last_used)| AppPassword {
                name,
                created,
                last_used,
            })
            .collect())
    }

    /// Revokes an app password. Sessions that logged in with it go on.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn remove_app_password(&self, user: &str, name: &str) -> Result<()> {
        let id = self.user_id(user).await?;
        let removed = sqlx::query("DELETE FROM app_passwords WHERE user = ? AND name = ?")
            .bind(id)
            .bind(name)
            .execute(&self.0.pool)
            .await?;
        if removed.rows_affected() == 0 {
            return Err(Error::NotFound(format!(
                "{user} has no app password {name}"
            )));
        }
        self.0.cache.changed();
        Ok(())
    }
}

/// What is stored; none for what cannot be an app password.
pub(crate) fn digest(password: &SecretString) -> Option<[u8; 32]> {
    let typed = password.expose_secret();
    // The longest spelling: a separator after every character.
    if typed.len() > 2 * LENGTH {
        return None;
    }
    let plain: String = typed
        .chars()
        .filter(|c| !matches!(c, '-' | ' '))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let possible = plain.len() == LENGTH && plain.bytes().all(|octet| ALPHABET.contains(&octet));
    possible.then(|| {
        blake3::derive_key(
            "waxwing directory app password, version 1",
            plain.as_bytes(),
        )
    })
}

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn random() -> SecretString {
    let mut password = String::with_capacity(LENGTH + LENGTH / 4);
    for (position, octet) in rand::random::<[u8; LENGTH]>().iter().enumerate() {
        if position > 0 && position % 4 == 0 {
            password.push('-');
        }
        let character = ALPHABET
            .get(usize::from(octet % 32))
            .copied()
            .unwrap_or(b'a');
        password.push(char::from(character));
    }
    password.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Fixture, PEER};

    #[test]
    fn no_two_are_alike_and_any_spelling_is_read() {
        let password = random();
        assert_ne!(password.expose_secret(), random().expose_secret());
        let typed = password.expose_secret().to_uppercase().replace('-', " ");
        assert_eq!(digest(&typed.into()), digest(&password));
        assert_eq!(digest(&"hunter2".into()), None);
    }

    #[tokio::test]
    async fn an_app_password_logs_in_until_it_is_revoked() {
        let fixture = Fixture::with_users(&["anna", "bob"]).await;
        let directory = &fixture.directory;
        let phone = directory.add_app_password("anna", "phone").await.unwrap();
        let tablet = directory.add_app_password("anna", "tablet").await.unwrap();
        assert_eq!(
            fixture
                .log_in(PEER, "anna", phone.password.expose_secret())
                .await
                .unwrap()
                .address,
            "anna@example.org"
        );
        assert!(
            fixture
                .log_in(PEER, "bob", phone.password.expose_secret())
                .await
                .is_err(),
            "it is anna's"
        );
        let listed = directory.app_passwords("anna").await.unwrap();
        assert!(
            listed[0].last_used.is_some() && listed[1].last_used.is_none(),
            "{listed:?}"
        );
        directory
            .remove_app_password("anna", "phone")
            .await
            .unwrap();
        assert!(matches!(
            fixture
                .log_in(PEER, "anna", phone.password.expose_secret())
                .await,
            Err(Error::Denied)
        ));
        fixture
            .log_in(PEER, "anna", tablet.password.expose_secret())
            .await
            .unwrap();
    }

    #[tokio::test]
    async fn names_are_told_apart() {
        let fixture = Fixture::with_users(&["anna"]).await;
        fixture
            .directory
            .add_app_password("anna", "phone")
            .await
            .unwrap();
        assert!(matches!(
            fixture.directory.add_app_password("anna", "phone").await,
            Err(Error::AlreadyExists(_))
        ));
        assert!(matches!(
            fixture.directory.add_app_password("anna", "").await,
            Err(Error::Invalid(_))
        ));
        assert!(matches!(
            fixture.directory.remove_app_password("anna", "car").await,
            Err(Error::NotFound(_))
        ));
    }
}
