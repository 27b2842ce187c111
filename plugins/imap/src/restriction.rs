//! SEARCH keys (RFC 9051 section 6.4.4) as the store's restrictions: one flat list, children before parents, the root last.
//!
//! Dates are days: of INTERNALDATE in UTC, of the Date: header as written, its zone disregarded. Sequence numbers are
//! positions of the view; what lies behind its end matches nothing.

use waxwing_formats_mapi::{PropertyTag, columns};
use waxwing_sdk::store::types::{FlagsTest, HeaderTest, PropertyTest, Relation, TextScope, TextTest};
use waxwing_sdk::store::{ItemFlags, RestrictionNode, Span, Value};

use crate::parse::{Date, FlagBits, STAR, SearchKey, SequenceSet};

/// What the keys refer to besides the messages themselves.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Messages in the view.
    pub exists: u32,
    /// The highest UID in the view; 0 when it is empty.
    pub largest_uid: u32,
    /// UIDs of `$` (RFC 5182).
    pub saved: &'a [(u32, u32)],
}

/// The restriction of a key.
pub fn restriction(key: &SearchKey, scope: Scope<'_>) -> Vec<RestrictionNode> {
    let mut builder = Builder { nodes: Vec::new(), scope };
    builder.add(key);
    builder.nodes
}

struct Builder<'a> {
    nodes: Vec<RestrictionNode>,
    scope: Scope<'a>,
}

impl Builder<'_> {
    /// Adds a key after its children and returns its index.
    fn add(&mut self, key: &SearchKey) -> u32 {
        let node = match key {
            SearchKey::All => RestrictionNode::Always(true),
            SearchKey::And(keys) => RestrictionNode::AllOf(self.each(keys)),
            SearchKey::Or(left, right) => RestrictionNode::AnyOf(vec![self.add(left), self.add(right)]),
            SearchKey::Not(inner) => RestrictionNode::Negate(self.add(inner)),
            SearchKey::Flag(FlagBits(mask)) => RestrictionNode::FlagBits(FlagsTest { mask: *mask, all_set: true }),
            SearchKey::Keyword(keyword) => RestrictionNode::Keyword(keyword.clone()),
            SearchKey::Sequence(SequenceSet::Saved) | SearchKey::Uid(SequenceSet::Saved) => {
                RestrictionNode::Uids(spans(self.scope.saved))
            }
            SearchKey::Sequence(SequenceSet::Ranges(ranges)) => RestrictionNode::Positions(self.positions(ranges)),
            SearchKey::Uid(SequenceSet::Ranges(ranges)) => {
                RestrictionNode::Uids(spans(&SequenceSet::uids(ranges, self.scope.largest_uid)))
            }
            SearchKey::Header { name, contains } => {
                RestrictionNode::Header(HeaderTest { name: name.clone(), contains: contains.clone() })
            }
            SearchKey::Body(contains) => text(TextScope::Body, contains),
            SearchKey::Text(contains) => text(TextScope::Whole, contains),
            SearchKey::Before(date) => day(columns::INTERNAL_DAY, Relation::Less, date),
            SearchKey::On(date) => day(columns::INTERNAL_DAY, Relation::Equal, date),
            SearchKey::Since(date) => day(columns::INTERNAL_DAY, Relation::GreaterOrEqual, date),
            SearchKey::SentBefore(date) => day(columns::SENT_DAY, Relation::Less, date),
            SearchKey::SentOn(date) => day(columns::SENT_DAY, Relation::Equal, date),
            SearchKey::SentSince(date) => day(columns::SENT_DAY, Relation::GreaterOrEqual, date),
            SearchKey::Larger(size) => number(columns::SIZE, Relation::Greater, *size),
            SearchKey::Smaller(size) => number(columns::SIZE, Relation::Less, *size),
            SearchKey::ModSeq(modseq) => number(columns::MODSEQ, Relation::GreaterOrEqual, *modseq),
        };
        self.nodes.push(node);
        // The parser allows some hundred keys.
        u32::try_from(self.nodes.len()).unwrap_or(u32::MAX) - 1
    }

    fn each(&mut self, keys: &[SearchKey]) -> Vec<u32> {
        keys.iter().map(|key| self.add(key)).collect()
    }

    fn positions(&self, ranges: &[(u32, u32)]) -> Vec<Span> {
        let exists = self.scope.exists;
        let beyond = |number: u32| number != STAR && number > exists;
        let cut = |number: u32| if beyond(number) { STAR } else { number };
        let inside = ranges
            .iter()
            .filter(|&&(first, last)| !(beyond(first) && beyond(last)))
            .filter_map(|&(first, last)| SequenceSet::positions(&[(cut(first), cut(last))], exists));
        spans(&inside.flatten().collect::<Vec<_>>())
    }
}

fn spans(ranges: &[(u32, u32)]) -> Vec<Span> {
    ranges.iter().map(|&(first, last)| Span { first, last }).collect()
}

fn text(scope: TextScope, contains: &str) -> RestrictionNode {
    RestrictionNode::Text(TextTest { scope, contains: contains.to_owned() })
}

fn day(column: PropertyTag, relation: Relation, date: &Date) -> RestrictionNode {
    RestrictionNode::Property(PropertyTest { tag: column.0, relation, value: Value::Int32(date.0) })
}

fn number(column: PropertyTag, relation: Relation, number: u64) -> RestrictionNode {
    let value = Value::Int64(i64::try_from(number).unwrap_or(i64::MAX));
    RestrictionNode::Property(PropertyTest { tag: column.0, relation, value })
}

/// The flag bits of the parser are those of the contract.
pub fn item_flags(bits: FlagBits) -> ItemFlags {
    ItemFlags::from_bits_truncate(u16::try_from(bits.0).unwrap_or(0))
}
