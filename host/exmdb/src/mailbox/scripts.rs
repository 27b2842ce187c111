//! The scripts by which a person's mail is filtered, of which one may be active, and what a filter remembers for a while.
//!
//! They are rows of `kv` under an owner that no plugin can have, so they are in every backup and go with the mailbox. The store
//! does not read them: what a script means is the business of whoever filters. What is remembered is a digest of any text with
//! the second at which it is forgotten.

use futures_util::FutureExt;
use sqlx::SqliteConnection;

use super::{Mailbox, commit::Work, now};
use crate::{Error, Result};

/// A plugin's name has no colon.
const OWNER: &str = "store:scripts";
/// Key of the name of the active script.
const ACTIVE: &str = "active";
/// Octets of a name (RFC 5804 section 1.6 asks for 512; it is part of a key).
const MAX_NAME: usize = 480;
/// Octets of a script.
const MAX_SCRIPT: usize = 128 * 1024;
/// Scripts of one mailbox.
const MAX_SCRIPTS: usize = 64;
/// Texts that are remembered; those that end first go first.
const MAX_REMEMBERED: i64 = 10_000;

/// A script in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptEntry {
    /// Unique in its mailbox.
    pub name: String,
    /// Whether mail is filtered by it.
    pub active: bool,
}

impl Mailbox {
    /// All scripts by name.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn scripts(&self) -> Result<Vec<ScriptEntry>> {
        let mut reader = self.core.read().await?;
        let conn = reader.conn()?;
        let active = get(conn, ACTIVE).await?;
        let names = names(conn).await?.into_iter().map(|name| ScriptEntry {
            active: active.as_deref() == Some(name.as_bytes()),
            name,
        });
        Ok(names.collect())
    }

    /// The text of a script.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn script(&self, name: &str) -> Result<Option<String>> {
        let mut reader = self.core.read().await?;
        text(reader.conn()?, name).await
    }

    /// Name and text of the active script.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn active_script(&self) -> Result<Option<(String, String)>> {
        let mut reader = self.core.read().await?;
        let conn = reader.conn()?;
        let Some(name) = get(conn, ACTIVE).await?.map(lossy) else {
            return Ok(None);
        };
        Ok(text(conn, &name).await?.map(|text| (name, text)))
    }

    /// Whether a script of that size would find a place.
    ///
    /// # Errors
    /// `Limit`, naming which; `Invalid` for a name that is none.
    pub async fn has_script_space(&self, name: &str, octets: u64) -> Result<()> {
        let mut reader = self.core.read().await?;
        check_space(reader.conn()?, name, octets).await
    }

    /// Puts a script in place of the one of that name, if there is one. It stays active if it was.
    ///
    /// # Errors
    /// As [`Mailbox::has_script_space`].
    pub async fn put_script(&self, name: &str, script: &str) -> Result<()> {
        let (name, script) = (name.to_owned(), script.to_owned());
        let write = self.core.write(move |work| {
            async move {
                let octets = u64::try_from(script.len()).unwrap_or(u64::MAX);
                check_space(work.conn()?, &name, octets).await?;
                put(work, &key(&name), script.as_bytes()).await
            }
            .boxed()
        });
        write.await
    }

    /// Makes a script the active one; without a name none is.
    ///
    /// # Errors
    /// `NotFound`.
    pub async fn activate_script(&self, name: Option<&str>) -> Result<()> {
        let name = name.map(str::to_owned);
        let write = self.core.write(move |work| {
            async move {
                match name {
                    None => delete(work, ACTIVE).await,
                    Some(name) => {
                        demand(work.conn()?, &name).await?;
                        put(work, ACTIVE, name.as_bytes()).await
                    }
                }
            }
            .boxed()
        });
        write.await
    }

    /// # Errors
    /// `NotFound`; `Conflict` for the active script (RFC 5804 section 2.10).
    pub async fn delete_script(&self, name: &str) -> Result<()> {
        let name = name.to_owned();
        let write = self.core.write(move |work| {
            async move {
                demand(work.conn()?, &name).await?;
                let active = get(work.conn()?, ACTIVE).await?;
                if active.as_deref() == Some(name.as_bytes()) {
                    return Err(Error::Conflict("the script is active; it".into()));
                }
                delete(work, &key(&name)).await
            }
            .boxed()
        });
        write.await
    }

    /// Gives a script another name. It stays active if it was.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`, `Invalid` for a name that is none.
    pub async fn rename_script(&self, from: &str, to: &str) -> Result<()> {
        let (from, to) = (from.to_owned(), to.to_owned());
        let write = self.core.write(move |work| {
            async move {
                check_name(&to)?;
                let script = demand(work.conn()?, &from).await?;
                if get(work.conn()?, &key(&to)).await?.is_some() {
                    return Err(Error::AlreadyExists(format!("the script {to:?}")));
                }
                put(work, &key(&to), &script).await?;
                let active = get(work.conn()?, ACTIVE).await?;
                if active.as_deref() == Some(from.as_bytes()) {
                    put(work, ACTIVE, to.as_bytes()).await?;
                }
                delete(work, &key(&from)).await
            }
            .boxed()
        });
        write.await
    }

    /// Whether a text was remembered, and its time is not over.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn remembers(&self, text: &str) -> Result<bool> {
        let mut reader = self.core.read().await?;
        let until = get(reader.conn()?, &digest(text)).await?;
        let until = until.and_then(|until| <[u8; 8]>::try_from(until).ok());
        Ok(until.is_some_and(|until| i64::from_be_bytes(until) > now()))
    }

    /// Remembers texts, each for so many seconds from now.
    ///
    /// # Errors
    /// As every call that writes.
    pub async fn remember(&self, texts: &[(String, u64)]) -> Result<()> {
        let until = |seconds: u64| now().saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
        let rows: Vec<_> = texts
            .iter()
            .map(|(text, seconds)| (digest(text), until(*seconds).to_be_bytes()))
            .collect();
        let write = self.core.write(move |work| {
            async move {
                for (key, until) in &rows {
                    put(work, key, until).await?;
                }
                forget(work).await
            }
            .boxed()
        });
        write.await
    }
}

fn key(name: &str) -> String {
    format!("script/{name}")
}

fn digest(text: &str) -> String {
    format!("seen/{}", blake3::hash(text.as_bytes()).to_hex())
}

fn lossy(octets: Vec<u8>) -> String {
    String::from_utf8_lossy(&octets).into_owned()
}

/// RFC 5804 section 1.6.
fn check_name(name: &str) -> Result<()> {
    let separator = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    if name.is_empty() || name.len() > MAX_NAME || name.contains(separator) {
        return Err(Error::Invalid(format!(
            "the name of a script has 1 to {MAX_NAME} octets and no control characters"
        )));
    }
    Ok(())
}

async fn get(conn: &mut SqliteConnection, key: &str) -> Result<Option<Vec<u8>>> {
    let query = sqlx::query_scalar("SELECT value FROM kv WHERE owner = ? AND key = ?")
        .bind(OWNER)
        .bind(key);
    Ok(query.fetch_optional(conn).await?)
}

async fn text(conn: &mut SqliteConnection, name: &str) -> Result<Option<String>> {
    Ok(get(conn, &key(name)).await?.map(lossy))
}

async fn demand(conn: &mut SqliteConnection, name: &str) -> Result<Vec<u8>> {
    let script = get(conn, &key(name)).await?;
    script.ok_or_else(|| Error::NotFound(format!("the script {name:?}")))
}

async fn names(conn: &mut SqliteConnection) -> Result<Vec<String>> {
    let list = "SELECT substr(key, 8) FROM kv WHERE owner = ? AND key >= 'script/' AND key < 'script0' ORDER BY key";
    Ok(sqlx::query_scalar(list).bind(OWNER).fetch_all(conn).await?)
}

async fn check_space(conn: &mut SqliteConnection, name: &str, octets: u64) -> Result<()> {
    check_name(name)?;
    if octets > MAX_SCRIPT as u64 {
        return Err(Error::Limit(format!("octets of a script = {MAX_SCRIPT}")));
    }
    let names = names(conn).await?;
    if names.len() >= MAX_SCRIPTS && !names.iter().any(|known| known == name) {
        return Err(Error::Limit(format!(
            "scripts of a mailbox = {MAX_SCRIPTS}"
        )));
    }
    Ok(())
}

async fn put(work: &mut Work, key: &str, value: &[u8]) -> Result<()> {
    let put = "INSERT INTO kv (owner, key, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
    let query = sqlx::query(put).bind(OWNER).bind(key).bind(value);
    query.execute(work.conn()?).await?;
    Ok(())
}

async fn delete(work: &mut Work, key: &str) -> Result<()> {
    let query = sqlx::query("DELETE FROM kv WHERE owner = ? AND key = ?")
        .bind(OWNER)
        .bind(key);
    query.execute(work.conn()?).await?;
    Ok(())
}

/// Seconds as big-endian octets are in the order of time.
async fn forget(work: &mut Work) -> Result<()> {
    let over = "DELETE FROM kv WHERE owner = ? AND key >= 'seen/' AND key < 'seen0' AND value <= ?";
    let query = sqlx::query(over)
        .bind(OWNER)
        .bind(now().to_be_bytes().to_vec());
    query.execute(work.conn()?).await?;
    let many = "DELETE FROM kv WHERE owner = ?1 AND key IN (SELECT key FROM kv WHERE owner = ?1 AND key >= 'seen/' AND key < 'seen0'
        ORDER BY value DESC LIMIT -1 OFFSET ?2)";
    let query = sqlx::query(many).bind(OWNER).bind(MAX_REMEMBERED);
    query.execute(work.conn()?).await?;
    Ok(())
}
