//! The name of a generation: the instant at which its run began, such as `20261127T025233Z`. All mailboxes of one run have the
//! same, and names sort as time does.

use std::{fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::Error;

const FORM: &str = "%Y%m%dT%H%M%SZ";

/// A name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Generation(String);

impl Generation {
    /// For a run that begins now.
    #[must_use]
    pub fn now() -> Generation {
        Generation(Timestamp::now().strftime(FORM).to_string())
    }

    /// The next second's, for who finds a name taken.
    pub(crate) fn next(&self) -> Generation {
        let second =
            Timestamp::from_second(self.seconds() + 1).unwrap_or_else(|_| Timestamp::now());
        Generation(second.strftime(FORM).to_string())
    }

    /// Seconds since 1970.
    #[must_use]
    pub fn seconds(&self) -> i64 {
        instant(&self.0).map_or(0, Timestamp::as_second)
    }
}

fn instant(text: &str) -> Option<Timestamp> {
    let time = jiff::civil::DateTime::strptime(FORM, text).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

impl fmt::Display for Generation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl FromStr for Generation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Generation, Error> {
        match instant(text) {
            Some(_) if text.len() == "20261127T025233Z".len() => Ok(Generation(text.to_owned())),
            _ => Err(Error::Invalid(format!(
                "{text:?} is no generation such as 20261127T025233Z; `waxwing mailbox backup list DIR` shows them"
            ))),
        }
    }
}

impl TryFrom<String> for Generation {
    type Error = Error;

    fn try_from(text: String) -> Result<Generation, Error> {
        text.parse()
    }
}

impl From<Generation> for String {
    fn from(generation: Generation) -> String {
        generation.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_as_time_does_and_tell_it() {
        let first: Generation = "20260228T235959Z".parse().unwrap();
        assert_eq!(first.next().to_string(), "20260301T000000Z");
        assert!(first < first.next());
        assert_eq!(first.next().seconds(), first.seconds() + 1);
        assert_eq!(
            "19700102T000001Z".parse::<Generation>().unwrap().seconds(),
            86_401
        );
        assert!(Generation::now().seconds() > first.seconds());
    }

    #[test]
    fn what_is_no_instant_is_no_generation() {
        for text in [
            "",
            "latest",
            "20261327T025233Z",
            "../../etc",
            "20261127T025233Z ",
        ] {
            assert!(text.parse::<Generation>().is_err(), "{text:?}");
        }
    }
}
