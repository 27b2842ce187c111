//! SEARCH (RFC 9051 section 6.4.4, RFC 3501, RFC 4731, RFC 5032, RFC 5182, RFC 5267, RFC 7162, RFC 8474, RFC 8514, RFC 9394).

use serde::{Deserialize, Serialize};

use super::cursor::is_atom_char;
use super::{Bad, Date, FlagBits, Partial, SequenceSet, cursor::Cursor, limits};

/// In what the strings of a SEARCH are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Charset {
    /// US-ASCII, UTF-8, or not said.
    Known,
    /// Anything else: `BADCHARSET`.
    Unknown,
}

/// What a message must be like. It is frozen with a search that is kept up to date: new keys come at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SearchKey {
    /// ALL
    All,
    /// All of them.
    And(Vec<SearchKey>),
    /// OR
    Or(Box<SearchKey>, Box<SearchKey>),
    /// NOT
    Not(Box<SearchKey>),
    /// A flag, set.
    Flag(FlagBits),
    /// KEYWORD
    Keyword(String),
    /// Message numbers.
    Sequence(SequenceSet),
    /// UID
    Uid(SequenceSet),
    /// HEADER, and BCC, CC, FROM, SUBJECT, TO.
    Header {
        /// Field name.
        name: String,
        /// Substring; empty: the field exists.
        contains: String,
    },
    /// BODY
    Body(String),
    /// TEXT
    Text(String),
    /// BEFORE
    Before(Date),
    /// ON
    On(Date),
    /// SINCE
    Since(Date),
    /// SENTBEFORE
    SentBefore(Date),
    /// SENTON
    SentOn(Date),
    /// SENTSINCE
    SentSince(Date),
    /// LARGER
    Larger(u64),
    /// SMALLER
    Smaller(u64),
    /// MODSEQ
    ModSeq(u64),
    /// YOUNGER, in seconds
    Younger(u32),
    /// OLDER, in seconds
    Older(u32),
    /// SAVEDBEFORE
    SavedBefore(Date),
    /// SAVEDON
    SavedOn(Date),
    /// SAVEDSINCE
    SavedSince(Date),
    /// EMAILID
    EmailId(String),
    /// THREADID: of no message
    ThreadId,
}

impl SearchKey {
    /// Whether it names messages by their numbers.
    pub fn names_numbers(&self) -> bool {
        match self {
            SearchKey::Sequence(SequenceSet::Ranges(_)) => true,
            SearchKey::And(keys) => keys.iter().any(SearchKey::names_numbers),
            SearchKey::Or(one, other) => one.names_numbers() || other.names_numbers(),
            SearchKey::Not(key) => key.names_numbers(),
            _ => false,
        }
    }

    /// Whether it means the same later: message numbers and `$` do not.
    pub fn lasts(&self) -> bool {
        match self {
            SearchKey::Sequence(_) | SearchKey::Uid(SequenceSet::Saved) => false,
            SearchKey::And(keys) => keys.iter().all(SearchKey::lasts),
            SearchKey::Or(one, other) => one.lasts() && other.lasts(),
            SearchKey::Not(key) => key.lasts(),
            _ => true,
        }
    }
}

/// RETURN options. They are frozen with a search of several mailboxes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchReturn {
    /// MIN
    pub min: bool,
    /// MAX
    pub max: bool,
    /// ALL
    pub all: bool,
    /// COUNT
    pub count: bool,
    /// SAVE
    pub save: bool,
    /// PARTIAL
    pub partial: Option<Partial>,
    /// UPDATE (RFC 5267)
    pub update: bool,
}

impl SearchReturn {
    /// What a search without RETURN means in IMAP4rev2.
    pub const ALL: SearchReturn = SearchReturn {
        min: false,
        max: false,
        all: true,
        count: false,
        save: false,
        partial: None,
        update: false,
    };

    /// Whether there is anything to answer: SAVE alone is done in silence.
    pub fn tells(&self) -> bool {
        self.min || self.max || self.all || self.count || self.partial.is_some()
    }
}

/// A whole SEARCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchRequest {
    /// RETURN: the answer is an ESEARCH.
    pub returns: Option<SearchReturn>,
    /// CHARSET
    pub charset: Charset,
    /// What is looked for.
    pub key: SearchKey,
    /// Whether MODSEQ is among the keys.
    pub mentions_modseq: bool,
}

impl SearchRequest {
    pub(in crate::parse) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Bad> {
        let returns = SearchRequest::parse_returns(cursor)?;
        if cursor.eat_word("CHARSET ") {
            return SearchRequest::parse_behind_charset(cursor, returns);
        }
        SearchRequest::parse_keys(cursor, returns, Charset::Known)
    }

    /// RETURN with its options and the space behind them, where it stands.
    pub(super) fn parse_returns(cursor: &mut Cursor<'_>) -> Result<Option<SearchReturn>, Bad> {
        if !cursor.eat_word("RETURN ") {
            return Ok(None);
        }
        let returns = returns(cursor)?;
        cursor.space()?;
        Ok(Some(returns))
    }

    /// The name of a charset, and keys.
    pub(super) fn parse_behind_charset(
        cursor: &mut Cursor<'_>,
        returns: Option<SearchReturn>,
    ) -> Result<Self, Bad> {
        let name = cursor.text("a charset")?.to_ascii_uppercase();
        let charset = match name.as_str() {
            "US-ASCII" | "UTF-8" | "ASCII" | "UTF8" => Charset::Known,
            _ => Charset::Unknown,
        };
        cursor.space()?;
        SearchRequest::parse_keys(cursor, returns, charset)
    }

    fn parse_keys(
        cursor: &mut Cursor<'_>,
        returns: Option<SearchReturn>,
        charset: Charset,
    ) -> Result<Self, Bad> {
        let mut keys = Keys {
            cursor,
            count: 0,
            mentions_modseq: false,
            lossy: charset == Charset::Unknown,
        };
        let key = keys.several(0)?;
        let mentions_modseq = keys.mentions_modseq;
        Ok(SearchRequest {
            returns,
            charset,
            key,
            mentions_modseq,
        })
    }
}

fn returns(cursor: &mut Cursor<'_>) -> Result<SearchReturn, Bad> {
    let mut returns = SearchReturn::default();
    cursor.list("RETURN options", |cursor| {
        let option = cursor.atom("a RETURN option")?;
        match option.to_ascii_uppercase().as_str() {
            "MIN" => returns.min = true,
            "MAX" => returns.max = true,
            "ALL" => returns.all = true,
            "COUNT" => returns.count = true,
            "SAVE" => returns.save = true,
            "UPDATE" => returns.update = true,
            // A hint that more of the kind will follow.
            "CONTEXT" => {}
            "PARTIAL" => {
                cursor.space()?;
                returns.partial = Some(Partial::parse(cursor)?);
            }
            _ => return Err(Bad::new(format!("unknown RETURN option {option}"))),
        }
        Ok(())
    })?;
    // RFC 4731 section 3.1: without any result option, ALL is meant.
    returns.all |= !returns.tells() && !returns.save;
    if returns.all && returns.partial.is_some() {
        return Err(Bad::new("ALL and PARTIAL exclude each other"));
    }
    Ok(returns)
}

struct Keys<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    count: usize,
    mentions_modseq: bool,
    lossy: bool,
}

fn not(key: SearchKey) -> SearchKey {
    SearchKey::Not(Box::new(key))
}

impl Keys<'_, '_> {
    /// Keys up to the end or a closing parenthesis.
    fn several(&mut self, depth: usize) -> Result<SearchKey, Bad> {
        let first = self.key(depth)?;
        let mut keys = vec![first];
        while self.cursor.eat(b' ') {
            keys.push(self.key(depth)?);
        }
        match keys.len() {
            1 => keys.pop().ok_or_else(|| Bad::new("expected a search key")),
            _ => Ok(SearchKey::And(keys)),
        }
    }

    fn inner(&mut self, depth: usize) -> Result<Box<SearchKey>, Bad> {
        self.cursor.space()?;
        self.key(depth + 1).map(Box::new)
    }

    fn key(&mut self, depth: usize) -> Result<SearchKey, Bad> {
        self.count += 1;
        if depth > limits::SEARCH_DEPTH {
            return Err(Bad::new("search keys are nested deeper than 50"));
        }
        if self.count > limits::SEARCH_KEYS {
            return Err(Bad::new("more than 500 search keys"));
        }
        match self.cursor.peek() {
            Some(b'(') => {
                self.cursor.eat(b'(');
                let keys = self.several(depth + 1)?;
                self.cursor.expect(b')', "a closing parenthesis")?;
                return Ok(keys);
            }
            Some(b'0'..=b'9' | b'*' | b'$') => {
                return SequenceSet::parse(self.cursor).map(SearchKey::Sequence);
            }
            _ => {}
        }
        let name = self
            .cursor
            .text_while("a search key", is_atom_char)?
            .to_ascii_uppercase();
        if let Some(key) = of_flag(&name) {
            return Ok(key);
        }
        match name.as_str() {
            "NOT" => Ok(SearchKey::Not(self.inner(depth)?)),
            "OR" => Ok(SearchKey::Or(self.inner(depth)?, self.inner(depth)?)),
            _ => self.with_argument(&name),
        }
    }

    fn with_argument(&mut self, name: &str) -> Result<SearchKey, Bad> {
        self.cursor.space()?;
        Ok(match name {
            "BCC" | "CC" | "FROM" | "SUBJECT" | "TO" => SearchKey::Header {
                name: name.to_owned(),
                contains: self.string()?,
            },
            "HEADER" => {
                let name = self.string()?;
                self.cursor.space()?;
                SearchKey::Header {
                    name,
                    contains: self.string()?,
                }
            }
            "BODY" => SearchKey::Body(self.string()?),
            "TEXT" => SearchKey::Text(self.string()?),
            "KEYWORD" => self.keyword()?,
            "UNKEYWORD" => not(self.keyword()?),
            "BEFORE" => SearchKey::Before(Date::parse(self.cursor)?),
            "ON" => SearchKey::On(Date::parse(self.cursor)?),
            "SINCE" => SearchKey::Since(Date::parse(self.cursor)?),
            "SENTBEFORE" => SearchKey::SentBefore(Date::parse(self.cursor)?),
            "SENTON" => SearchKey::SentOn(Date::parse(self.cursor)?),
            "SENTSINCE" => SearchKey::SentSince(Date::parse(self.cursor)?),
            "LARGER" => SearchKey::Larger(self.cursor.number64("a size")?),
            "SMALLER" => SearchKey::Smaller(self.cursor.number64("a size")?),
            "UID" => SearchKey::Uid(SequenceSet::parse(self.cursor)?),
            "MODSEQ" => self.modseq()?,
            "YOUNGER" => SearchKey::Younger(self.cursor.nz_number("seconds")?),
            "OLDER" => SearchKey::Older(self.cursor.nz_number("seconds")?),
            "SAVEDBEFORE" => SearchKey::SavedBefore(Date::parse(self.cursor)?),
            "SAVEDON" => SearchKey::SavedOn(Date::parse(self.cursor)?),
            "SAVEDSINCE" => SearchKey::SavedSince(Date::parse(self.cursor)?),
            "EMAILID" => SearchKey::EmailId(self.cursor.atom("an object id")?.to_owned()),
            "THREADID" => {
                self.cursor.atom("an object id")?;
                SearchKey::ThreadId
            }
            _ => return Err(Bad::new(format!("unknown search key {name}"))),
        })
    }

    fn string(&mut self) -> Result<String, Bad> {
        let raw = self.cursor.astring("a string")?;
        match self.lossy {
            true => Ok(String::from_utf8_lossy(&raw).into_owned()),
            false => String::from_utf8(raw).map_err(|_| Bad::new("a search string is not UTF-8")),
        }
    }

    fn keyword(&mut self) -> Result<SearchKey, Bad> {
        let keyword = self.cursor.atom("a keyword")?;
        if keyword.len() > limits::KEYWORD {
            return Err(Bad::new("a keyword is longer than 255 octets"));
        }
        Ok(FlagBits::of_keyword(keyword)
            .map_or_else(|| SearchKey::Keyword(keyword.to_owned()), SearchKey::Flag))
    }

    /// RFC 7162 section 3.1.5: the entry name and type are for metadata that no server keeps apart; the modseq of the
    /// message answers for all.
    fn modseq(&mut self) -> Result<SearchKey, Bad> {
        self.mentions_modseq = true;
        if self.cursor.peek() == Some(b'"') {
            self.cursor.string("an entry name")?;
            self.cursor.space()?;
            self.cursor.atom("an entry type")?;
            self.cursor.space()?;
        }
        self.cursor.number64("a modseq").map(SearchKey::ModSeq)
    }
}

fn of_flag(name: &str) -> Option<SearchKey> {
    let flag = |bit| Some(SearchKey::Flag(bit));
    let unflag = |bit| Some(not(SearchKey::Flag(bit)));
    match name {
        // Every message here has a save date.
        "ALL" | "SAVEDATESUPPORTED" => Some(SearchKey::All),
        "ANSWERED" => flag(FlagBits::ANSWERED),
        "DELETED" => flag(FlagBits::DELETED),
        "DRAFT" => flag(FlagBits::DRAFT),
        "FLAGGED" => flag(FlagBits::FLAGGED),
        "RECENT" => flag(FlagBits::RECENT),
        "SEEN" => flag(FlagBits::SEEN),
        "UNANSWERED" => unflag(FlagBits::ANSWERED),
        "UNDELETED" => unflag(FlagBits::DELETED),
        "UNDRAFT" => unflag(FlagBits::DRAFT),
        "UNFLAGGED" => unflag(FlagBits::FLAGGED),
        "UNSEEN" => unflag(FlagBits::SEEN),
        "OLD" => unflag(FlagBits::RECENT),
        "NEW" => Some(SearchKey::And(vec![
            SearchKey::Flag(FlagBits::RECENT),
            not(SearchKey::Flag(FlagBits::SEEN)),
        ])),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::Mode;

    fn parse(text: &str) -> Result<SearchRequest, Bad> {
        let mut cursor = Cursor::new(text.as_bytes(), Mode::default());
        let request = SearchRequest::parse(&mut cursor)?;
        cursor.end()?;
        Ok(request)
    }

    fn header(name: &str, contains: &str) -> SearchKey {
        SearchKey::Header {
            name: name.into(),
            contains: contains.into(),
        }
    }

    #[test]
    fn keys_side_by_side_are_all_meant() {
        let key = parse("UNDELETED HEADER Message-ID <a@b>").unwrap().key;
        assert_eq!(
            key,
            SearchKey::And(vec![
                not(SearchKey::Flag(FlagBits::DELETED)),
                header("Message-ID", "<a@b>")
            ])
        );
    }

    #[test]
    fn or_and_not_nest() {
        let key = parse("OR NOT SEEN (FROM a TO \"b c\")").unwrap().key;
        let both = SearchKey::And(vec![header("FROM", "a"), header("TO", "b c")]);
        assert_eq!(
            key,
            SearchKey::Or(
                Box::new(not(SearchKey::Flag(FlagBits::SEEN))),
                Box::new(both)
            )
        );
    }

    #[test]
    fn nesting_and_number_are_bounded() {
        assert!(parse(&format!("{}ALL", "NOT ".repeat(50))).is_ok());
        let Err(Bad(text)) = parse(&format!("{}ALL", "NOT ".repeat(51))) else {
            panic!()
        };
        assert!(text.contains("50"));
        assert!(parse(&format!("{}ALL{}", "(".repeat(51), ")".repeat(51))).is_err());
        assert!(parse(&vec!["ALL"; 501].join(" ")).is_err());
    }

    #[test]
    fn return_options_and_charsets_are_read() {
        let request = parse("RETURN () CHARSET utf-8 UID 1:*").unwrap();
        assert!(request.returns.unwrap().all);
        assert_eq!(
            parse("CHARSET KOI8-R SUBJECT x").unwrap().charset,
            Charset::Unknown
        );
        assert!(parse("RETURN (FOO) ALL").is_err());
    }

    #[test]
    fn a_page_excludes_all() {
        let returns = parse("RETURN (PARTIAL -1:-100 COUNT) ALL")
            .unwrap()
            .returns
            .unwrap();
        assert_eq!(returns.partial.unwrap().to_string(), "-1:-100");
        assert!(returns.count && !returns.all);
        assert!(parse("RETURN (PARTIAL 1:100 ALL) ALL").is_err());
    }

    #[test]
    fn a_search_can_be_kept_up_to_date_where_it_means_the_same_later() {
        let request = parse("RETURN (UPDATE CONTEXT) UNSEEN").unwrap();
        let returns = request.returns.unwrap();
        assert!(returns.update && returns.all && request.key.lasts());
        assert!(
            !parse("RETURN (UPDATE COUNT) ALL")
                .unwrap()
                .returns
                .unwrap()
                .all
        );
        for key in ["1:3", "$", "NOT UID $", "OR SEEN 5", "(SEEN *)"] {
            assert!(!parse(key).unwrap().key.lasts(), "{key}");
        }
    }

    #[test]
    fn modseq_may_name_an_entry() {
        let request = parse("MODSEQ \"/flags/\\\\draft\" all 620162338").unwrap();
        assert_eq!(
            (request.key, request.mentions_modseq),
            (SearchKey::ModSeq(620_162_338), true)
        );
    }
}
