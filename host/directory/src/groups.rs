//! Groups: an address that reaches its members. Members are addresses of ours of any kind, and addresses elsewhere; a group may
//! hold groups, and a ring of them does no harm: [`crate::resolve`] visits every address once.

use std::collections::BTreeMap;

use sqlx::{Row, Sqlite, Transaction};

use crate::{
    Directory, Error, Posting, Result,
    domains::remove_address,
    users::{Target, claim, spelled},
};

/// A group and its direct members.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Group {
    /// Its address.
    pub address: String,
    /// Direct members, by address.
    pub members: Vec<String>,
    /// Who may write to it.
    pub posting: Posting,
    /// Who may beside those.
    pub senders: Vec<String>,
}

impl Directory {
    /// Adds a group with its first members.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the domain or a member, [`Error::AlreadyExists`], [`Error::Invalid`], [`Error::Database`].
    pub async fn add_group(&self, address: &str, members: &[String]) -> Result<()> {
        let address = self.complete(address).await?;
        let domain = self.known_domain(&address.domain).await?;
        let members = self.targets(members).await?;
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        let id = claim(&mut transaction, domain.id, &address, "group").await?;
        insert_members(&mut transaction, id, &members).await?;
        transaction.commit().await?;
        self.0.cache.changed();
        Ok(())
    }

    /// Adds members; those that are members already stay so.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the group or a member (nothing is added then), [`Error::Invalid`], [`Error::Database`].
    pub async fn add_members(&self, group: &str, members: &[String]) -> Result<()> {
        let group = self.group_id(group).await?;
        let members = self.targets(members).await?;
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        insert_members(&mut transaction, group, &members).await?;
        transaction.commit().await?;
        self.0.cache.changed();
        Ok(())
    }

    /// Takes direct members out.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the group or an address that is no member (nothing is removed then), [`Error::Database`].
    pub async fn remove_members(&self, group: &str, members: &[String]) -> Result<()> {
        let id = self.group_id(group).await?;
        let targets = self.targets(members).await?;
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        for (target, name) in targets.iter().zip(members) {
            let delete = match target {
                Target::Here(member) => {
                    sqlx::query("DELETE FROM group_members WHERE list = ? AND member = ?")
                        .bind(id)
                        .bind(member)
                }
                Target::Foreign(target) => {
                    sqlx::query("DELETE FROM forwards WHERE address = ? AND target = ?")
                        .bind(id)
                        .bind(target)
                }
            };
            let gone = delete.execute(&mut *transaction).await?;
            if gone.rows_affected() == 0 {
                return Err(Error::NotFound(format!("{name} is no member of {group}")));
            }
        }
        transaction.commit().await?;
        self.0.cache.changed();
        Ok(())
    }

    /// The groups of a domain, or all, by address.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the domain, [`Error::Database`].
    pub async fn groups(&self, domain: Option<&str>) -> Result<Vec<Group>> {
        const SQL: &str = "SELECT a.local, d.name, ma.local, md.name, NULL FROM addresses a JOIN domains d ON d.id = a.domain \
                           LEFT JOIN group_members m ON m.list = a.id \
                           LEFT JOIN addresses ma ON ma.id = m.member LEFT JOIN domains md ON md.id = ma.domain \
                           WHERE a.kind = 'group' AND (?1 IS NULL OR d.id = ?1) \
                           UNION ALL SELECT a.local, d.name, NULL, NULL, f.target FROM addresses a JOIN domains d ON d.id = a.domain \
                           JOIN forwards f ON f.address = a.id \
                           WHERE a.kind = 'group' AND (?1 IS NULL OR d.id = ?1) ORDER BY 5, 4, 3";
        let domain = self.domain_id(domain).await?;
        let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for row in sqlx::query(SQL)
            .bind(domain)
            .fetch_all(&self.0.pool)
            .await?
        {
            let members = groups
                .entry(spelled(row.try_get(0)?, row.try_get(1)?))
                .or_default();
            if let (Some(local), Some(domain)) = (
                row.try_get::<Option<String>, _>(2)?,
                row.try_get::<Option<String>, _>(3)?,
            ) {
                members.push(spelled(&local, &domain));
            }
            if let Some(foreign) = row.try_get::<Option<String>, _>(4)? {
                members.push(foreign);
            }
        }
        let mut posting = self.posting(domain).await?;
        let group = |(address, members): (String, Vec<String>)| {
            let (posting, senders) = posting.remove(&address).unwrap_or_default();
            Group {
                address,
                members,
                posting,
                senders,
            }
        };
        Ok(groups.into_iter().map(group).collect())
    }

    /// Removes a group; its members stay. Aliases of it go.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub async fn remove_group(&self, address: &str) -> Result<()> {
        let id = self.group_id(address).await?;
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        remove_address(&mut transaction, id).await?;
        transaction.commit().await?;
        self.0.cache.changed();
        Ok(())
    }

    pub(crate) async fn group_id(&self, address: &str) -> Result<i64> {
        let address = self.complete(address).await?;
        match self.address_row(&address).await? {
            Some((id, kind)) if kind == "group" => Ok(id),
            _ => Err(Error::NotFound(format!(
                "group {address} does not exist; add it with `waxwing group add {address}`"
            ))),
        }
    }

    async fn targets(&self, members: &[String]) -> Result<Vec<Target>> {
        let mut targets = Vec::with_capacity(members.len());
        for member in members {
            targets.push(self.target(member).await?);
        }
        Ok(targets)
    }
}

async fn insert_members(
    transaction: &mut Transaction<'_, Sqlite>,
    group: i64,
    members: &[Target],
) -> Result<()> {
    for member in members {
        let insert = match member {
            Target::Here(member) => sqlx::query(
                "INSERT INTO group_members (list, member) VALUES (?, ?) ON CONFLICT DO NOTHING",
            )
            .bind(group)
            .bind(member),
            Target::Foreign(target) => sqlx::query(
                "INSERT INTO forwards (address, target) VALUES (?, ?) ON CONFLICT DO NOTHING",
            )
            .bind(group)
            .bind(target),
        };
        insert.execute(&mut **transaction).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::{Error, testing::Fixture};

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[tokio::test]
    async fn nested_groups_reach_everybody_once() {
        let fixture = Fixture::with_users(&["anna", "bob", "carol"]).await;
        let directory = &fixture.directory;
        directory
            .add_group("sales", &names(&["anna", "bob"]))
            .await
            .unwrap();
        directory
            .add_group("all", &names(&["sales", "carol", "anna"]))
            .await
            .unwrap();
        assert_eq!(
            fixture.reached("all@example.org").await,
            ["anna@example.org", "bob@example.org", "carol@example.org"]
        );
    }

    #[tokio::test]
    async fn a_ring_of_groups_ends() {
        let fixture = Fixture::with_users(&["anna"]).await;
        let directory = &fixture.directory;
        directory.add_group("a", &names(&["anna"])).await.unwrap();
        directory.add_group("b", &names(&["a"])).await.unwrap();
        directory
            .add_members("a", &names(&["b", "a"]))
            .await
            .unwrap();
        assert_eq!(fixture.reached("b@example.org").await, ["anna@example.org"]);
    }

    #[tokio::test]
    async fn members_come_and_go() {
        let fixture = Fixture::with_users(&["anna", "bob"]).await;
        let directory = &fixture.directory;
        directory.add_group("all", &[]).await.unwrap();
        directory
            .add_members("all", &names(&["anna", "bob"]))
            .await
            .unwrap();
        directory
            .remove_members("all", &names(&["anna"]))
            .await
            .unwrap();
        assert!(matches!(
            directory
                .remove_members("all", &names(&["bob", "anna"]))
                .await,
            Err(Error::NotFound(_))
        ));
        assert_eq!(
            directory.groups(None).await.unwrap()[0].members,
            ["bob@example.org"]
        );
        directory.remove_user("bob").await.unwrap();
        assert!(
            directory.groups(Some("example.org")).await.unwrap()[0]
                .members
                .is_empty()
        );
        directory.remove_group("all").await.unwrap();
        assert!(directory.groups(None).await.unwrap().is_empty());
    }
}
