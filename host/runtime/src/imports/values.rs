//! The words of the store, from the contract's form to exmdb's and back. Everything that a guest hands over is checked
//! here once: what comes out cannot be wrong in shape. A restriction arrives as a list of nodes that name
//! their children by index; it becomes a tree only if every child stands before its parent and has one parent (a
//! shared child would let 1,024 nodes unfold to 2^1023), and if it is not nested too deep to walk.

use waxwing_exmdb::{ItemFlags, Selection, Span};
use waxwing_formats_mapi::{
    MatchMode, Property, PropertyTag, Relation, Restriction, SortKey, TextScope, Value,
};

use super::{Failure, Result};
use crate::bindings::waxwing::store::{types as wit, views};

const NODES: usize = 1_024;
const DEPTH: usize = 64;
const KEYS: usize = 32;

pub(crate) fn value(value: wit::Value) -> Result<Value> {
    use wit::Value as W;
    Ok(match value {
        W::Null => Value::Null,
        W::Boolean(v) => Value::Boolean(v),
        W::Int16(v) => Value::Int16(v),
        W::Int32(v) => Value::Int32(v),
        W::Int64(v) => Value::Int64(v),
        W::Float32(v) => Value::Float32(v),
        W::Float64(v) => Value::Float64(v),
        W::Currency(v) => Value::Currency(v),
        W::AppTime(v) => Value::AppTime(v),
        W::Time(v) => Value::Time(v),
        W::Text(v) => Value::Text(v),
        W::Binary(v) => Value::Binary(v),
        W::Guid(v) => Value::Guid(guid(v)?),
        W::MultiInt16(v) => Value::MultiInt16(v),
        W::MultiInt32(v) => Value::MultiInt32(v),
        W::MultiInt64(v) => Value::MultiInt64(v),
        W::MultiTime(v) => Value::MultiTime(v),
        W::MultiText(v) => Value::MultiText(v),
        W::MultiBinary(v) => Value::MultiBinary(v),
        W::MultiGuid(v) => Value::MultiGuid(v.into_iter().map(guid).collect::<Result<_>>()?),
        W::Extension(extension) => {
            return Err(Failure::unsupported(format!(
                "value code {} is not known to this host",
                extension.code
            )));
        }
    })
}

pub(crate) fn guid(octets: Vec<u8>) -> Result<[u8; 16]> {
    octets
        .try_into()
        .map_err(|octets: Vec<u8>| Failure::invalid(format!("a GUID of {} octets", octets.len())))
}

fn wit_value(value: Value) -> wit::Value {
    use wit::Value as W;
    match value {
        Value::Null => W::Null,
        Value::Boolean(v) => W::Boolean(v),
        Value::Int16(v) => W::Int16(v),
        Value::Int32(v) => W::Int32(v),
        Value::Int64(v) => W::Int64(v),
        Value::Float32(v) => W::Float32(v),
        Value::Float64(v) => W::Float64(v),
        Value::Currency(v) => W::Currency(v),
        Value::AppTime(v) => W::AppTime(v),
        Value::Time(v) => W::Time(v),
        Value::Text(v) => W::Text(v),
        Value::Binary(v) => W::Binary(v),
        Value::Guid(v) => W::Guid(v.to_vec()),
        Value::MultiInt16(v) => W::MultiInt16(v),
        Value::MultiInt32(v) => W::MultiInt32(v),
        Value::MultiInt64(v) => W::MultiInt64(v),
        Value::MultiTime(v) => W::MultiTime(v),
        Value::MultiText(v) => W::MultiText(v),
        Value::MultiBinary(v) => W::MultiBinary(v),
        Value::MultiGuid(v) => W::MultiGuid(v.into_iter().map(|guid| guid.to_vec()).collect()),
    }
}

pub(crate) fn properties(given: Vec<wit::Property>) -> Result<Vec<Property>> {
    given
        .into_iter()
        .map(|property| {
            Ok(Property {
                tag: PropertyTag(property.tag),
                value: value(property.value)?,
            })
        })
        .collect()
}

pub(crate) fn property_lists(given: Vec<Vec<wit::Property>>) -> Result<Vec<Vec<Property>>> {
    given.into_iter().map(properties).collect()
}

pub(crate) fn wit_properties(properties: Vec<Property>) -> Vec<wit::Property> {
    properties
        .into_iter()
        .map(|property| wit::Property {
            tag: property.tag.0,
            value: wit_value(property.value),
        })
        .collect()
}

pub(crate) fn tags(given: &[u32]) -> Vec<PropertyTag> {
    given.iter().copied().map(PropertyTag).collect()
}

pub(crate) fn spans(given: Vec<wit::Span>) -> Result<Vec<Span>> {
    given
        .into_iter()
        .map(|span| {
            if span.first > span.last {
                return Err(Failure::invalid(format!(
                    "a span from {} to {}",
                    span.first, span.last
                )));
            }
            Ok(span.first..=span.last)
        })
        .collect()
}

pub(crate) fn wit_spans(spans: Vec<Span>) -> Vec<wit::Span> {
    spans
        .into_iter()
        .map(|span| wit::Span {
            first: *span.start(),
            last: *span.end(),
        })
        .collect()
}

pub(crate) fn selection(given: views::Selection) -> Result<Selection> {
    Ok(match given {
        views::Selection::Positions(given) => Selection::Positions(spans(given)?),
        views::Selection::Uids(given) => Selection::Uids(spans(given)?),
    })
}

const FLAGS: [(u32, wit::ItemFlags); 10] = [
    (1, wit::ItemFlags::SEEN),
    (2, wit::ItemFlags::ANSWERED),
    (4, wit::ItemFlags::FLAGGED),
    (8, wit::ItemFlags::DELETED),
    (16, wit::ItemFlags::DRAFT),
    (32, wit::ItemFlags::RECENT),
    (64, wit::ItemFlags::FORWARDED),
    (128, wit::ItemFlags::MDN_SENT),
    (256, wit::ItemFlags::HAS_ATTACHMENT),
    (512, wit::ItemFlags::ASSOCIATED),
];

pub(crate) fn flags(given: wit::ItemFlags) -> ItemFlags {
    ItemFlags(
        FLAGS
            .iter()
            .filter(|(_, flag)| given.contains(*flag))
            .fold(0, |bits, (bit, _)| bits | bit),
    )
}

pub(crate) fn wit_flags(flags: ItemFlags) -> wit::ItemFlags {
    FLAGS
        .iter()
        .filter(|(bit, _)| flags.0 & bit != 0)
        .fold(wit::ItemFlags::empty(), |all, (_, flag)| all | *flag)
}

pub(crate) fn sort_keys(given: Vec<wit::SortKey>) -> Result<Vec<SortKey>> {
    if given.len() > KEYS {
        return Err(Failure::limit(format!("at most {KEYS} sort keys")));
    }
    Ok(given
        .into_iter()
        .map(|key| SortKey {
            tag: PropertyTag(key.tag),
            descending: key.descending,
        })
        .collect())
}

fn relation(given: wit::Relation) -> Relation {
    match given {
        wit::Relation::Less => Relation::Less,
        wit::Relation::LessOrEqual => Relation::LessOrEqual,
        wit::Relation::Greater => Relation::Greater,
        wit::Relation::GreaterOrEqual => Relation::GreaterOrEqual,
        wit::Relation::Equal => Relation::Equal,
        wit::Relation::NotEqual => Relation::NotEqual,
    }
}

fn match_mode(given: wit::MatchMode) -> MatchMode {
    match given {
        wit::MatchMode::Full => MatchMode::Full,
        wit::MatchMode::Prefix => MatchMode::Prefix,
        wit::MatchMode::Substring => MatchMode::Substring,
    }
}

/// Subtrees that wait for their parent, with their depth.
type Built = Vec<Option<(Restriction, usize)>>;

fn child(built: &mut Built, index: u32) -> Result<(Restriction, usize)> {
    let (node, depth) = built
        .get_mut(index as usize)
        .and_then(Option::take)
        .ok_or_else(|| {
            Failure::invalid(format!(
                "restriction node {index} is named before it stands, or twice"
            ))
        })?;
    if depth >= DEPTH {
        return Err(Failure::limit(format!(
            "a restriction nests at most {DEPTH} deep"
        )));
    }
    Ok((node, depth + 1))
}

fn children(built: &mut Built, indexes: Vec<u32>) -> Result<(Vec<Restriction>, usize)> {
    let mut nodes = Vec::with_capacity(indexes.len().min(NODES));
    let mut deepest = 1;
    for index in indexes {
        let (node, depth) = child(built, index)?;
        nodes.push(node);
        deepest = deepest.max(depth);
    }
    Ok((nodes, deepest))
}

/// The tree of a list; an empty list restricts nothing.
pub(crate) fn restriction(given: Vec<wit::RestrictionNode>) -> Result<Restriction> {
    if given.len() > NODES {
        return Err(Failure::limit(format!(
            "a restriction has at most {NODES} nodes"
        )));
    }
    let mut built: Built = Vec::with_capacity(given.len());
    for node in given {
        let (node, depth) = inner_node(&mut built, node)?;
        built.push(Some((node, depth)));
    }
    let Some(root) = built.pop() else {
        return Ok(Restriction::Always(true));
    };
    if built.iter().any(Option::is_some) {
        return Err(Failure::invalid("a restriction node has no parent"));
    }
    root.map(|(node, _)| node)
        .ok_or_else(|| Failure::invalid("a restriction without a root"))
}

fn inner_node(built: &mut Built, node: wit::RestrictionNode) -> Result<(Restriction, usize)> {
    use wit::RestrictionNode as W;
    Ok(match node {
        W::AllOf(indexes) => {
            let (nodes, depth) = children(built, indexes)?;
            (Restriction::All(nodes), depth)
        }
        W::AnyOf(indexes) => {
            let (nodes, depth) = children(built, indexes)?;
            (Restriction::Any(nodes), depth)
        }
        W::Negate(index) => {
            let (node, depth) = child(built, index)?;
            (Restriction::Not(Box::new(node)), depth)
        }
        W::Sub(test) => {
            let (node, depth) = child(built, test.node)?;
            (
                Restriction::Sub {
                    tag: PropertyTag(test.tag),
                    node: Box::new(node),
                },
                depth,
            )
        }
        leaf => (leaf_node(leaf)?, 1),
    })
}

fn leaf_node(node: wit::RestrictionNode) -> Result<Restriction> {
    use wit::RestrictionNode as W;
    Ok(match node {
        W::Always(v) => Restriction::Always(v),
        W::Header(t) => Restriction::Header {
            name: t.name,
            contains: t.contains,
        },
        W::Text(t) => Restriction::Text {
            scope: text_scope(t.scope),
            contains: t.contains,
        },
        W::FlagBits(t) => Restriction::Flags {
            mask: t.mask,
            all_set: t.all_set,
        },
        W::Keyword(name) => Restriction::Keyword(name),
        W::Uids(given) => Restriction::Uids(pairs(given)?),
        W::Positions(given) => Restriction::Positions(pairs(given)?),
        W::Extension(extension) => {
            return Err(Failure::unsupported(format!(
                "restriction code {} is not known to this host",
                extension.code
            )));
        }
        property => property_node(property)?,
    })
}

/// Tests of properties (MS-OXCDATA 2.12).
fn property_node(node: wit::RestrictionNode) -> Result<Restriction> {
    use wit::RestrictionNode as W;
    Ok(match node {
        W::Property(t) => Restriction::Property {
            tag: PropertyTag(t.tag),
            relation: relation(t.relation),
            value: value(t.value)?,
        },
        W::Content(t) => Restriction::Content {
            tag: PropertyTag(t.tag),
            mode: match_mode(t.mode),
            ignore_case: t.ignore_case,
            value: value(t.value)?,
        },
        W::Bitmask(t) => Restriction::Bitmask {
            tag: PropertyTag(t.tag),
            mask: t.mask,
            any_set: t.any_set,
        },
        W::Exists(tag) => Restriction::Exists(PropertyTag(tag)),
        W::Size(t) => Restriction::Size {
            tag: PropertyTag(t.tag),
            relation: relation(t.relation),
            size: t.size,
        },
        W::Compare(t) => Restriction::Compare {
            left: PropertyTag(t.left),
            relation: relation(t.relation),
            right: PropertyTag(t.right),
        },
        _ => return Err(Failure::internal("a node that is no test of a property")),
    })
}

fn text_scope(given: wit::TextScope) -> TextScope {
    match given {
        wit::TextScope::Body => TextScope::Body,
        wit::TextScope::Whole => TextScope::Whole,
    }
}

fn pairs(given: Vec<wit::Span>) -> Result<Vec<(u32, u32)>> {
    Ok(spans(given)?
        .into_iter()
        .map(|span| (*span.start(), *span.end()))
        .collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn keyword(name: &str) -> wit::RestrictionNode {
        wit::RestrictionNode::Keyword(name.into())
    }

    #[test]
    fn a_list_whose_children_stand_first_becomes_a_tree() {
        let nodes = vec![
            keyword("a"),
            keyword("b"),
            wit::RestrictionNode::Negate(1),
            wit::RestrictionNode::AllOf(vec![0, 2]),
        ];
        let expected = Restriction::All(vec![
            Restriction::Keyword("a".into()),
            Restriction::Not(Box::new(Restriction::Keyword("b".into()))),
        ]);
        assert_eq!(restriction(nodes).unwrap(), expected);
        assert_eq!(restriction(vec![]).unwrap(), Restriction::Always(true));
    }

    #[test]
    fn shared_missing_forward_and_orphaned_nodes_are_refused() {
        use wit::RestrictionNode as W;
        for nodes in [
            vec![keyword("a"), W::AllOf(vec![0, 0])],
            vec![W::Negate(0)],
            vec![W::Negate(1), keyword("a")],
            vec![keyword("a"), keyword("b")],
        ] {
            assert!(matches!(restriction(nodes), Err(Failure::Fault(_))));
        }
    }

    #[test]
    fn deep_nesting_and_long_lists_name_their_limit() {
        let mut nodes = vec![keyword("a")];
        nodes.extend((0..100).map(wit::RestrictionNode::Negate));
        assert!(
            matches!(restriction(nodes), Err(Failure::Fault(fault)) if fault.detail.contains("64 deep"))
        );
        assert!(
            matches!(restriction(vec![keyword("a"); 1025]), Err(Failure::Fault(fault)) if fault.detail.contains("1024 nodes"))
        );
    }

    proptest! {
        #[test]
        fn flags_survive_both_ways(bits in 0u32..1024) {
            prop_assert_eq!(flags(wit_flags(ItemFlags(bits))), ItemFlags(bits));
        }

        #[test]
        fn no_list_of_indexes_panics(lists in proptest::collection::vec(proptest::collection::vec(0u32..12, 0..4), 0..12)) {
            let _ = restriction(lists.into_iter().map(wit::RestrictionNode::AnyOf).collect());
        }

        #[test]
        fn values_survive_both_ways(text in ".*", number: i64, octets: Vec<u8>, id: [u8; 16]) {
            for given in [Value::Text(text), Value::Int64(number), Value::Binary(octets), Value::MultiGuid(vec![id])] {
                prop_assert_eq!(value(wit_value(given.clone())).unwrap(), given);
            }
        }
    }
}
