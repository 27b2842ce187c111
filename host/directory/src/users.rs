//! Users: one primary address, one mailbox, one password.

use secrecy::SecretString;
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    Address, Directory, DomainName, Error, KnownHash, LocalPart, Result, address::split,
    domains::remove_address, scram::Made,
};

/// A user as the host knows one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct User {
    /// The primary address, canonical.
    pub address: String,
    /// For people.
    pub display_name: String,
    /// 32 hex digits: exmdb's `MailboxGuid`.
    pub mailbox: String,
    /// May log in. Mail arrives either way.
    pub enabled: bool,
    /// Names of features that an administrator switched off.
    pub features_off: Vec<String>,
}

/// What an alias or a group stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The row of an address of ours.
    Here(i64),
    /// Somebody else's address.
    Foreign(String),
}

/// The columns that [`User::from_row`] reads, of `users u`, `addresses a`, `domains d`.
macro_rules! user_columns {
    () => {
        "a.local, d.name, u.display_name, u.mailbox, u.enabled, \
         (SELECT group_concat(f.feature, ' ') FROM features_off f WHERE f.user = u.address)"
    };
}
/// Where they are.
macro_rules! user_tables {
    () => {
        " FROM users u JOIN addresses a ON a.id = u.address JOIN domains d ON d.id = a.domain "
    };
}
pub(crate) use {user_columns, user_tables};

impl User {
    pub(crate) fn from_row(row: &SqliteRow) -> Result<User> {
        let features: Option<String> = row.try_get(5)?;
        Ok(User {
            address: spelled(&row.try_get::<String, _>(0)?, &row.try_get::<String, _>(1)?),
            display_name: row.try_get(2)?,
            mailbox: row.try_get(3)?,
            enabled: row.try_get(4)?,
            features_off: features
                .unwrap_or_default()
                .split_ascii_whitespace()
                .map(str::to_owned)
                .collect(),
        })
    }
}

/// An address from its stored halves, quoted where it must be.
pub(crate) fn spelled(local: &str, domain: &str) -> String {
    format!("{}@{domain}", LocalPart::from_stored(local))
}

impl Directory {
    /// A user by primary address.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for what is no address, [`Error::Database`].
    pub async fn user(&self, address: &str) -> Result<User> {
        const SQL: &str = concat!(
            "SELECT ",
            user_columns!(),
            user_tables!(),
            "WHERE d.name = ? AND a.local = ?"
        );
        let address = self.complete(address).await?;
        self.known_domain(&address.domain).await?;
        let row = sqlx::query(SQL)
            .bind(address.domain.as_str())
            .bind(address.local.as_str())
            .fetch_optional(&self.0.pool)
            .await?;
        match row {
            Some(row) => User::from_row(&row),
            None => Err(Error::NotFound(format!(
                "user {address} does not exist; add it with `waxwing user add {address}`"
            ))),
        }
    }

    /// The one spelling of an address that an administrator wrote, in a domain of ours; the address need not exist.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no address, [`Error::NotFound`] for the domain, [`Error::Database`].
    pub async fn canonical(&self, address: &str) -> Result<String> {
        let address = self.complete(address).await?;
        self.known_domain(&address.domain).await?;
        Ok(address.to_string())
    }

    /// The users of a domain, or all, by address.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the domain, [`Error::Database`].
    pub async fn users(&self, domain: Option<&str>) -> Result<Vec<User>> {
        const SQL: &str = concat!(
            "SELECT ",
            user_columns!(),
            user_tables!(),
            "WHERE ?1 IS NULL OR d.id = ?1 ORDER BY d.name, a.local"
        );
        let domain = self.domain_id(domain).await?;
        let rows = sqlx::query(SQL)
            .bind(domain)
            .fetch_all(&self.0.pool)
            .await?;
        rows.iter().map(User::from_row).collect()
    }

    /// Adds a user whose mailbox exists already. An empty display name becomes the local part.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the domain, [`Error::AlreadyExists`] for the address or the mailbox, [`Error::Invalid`] for
    /// an address or password that cannot be, [`Error::Database`].
    pub async fn add_user(
        &self,
        address: &str,
        display_name: &str,
        password: SecretString,
        mailbox: &str,
    ) -> Result<User> {
        let hash = self.0.hasher.hash(password.clone()).await?;
        let made = self.made_for(None, &password).await?;
        self.insert_user((address, display_name), (hash, made), mailbox)
            .await
    }

    /// The same with a hash that was made elsewhere.
    ///
    /// # Errors
    /// As [`Directory::add_user`].
    pub async fn add_user_with_hash(
        &self,
        address: &str,
        display_name: &str,
        hash: KnownHash,
        mailbox: &str,
    ) -> Result<User> {
        self.insert_user((address, display_name), (hash.into_text(), None), mailbox)
            .await
    }

    async fn insert_user(
        &self,
        (address, display_name): (&str, &str),
        (hash, made): (String, Option<Made>),
        mailbox: &str,
    ) -> Result<User> {
        let address = self.complete(address).await?;
        let domain = self.known_domain(&address.domain).await?;
        if mailbox.len() != 32 || !mailbox.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Error::Invalid(format!(
                "{mailbox:?} is not a mailbox: 32 hex digits"
            )));
        }
        if let Some(delimiter) = self.0.recipient_delimiter
            && address.local.without_detail(delimiter).is_some()
        {
            tracing::warn!(%address, %delimiter, "this user's address contains the recipient delimiter");
        }
        let display_name = if display_name.is_empty() {
            address.local.as_str()
        } else {
            display_name
        };
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        let id = claim(&mut transaction, domain.id, &address, "user").await?;
        let added = sqlx::query(
            "INSERT INTO users (address, display_name, mailbox, password_hash) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(id)
        .bind(display_name)
        .bind(mailbox.to_ascii_lowercase())
        .bind(hash)
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Err(Error::AlreadyExists(format!(
                "a user with mailbox {mailbox}"
            )));
        }
        if let Some(made) = made {
            made.store(&mut transaction, id).await?;
        }
        transaction.commit().await?;
        self.0.cache.changed();
        self.user(&address.to_string()).await
    }

    /// Replaces the password. App passwords stay.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for an empty or endless password, [`Error::Database`].
    pub async fn set_password(&self, address: &str, password: SecretString) -> Result<()> {
        let id = self.user_id(address).await?;
        let hash = self.0.hasher.hash(password.clone()).await?;
        let made = self.made_for(Some(id), &password).await?;
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query("UPDATE users SET password_hash = ?, scram_verifier = NULL WHERE address = ?")
            .bind(hash)
            .bind(id)
            .execute(&mut *transaction)
            .await?;
        if let Some(made) = made {
            made.store(&mut transaction, id).await?;
        }
        transaction.commit().await?;
        self.0.cache.changed();
        Ok(())
    }

    /// Lets a user log in, or no more. Sessions that exist go on.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn set_enabled(&self, address: &str, enabled: bool) -> Result<()> {
        let id = self.user_id(address).await?;
        sqlx::query("UPDATE users SET enabled = ? WHERE address = ?")
            .bind(enabled)
            .bind(id)
            .execute(&self.0.pool)
            .await?;
        self.0.cache.changed();
        Ok(())
    }

    /// Changes the name that people see.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn set_display_name(&self, address: &str, display_name: &str) -> Result<()> {
        let id = self.user_id(address).await?;
        sqlx::query("UPDATE users SET display_name = ? WHERE address = ?")
            .bind(display_name)
            .bind(id)
            .execute(&self.0.pool)
            .await?;
        self.0.cache.changed();
        Ok(())
    }

    /// Switches a feature off for a user, or on again. What names there are is the plugins' matter.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for an empty name or one with a space, [`Error::Database`].
    pub async fn set_feature(&self, address: &str, feature: &str, on: bool) -> Result<()> {
        if feature.is_empty() || feature.contains(char::is_whitespace) {
            return Err(Error::Invalid(format!(
                "{feature:?} is not a feature's name: it must have no space"
            )));
        }
        let id = self.user_id(address).await?;
        let sql = if on {
            "DELETE FROM features_off WHERE user = ? AND feature = ?"
        } else {
            "INSERT INTO features_off (user, feature) VALUES (?, ?) ON CONFLICT DO NOTHING"
        };
        sqlx::query(sql)
            .bind(id)
            .bind(feature)
            .execute(&self.0.pool)
            .await?;
        self.0.cache.changed();
        Ok(())
    }

    /// Removes a user, with app passwords, memberships and every alias that stood for it. Returns who it was: the mailbox
    /// is nobody's now.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn remove_user(&self, address: &str) -> Result<User> {
        let user = self.user(address).await?;
        let id = self.user_id(address).await?;
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        remove_address(&mut transaction, id).await?;
        transaction.commit().await?;
        self.0.cache.changed();
        Ok(user)
    }

    /// An address as an administrator or a client writes it: the default domain may be left out.
    pub(crate) async fn complete(&self, text: &str) -> Result<Address> {
        if text.contains('@') {
            return Address::parse(text);
        }
        match self.default_domain().await? {
            Some(domain) => Ok(Address {
                local: LocalPart::parse(text)?,
                domain,
            }),
            None => Err(Error::Invalid(format!(
                "{text:?} has no domain, and there is no default domain"
            ))),
        }
    }

    pub(crate) async fn user_id(&self, address: &str) -> Result<i64> {
        let address = self.complete(address).await?;
        self.known_domain(&address.domain).await?;
        match self.address_row(&address).await? {
            Some((id, kind)) if kind == "user" => Ok(id),
            Some((_, kind)) => Err(Error::Invalid(format!(
                "{address} is not a user but an address of kind {kind}"
            ))),
            None => Err(Error::NotFound(format!(
                "user {address} does not exist; add it with `waxwing user add {address}`"
            ))),
        }
    }

    /// The id and kind of an address that exists exactly so.
    pub(crate) async fn address_row(&self, address: &Address) -> Result<Option<(i64, String)>> {
        const SQL: &str = "SELECT a.id, a.kind FROM addresses a JOIN domains d ON d.id = a.domain WHERE d.name = ? AND a.local = ?";
        let row = sqlx::query_as(SQL)
            .bind(address.domain.as_str())
            .bind(address.local.as_str())
            .fetch_optional(&self.0.pool)
            .await?;
        Ok(row)
    }

    /// The target of an alias or a member of a group: an address that must exist, when the domain is ours.
    pub(crate) async fn target(&self, text: &str) -> Result<Target> {
        let address = self.complete(text).await?;
        if !self
            .all_domains()
            .await?
            .contains_key(address.domain.as_str())
        {
            // The local part is the other server's: what it means in capitals is not ours to say.
            let (local, _) = split(text).unwrap_or((text, ""));
            return Ok(Target::Foreign(format!("{local}@{}", address.domain)));
        }
        match self.address_row(&address).await? {
            Some((id, _)) => Ok(Target::Here(id)),
            None => Err(Error::NotFound(format!(
                "{address} does not exist; add it with `waxwing user add {address}` (or as an alias or group) first"
            ))),
        }
    }

    /// For `WHERE ?1 IS NULL OR d.id = ?1`.
    pub(crate) async fn domain_id(&self, domain: Option<&str>) -> Result<Option<i64>> {
        match domain {
            Some(name) => Ok(Some(self.known_domain(&DomainName::parse(name)?).await?.id)),
            None => Ok(None),
        }
    }
}

/// Takes an address in the one name space.
pub(crate) async fn claim(
    transaction: &mut sqlx::Transaction<'_, sqlx::Sqlite>,
    domain: i64,
    address: &Address,
    kind: &str,
) -> Result<i64> {
    let taken: Option<String> =
        sqlx::query_scalar("SELECT kind FROM addresses WHERE domain = ? AND local = ?")
            .bind(domain)
            .bind(address.local.as_str())
            .fetch_optional(&mut **transaction)
            .await?;
    if let Some(kind) = taken {
        return Err(Error::AlreadyExists(format!("{kind} {address}")));
    }
    let id = sqlx::query_scalar(
        "INSERT INTO addresses (domain, local, kind) VALUES (?, ?, ?) RETURNING id",
    )
    .bind(domain)
    .bind(address.local.as_str())
    .bind(kind)
    .fetch_one(&mut **transaction)
    .await?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use crate::{Error, Resolution, testing::Fixture};

    #[tokio::test]
    async fn a_user_is_found_in_any_case_and_by_the_default_domain() {
        let fixture = Fixture::with_users(&["anna"]).await;
        for spelling in ["Anna@Example.org", "anna", "ANNA"] {
            assert_eq!(
                fixture.directory.user(spelling).await.unwrap().address,
                "anna@example.org"
            );
        }
    }

    #[tokio::test]
    async fn an_address_is_one_thing_only() {
        let fixture = Fixture::with_users(&["anna"]).await;
        let taken = fixture.add_user("ANNA@example.org").await.unwrap_err();
        assert_eq!(taken.to_string(), "user anna@example.org exists already");
        assert!(matches!(
            fixture.directory.add_group("anna@example.org", &[]).await,
            Err(Error::AlreadyExists(_))
        ));
    }

    #[tokio::test]
    async fn a_mailbox_has_one_user() {
        let fixture = Fixture::with_users(&["anna"]).await;
        let mailbox = fixture.directory.user("anna").await.unwrap().mailbox;
        let second = fixture
            .directory
            .add_user("bob", "", "secret".into(), &mailbox)
            .await;
        assert!(matches!(second, Err(Error::AlreadyExists(_))));
        assert!(
            fixture.directory.user("bob").await.is_err(),
            "half of a user was kept"
        );
    }

    #[tokio::test]
    async fn what_is_changed_is_seen_at_once() {
        let fixture = Fixture::with_users(&["anna"]).await;
        let directory = &fixture.directory;
        assert!(matches!(
            directory.resolve("anna@example.org").await.unwrap(),
            Resolution::Local { .. }
        ));
        directory
            .set_feature("anna", "imap.idle", false)
            .await
            .unwrap();
        directory.set_enabled("anna", false).await.unwrap();
        directory.set_display_name("anna", "Anna B").await.unwrap();
        let Resolution::Local { users, .. } = directory.resolve("anna@example.org").await.unwrap()
        else {
            panic!()
        };
        assert_eq!(users[0].features_off, ["imap.idle"]);
        assert!(!users[0].enabled);
        assert_eq!(users[0].display_name, "Anna B");
        directory
            .set_feature("anna", "imap.idle", true)
            .await
            .unwrap();
        assert!(
            directory
                .user("anna")
                .await
                .unwrap()
                .features_off
                .is_empty()
        );
        directory.remove_user("anna").await.unwrap();
        assert_eq!(
            directory.resolve("anna@example.org").await.unwrap(),
            Resolution::Unknown
        );
    }

    #[tokio::test]
    async fn everything_is_there_after_a_restart() {
        let fixture = Fixture::with_users(&["anna"]).await;
        let before = fixture.directory.users(None).await.unwrap();
        let fixture = fixture.reopened().await;
        assert_eq!(
            fixture.directory.users(Some("example.org")).await.unwrap(),
            before
        );
    }

    #[tokio::test]
    async fn a_missing_user_says_how_to_add_it() {
        let fixture = Fixture::new().await;
        let refusal = fixture
            .directory
            .set_password("bob", "x".into())
            .await
            .unwrap_err()
            .to_string();
        assert_eq!(
            refusal,
            "user bob@example.org does not exist; add it with `waxwing user add bob@example.org`"
        );
    }
}
