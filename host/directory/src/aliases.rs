//! Aliases: an address that stands for another: a user, a group or an alias of ours, or an address elsewhere, to which its mail is
//! forwarded.

use sqlx::Row;

use crate::{
    Directory, Error, Result,
    domains::remove_address,
    users::{Target, claim, spelled},
};

/// An address that stands for another.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Alias {
    /// The alias.
    pub address: String,
    /// What it stands for.
    pub target: String,
}

impl Directory {
    /// Adds an alias. A target of ours exists first, so a ring of aliases cannot be made.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the domain or the target, [`Error::AlreadyExists`], [`Error::Invalid`], [`Error::Database`].
    pub async fn add_alias(&self, address: &str, target: &str) -> Result<()> {
        let address = self.complete(address).await?;
        let domain = self.known_domain(&address.domain).await?;
        let target = self.target(target).await?;
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        let id = claim(&mut transaction, domain.id, &address, "alias").await?;
        let insert = match target {
            Target::Here(target) => {
                sqlx::query("INSERT INTO aliases (address, target) VALUES (?, ?)")
                    .bind(id)
                    .bind(target)
            }
            Target::Foreign(target) => {
                sqlx::query("INSERT INTO forwards (address, target) VALUES (?, ?)")
                    .bind(id)
                    .bind(target)
            }
        };
        insert.execute(&mut *transaction).await?;
        transaction.commit().await?;
        self.0.cache.changed();
        Ok(())
    }

    /// The aliases of a domain, or all, by address.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the domain, [`Error::Database`].
    pub async fn aliases(&self, domain: Option<&str>) -> Result<Vec<Alias>> {
        const SQL: &str = "SELECT a.local, d.name, ta.local, td.name, f.target FROM addresses a JOIN domains d ON d.id = a.domain \
                           LEFT JOIN aliases ON aliases.address = a.id LEFT JOIN forwards f ON f.address = a.id \
                           LEFT JOIN addresses ta ON ta.id = aliases.target LEFT JOIN domains td ON td.id = ta.domain \
                           WHERE a.kind = 'alias' AND (?1 IS NULL OR d.id = ?1) ORDER BY d.name, a.local";
        let domain = self.domain_id(domain).await?;
        let rows = sqlx::query(SQL)
            .bind(domain)
            .fetch_all(&self.0.pool)
            .await?;
        let text = |row: &sqlx::sqlite::SqliteRow, column: usize| row.try_get::<String, _>(column);
        rows.iter()
            .map(|row| {
                let foreign: Option<String> = row.try_get(4)?;
                Ok(Alias {
                    address: spelled(&text(row, 0)?, &text(row, 1)?),
                    target: match foreign {
                        Some(target) => target,
                        None => spelled(&text(row, 2)?, &text(row, 3)?),
                    },
                })
            })
            .collect()
    }

    /// Removes an alias, and those that stood for it.
    ///
    /// # Errors
    /// [`Error::NotFound`], also when the address is not an alias, [`Error::Database`].
    pub async fn remove_alias(&self, address: &str) -> Result<()> {
        let address = self.complete(address).await?;
        match self.address_row(&address).await? {
            Some((id, kind)) if kind == "alias" => {
                let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
                remove_address(&mut transaction, id).await?;
                transaction.commit().await?;
                self.0.cache.changed();
                Ok(())
            }
            _ => Err(Error::NotFound(format!("alias {address} does not exist"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Error, Resolution, testing::Fixture};

    #[tokio::test]
    async fn an_alias_of_an_alias_reaches_the_user_and_goes_with_it() {
        let fixture = Fixture::with_users(&["anna"]).await;
        let directory = &fixture.directory;
        directory.add_alias("info", "anna").await.unwrap();
        directory.add_alias("help", "info").await.unwrap();
        assert_eq!(
            fixture.reached("help@example.org").await,
            ["anna@example.org"]
        );
        assert_eq!(
            directory.aliases(None).await.unwrap()[0].target,
            "info@example.org"
        );
        directory.remove_user("anna").await.unwrap();
        assert!(directory.aliases(None).await.unwrap().is_empty());
        assert_eq!(
            directory.resolve("help@example.org").await.unwrap(),
            Resolution::Unknown
        );
    }

    #[tokio::test]
    async fn an_alias_needs_a_target_that_exists_when_it_is_ours() {
        let fixture = Fixture::new().await;
        assert!(matches!(
            fixture.directory.add_alias("info", "nobody").await,
            Err(Error::NotFound(_))
        ));
        assert!(matches!(
            fixture.directory.add_alias("info", "info").await,
            Err(Error::NotFound(_))
        ));
    }

    #[tokio::test]
    async fn a_user_is_not_removed_as_an_alias() {
        let fixture = Fixture::with_users(&["anna"]).await;
        assert!(matches!(
            fixture.directory.remove_alias("anna").await,
            Err(Error::NotFound(_))
        ));
    }
}
