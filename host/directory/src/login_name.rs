//! What clients type as a user name.
//!
//! Four forms: `user@domain`, `user`, `DOMAIN\user`, `domain.tld\user` (ActiveSync, EWS and MAPI clients send all of them).
//! `DOMAIN` is a domain's short name or its first label. Two domains may share a first label; the default domain is tried
//! first, then the others by name, and the first that has such a user is meant. A password of one cannot open the other,
//! since it is one account that is found before any password is looked at.

use crate::{Address, Directory, LocalPart, Result};

impl Directory {
    /// The addresses that a log-in name may mean, the likeliest first. Empty for nonsense.
    pub(crate) async fn candidates(&self, typed: &str) -> Result<Vec<Address>> {
        let typed = typed.trim();
        let Some((domain, user)) = typed.split_once('\\') else {
            return Ok(self.complete(typed).await.into_iter().collect());
        };
        // `DOMAIN\user@domain.tld`: the longer form says it all.
        if user.contains('@') {
            return Ok(Address::parse(user).into_iter().collect());
        }
        let Ok(local) = LocalPart::parse(user) else {
            return Ok(Vec::new());
        };
        if domain.contains('.') {
            return Ok(Address::parse(&format!("{local}@{domain}"))
                .into_iter()
                .collect());
        }
        let wanted = domain.to_lowercase();
        let default = self.default_domain().await?;
        let known = self.all_domains().await?;
        let mut meant: Vec<_> = known
            .values()
            .filter(|domain| {
                domain.short_name.as_ref() == Some(&wanted) || domain.name.first_label() == wanted
            })
            .collect();
        meant.sort_by_key(|domain| (Some(&domain.name) != default.as_ref(), domain.name.as_str()));
        Ok(meant
            .into_iter()
            .map(|domain| Address {
                local: local.clone(),
                domain: domain.name.clone(),
            })
            .collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Fixture, PEER};

    #[tokio::test]
    async fn all_four_forms_mean_one_user() {
        let fixture = Fixture::with_users(&["anna"]).await;
        fixture
            .directory
            .set_short_name("example.org", Some("ACME"))
            .await
            .unwrap();
        for name in [
            "anna@example.org",
            "Anna",
            "EXAMPLE\\anna",
            "acme\\Anna",
            "example.org\\anna",
            "ACME\\anna@example.org",
            " anna ",
        ] {
            assert_eq!(
                fixture.log_in(PEER, name, "secret").await.unwrap().address,
                "anna@example.org",
                "{name}"
            );
        }
        for name in [
            "",
            "\\anna",
            "OTHER\\anna",
            "example.net\\anna",
            "anna@example.net",
            "\\",
            "@",
            "an na",
        ] {
            assert!(
                fixture.log_in(PEER, name, "secret").await.is_err(),
                "{name}"
            );
        }
    }

    #[tokio::test]
    async fn a_shared_first_label_means_the_domain_that_has_the_user() {
        let fixture = Fixture::with_users(&["anna"]).await;
        fixture.directory.add_domain("example.net").await.unwrap();
        fixture.add_user("bob@example.net").await.unwrap();
        assert_eq!(
            fixture
                .log_in(PEER, "EXAMPLE\\bob", "secret")
                .await
                .unwrap()
                .address,
            "bob@example.net"
        );
        assert_eq!(
            fixture
                .log_in(PEER, "EXAMPLE\\anna", "secret")
                .await
                .unwrap()
                .address,
            "anna@example.org"
        );
    }

    #[tokio::test]
    async fn an_alias_and_a_detail_log_in_as_the_user() {
        let fixture = Fixture::with_users(&["anna"]).await;
        fixture.directory.add_alias("a.b", "anna").await.unwrap();
        for name in ["a.b@example.org", "anna+phone"] {
            assert_eq!(
                fixture.log_in(PEER, name, "secret").await.unwrap().address,
                "anna@example.org"
            );
        }
    }
}
