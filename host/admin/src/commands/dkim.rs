//! `waxwing domain dkim …`, `waxwing domain dns`
//!
//! The first key of an algorithm signs at once: before its record is published, a signature is no worse than none. A later one waits,
//! since the one before is good; `rotate` makes it, and the second `rotate` puts it in place when DNS shows its record.

use waxwing_directory::{DkimAlgorithm, DkimKey, DkimState};

use crate::{
    Admin, Error, Result,
    protocol::{DkimCommand, DkimKeyRow, DkimKeys, DnsRecordRow, DnsState, Response},
    records,
};

const BOTH: [DkimAlgorithm; 2] = [DkimAlgorithm::Rsa2048, DkimAlgorithm::Ed25519];

pub(crate) async fn execute(admin: &Admin, domain: &str, command: DkimCommand) -> Result<Response> {
    let keys = match command {
        DkimCommand::Create {
            selector,
            algorithm,
        } => create(admin, domain, selector, algorithm).await?,
        DkimCommand::Show { selector } => show(admin, domain, selector).await?,
        DkimCommand::Rotate { algorithm, now } => rotate(admin, domain, algorithm, now).await?,
        DkimCommand::List => DkimKeys {
            done: String::new(),
            records: false,
            keys: rows(admin.directory.dkim_keys(domain).await?),
        },
        DkimCommand::Remove { selector } => {
            admin.directory.remove_dkim_key(domain, &selector).await?;
            return Ok(Response::Done(format!(
                "removed DKIM key {selector} of {domain}; take its record out of DNS when the last message that it has signed was read"
            )));
        }
    };
    Ok(Response::DkimKeys(keys))
}

/// What `waxwing domain dns` shows.
pub(crate) async fn records_of(
    admin: &Admin,
    domain: &str,
    check: bool,
) -> Result<Vec<DnsRecordRow>> {
    let keys = admin.directory.dkim_keys(domain).await?;
    let name = waxwing_directory::DomainName::parse(domain)?;
    let wanted = records::of_domain(name.as_str(), &keys, &admin.site.load());
    Ok(match check {
        true => records::check(&admin.outbound.resolver, wanted).await,
        false => wanted.into_iter().map(|wanted| wanted.row).collect(),
    })
}

async fn create(
    admin: &Admin,
    domain: &str,
    selector: Option<String>,
    algorithm: Option<DkimAlgorithm>,
) -> Result<DkimKeys> {
    if selector.is_some() && algorithm.is_none() {
        let both = "a selector is the name of one key: say --algorithm too";
        return Err(Error::Failed(both.to_owned()));
    }
    let mut made = Vec::new();
    for algorithm in algorithm.map_or(BOTH.to_vec(), |one| vec![one]) {
        let directory = &admin.directory;
        let key = directory.create_dkim_key(domain, selector.as_deref(), algorithm);
        made.push(key.await?);
    }
    let waits = made.iter().any(|key| key.state == DkimState::Waiting);
    let done = match waits {
        true => format!(
            "made; publish what follows, then `waxwing domain dkim {domain} rotate` puts what waits in place"
        ),
        false => format!(
            "made, and mail of {domain} is signed from now on; publish what follows, then `waxwing domain dkim {domain} show` checks it"
        ),
    };
    Ok(DkimKeys {
        done,
        records: true,
        keys: rows(made),
    })
}

async fn show(admin: &Admin, domain: &str, selector: Option<String>) -> Result<DkimKeys> {
    let keys = match selector {
        Some(selector) => vec![admin.directory.dkim_key(domain, &selector).await?],
        None => admin.directory.dkim_keys(domain).await?,
    };
    let done = match keys.is_empty() {
        true => format!(
            "{domain} has no DKIM key, its mail is not signed; `waxwing domain dkim {domain} create` makes some"
        ),
        false => String::new(),
    };
    Ok(DkimKeys {
        done,
        records: true,
        keys: checked(admin, keys).await,
    })
}

async fn rotate(
    admin: &Admin,
    domain: &str,
    algorithm: Option<DkimAlgorithm>,
    now: bool,
) -> Result<DkimKeys> {
    let all = admin.directory.dkim_keys(domain).await?;
    let meant = |key: &&DkimKey| algorithm.is_none_or(|wanted| key.algorithm == wanted);
    let of_state = |state: DkimState| {
        let keys = all.iter().filter(meant);
        keys.filter(|key| key.state == state)
            .cloned()
            .collect::<Vec<_>>()
    };
    let waiting = of_state(DkimState::Waiting);
    if !waiting.is_empty() {
        return put_in_place(admin, domain, waiting, now).await;
    }
    let mut made = Vec::new();
    for key in of_state(DkimState::Active) {
        let next = admin.directory.create_dkim_key(domain, None, key.algorithm);
        made.push(next.await?);
    }
    if made.is_empty() {
        return Err(Error::Failed(format!(
            "{domain} has no such DKIM key to follow; `waxwing domain dkim {domain} create` makes the first"
        )));
    }
    Ok(DkimKeys {
        done: format!(
            "made; publish what follows, then say `waxwing domain dkim {domain} rotate` again. The keys before go on signing until then"
        ),
        records: true,
        keys: rows(made),
    })
}

/// Of each algorithm the newest; all of them or none.
async fn put_in_place(
    admin: &Admin,
    domain: &str,
    waiting: Vec<DkimKey>,
    now: bool,
) -> Result<DkimKeys> {
    let mut newest: Vec<DkimKey> = Vec::new();
    for key in waiting {
        newest.retain(|other| other.algorithm != key.algorithm);
        newest.push(key);
    }
    let rows = checked(admin, newest).await;
    let unpublished = rows
        .iter()
        .find(|row| row.record.state != Some(DnsState::Ok));
    if let (Some(row), false) = (unpublished, now) {
        return Err(Error::Failed(format!(
            "DNS does not show the record of {} yet ({}); publish it and wait, or say --now. Nothing is changed",
            row.selector, row.record.name
        )));
    }
    for row in &rows {
        let directory = &admin.directory;
        directory.activate_dkim_key(domain, &row.selector).await?;
    }
    let keys = admin.directory.dkim_keys(domain).await?;
    Ok(DkimKeys {
        done: "in place; leave the records of the retired keys for a week, then `remove` them"
            .to_owned(),
        records: false,
        keys: self::rows(keys),
    })
}

fn rows(keys: Vec<DkimKey>) -> Vec<DkimKeyRow> {
    let row = |key: DkimKey| {
        let record = records::of_key(&key).row;
        DkimKeyRow {
            domain: key.domain.to_string(),
            selector: key.selector,
            algorithm: key.algorithm,
            state: key.state,
            created: key.created,
            record,
        }
    };
    keys.into_iter().map(row).collect()
}

async fn checked(admin: &Admin, keys: Vec<DkimKey>) -> Vec<DkimKeyRow> {
    let wanted = keys.iter().map(records::of_key).collect();
    let published = records::check(&admin.outbound.resolver, wanted).await;
    let mut rows = rows(keys);
    for (row, record) in rows.iter_mut().zip(published) {
        row.record = record;
    }
    rows
}

#[cfg(test)]
mod tests {
    use crate::{protocol::*, testing::Fixture};

    fn dkim(command: DkimCommand) -> Request {
        Request::Domain(DomainCommand::Dkim {
            domain: "example.org".into(),
            command,
        })
    }

    async fn keys(fixture: &Fixture, command: DkimCommand) -> DkimKeys {
        let Response::DkimKeys(keys) = fixture.done(dkim(command)).await else {
            panic!()
        };
        keys
    }

    fn create(selector: &str) -> DkimCommand {
        DkimCommand::Create {
            selector: Some(selector.into()),
            algorithm: Some(waxwing_directory::DkimAlgorithm::Ed25519),
        }
    }

    #[tokio::test]
    async fn a_key_is_followed_by_the_next_when_that_is_asked_for() {
        let fixture = Fixture::with_users(&[]).await;
        let made = keys(&fixture, create("a")).await;
        assert!(made.records && made.done.contains("signed from now on"));
        let rotate = |now| DkimCommand::Rotate {
            algorithm: None,
            now,
        };
        let next = keys(&fixture, rotate(false)).await.keys.remove(0);
        let all = keys(&fixture, rotate(true)).await.keys;
        let state = |selector: &str| {
            all.iter()
                .find(|key| key.selector == selector)
                .unwrap()
                .state
        };
        use waxwing_directory::DkimState;
        assert_eq!(state("a"), DkimState::Retired);
        assert_eq!(state(&next.selector), DkimState::Active);
        fixture
            .done(dkim(DkimCommand::Remove {
                selector: "a".into(),
            }))
            .await;
        assert_eq!(keys(&fixture, DkimCommand::List).await.keys.len(), 1);
    }

    #[tokio::test]
    async fn a_name_is_for_one_key() {
        let fixture = Fixture::with_users(&[]).await;
        let refused = fixture.refused(dkim(DkimCommand::Create {
            selector: Some("a".into()),
            algorithm: None,
        }));
        assert!(refused.await.contains("--algorithm"));
        let refused = fixture.refused(dkim(DkimCommand::Rotate {
            algorithm: None,
            now: false,
        }));
        assert!(refused.await.contains("create"));
    }
}
