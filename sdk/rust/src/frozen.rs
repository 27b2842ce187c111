//! State with a format number, and the way from older formats to it.
//!
//! ```
//! use serde::{Deserialize, Serialize};
//! use waxwing_sdk::{Frozen, frozen::Frozen as _};
//!
//! /// What version 0.1 wrote.
//! #[derive(Serialize, Deserialize, Frozen)]
//! #[frozen(format = 1)]
//! struct StateOf01 { lines: u32 }
//!
//! #[derive(Serialize, Deserialize, Frozen)]
//! #[frozen(format = 2, accepts(StateOf01 as 1))]
//! struct State { lines: u64, name: Option<String> }
//!
//! impl From<StateOf01> for State {
//!     fn from(old: StateOf01) -> State { State { lines: old.lines.into(), name: None } }
//! }
//!
//! let old = StateOf01 { lines: 7 }.to_snapshot()?;
//! assert_eq!(State::from_snapshot(&old)?.lines, 7);
//! # Ok::<(), String>(())
//! ```
//!
//! The bytes are postcard: fields in order, without names. **Any change of a field is a new format**: keep the old type
//! under a new name, write a `From`, and list it in `accepts`. The old type may accept older ones itself; then the chain is
//! walked. Formats named here belong in `[handoff]` of `plugin.toml` too, so that the host knows before it tries.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::stream::Snapshot;

/// State that can be frozen and read back; derived.
pub trait Frozen: Serialize + DeserializeOwned {
    /// The format this type writes.
    const FORMAT: u32;

    /// All formats that `from_snapshot` reads, the own one first.
    fn formats() -> Vec<u32>;

    /// Reads an older format and converts it; `None` for a format that is not known.
    #[doc(hidden)]
    fn from_older(snapshot: &Snapshot) -> Option<Result<Self, String>>;

    /// The state as bytes.
    ///
    /// # Errors
    /// When the state does not serialise (a map with odd keys, say); the text says why.
    fn to_snapshot(&self) -> Result<Snapshot, String> {
        let bytes = postcard::to_stdvec(self).map_err(|error| {
            format!(
                "state of format {} cannot be written: {error}",
                Self::FORMAT
            )
        })?;
        Ok(Snapshot {
            format: Self::FORMAT,
            bytes,
        })
    }

    /// The state that was frozen, converted when its format is an older one.
    ///
    /// # Errors
    /// A refusal that names the formats, or what is wrong with the bytes.
    fn from_snapshot(snapshot: &Snapshot) -> Result<Self, String> {
        if snapshot.format != Self::FORMAT {
            return Self::from_older(snapshot).unwrap_or_else(|| {
                let known: Vec<String> = Self::formats().iter().map(u32::to_string).collect();
                Err(format!(
                    "state of format {} is not read here, only {}",
                    snapshot.format,
                    known.join(", ")
                ))
            });
        }
        match postcard::take_from_bytes(&snapshot.bytes) {
            Ok((state, [])) => Ok(state),
            Ok((_, rest)) => Err(format!(
                "state of format {} has {} octets too many",
                Self::FORMAT,
                rest.len()
            )),
            Err(error) => Err(format!(
                "state of format {} cannot be read: {error}",
                Self::FORMAT
            )),
        }
    }

    /// The state as a ticket of a parked HTTP response: the format in four octets, then the bytes.
    ///
    /// # Errors
    /// As [`Frozen::to_snapshot`].
    fn to_ticket(&self) -> Result<Vec<u8>, String> {
        let snapshot = self.to_snapshot()?;
        Ok([snapshot.format.to_le_bytes().as_slice(), &snapshot.bytes].concat())
    }

    /// The state that a ticket holds.
    ///
    /// # Errors
    /// As [`Frozen::from_snapshot`].
    fn from_ticket(ticket: &[u8]) -> Result<Self, String> {
        let (format, bytes) = ticket.split_first_chunk().ok_or("the ticket is torn")?;
        Self::from_snapshot(&Snapshot {
            format: u32::from_le_bytes(*format),
            bytes: bytes.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::Frozen as _;
    use crate::Frozen;
    use crate::stream::Snapshot;

    #[derive(Serialize, Deserialize, Frozen)]
    #[frozen(format = 1)]
    struct First(u8);

    #[derive(Serialize, Deserialize, Frozen)]
    #[frozen(format = 2, accepts(First as 1))]
    struct Second(u16);

    #[derive(Debug, PartialEq, Serialize, Deserialize, Frozen)]
    #[frozen(format = 5, accepts(Second as 2))]
    struct Third(u32);

    impl From<First> for Second {
        fn from(old: First) -> Second {
            Second(old.0.into())
        }
    }

    impl From<Second> for Third {
        fn from(old: Second) -> Third {
            Third(old.0.into())
        }
    }

    #[test]
    fn a_state_reads_its_own_format_back() {
        assert_eq!(
            Third::from_snapshot(&Third(70_000).to_snapshot().unwrap()),
            Ok(Third(70_000))
        );
    }

    #[test]
    fn a_ticket_carries_its_format() {
        assert_eq!(
            Third::from_ticket(&First(7).to_ticket().unwrap()),
            Ok(Third(7))
        );
        assert_eq!(Third::from_ticket(b"abc"), Err("the ticket is torn".into()));
    }

    #[test]
    fn an_older_format_is_converted_along_the_chain() {
        assert_eq!(
            Third::from_snapshot(&First(7).to_snapshot().unwrap()),
            Ok(Third(7))
        );
        assert_eq!(
            Third::from_snapshot(&Second(8).to_snapshot().unwrap()),
            Ok(Third(8))
        );
    }

    #[test]
    fn a_foreign_format_is_refused_by_naming_the_known_ones() {
        let refusal = Third::from_snapshot(&Snapshot {
            format: 9,
            bytes: Vec::new(),
        })
        .unwrap_err();
        assert_eq!(refusal, "state of format 9 is not read here, only 5, 2, 1");
    }

    #[test]
    fn torn_and_overlong_bytes_are_refused() {
        assert!(
            Third::from_snapshot(&Snapshot {
                format: 5,
                bytes: vec![0x80]
            })
            .is_err()
        );
        assert!(
            Third::from_snapshot(&Snapshot {
                format: 5,
                bytes: vec![1, 2]
            })
            .unwrap_err()
            .contains("1 octets too many")
        );
    }
}
