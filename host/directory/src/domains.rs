//! Domains: add, list, remove, and which of them `DOMAIN\user` means.

use std::sync::Arc;

use sqlx::{Row, Sqlite, Transaction};

use crate::{Directory, DomainName, Error, Result, User, cache::Domains, users::spelled};

/// A domain of ours.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Domain {
    /// A-labels.
    pub name: String,
    /// Users in it.
    pub users: u32,
    /// Who gets mail to addresses that do not exist.
    pub catch_all: Option<String>,
}

/// A domain as look-ups need it.
#[derive(Debug, Clone)]
pub(crate) struct KnownDomain {
    pub(crate) id: i64,
    pub(crate) name: DomainName,
    pub(crate) short_name: Option<String>,
}

impl Directory {
    /// All domains, by name.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn domains(&self) -> Result<Vec<Domain>> {
        const SQL: &str = "SELECT d.name, (SELECT count(*) FROM addresses a WHERE a.domain = d.id AND a.kind = 'user'), \
                           ca.local, cd.name FROM domains d LEFT JOIN catch_alls c ON c.domain = d.id \
                           LEFT JOIN addresses ca ON ca.id = c.address LEFT JOIN domains cd ON cd.id = ca.domain ORDER BY d.name";
        type Row = (String, u32, Option<String>, Option<String>);
        let rows: Vec<Row> = sqlx::query_as(SQL).fetch_all(&self.0.pool).await?;
        let domain = |(name, users, local, domain): Row| Domain {
            name,
            users,
            catch_all: local
                .zip(domain)
                .map(|(local, domain)| spelled(&local, &domain)),
        };
        Ok(rows.into_iter().map(domain).collect())
    }

    /// Adds a domain.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no domain name, [`Error::AlreadyExists`], [`Error::Database`].
    pub async fn add_domain(&self, name: &str) -> Result<()> {
        let name = DomainName::parse(name)?;
        let added = sqlx::query("INSERT INTO domains (name) VALUES (?) ON CONFLICT DO NOTHING")
            .bind(name.as_str())
            .execute(&self.0.pool)
            .await?;
        if added.rows_affected() == 0 {
            return Err(Error::AlreadyExists(format!("domain {name}")));
        }
        self.0.cache.changed();
        Ok(())
    }

    /// Gives a domain the name that `SHORT\user` calls it, or takes it away.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] for a short name with a dot, [`Error::AlreadyExists`], [`Error::Database`].
    pub async fn set_short_name(&self, domain: &str, short_name: Option<&str>) -> Result<()> {
        let domain = self.known_domain(&DomainName::parse(domain)?).await?;
        let short_name = short_name.map(str::to_lowercase);
        if let Some(name) = &short_name
            && (name.is_empty() || name.contains(['.', '\\', '@']))
        {
            return Err(Error::Invalid(format!(
                "{name:?} cannot be a short name: it must have no dot, backslash or @"
            )));
        }
        let changed = sqlx::query("UPDATE OR IGNORE domains SET short_name = ? WHERE id = ?")
            .bind(&short_name)
            .bind(domain.id)
            .execute(&self.0.pool)
            .await?;
        if changed.rows_affected() == 0 {
            return Err(Error::AlreadyExists(format!(
                "short name {}",
                short_name.unwrap_or_default()
            )));
        }
        self.0.cache.changed();
        Ok(())
    }

    /// Removes an empty domain.
    ///
    /// # Errors
    /// [`Error::Invalid`] while an address is in it, [`Error::NotFound`], [`Error::Database`].
    pub async fn remove_domain(&self, name: &str) -> Result<()> {
        self.remove_domain_and(name, false).await.map(drop)
    }

    /// Removes a domain with every address in it, and every alias elsewhere that stood for one of them. Returns the users
    /// that were: their mailboxes are nobody's now.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn remove_domain_with_users(&self, name: &str) -> Result<Vec<User>> {
        self.remove_domain_and(name, true).await
    }

    async fn remove_domain_and(&self, name: &str, addresses_too: bool) -> Result<Vec<User>> {
        let name = DomainName::parse(name)?;
        let domain = self.known_domain(&name).await?;
        let users = self.users(Some(name.as_str())).await?;
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        let ids: Vec<i64> = sqlx::query_scalar("SELECT id FROM addresses WHERE domain = ?")
            .bind(domain.id)
            .fetch_all(&mut *transaction)
            .await?;
        if !ids.is_empty() && !addresses_too {
            let others = ids.len().saturating_sub(users.len());
            return Err(Error::Invalid(format!(
                "domain {name} still has {} users and {others} aliases and groups; remove them first, or all at once with \
                 `waxwing domain remove {name} --with-users`",
                users.len()
            )));
        }
        for id in ids {
            remove_address(&mut transaction, id).await?;
        }
        sqlx::query("DELETE FROM domains WHERE id = ?")
            .bind(domain.id)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        self.0.cache.changed();
        Ok(users)
    }

    /// All domains, from memory where possible.
    pub(crate) async fn all_domains(&self) -> Result<Arc<Domains>> {
        if let Some(domains) = self.0.cache.domains() {
            return Ok(domains);
        }
        let asked = self.0.cache.now();
        let mut domains = Domains::new();
        for row in sqlx::query("SELECT id, name, short_name FROM domains")
            .fetch_all(&self.0.pool)
            .await?
        {
            let name: String = row.try_get(1)?;
            let known = KnownDomain {
                id: row.try_get(0)?,
                name: DomainName::parse(&name)?,
                short_name: row.try_get(2)?,
            };
            domains.insert(name, known);
        }
        Ok(self.0.cache.put_domains(asked, domains))
    }

    /// The domain, or the error that says how to add it.
    pub(crate) async fn known_domain(&self, name: &DomainName) -> Result<KnownDomain> {
        self.all_domains()
            .await?
            .get(name.as_str())
            .cloned()
            .ok_or_else(|| {
                Error::NotFound(format!(
                    "domain {name} does not exist; add it with `waxwing domain add {name}`"
                ))
            })
    }

    /// The domain of an address without one: the configured one, or the only one.
    pub(crate) async fn default_domain(&self) -> Result<Option<DomainName>> {
        if let Some(name) = &self.0.default_domain {
            return Ok(Some(name.clone()));
        }
        let domains = self.all_domains().await?;
        let mut all = domains.values();
        Ok(all
            .next()
            .filter(|_| domains.len() == 1)
            .map(|domain| domain.name.clone()))
    }
}

/// Removes an address and every alias that stands for it, however many aliases away: an alias of nobody would only bounce.
pub(crate) async fn remove_address(
    transaction: &mut Transaction<'_, Sqlite>,
    id: i64,
) -> Result<()> {
    const SQL: &str = "WITH RECURSIVE gone (id) AS (VALUES (?) UNION SELECT aliases.address FROM aliases JOIN gone ON aliases.target = gone.id) \
                       DELETE FROM addresses WHERE id IN gone";
    sqlx::query(SQL)
        .bind(id)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{Error, Resolution, testing::Fixture};

    #[tokio::test]
    async fn a_domain_is_one_however_it_is_spelled() {
        let fixture = Fixture::new().await;
        assert!(matches!(
            fixture.directory.add_domain("EXAMPLE.org.").await,
            Err(Error::AlreadyExists(_))
        ));
        fixture
            .directory
            .add_domain("bücher.example")
            .await
            .unwrap();
        let names: Vec<_> = fixture
            .directory
            .domains()
            .await
            .unwrap()
            .into_iter()
            .map(|domain| domain.name)
            .collect();
        assert_eq!(names, ["example.org", "xn--bcher-kva.example"]);
    }

    #[tokio::test]
    async fn a_domain_with_users_is_only_removed_when_asked() {
        let fixture = Fixture::with_users(&["anna"]).await;
        fixture.directory.add_domain("example.net").await.unwrap();
        fixture
            .directory
            .add_alias("a@example.net", "anna@example.org")
            .await
            .unwrap();
        let refusal = fixture
            .directory
            .remove_domain("example.org")
            .await
            .unwrap_err()
            .to_string();
        assert!(
            refusal.contains("1 users") && refusal.contains("--with-users"),
            "{refusal}"
        );
        let gone = fixture
            .directory
            .remove_domain_with_users("example.org")
            .await
            .unwrap();
        assert_eq!(gone.len(), 1);
        assert_eq!(
            fixture.directory.resolve("anna@example.org").await.unwrap(),
            Resolution::Foreign
        );
        assert_eq!(
            fixture.directory.resolve("a@example.net").await.unwrap(),
            Resolution::Unknown
        );
        fixture
            .directory
            .remove_domain("example.net")
            .await
            .unwrap();
        assert!(fixture.directory.domains().await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_missing_domain_says_how_to_add_it() {
        let fixture = Fixture::new().await;
        let refusal = fixture
            .add_user("anna@example.net")
            .await
            .unwrap_err()
            .to_string();
        assert_eq!(
            refusal,
            "domain example.net does not exist; add it with `waxwing domain add example.net`"
        );
    }
}
