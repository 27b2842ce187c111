//! Who may write to a group: anybody, its members, addresses of its domain, or nobody; and beside those whoever is listed.
//!
//! The sender is the envelope's. Whether it may be believed is not this room's business: for an address of ours the mail flow asks that its
//! user is logged in. The policy is that of the group that is written to; a group within it is reached through it, and is not asked.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

use crate::{Address, Directory, Error, Result, users::spelled};

/// Who may write to a group, beside those who are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Posting {
    /// Anybody.
    #[default]
    Anyone,
    /// Whoever the group reaches, and the addresses elsewhere that are its members.
    Members,
    /// Addresses of the group's domain.
    Domain,
    /// Only who is listed.
    Listed,
}

impl Posting {
    /// `anyone`, `members`, `domain`, `listed`.
    pub fn name(self) -> &'static str {
        match self {
            Posting::Anyone => "anyone",
            Posting::Members => "members",
            Posting::Domain => "domain",
            Posting::Listed => "listed",
        }
    }

    pub(crate) fn from_stored(text: Option<&str>) -> Posting {
        match text {
            Some("members") => Posting::Members,
            Some("domain") => Posting::Domain,
            Some("listed") => Posting::Listed,
            _ => Posting::Anyone,
        }
    }
}

/// A change of who may write to a group.
#[derive(Debug, Clone, Default)]
pub struct PostingChange {
    /// None: as before.
    pub who: Option<Posting>,
    /// Listed from now on.
    pub allow: Vec<String>,
    /// Listed no more.
    pub disallow: Vec<String>,
}

impl Directory {
    /// Changes who may write to a group; all or nothing.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the group, or for an address to be taken from the list that is not on it; [`Error::Invalid`],
    /// [`Error::Database`].
    pub async fn change_posting(&self, group: &str, change: &PostingChange) -> Result<()> {
        let id = self.group_id(group).await?;
        let spelled = |addresses: &[String]| {
            let each = addresses.iter().map(|address| Address::parse(address));
            each.map(|address| address.map(|address| address.to_string()))
                .collect::<Result<Vec<String>>>()
        };
        let (allow, disallow) = (spelled(&change.allow)?, spelled(&change.disallow)?);
        let mut transaction = self.0.pool.begin_with("BEGIN IMMEDIATE").await?;
        if let Some(who) = change.who {
            set_who(&mut transaction, id, who).await?;
        }
        for sender in &allow {
            sqlx::query(
                "INSERT INTO group_senders (list, sender) VALUES (?, ?) ON CONFLICT DO NOTHING",
            )
            .bind(id)
            .bind(sender)
            .execute(&mut *transaction)
            .await?;
        }
        for sender in &disallow {
            let gone = sqlx::query("DELETE FROM group_senders WHERE list = ? AND sender = ?")
                .bind(id)
                .bind(sender)
                .execute(&mut *transaction)
                .await?;
            if gone.rows_affected() == 0 {
                return Err(Error::NotFound(format!(
                    "{sender} is not listed as a sender of {group}"
                )));
            }
        }
        transaction.commit().await?;
        self.0.cache.changed();
        Ok(())
    }

    /// Whether a sender may write to an address of ours; to what is no group everybody may. The null reverse-path, of reports,
    /// may write to a group that takes mail of anybody.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub async fn may_post(&self, recipient: &str, sender: &str) -> Result<bool> {
        const POLICY: &str = "SELECT who FROM group_policies WHERE list = ?";
        const LISTED: &str =
            "SELECT EXISTS (SELECT 1 FROM group_senders WHERE list = ? AND sender = ?)";
        let Ok(address) = Address::parse(recipient) else {
            return Ok(true);
        };
        let Some((id, _)) = self.address_or_base_row(&address).await? else {
            return Ok(true);
        };
        // An alias of a group leads to its policy.
        let id = self.alias_end(id).await?;
        let who: Option<String> = sqlx::query_scalar(POLICY)
            .bind(id)
            .fetch_optional(&self.0.pool)
            .await?;
        let who = Posting::from_stored(who.as_deref());
        if who == Posting::Anyone {
            return Ok(true);
        }
        let Ok(sender) = Address::parse(sender) else {
            return Ok(false);
        };
        let listed: bool = sqlx::query_scalar(LISTED)
            .bind(id)
            .bind(sender.to_string())
            .fetch_one(&self.0.pool)
            .await?;
        Ok(listed
            || match who {
                Posting::Anyone => true,
                Posting::Listed => false,
                Posting::Domain => self.domain_of(id).await? == sender.domain.as_str(),
                Posting::Members => self.is_member(id, &sender).await?,
            })
    }

    /// Of the groups of a domain, or of all, who may write to each, where it is not simply anybody.
    pub(crate) async fn posting(
        &self,
        domain: Option<i64>,
    ) -> Result<BTreeMap<String, (Posting, Vec<String>)>> {
        const SQL: &str = "SELECT a.local, d.name, p.who, s.sender FROM addresses a JOIN domains d ON d.id = a.domain \
            LEFT JOIN group_policies p ON p.list = a.id LEFT JOIN group_senders s ON s.list = a.id \
            WHERE a.kind = 'group' AND (?1 IS NULL OR d.id = ?1) AND (p.who IS NOT NULL OR s.sender IS NOT NULL) ORDER BY s.sender";
        type Row = (String, String, Option<String>, Option<String>);
        let rows: Vec<Row> = sqlx::query_as(SQL)
            .bind(domain)
            .fetch_all(&self.0.pool)
            .await?;
        let mut found: BTreeMap<String, (Posting, Vec<String>)> = BTreeMap::new();
        for (local, domain, who, sender) in rows {
            let (posting, senders) = found.entry(spelled(&local, &domain)).or_default();
            *posting = Posting::from_stored(who.as_deref());
            senders.extend(sender);
        }
        Ok(found)
    }

    async fn domain_of(&self, address: i64) -> Result<String> {
        const SQL: &str =
            "SELECT d.name FROM addresses a JOIN domains d ON d.id = a.domain WHERE a.id = ?";
        Ok(sqlx::query_scalar(SQL)
            .bind(address)
            .fetch_one(&self.0.pool)
            .await?)
    }

    pub(crate) async fn is_restricted(&self, address: i64) -> Result<bool> {
        const SQL: &str = "SELECT EXISTS (SELECT 1 FROM group_policies WHERE list = ?)";
        let end = self.alias_end(address).await?;
        Ok(sqlx::query_scalar(SQL)
            .bind(end)
            .fetch_one(&self.0.pool)
            .await?)
    }

    /// What an alias stands for in the end; what is no alias stands for itself.
    async fn alias_end(&self, alias: i64) -> Result<i64> {
        const SQL: &str = "WITH RECURSIVE end (id) AS (VALUES (?) UNION SELECT aliases.target FROM aliases JOIN end ON aliases.address = end.id) \
            SELECT id FROM end WHERE id NOT IN (SELECT address FROM aliases) LIMIT 1";
        let end = sqlx::query_scalar(SQL)
            .bind(alias)
            .fetch_optional(&self.0.pool)
            .await?;
        Ok(end.unwrap_or(alias))
    }

    /// Under any of the addresses of somebody whom the group reaches.
    async fn is_member(&self, group: i64, sender: &Address) -> Result<bool> {
        let same = |other: &String| Address::parse(other).is_ok_and(|other| other == *sender);
        if self.forwarded(group).await?.iter().any(same) {
            return Ok(true);
        }
        for user in self.reached(group).await? {
            if self.is_identity(&user, &sender.to_string()).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

async fn set_who(connection: &mut SqliteConnection, group: i64, who: Posting) -> Result<()> {
    let change = match who {
        Posting::Anyone => sqlx::query("DELETE FROM group_policies WHERE list = ?").bind(group),
        who => sqlx::query("INSERT INTO group_policies (list, who) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET who = ?2")
            .bind(group)
            .bind(who.name()),
    };
    change.execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    async fn group(who: Posting, allow: &[&str]) -> Fixture {
        let fixture = Fixture::with_users(&["anna", "bob", "carol"]).await;
        let directory = &fixture.directory;
        let members = ["anna".to_owned(), "x@example.net".to_owned()];
        directory.add_group("inner", &members).await.unwrap();
        let members = ["inner".to_owned(), "bob".to_owned()];
        directory.add_group("all", &members).await.unwrap();
        directory.add_alias("info", "anna").await.unwrap();
        directory.add_alias("everybody", "all").await.unwrap();
        let change = PostingChange {
            who: Some(who),
            allow: allow.iter().map(|address| (*address).to_owned()).collect(),
            disallow: Vec::new(),
        };
        directory.change_posting("all", &change).await.unwrap();
        fixture
    }

    async fn may(fixture: &Fixture, sender: &str) -> bool {
        let direct = fixture.directory.may_post("all@example.org", sender);
        let direct = direct.await.unwrap();
        let by_alias = fixture.directory.may_post("everybody@example.org", sender);
        assert_eq!(by_alias.await.unwrap(), direct, "{sender}");
        direct
    }

    #[tokio::test]
    async fn each_policy_lets_in_whom_it_names_and_who_is_listed() {
        for (who, allowed, refused) in [
            (Posting::Anyone, vec!["", "who@example.com"], vec![]),
            (
                Posting::Members,
                vec![
                    "Anna@example.org",
                    "info@example.org",
                    "bob+x@example.org",
                    "X@example.net",
                    "boss@example.com",
                ],
                vec!["carol@example.org", "y@example.net", ""],
            ),
            (
                Posting::Domain,
                vec![
                    "carol@example.org",
                    "nobody@example.org",
                    "boss@example.com",
                ],
                vec!["x@example.net", "a@sub.example.org", ""],
            ),
            (
                Posting::Listed,
                vec!["Boss@EXAMPLE.com"],
                vec!["anna@example.org", "", "nonsense"],
            ),
        ] {
            let fixture = group(who, &["boss@example.com"]).await;
            for sender in allowed {
                assert!(may(&fixture, sender).await, "{who:?} {sender}");
            }
            for sender in refused {
                assert!(!may(&fixture, sender).await, "{who:?} {sender}");
            }
        }
    }

    #[tokio::test]
    async fn who_may_write_is_changed_whole_or_not_at_all_and_shown_with_the_group() {
        let fixture = group(Posting::Listed, &["boss@example.com"]).await;
        let directory = &fixture.directory;
        let change = PostingChange {
            who: Some(Posting::Anyone),
            disallow: vec!["who@example.com".into()],
            ..PostingChange::default()
        };
        assert!(directory.change_posting("all", &change).await.is_err());
        let all = directory.groups(None).await.unwrap();
        let all = all.iter().find(|group| group.address == "all@example.org");
        let all = all.unwrap();
        assert_eq!(all.posting, Posting::Listed);
        assert_eq!(all.senders, ["boss@example.com"]);
        assert!(
            directory
                .may_post("anna@example.org", "who@example.com")
                .await
                .unwrap()
        );
    }
}
