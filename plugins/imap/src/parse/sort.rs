//! SORT (RFC 5256 section 5, RFC 5267 section 7): criteria, a charset that must be there, then the keys of a SEARCH.

use serde::{Deserialize, Serialize};

use super::{Bad, SearchRequest, cursor::Cursor};

/// Criteria in one SORT; there are nine, each of which makes those like it behind it idle.
const CRITERIA: usize = 32;

/// What messages are sorted by. It is frozen: new criteria come at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(
    missing_docs,
    reason = "the criteria are those of RFC 5256 section 3 and RFC 5957, under their names"
)]
pub enum SortKeyName {
    Arrival,
    Cc,
    Date,
    From,
    Size,
    Subject,
    To,
    DisplayFrom,
    DisplayTo,
}

/// One criterion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortCriterion {
    /// By what.
    pub key: SortKeyName,
    /// REVERSE
    pub reverse: bool,
}

/// A whole SORT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortRequest {
    /// From the most significant to the least; not empty.
    pub criteria: Vec<SortCriterion>,
    /// What is sorted.
    pub search: SearchRequest,
}

impl SortRequest {
    pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let returns = SearchRequest::parse_returns(cursor)?;
        let criteria = cursor.list("sort criteria", criterion)?;
        if criteria.is_empty() {
            return Err(Bad::new("expected a sort criterion"));
        }
        if criteria.len() > CRITERIA {
            return Err(Bad::new("more than 32 sort criteria"));
        }
        cursor.space()?;
        let search = SearchRequest::parse_behind_charset(cursor, returns)?;
        Ok(SortRequest { criteria, search })
    }
}

fn criterion(cursor: &mut Cursor<'_>) -> Result<SortCriterion, Bad> {
    let reverse = cursor.eat_word("REVERSE ");
    let name = cursor.atom("a sort criterion")?;
    let key = match name.to_ascii_uppercase().as_str() {
        "ARRIVAL" => SortKeyName::Arrival,
        "CC" => SortKeyName::Cc,
        "DATE" => SortKeyName::Date,
        "DISPLAYFROM" => SortKeyName::DisplayFrom,
        "DISPLAYTO" => SortKeyName::DisplayTo,
        "FROM" => SortKeyName::From,
        "SIZE" => SortKeyName::Size,
        "SUBJECT" => SortKeyName::Subject,
        "TO" => SortKeyName::To,
        _ => return Err(Bad::new(format!("unknown sort criterion {name}"))),
    };
    Ok(SortCriterion { key, reverse })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::{Charset, FlagBits, Mode, SearchKey};

    fn parse(text: &str) -> Result<SortRequest, Bad> {
        let mut cursor = Cursor::new(text.as_bytes(), Mode::default());
        let request = SortRequest::parse(&mut cursor)?;
        cursor.end()?;
        Ok(request)
    }

    #[test]
    fn criteria_a_charset_and_keys_follow_each_other() {
        let request = parse("(REVERSE date Subject) utf-8 SEEN").unwrap();
        let [
            SortCriterion {
                key: SortKeyName::Date,
                reverse: true,
            },
            SortCriterion {
                key: SortKeyName::Subject,
                reverse: false,
            },
        ] = request.criteria[..]
        else {
            panic!("{request:?}")
        };
        assert_eq!(request.search.key, SearchKey::Flag(FlagBits::SEEN));
        assert_eq!(request.search.returns, None);
    }

    #[test]
    fn return_options_come_first_and_an_unknown_charset_is_told_later() {
        let request = parse("RETURN (MIN COUNT) (SIZE) KOI8-R SUBJECT x").unwrap();
        let returns = request.search.returns.unwrap();
        assert!(returns.min && returns.count && !returns.all);
        assert_eq!(request.search.charset, Charset::Unknown);
    }

    #[test]
    fn what_is_no_criterion_or_has_no_charset_is_refused() {
        for wrong in [
            "() UTF-8 ALL",
            "(REVERSE) UTF-8 ALL",
            "(REVERSE REVERSE DATE) UTF-8 ALL",
            "(COLOUR) UTF-8 ALL",
            "(DATE) UTF-8",
            "DATE UTF-8 ALL",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let many = vec!["DATE"; 33].join(" ");
        let Err(Bad(text)) = parse(&format!("({many}) UTF-8 ALL")) else {
            panic!()
        };
        assert!(text.contains("32"));
    }
}
