//! Search keys as a restriction of the store: a tree in a list, children before parents, the root last.

use std::time::{SystemTime, UNIX_EPOCH};

use waxwing_formats_mapi::{PropertyTag, columns};
use waxwing_sdk::store::types::{
    FlagsTest, HeaderTest, PropertyTest, Relation, TextScope, TextTest,
};
use waxwing_sdk::store::{RestrictionNode as Node, Span, Value};

use crate::parse::{Date, SearchKey, SequenceSet};
use crate::render::object_id;
use crate::session::{Imap, Refusal};

/// What the store takes.
const NODES: usize = 1_024;

/// Whether `*` stands among UIDs.
pub(super) fn needs_largest_uid(key: &SearchKey) -> bool {
    match key {
        SearchKey::Uid(SequenceSet::Ranges(ranges)) => SequenceSet::has_star(ranges),
        SearchKey::And(keys) => keys.iter().any(needs_largest_uid),
        SearchKey::Or(one, other) => needs_largest_uid(one) || needs_largest_uid(other),
        SearchKey::Not(key) => needs_largest_uid(key),
        _ => false,
    }
}

/// The nodes of a key, where `largest` is the largest UID.
pub(super) fn compile(session: &Imap, key: &SearchKey, largest: u32) -> Result<Vec<Node>, Refusal> {
    let resolve = |set: &SequenceSet, uid: bool| -> Result<Node, Refusal> {
        match set {
            SequenceSet::Ranges(ranges) if uid => {
                Ok(Node::Uids(spans(SequenceSet::uids(ranges, largest))))
            }
            SequenceSet::Ranges(ranges) => {
                let exists = session
                    .state
                    .selected
                    .as_ref()
                    .map_or(0, |selected| selected.exists);
                Ok(Node::Positions(spans(SequenceSet::positions_within(
                    ranges, exists,
                ))))
            }
            SequenceSet::Saved => Ok(Node::Uids(spans(session.targets(set, true)?.spans))),
        }
    };
    let mut compiler = Compiler {
        nodes: Vec::new(),
        resolve: &resolve,
    };
    compiler.add(key)?;
    match compiler.nodes.len() > NODES {
        true => Err(Refusal::no(
            "[LIMIT] The search has more than 1024 conditions",
        )),
        false => Ok(compiler.nodes),
    }
}

fn spans(ranges: Vec<(u32, u32)>) -> Vec<Span> {
    ranges
        .into_iter()
        .map(|(first, last)| Span { first, last })
        .collect()
}

struct Compiler<'a> {
    nodes: Vec<Node>,
    resolve: &'a dyn Fn(&SequenceSet, bool) -> Result<Node, Refusal>,
}

impl Compiler<'_> {
    /// Adds a key behind its children; its index.
    fn add(&mut self, key: &SearchKey) -> Result<u32, Refusal> {
        let node = match key {
            SearchKey::All => Node::Always(true),
            SearchKey::And(keys) => Node::AllOf(
                keys.iter()
                    .map(|key| self.add(key))
                    .collect::<Result<_, _>>()?,
            ),
            SearchKey::Or(one, other) => Node::AnyOf(vec![self.add(one)?, self.add(other)?]),
            SearchKey::Not(key) => Node::Negate(self.add(key)?),
            SearchKey::Flag(bits) => Node::FlagBits(FlagsTest {
                mask: bits.0,
                all_set: true,
            }),
            SearchKey::Keyword(keyword) => Node::Keyword(keyword.clone()),
            SearchKey::Sequence(set) => (self.resolve)(set, false)?,
            SearchKey::Uid(set) => (self.resolve)(set, true)?,
            SearchKey::Header { name, contains } => Node::Header(HeaderTest {
                name: name.clone(),
                contains: contains.clone(),
            }),
            SearchKey::Body(contains) => text(TextScope::Body, contains),
            SearchKey::Text(contains) => text(TextScope::Whole, contains),
            SearchKey::Before(date) => day(columns::INTERNAL_DAY, Relation::Less, *date),
            SearchKey::On(date) => day(columns::INTERNAL_DAY, Relation::Equal, *date),
            SearchKey::Since(date) => day(columns::INTERNAL_DAY, Relation::GreaterOrEqual, *date),
            SearchKey::SentBefore(date) => day(columns::SENT_DAY, Relation::Less, *date),
            SearchKey::SentOn(date) => day(columns::SENT_DAY, Relation::Equal, *date),
            SearchKey::SentSince(date) => day(columns::SENT_DAY, Relation::GreaterOrEqual, *date),
            SearchKey::Larger(size) => number(columns::SIZE, Relation::Greater, *size),
            SearchKey::Smaller(size) => number(columns::SIZE, Relation::Less, *size),
            SearchKey::ModSeq(modseq) => number(columns::MODSEQ, Relation::GreaterOrEqual, *modseq),
            SearchKey::Younger(seconds) => at_least(columns::INTERNAL_DATE, ago(*seconds)),
            SearchKey::Older(seconds) => {
                seconds_test(columns::INTERNAL_DATE, Relation::LessOrEqual, ago(*seconds))
            }
            SearchKey::SavedBefore(date) => {
                seconds_test(columns::SAVE_DATE, Relation::Less, midnight(*date))
            }
            SearchKey::SavedSince(date) => at_least(columns::SAVE_DATE, midnight(*date)),
            SearchKey::SavedOn(date) => {
                let since = self.add(&SearchKey::SavedSince(*date))?;
                let before = self.add(&SearchKey::SavedBefore(Date(date.0.saturating_add(1))))?;
                Node::AllOf(vec![since, before])
            }
            SearchKey::EmailId(id) => match object_id::digest_of(id) {
                Some(digest) => Node::Property(PropertyTest {
                    tag: columns::DIGEST.0,
                    relation: Relation::Equal,
                    value: Value::Binary(digest),
                }),
                None => Node::Always(false),
            },
            SearchKey::ThreadId => Node::Always(false),
        };
        self.nodes.push(node);
        Ok(u32::try_from(self.nodes.len() - 1).unwrap_or(u32::MAX))
    }
}

fn at_least(tag: PropertyTag, seconds: i64) -> Node {
    seconds_test(tag, Relation::GreaterOrEqual, seconds)
}

fn seconds_test(tag: PropertyTag, relation: Relation, seconds: i64) -> Node {
    Node::Property(PropertyTest {
        tag: tag.0,
        relation,
        value: Value::Int64(seconds),
    })
}

/// The beginning of a day, in UTC as all dates here.
fn midnight(Date(days): Date) -> i64 {
    i64::from(days) * 86_400
}

/// RFC 5032: by the clock of the server.
fn ago(seconds: u32) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| now.as_secs());
    i64::try_from(now).unwrap_or(i64::MAX) - i64::from(seconds)
}

fn text(scope: TextScope, contains: &str) -> Node {
    Node::Text(TextTest {
        scope,
        contains: contains.to_owned(),
    })
}

fn day(tag: PropertyTag, relation: Relation, Date(days): Date) -> Node {
    Node::Property(PropertyTest {
        tag: tag.0,
        relation,
        value: Value::Int32(days),
    })
}

fn number(tag: PropertyTag, relation: Relation, number: u64) -> Node {
    let value = Value::Int64(i64::try_from(number).unwrap_or(i64::MAX));
    Node::Property(PropertyTest {
        tag: tag.0,
        relation,
        value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::FlagBits;

    fn nodes(key: &SearchKey) -> Vec<Node> {
        let resolve = |_: &SequenceSet, _| Ok(Node::Always(false));
        let mut compiler = Compiler {
            nodes: Vec::new(),
            resolve: &resolve,
        };
        compiler.add(key).unwrap();
        compiler.nodes
    }

    #[test]
    fn children_stand_before_their_parent() {
        let seen = || Box::new(SearchKey::Flag(FlagBits::SEEN));
        let key = SearchKey::Or(Box::new(SearchKey::Not(seen())), Box::new(SearchKey::All));
        let [
            Node::FlagBits(_),
            Node::Negate(0),
            Node::Always(true),
            Node::AnyOf(children),
        ] = &nodes(&key)[..]
        else {
            panic!()
        };
        assert_eq!(children, &[1, 2]);
    }

    #[test]
    fn a_star_is_looked_for_everywhere() {
        let uid = SearchKey::Uid(SequenceSet::Ranges(vec![(1, crate::parse::STAR)]));
        assert!(needs_largest_uid(&SearchKey::And(vec![
            SearchKey::All,
            SearchKey::Not(Box::new(uid))
        ])));
        assert!(!needs_largest_uid(&SearchKey::All));
    }
}
