//! IMAP keywords (RFC 9051 2.3.2): a table per mailbox that grows only at its end, so that a number means the same name for
//! ever; items name their keywords by number. Names compare without regard to ASCII case and keep the case first seen.

use std::sync::Arc;

use super::{Mailbox, commit::Work};
use crate::{Error, Result};

/// Keywords of one mailbox; numbers are 16 bits.
const MAX_KEYWORDS: usize = 4096;
/// Octets of a keyword.
const MAX_LENGTH: usize = 255;

impl Mailbox {
    /// Keyword names by number; grows only at its end.
    ///
    /// # Errors
    /// As every call that reads.
    pub async fn keywords(&self) -> Result<Vec<String>> {
        Ok(self.core.state().await?.keywords.to_vec())
    }
}

/// The number of a keyword, if any item ever had it.
pub(crate) fn number(keywords: &[String], name: &str) -> Option<u16> {
    let position = keywords
        .iter()
        .position(|known| known.eq_ignore_ascii_case(name))?;
    u16::try_from(position).ok()
}

/// True when a keyword is of no interest to MAPI: registered ones begin with `$` (RFC 9051 2.3.2). Others are categories
/// (PidNameKeywords), and `$Forwarded` is PidTagLastVerbExecuted.
pub(crate) fn imap_only(name: &str) -> bool {
    name.starts_with('$') && !name.eq_ignore_ascii_case("$Forwarded")
}

impl Work {
    /// The numbers of keywords, sorted; unknown ones are added to the mailbox.
    pub(crate) async fn keyword_numbers(&mut self, names: &[String]) -> Result<Vec<u16>> {
        let mut numbers = Vec::with_capacity(names.len());
        for name in names {
            numbers.push(match number(&self.state.keywords, name) {
                Some(number) => number,
                None => self.add_keyword(name).await?,
            });
        }
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    /// The numbers of those keywords that the mailbox knows, sorted.
    pub(crate) fn known_keyword_numbers(&self, names: &[String]) -> Vec<u16> {
        let mut numbers: Vec<_> = names
            .iter()
            .filter_map(|name| number(&self.state.keywords, name))
            .collect();
        numbers.sort_unstable();
        numbers
    }

    async fn add_keyword(&mut self, name: &str) -> Result<u16> {
        if name.is_empty()
            || name.len() > MAX_LENGTH
            || name.bytes().any(|byte| byte.is_ascii_control())
        {
            return Err(Error::Invalid(format!(
                "a keyword has 1 to {MAX_LENGTH} octets and no control characters"
            )));
        }
        let position = self.state.keywords.len();
        let number = u16::try_from(position)
            .ok()
            .filter(|_| position < MAX_KEYWORDS);
        let number = number.ok_or_else(|| {
            Error::Limit(format!("a mailbox has at most {MAX_KEYWORDS} keywords"))
        })?;
        sqlx::query("INSERT INTO keywords (number, name) VALUES (?, ?)")
            .bind(number)
            .bind(name)
            .execute(self.conn()?)
            .await?;
        Arc::make_mut(&mut self.state.keywords).push(name.to_owned());
        Ok(number)
    }
}
