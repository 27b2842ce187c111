//! Who gets the mail of a domain that is for nobody: one address of ours, or nobody. An address that exists is never caught, nor is `postmaster`.

use crate::{Directory, DomainName, Error, Result, domains::KnownDomain, users::spelled};

impl Directory {
    /// From now on mail to unknown addresses of a domain goes to an address of ours; none: it is refused.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the domain or the address, [`Error::Invalid`] for an address elsewhere, [`Error::Database`].
    pub async fn set_catch_all(&self, domain: &str, address: Option<&str>) -> Result<()> {
        let domain = self.known_domain(&DomainName::parse(domain)?).await?;
        match address {
            Some(address) => {
                let id = self.target_here(address).await?;
                sqlx::query("INSERT INTO catch_alls (domain, address) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET address = ?2")
                    .bind(domain.id)
                    .bind(id)
                    .execute(&self.0.pool)
                    .await?;
            }
            None => {
                sqlx::query("DELETE FROM catch_alls WHERE domain = ?")
                    .bind(domain.id)
                    .execute(&self.0.pool)
                    .await?;
            }
        }
        self.0.cache.changed();
        Ok(())
    }

    /// Who gets it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the domain, [`Error::Database`].
    pub async fn catch_all(&self, domain: &str) -> Result<Option<String>> {
        const SQL: &str = "SELECT a.local, d.name FROM catch_alls c JOIN addresses a ON a.id = c.address \
            JOIN domains d ON d.id = a.domain WHERE c.domain = ?";
        let domain = self.known_domain(&DomainName::parse(domain)?).await?;
        let row: Option<(String, String)> = sqlx::query_as(SQL)
            .bind(domain.id)
            .fetch_optional(&self.0.pool)
            .await?;
        Ok(row.map(|(local, domain)| spelled(&local, &domain)))
    }

    pub(crate) async fn catch_all_id(&self, domain: &DomainName) -> Result<Option<i64>> {
        let domains = self.all_domains().await?;
        let Some(KnownDomain { id, .. }) = domains.get(domain.as_str()) else {
            return Ok(None);
        };
        Ok(
            sqlx::query_scalar("SELECT address FROM catch_alls WHERE domain = ?")
                .bind(id)
                .fetch_optional(&self.0.pool)
                .await?,
        )
    }

    async fn target_here(&self, address: &str) -> Result<i64> {
        use crate::users::Target;
        match self.target(address).await? {
            Target::Here(id) => Ok(id),
            Target::Foreign(address) => Err(Error::Invalid(format!(
                "{address} is not of this server; add an alias for it and name that"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Error, Resolution, testing::Fixture};

    #[tokio::test]
    async fn unknown_addresses_of_a_domain_reach_who_catches_them() {
        let fixture = Fixture::with_users(&["anna", "bob"]).await;
        let directory = &fixture.directory;
        directory
            .set_catch_all("example.org", Some("bob"))
            .await
            .unwrap();
        assert_eq!(
            fixture.reached("who@example.org").await,
            ["bob@example.org"]
        );
        assert_eq!(
            fixture.reached("anna+x@example.org").await,
            ["anna@example.org"]
        );
        assert_eq!(
            fixture.reached("postmaster@example.org").await,
            ["anna@example.org"]
        );
        let bob = directory.user("bob").await.unwrap();
        assert!(
            !directory
                .is_identity(&bob, "who@example.org")
                .await
                .unwrap()
        );
        assert_eq!(
            directory.catch_all("example.org").await.unwrap().unwrap(),
            "bob@example.org"
        );
        directory.remove_user("bob").await.unwrap();
        assert_eq!(
            directory.resolve("who@example.org").await.unwrap(),
            Resolution::Unknown
        );
    }

    #[tokio::test]
    async fn nothing_is_caught_for_addresses_elsewhere_or_once_it_is_off() {
        let fixture = Fixture::with_users(&["anna"]).await;
        let directory = &fixture.directory;
        let refused = directory.set_catch_all("example.org", Some("a@example.net"));
        assert!(matches!(refused.await, Err(Error::Invalid(_))));
        for address in [Some("anna"), None] {
            directory
                .set_catch_all("example.org", address)
                .await
                .unwrap();
        }
        assert_eq!(
            directory.resolve("who@example.org").await.unwrap(),
            Resolution::Unknown
        );
    }
}
