//! Who shares something with whom. Rights are the mailbox's own ([MS-OXCPERM]); nobody could ask every mailbox of a server whom it
//! gives something to, so the directory keeps, for each, the members of its permissions. **Promises** to name too many at times and
//! never too few, as long as whoever changes permissions writes here first; what is named is asked before it is shown.
//!
//! A member is a user, an alias, a group or `default`. Rights for everybody are found in the own domain only: a server of many domains
//! does not list the people of one to the people of another. The public account of a domain is an account like any other whose folders
//! its users see in a place of their own.

use std::sync::Arc;

use crate::{
    Directory, DomainName, Error, Result, User,
    users::{spelled, user_columns, user_tables},
};

/// The member that stands for everybody, as in a mailbox's permissions.
pub const EVERYBODY: &str = "default";

/// An account that may share something with somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharer {
    /// Who.
    pub user: User,
    /// Whether it holds the public folders of the other's domain.
    pub public: bool,
}

impl Directory {
    /// The members of a mailbox's permissions, from now on. A mailbox of nobody has none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn set_shares(&self, mailbox: &str, members: &[String]) -> Result<()> {
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        sqlx::query(
            "DELETE FROM shares WHERE owner IN (SELECT address FROM users WHERE mailbox = ?)",
        )
        .bind(mailbox)
        .execute(&mut *transaction)
        .await?;
        insert(&mut transaction, mailbox, members).await?;
        transaction.commit().await?;
        self.0.cache.changed();
        Ok(())
    }

    /// More members, before their rights are given.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn add_shares(&self, mailbox: &str, members: &[String]) -> Result<()> {
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        insert(&mut transaction, mailbox, members).await?;
        transaction.commit().await?;
        self.0.cache.changed();
        Ok(())
    }

    /// The members that are known of a mailbox, sorted.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn shares(&self, mailbox: &str) -> Result<Vec<String>> {
        const SQL: &str = "SELECT member FROM shares JOIN users ON users.address = shares.owner WHERE mailbox = ? ORDER BY member";
        Ok(sqlx::query_scalar(SQL)
            .bind(mailbox)
            .fetch_all(&self.0.pool)
            .await?)
    }

    /// The mailboxes whose permissions name a member.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn shared_with(&self, member: &str) -> Result<Vec<String>> {
        const SQL: &str = "SELECT mailbox FROM shares JOIN users ON users.address = shares.owner WHERE member = ?";
        Ok(sqlx::query_scalar(SQL)
            .bind(member.to_ascii_lowercase())
            .fetch_all(&self.0.pool)
            .await?)
    }

    /// The accounts, but the own one, that may share something with a user, by address; the public one of the user's domain too.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn sharers(&self, user: &User) -> Result<Arc<Vec<Sharer>>> {
        if let Some(known) = self.0.cache.sharers(&user.address) {
            return Ok(known);
        }
        let asked = self.0.cache.now();
        let sharers = Arc::new(self.find_sharers(user).await?);
        self.0
            .cache
            .put_sharers(asked, &user.address, sharers.clone());
        Ok(sharers)
    }

    async fn find_sharers(&self, user: &User) -> Result<Vec<Sharer>> {
        const SQL: &str = concat!(
            "SELECT DISTINCT ",
            user_columns!(),
            user_tables!(),
            "JOIN shares s ON s.owner = u.address WHERE (s.member = "
        );
        let (_, domain) = user.address.rsplit_once('@').unwrap_or_default();
        let mut query = sqlx::QueryBuilder::new(SQL);
        query.push_bind(EVERYBODY);
        query.push(" AND d.name = ").push_bind(domain);
        query.push(") OR s.member IN (");
        let mut names = query.separated(", ");
        names.push_bind(user.address.to_ascii_lowercase());
        for name in self.names_of(user).await?.iter() {
            names.push_bind(name.clone());
        }
        query.push(") ORDER BY d.name, a.local");
        let rows = query.build().fetch_all(&self.0.pool).await?;
        let public = self.public_account(domain).await?;
        let mut sharers = Vec::with_capacity(rows.len());
        for row in &rows {
            let sharer = User::from_row(row)?;
            if sharer.address != user.address {
                let public = public.as_ref() == Some(&sharer.address);
                sharers.push(Sharer {
                    user: sharer,
                    public,
                });
            }
        }
        Ok(sharers)
    }

    /// What else than the own address a user is named by: aliases, and groups however many groups away; in lower case.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn names_of(&self, user: &User) -> Result<Arc<Vec<String>>> {
        if let Some(known) = self.0.cache.names(&user.address) {
            return Ok(known);
        }
        let asked = self.0.cache.now();
        let names = Arc::new(self.find_names(user).await?);
        self.0.cache.put_names(asked, &user.address, names.clone());
        Ok(names)
    }

    async fn find_names(&self, user: &User) -> Result<Vec<String>> {
        const SQL: &str = "WITH RECURSIVE name (id) AS (SELECT address FROM users WHERE mailbox = ? \
             UNION SELECT aliases.address FROM aliases JOIN name ON aliases.target = name.id \
             UNION SELECT group_members.list FROM group_members JOIN name ON group_members.member = name.id) \
             SELECT a.local, d.name FROM name JOIN addresses a ON a.id = name.id JOIN domains d ON d.id = a.domain";
        let rows: Vec<(String, String)> = sqlx::query_as(SQL)
            .bind(&user.mailbox)
            .fetch_all(&self.0.pool)
            .await?;
        let names = rows
            .iter()
            .map(|(local, domain)| spelled(local, domain).to_ascii_lowercase());
        let own = user.address.to_ascii_lowercase();
        Ok(names.filter(|name| *name != own).collect())
    }

    /// The one spelling of somebody who can be given rights: the user that an address or an alias stands for, or a group.
    ///
    /// # Errors
    /// [`Error::NotFound`] when it is nobody here, [`Error::Invalid`], [`Error::Database`].
    pub async fn member(&self, name: &str) -> Result<String> {
        const ALIAS: &str = "SELECT a.local, d.name, a.kind, a.id FROM aliases l JOIN addresses a ON a.id = l.target \
             JOIN domains d ON d.id = a.domain WHERE l.address = ?";
        let nobody = || Error::NotFound(format!("{name} is no user and no group of this server"));
        let address = self.complete(name).await?;
        let (mut id, mut kind) = self.address_row(&address).await?.ok_or_else(nobody)?;
        let mut canonical = address.to_string();
        // An alias of an alias, at most so deep.
        for _ in 0..10 {
            if kind != "alias" {
                return Ok(canonical);
            }
            let row: Option<(String, String, String, i64)> = sqlx::query_as(ALIAS)
                .bind(id)
                .fetch_optional(&self.0.pool)
                .await?;
            let (local, domain, target_kind, target) = row.ok_or_else(nobody)?;
            (canonical, kind, id) = (spelled(&local, &domain), target_kind, target);
        }
        Err(nobody())
    }

    /// Whose mailbox holds the public folders of a domain, from now on; none: there are none.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the domain or the user, [`Error::Invalid`] for what is no user, [`Error::Database`].
    pub async fn set_public_account(&self, domain: &str, account: Option<&str>) -> Result<()> {
        let domain = self.known_domain(&DomainName::parse(domain)?).await?;
        match account {
            Some(account) => {
                let account = self.user_id(account).await?;
                sqlx::query("INSERT INTO public_accounts (domain, account) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET account = ?2")
                    .bind(domain.id)
                    .bind(account)
                    .execute(&self.0.pool)
                    .await?;
            }
            None => {
                sqlx::query("DELETE FROM public_accounts WHERE domain = ?")
                    .bind(domain.id)
                    .execute(&self.0.pool)
                    .await?;
            }
        }
        self.0.cache.changed();
        Ok(())
    }

    /// Whose mailbox holds the public folders of a domain.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn public_account(&self, domain: &str) -> Result<Option<String>> {
        const SQL: &str = "SELECT a.local, ad.name FROM public_accounts p JOIN domains d ON d.id = p.domain \
             JOIN addresses a ON a.id = p.account JOIN domains ad ON ad.id = a.domain WHERE d.name = ?";
        let row: Option<(String, String)> = sqlx::query_as(SQL)
            .bind(domain)
            .fetch_optional(&self.0.pool)
            .await?;
        Ok(row.map(|(local, domain)| spelled(&local, &domain)))
    }
}

async fn insert(
    transaction: &mut sqlx::Transaction<'_, sqlx::Sqlite>,
    mailbox: &str,
    members: &[String],
) -> Result<()> {
    for member in members {
        sqlx::query("INSERT INTO shares (owner, member) SELECT address, ? FROM users WHERE mailbox = ? ON CONFLICT DO NOTHING")
            .bind(member.to_ascii_lowercase())
            .bind(mailbox)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{Error, testing::Fixture};

    async fn share(fixture: &Fixture, owner: &str, members: &[&str]) {
        let mailbox = fixture.directory.user(owner).await.unwrap().mailbox;
        let members: Vec<String> = members.iter().map(ToString::to_string).collect();
        fixture
            .directory
            .set_shares(&mailbox, &members)
            .await
            .unwrap();
    }

    async fn sharers(fixture: &Fixture, user: &str) -> Vec<(String, bool)> {
        let user = fixture.directory.user(user).await.unwrap();
        let sharers = fixture.directory.sharers(&user).await.unwrap();
        sharers
            .iter()
            .map(|sharer| (sharer.user.address.clone(), sharer.public))
            .collect()
    }

    #[tokio::test]
    async fn somebody_is_shared_with_by_address_alias_and_nested_group() {
        let fixture = Fixture::with_users(&["anna", "bob", "carol", "dora"]).await;
        let directory = &fixture.directory;
        directory.add_alias("info", "dora").await.unwrap();
        directory
            .add_group("sales", &["dora".to_owned()])
            .await
            .unwrap();
        directory
            .add_group("all", &["sales".to_owned()])
            .await
            .unwrap();
        share(&fixture, "anna", &["DORA@example.org"]).await;
        share(&fixture, "bob", &["all@example.org", "info@example.org"]).await;
        share(&fixture, "carol", &["anna@example.org"]).await;
        share(&fixture, "dora", &["dora@example.org"]).await;
        let owner = |name: &str| (format!("{name}@example.org"), false);
        assert_eq!(
            sharers(&fixture, "dora").await,
            [owner("anna"), owner("bob")]
        );
        assert_eq!(sharers(&fixture, "anna").await, [owner("carol")]);
    }

    #[tokio::test]
    async fn what_is_for_everybody_is_listed_in_the_own_domain() {
        let fixture = Fixture::with_users(&["anna", "bob"]).await;
        fixture.directory.add_domain("example.net").await.unwrap();
        fixture.add_user("eve@example.net").await.unwrap();
        share(&fixture, "anna", &["default"]).await;
        assert_eq!(sharers(&fixture, "bob").await.len(), 1);
        assert!(sharers(&fixture, "eve@example.net").await.is_empty());
        share(&fixture, "anna", &[]).await;
        assert!(sharers(&fixture, "bob").await.is_empty());
    }

    #[tokio::test]
    async fn the_public_account_is_marked_and_goes_with_its_user() {
        let fixture = Fixture::with_users(&["anna", "public"]).await;
        let directory = &fixture.directory;
        let set = directory.set_public_account("example.org", Some("public"));
        set.await.unwrap();
        share(&fixture, "public", &["default"]).await;
        assert_eq!(
            sharers(&fixture, "anna").await,
            [("public@example.org".to_owned(), true)]
        );
        directory.remove_user("public").await.unwrap();
        assert!(sharers(&fixture, "anna").await.is_empty());
        assert_eq!(directory.public_account("example.org").await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_member_is_a_user_or_a_group_and_an_alias_stands_for_one() {
        let fixture = Fixture::with_users(&["anna"]).await;
        let directory = &fixture.directory;
        directory.add_alias("info", "anna").await.unwrap();
        directory.add_alias("help", "info").await.unwrap();
        directory.add_group("all", &[]).await.unwrap();
        for (name, expected) in [("Anna", "anna"), ("help", "anna"), ("all", "all")] {
            assert_eq!(
                directory.member(name).await.unwrap(),
                format!("{expected}@example.org")
            );
        }
        let nobody = directory.member("nobody@example.org").await;
        assert!(matches!(nobody, Err(Error::NotFound(_))));
    }
}
