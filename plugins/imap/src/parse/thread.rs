//! THREAD (RFC 5256 section 5): an algorithm, a charset that must be there, then the keys of a SEARCH.

use waxwing_sdk::store::ThreadAlgorithm;

use super::{Bad, SearchRequest, cursor::Cursor};

/// A whole THREAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadRequest {
    /// How messages are put together.
    pub algorithm: ThreadAlgorithm,
    /// Which.
    pub search: SearchRequest,
}

impl ThreadRequest {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let name = cursor.atom("a threading algorithm")?;
        let algorithm = match name.to_ascii_uppercase().as_str() {
            "ORDEREDSUBJECT" => ThreadAlgorithm::OrderedSubject,
            "REFERENCES" => ThreadAlgorithm::References,
            "REFS" => ThreadAlgorithm::Refs,
            _ => return Err(Bad::new(format!("unknown threading algorithm {name}"))),
        };
        cursor.space()?;
        let search = SearchRequest::parse_behind_charset(cursor, None)?;
        Ok(ThreadRequest { algorithm, search })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Mode, SearchKey};

    fn parse(text: &str) -> Result<ThreadRequest, Bad> {
        ThreadRequest::parse(&mut Cursor::new(text.as_bytes(), Mode::default()))
    }

    #[test]
    fn an_algorithm_a_charset_and_keys_follow_each_other() {
        let request = parse("references UTF-8 ALL").unwrap();
        assert_eq!(request.algorithm, ThreadAlgorithm::References);
        assert_eq!(request.search.key, SearchKey::All);
        for wrong in ["FOO UTF-8 ALL", "REFS", "REFS UTF-8", "REFS ALL"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
