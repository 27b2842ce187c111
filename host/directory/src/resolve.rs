//! From a recipient's address to mailboxes.
//!
//! The exact address first, then without its detail (`anna+news`), so a user who is really called `a+b` is found. Aliases
//! and groups are followed by one recursive query that visits every address once: a ring ends, a mailbox comes once.
//!
//! What is for nobody is for whoever catches it ([`crate::catch_alls`]).
//!
//! `postmaster` exists in every domain (RFC 5321 section 4.5.1), whether anybody made it or not: an address of that name is asked
//! first, then the configured postmaster, then the user who was added first.

use crate::{
    Address, Directory, DomainName, LocalPart, Result, User,
    address::split,
    users::{user_columns, user_tables},
};

/// RFC 5321 section 4.5.1.
const POSTMASTER: &str = "postmaster";

/// `reached`: an address, and all that it stands for.
macro_rules! reached {
    () => {
        "WITH RECURSIVE reached (id) AS (VALUES (?) \
         UNION SELECT aliases.target FROM aliases JOIN reached ON aliases.address = reached.id \
         UNION SELECT group_members.member FROM group_members JOIN reached ON group_members.list = reached.id) "
    };
}

/// What an address is here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution {
    /// An address of ours.
    Local {
        /// Its canonical spelling, with the detail that was given.
        canonical: String,
        /// Every user it reaches, without repeats, by address. Empty for a group without members.
        users: Vec<User>,
        /// Every address elsewhere that it is forwarded to.
        foreign: Vec<String>,
        /// It is a group that does not take mail of everybody ([`Directory::may_post`]).
        restricted: bool,
    },
    /// Our domain, but no such address.
    Unknown,
    /// Not our domain.
    Foreign,
    /// Not an address; why.
    Malformed(String),
}

impl Directory {
    /// Resolves one address. `postmaster` without a domain is that of the default domain, or of the first (RFC 5321 section 4.1.1.3).
    ///
    /// # Errors
    /// [`crate::Error::Database`]: nothing is known, the sender should come again.
    pub async fn resolve(&self, text: &str) -> Result<Resolution> {
        if let Some(answer) = self.0.cache.resolution(text) {
            return Ok((*answer).clone());
        }
        let asked = self.0.cache.now();
        let address = match self.recipient(text).await? {
            Ok(address) => address,
            Err(answer) => return Ok(answer),
        };
        if !self
            .all_domains()
            .await?
            .contains_key(address.domain.as_str())
        {
            return Ok(Resolution::Foreign);
        }
        let id = match self.address_or_base_row(&address).await? {
            Some((id, _)) => Some(id),
            None if address.local.as_str() == POSTMASTER => {
                self.postmaster(&address.domain).await?
            }
            None => None,
        };
        let (id, caught) = match id {
            Some(id) => (Some(id), false),
            None => (self.catch_all_id(&address.domain).await?, true),
        };
        let Some(id) = id else {
            return Ok(Resolution::Unknown);
        };
        let answer = Resolution::Local {
            canonical: address.to_string(),
            users: self.reached(id).await?,
            foreign: self.forwarded(id).await?,
            restricted: self.is_restricted(id).await?,
        };
        if caught {
            return Ok(answer);
        }
        // Only what exists is kept: a sender can make up any number of addresses that do not.
        Ok((*self.0.cache.put_resolution(asked, text, answer)).clone())
    }

    async fn recipient(&self, text: &str) -> Result<std::result::Result<Address, Resolution>> {
        if text.eq_ignore_ascii_case(POSTMASTER)
            && let Some(domain) = self.postmasters_domain().await?
        {
            return Ok(Ok(Address {
                local: LocalPart::from_stored(POSTMASTER),
                domain,
            }));
        }
        if let Some((_, domain)) = split(text)
            && (domain.starts_with('[') && domain.ends_with(']'))
        {
            return Ok(Err(Resolution::Foreign));
        }
        Ok(Address::parse(text).map_err(|error| Resolution::Malformed(error.to_string())))
    }

    /// Where `postmaster` alone is: the default domain, or the first one.
    async fn postmasters_domain(&self) -> Result<Option<DomainName>> {
        if let Some(domain) = self.default_domain().await? {
            return Ok(Some(domain));
        }
        let domains = self.all_domains().await?;
        let first = domains.values().min_by_key(|domain| domain.id);
        Ok(first.map(|domain| domain.name.clone()))
    }

    /// Who gets the postmaster's mail of a domain where no address has that name. The user who was added first is the one who set
    /// the server up, in most cases; those of the domain itself come before others.
    async fn postmaster(&self, domain: &DomainName) -> Result<Option<i64>> {
        const SQL: &str = concat!(
            "SELECT u.address",
            user_tables!(),
            "WHERE u.enabled ORDER BY d.name = ? DESC, a.id LIMIT 1"
        );
        if let Some(configured) = &self.0.postmaster
            && let Some((id, _)) = self.address_row(configured).await?
        {
            return Ok(Some(id));
        }
        Ok(sqlx::query_scalar(SQL)
            .bind(domain.as_str())
            .fetch_optional(&self.0.pool)
            .await?)
    }

    /// The row of an address, or of the address without its detail.
    pub(crate) async fn address_or_base_row(
        &self,
        address: &Address,
    ) -> Result<Option<(i64, String)>> {
        if let Some(row) = self.address_row(address).await? {
            return Ok(Some(row));
        }
        let base = self
            .0
            .recipient_delimiter
            .and_then(|delimiter| address.local.without_detail(delimiter));
        match base {
            Some(local) => {
                self.address_row(&Address {
                    local,
                    domain: address.domain.clone(),
                })
                .await
            }
            None => Ok(None),
        }
    }

    pub(crate) async fn reached(&self, id: i64) -> Result<Vec<User>> {
        const SQL: &str = concat!(
            reached!(),
            "SELECT ",
            user_columns!(),
            user_tables!(),
            "WHERE u.address IN reached ORDER BY d.name, a.local"
        );
        let rows = sqlx::query(SQL).bind(id).fetch_all(&self.0.pool).await?;
        rows.iter().map(User::from_row).collect()
    }

    pub(crate) async fn forwarded(&self, id: i64) -> Result<Vec<String>> {
        const SQL: &str = concat!(
            reached!(),
            "SELECT DISTINCT target FROM forwards WHERE address IN reached ORDER BY target"
        );
        Ok(sqlx::query_scalar(SQL)
            .bind(id)
            .fetch_all(&self.0.pool)
            .await?)
    }

    /// Whether a user may write as an address: the own one, with any detail, and aliases of it. A group is nobody's own.
    ///
    /// # Errors
    /// [`crate::Error::Database`].
    pub async fn is_identity(&self, user: &User, text: &str) -> Result<bool> {
        const SQL: &str = "WITH RECURSIVE same (id) AS (VALUES (?1) \
             UNION SELECT aliases.target FROM aliases JOIN same ON aliases.address = same.id) \
             SELECT EXISTS (SELECT 1 FROM same JOIN users u ON u.address = same.id WHERE u.mailbox = ?2)";
        let Ok(address) = Address::parse(text) else {
            return Ok(false);
        };
        match self.address_or_base_row(&address).await? {
            Some((id, _)) => Ok(sqlx::query_scalar(SQL)
                .bind(id)
                .bind(&user.mailbox)
                .fetch_one(&self.0.pool)
                .await?),
            None => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[tokio::test]
    async fn a_detail_reaches_the_user_unless_the_address_exists_with_it() {
        let fixture = Fixture::with_users(&["anna", "bob+work"]).await;
        assert_eq!(
            fixture.reached("Anna+News@example.org").await,
            ["anna@example.org"]
        );
        assert_eq!(
            fixture.reached("bob+work@example.org").await,
            ["bob+work@example.org"]
        );
        assert_eq!(
            fixture.directory.resolve("bob@example.org").await.unwrap(),
            Resolution::Unknown
        );
        let Resolution::Local { canonical, .. } = fixture
            .directory
            .resolve("Anna+News@EXAMPLE.org")
            .await
            .unwrap()
        else {
            panic!()
        };
        assert_eq!(canonical, "anna+news@example.org");
    }

    #[tokio::test]
    async fn somebody_writes_as_the_own_address_and_its_aliases_and_as_no_group() {
        let fixture = Fixture::with_users(&["anna", "bob"]).await;
        let directory = &fixture.directory;
        directory.add_alias("info", "anna").await.unwrap();
        directory.add_alias("help", "info").await.unwrap();
        directory
            .add_group("all", &["anna".to_owned()])
            .await
            .unwrap();
        let anna = directory.user("anna").await.unwrap();
        for (address, expected) in [
            ("Anna@example.org", true),
            ("anna+x@example.org", true),
            ("help@example.org", true),
            ("all@example.org", false),
            ("bob@example.org", false),
            ("nobody@example.org", false),
            ("anna@example.net", false),
            ("", false),
        ] {
            assert_eq!(
                directory.is_identity(&anna, address).await.unwrap(),
                expected,
                "{address}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_forwarded_is_found_through_aliases_and_groups() {
        let fixture = Fixture::with_users(&["anna"]).await;
        let directory = &fixture.directory;
        directory
            .add_alias("away", "Anna.B@Example.NET")
            .await
            .unwrap();
        let members = ["anna", "away", "carol@example.net"].map(str::to_owned);
        directory.add_group("all", &members).await.unwrap();
        let Resolution::Local { users, foreign, .. } =
            directory.resolve("all@example.org").await.unwrap()
        else {
            panic!()
        };
        assert_eq!(users.len(), 1);
        assert_eq!(foreign, ["Anna.B@example.net", "carol@example.net"]);
        assert_eq!(
            directory.aliases(None).await.unwrap()[0].target,
            "Anna.B@example.net"
        );
        directory
            .remove_members("all", &["carol@EXAMPLE.net".to_owned()])
            .await
            .unwrap();
        assert_eq!(
            directory.groups(None).await.unwrap()[0].members,
            ["anna@example.org", "away@example.org"]
        );
    }

    #[tokio::test]
    async fn ours_theirs_and_nonsense_are_told_apart() {
        let fixture = Fixture::with_users(&["anna"]).await;
        let directory = &fixture.directory;
        assert_eq!(
            directory.resolve("nobody@example.org").await.unwrap(),
            Resolution::Unknown
        );
        assert_eq!(
            directory.resolve("anna@example.net").await.unwrap(),
            Resolution::Foreign
        );
        assert_eq!(
            directory.resolve("anna@sub.example.org").await.unwrap(),
            Resolution::Foreign
        );
        assert_eq!(
            directory.resolve("anna@[192.0.2.1]").await.unwrap(),
            Resolution::Foreign
        );
        assert!(matches!(
            directory.resolve("anna").await.unwrap(),
            Resolution::Malformed(_)
        ));
        assert!(matches!(
            directory.resolve("").await.unwrap(),
            Resolution::Malformed(_)
        ));
    }

    #[tokio::test]
    async fn postmaster_needs_no_domain() {
        let fixture = Fixture::with_users(&["anna"]).await;
        fixture
            .directory
            .add_alias("postmaster", "anna")
            .await
            .unwrap();
        assert_eq!(fixture.reached("Postmaster").await, ["anna@example.org"]);
    }

    #[tokio::test]
    async fn postmaster_exists_without_having_been_made() {
        let fixture = Fixture::with_users(&["zoe", "anna"]).await;
        fixture.directory.add_domain("example.net").await.unwrap();
        for address in [
            "Postmaster",
            "POSTMASTER@example.org",
            "postmaster@example.net",
        ] {
            assert_eq!(fixture.reached(address).await, ["zoe@example.org"]);
        }
        fixture.add_user("late@example.net").await.unwrap();
        assert_eq!(
            fixture.reached("postmaster@example.net").await,
            ["late@example.net"]
        );
        fixture.add_user("postmaster@example.net").await.unwrap();
        assert_eq!(
            fixture.reached("postmaster@example.net").await,
            ["postmaster@example.net"]
        );
    }

    #[tokio::test]
    async fn postmaster_is_whom_the_configuration_names() {
        let fixture = Fixture::with_users(&["zoe", "anna"])
            .await
            .reopened_with(|config| config.postmaster = Some("Anna@example.org".into()))
            .await;
        assert_eq!(
            fixture.reached("postmaster@example.org").await,
            ["anna@example.org"]
        );
    }
}
