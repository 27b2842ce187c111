//! Who exists here and who may log in: domains, users, groups, aliases, credentials.
//!
//! **Owns** one SQLite file ([`schema`]), the check of every credential ([`authenticate`]) and the table of failures
//! ([`penalties`]). **Promises** that a change is durable and seen by everybody when the call returns; that an address
//! is one thing only (a user, an alias or a group); that a password is never stored, logged or comparable; that a guess
//! costs the same for a user who exists and for one who does not. **Bounds**: a few database connections, one password
//! hash per core at a time, caches and the failure table of fixed size.
//!
//! Reads are answered from memory ([`cache`]), because every RCPT and every log-in asks. The cache is dropped whole at
//! every change: administrators change little and clients ask much, and a cache that is finer would have to know which
//! groups reach which user. One process opens the file at a time, so nothing else can change it.

mod address;
mod aliases;
mod app_passwords;
mod authenticate;
mod backup;
mod cache;
mod catch_alls;
mod dkim;
mod domains;
mod error;
mod groups;
mod identities;
mod login_name;
mod logins;
mod passwords;
mod penalties;
mod posting;
mod quotas;
mod resolve;
mod schema;
mod scram;
mod shares;
#[cfg(test)]
mod testing;
mod users;

use std::{num::NonZeroU32, path::PathBuf, sync::Arc};

pub use address::{Address, DomainName, LocalPart};
pub use aliases::Alias;
pub use app_passwords::{AppPassword, NewAppPassword};
pub use authenticate::Credential;
pub use dkim::{DkimAlgorithm, DkimKey, DkimSecret, DkimState};
pub use domains::Domain;
pub use error::{Error, Result};
pub use groups::Group;
use ipnet::IpNet;
pub use logins::Logins;
pub use passwords::{HashCost, KnownHash};
pub use penalties::PenaltyLimits;
pub use posting::{Posting, PostingChange};
pub use quotas::{Limit, Limits, LimitsChange, UserQuota};
pub use resolve::Resolution;
pub use scram::{Channel, ScramExchange};
pub use shares::{EVERYBODY, Sharer};
use sqlx::SqlitePool;
pub use users::User;

/// About a thirtieth of a second of a client's time. Clients that use Cyrus SASL (mbsync, mutt) refuse more than 65,536 and do not try
/// another mechanism then.
pub const DEFAULT_SCRAM_ITERATIONS: u32 = 60_000;

/// How to open a directory. [`DirectoryConfig::new`] has the defaults.
#[derive(Debug, Clone)]
pub struct DirectoryConfig {
    /// The database file; created when absent.
    pub path: PathBuf,
    /// The domain of `user` without one. None: the only domain, while there is only one.
    pub default_domain: Option<String>,
    /// No delay and no count for these networks (`127.0.0.0/8`, `::1`): load and conformance tools.
    pub no_penalty_from: Vec<String>,
    /// What separates `user` from `detail` in `user+detail@domain`; none: nothing does.
    pub recipient_delimiter: Option<char>,
    /// Who gets mail to a `postmaster` that nobody made. None: the user who was added first.
    pub postmaster: Option<String>,
    /// What a password hash costs.
    pub hash_cost: HashCost,
    /// Iterations of PBKDF2 that a SCRAM client makes, and whoever guesses from a stolen directory; 0: no SCRAM.
    pub scram_iterations: u32,
    /// What failed log-ins cost.
    pub penalties: PenaltyLimits,
}

impl DirectoryConfig {
    /// The defaults, for a file.
    pub fn new(path: impl Into<PathBuf>) -> DirectoryConfig {
        DirectoryConfig {
            path: path.into(),
            default_domain: None,
            no_penalty_from: Vec::new(),
            recipient_delimiter: Some('+'),
            postmaster: None,
            hash_cost: HashCost::default(),
            scram_iterations: DEFAULT_SCRAM_ITERATIONS,
            penalties: PenaltyLimits::default(),
        }
    }
}

/// The directory. Cheap to clone.
#[derive(Clone)]
pub struct Directory(Arc<Inner>);

struct Inner {
    pool: SqlitePool,
    cache: cache::Cache,
    default_domain: Option<DomainName>,
    recipient_delimiter: Option<char>,
    postmaster: Option<Address>,
    hasher: passwords::Hasher,
    scram_iterations: Option<NonZeroU32>,
    /// What the salts of names are made of that nobody has.
    decoys: Vec<u8>,
    penalties: penalties::Penalties,
    logins: logins::LoginCounters,
    trusted: Vec<IpNet>,
}

impl Directory {
    /// Opens the file, creates or migrates it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a bad configuration or a file of a newer server, [`Error::Database`].
    pub async fn open(config: DirectoryConfig) -> Result<Directory> {
        let default_domain = config
            .default_domain
            .as_deref()
            .map(DomainName::parse)
            .transpose()?;
        let postmaster = config
            .postmaster
            .as_deref()
            .map(Address::parse)
            .transpose()?;
        let trusted = config
            .no_penalty_from
            .iter()
            .map(|text| network(text))
            .collect::<Result<_>>()?;
        let scram_iterations = scram::iterations(config.scram_iterations)?;
        let pool = schema::open(&config.path).await?;
        let decoys = sqlx::query_scalar("SELECT key FROM scram_decoys")
            .fetch_one(&pool)
            .await?;
        Ok(Directory(Arc::new(Inner {
            pool,
            cache: cache::Cache::default(),
            default_domain,
            recipient_delimiter: config.recipient_delimiter,
            postmaster,
            scram_iterations,
            decoys,
            hasher: passwords::Hasher::new(config.hash_cost).await?,
            penalties: penalties::Penalties::new(config.penalties),
            logins: logins::LoginCounters::default(),
            trusted,
        })))
    }

    /// Closes the database; later calls fail.
    pub async fn close(&self) {
        self.0.pool.close().await;
    }
}

/// `192.0.2.0/24`, or one address.
fn network(text: &str) -> Result<IpNet> {
    text.parse::<IpNet>()
        .or_else(|_| {
            text.parse()
                .map(|address: std::net::IpAddr| IpNet::from(address))
        })
        .map_err(|_| Error::Invalid(format!("{text:?} is not a network such as 192.0.2.0/24")))
}
