//! What mailboxes may hold, as an administrator says it: for a user, for all users of a domain, or not at all. This room knows the limits
//! and not what is in the mailboxes; the store keeps them (its module `quota`).

use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    Directory, DomainName, Result,
    users::{spelled, user_tables},
};

/// What is said of one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// Nothing: a user has the domain's, a domain has none.
    Inherited,
    /// There is none, whatever the domain says.
    Unlimited,
    /// Octets, or items.
    AtMost(u64),
}

impl Limit {
    fn from_column(column: Option<i64>) -> Limit {
        match column {
            None => Limit::Inherited,
            Some(limit) => u64::try_from(limit).map_or(Limit::Unlimited, Limit::AtMost),
        }
    }

    fn into_column(self) -> Option<i64> {
        match self {
            Limit::Inherited => None,
            Limit::Unlimited => Some(-1),
            Limit::AtMost(limit) => Some(i64::try_from(limit).unwrap_or(i64::MAX)),
        }
    }

    fn or(self, domain: Limit) -> Option<u64> {
        match (self, domain) {
            (Limit::AtMost(limit), _) | (Limit::Inherited, Limit::AtMost(limit)) => Some(limit),
            _ => None,
        }
    }
}

/// Both limits of a user or a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Limits {
    /// In octets.
    pub storage: Limit,
    /// In items.
    pub messages: Limit,
}

/// A change of them; what is none stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct LimitsChange {
    /// In octets.
    pub storage: Option<Limit>,
    /// In items.
    pub messages: Option<Limit>,
}

/// A user's mailbox and what holds for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserQuota {
    /// The primary address.
    pub address: String,
    /// 32 hex digits: exmdb's `MailboxGuid`.
    pub mailbox: String,
    /// What is said of this user.
    pub own: Limits,
    /// What holds, in octets.
    pub storage: Option<u64>,
    /// What holds, in items.
    pub messages: Option<u64>,
}

/// The columns that [`UserQuota::from_row`] reads, of those rows that the rest says.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT a.local, d.name, u.mailbox, u.quota_storage, u.quota_messages, d.quota_storage, d.quota_messages",
            user_tables!(),
            $rest
        )
    };
}

/// Writes one row of a table; a limit of which nothing is said stays.
macro_rules! update {
    ($table:literal, $key:literal) => {
        concat!(
            "UPDATE ",
            $table,
            " SET quota_storage = CASE WHEN ?1 THEN ?2 ELSE quota_storage END,
                quota_messages = CASE WHEN ?3 THEN ?4 ELSE quota_messages END WHERE ",
            $key,
            " = ?5"
        )
    };
}

impl UserQuota {
    fn from_row(row: &SqliteRow) -> Result<UserQuota> {
        let limit = |column: usize| row.try_get(column).map(Limit::from_column);
        let own = Limits {
            storage: limit(3)?,
            messages: limit(4)?,
        };
        Ok(UserQuota {
            address: spelled(&row.try_get::<String, _>(0)?, &row.try_get::<String, _>(1)?),
            mailbox: row.try_get(2)?,
            own,
            storage: own.storage.or(limit(5)?),
            messages: own.messages.or(limit(6)?),
        })
    }
}

impl Directory {
    /// The quotas of a domain's users, or of all, by address; those without a limit too.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the domain, [`Error::Database`].
    pub async fn quotas(&self, domain: Option<&str>) -> Result<Vec<UserQuota>> {
        let domain = self.domain_id(domain).await?;
        let sql = select!("WHERE ?1 IS NULL OR d.id = ?1 ORDER BY d.name, a.local");
        let rows = sqlx::query(sql)
            .bind(domain)
            .fetch_all(&self.0.pool)
            .await?;
        rows.iter().map(UserQuota::from_row).collect()
    }

    /// One user's.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for what is no address, [`Error::Database`].
    pub async fn quota(&self, address: &str) -> Result<UserQuota> {
        let id = self.user_id(address).await?;
        let row = sqlx::query(select!("WHERE u.address = ?"))
            .bind(id)
            .fetch_one(&self.0.pool)
            .await?;
        UserQuota::from_row(&row)
    }

    /// What is said of a domain.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for what is no domain name, [`Error::Database`].
    pub async fn domain_quota(&self, domain: &str) -> Result<Limits> {
        let domain = self.known_domain(&DomainName::parse(domain)?).await?;
        let (storage, messages) =
            sqlx::query_as("SELECT quota_storage, quota_messages FROM domains WHERE id = ?")
                .bind(domain.id)
                .fetch_one(&self.0.pool)
                .await?;
        Ok(Limits {
            storage: Limit::from_column(storage),
            messages: Limit::from_column(messages),
        })
    }

    /// Changes what a user may have.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for what is no address, [`Error::Database`].
    pub async fn set_user_quota(&self, address: &str, change: LimitsChange) -> Result<()> {
        let id = self.user_id(address).await?;
        self.change_quota(update!("users", "address"), id, change)
            .await
    }

    /// Changes what the users of a domain may have of whom nothing else is said.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for what is no domain name, [`Error::Database`].
    pub async fn set_domain_quota(&self, domain: &str, change: LimitsChange) -> Result<()> {
        let domain = self.known_domain(&DomainName::parse(domain)?).await?;
        self.change_quota(update!("domains", "id"), domain.id, change)
            .await
    }

    async fn change_quota(&self, sql: &'static str, id: i64, change: LimitsChange) -> Result<()> {
        sqlx::query(sql)
            .bind(change.storage.is_some())
            .bind(change.storage.and_then(Limit::into_column))
            .bind(change.messages.is_some())
            .bind(change.messages.and_then(Limit::into_column))
            .bind(id)
            .execute(&self.0.pool)
            .await?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    fn storage(limit: Limit) -> LimitsChange {
        LimitsChange {
            storage: Some(limit),
            messages: None,
        }
    }

    #[tokio::test]
    async fn a_users_own_limit_beats_the_domains() {
        let fixture = Fixture::with_users(&["alice", "bob", "carol"]).await;
        let directory = &fixture.directory;
        let domain = storage(Limit::AtMost(100));
        directory
            .set_domain_quota("example.org", domain)
            .await
            .unwrap();
        directory
            .set_user_quota("bob", storage(Limit::AtMost(7)))
            .await
            .unwrap();
        directory
            .set_user_quota("carol", storage(Limit::Unlimited))
            .await
            .unwrap();
        let quotas = directory.quotas(Some("example.org")).await.unwrap();
        let held: Vec<_> = quotas.iter().map(|quota| quota.storage).collect();
        assert_eq!(held, [Some(100), Some(7), None]);
        directory
            .set_user_quota("bob", storage(Limit::Inherited))
            .await
            .unwrap();
        assert_eq!(directory.quota("bob").await.unwrap().storage, Some(100));
    }

    #[tokio::test]
    async fn a_change_of_one_limit_leaves_the_other() {
        let fixture = Fixture::with_users(&["alice"]).await;
        let directory = &fixture.directory;
        let both = LimitsChange {
            storage: Some(Limit::AtMost(1)),
            messages: Some(Limit::AtMost(2)),
        };
        directory.set_user_quota("alice", both).await.unwrap();
        directory
            .set_user_quota("alice", storage(Limit::AtMost(3)))
            .await
            .unwrap();
        let quota = directory.quota("alice").await.unwrap();
        assert_eq!((quota.storage, quota.messages), (Some(3), Some(2)));
        assert!(directory.set_user_quota("nobody", both).await.is_err());
        assert!(
            directory
                .set_domain_quota("example.com", both)
                .await
                .is_err()
        );
    }
}
