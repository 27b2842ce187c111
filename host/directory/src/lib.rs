//! Domains, users, groups, aliases, credentials (skeleton of the shapes others build on).
#![allow(missing_docs, unused_variables, clippy::todo)]
use std::{net::IpAddr, path::PathBuf, sync::Arc};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{0} does not exist")]
    NotFound(String),
    #[error("{0} exists already")]
    AlreadyExists(String),
    #[error("{0}")]
    Invalid(String),
    #[error("wrong user name or password")]
    Denied,
    #[error("too many failed log-ins: {0}")]
    Limit(String),
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("temporarily unavailable: {0}")]
    Unavailable(String),
}
pub type Result<T> = std::result::Result<T, Error>;

#[derive(Debug, Clone)]
pub struct DirectoryConfig { pub path: PathBuf, pub default_domain: Option<String>, /// No delay, no count, for these networks (load and conformance tools).
    pub no_penalty_from: Vec<String>, /* + argon2 cost, limits… */ }

/// A user as the host knows it. `mailbox` is 32 hex digits (exmdb MailboxGuid).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct User { pub address: String, pub display_name: String, pub mailbox: String, pub enabled: bool, pub features_off: Vec<String> }
#[derive(Debug, Clone, serde::Serialize)]
pub struct Domain { pub name: String, pub users: u32 }
#[derive(Debug, Clone)]
pub enum Credential { Password { user: String, password: secrecy::SecretString, act_as: Option<String> }, Bearer { user: Option<String>, token: secrecy::SecretString }, External { certificate_identity: Option<String>, act_as: Option<String> } }
/// One recipient address after aliases and groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolution { /// Every mailbox it reaches, without repeats, and its canonical spelling.
    Local { canonical: String, users: Vec<User> }, Unknown, Foreign, Malformed(String) }

#[derive(Clone)]
pub struct Directory(Arc<()>);
impl Directory {
    pub async fn open(config: DirectoryConfig) -> Result<Directory> { todo!() }
    /// Checks, counts and delays; the only way to a principal. Forms: user@domain, user, DOMAIN\user, domain.tld\user; app passwords too.
    pub async fn authenticate(&self, peer: IpAddr, credential: Credential) -> Result<User> { todo!() }
    pub async fn resolve(&self, address: &str) -> Result<Resolution> { todo!() }
    pub async fn user(&self, address: &str) -> Result<User> { todo!() }
    pub async fn domains(&self) -> Result<Vec<Domain>> { todo!() }
    pub async fn add_domain(&self, name: &str) -> Result<()> { todo!() }
    pub async fn remove_domain(&self, name: &str) -> Result<()> { todo!() }
    pub async fn users(&self, domain: Option<&str>) -> Result<Vec<User>> { todo!() }
    pub async fn add_user(&self, address: &str, display_name: &str, password: secrecy::SecretString, mailbox: &str) -> Result<User> { todo!() }
    pub async fn set_password(&self, address: &str, password: secrecy::SecretString) -> Result<()> { todo!() }
    /// Returns the mailbox that is now nobody's.
    pub async fn remove_user(&self, address: &str) -> Result<User> { todo!() }
    // aliases, groups (nested), app passwords: add/list/remove likewise.
}
