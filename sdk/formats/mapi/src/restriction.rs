//! Which items are meant: MS-OXCDATA 2.12 restrictions and what IMAP SEARCH adds, in one tree.
//!
//! Evaluation has three values. A store asks first with what its folder index holds; an item for which
//! that does not decide gives [`Verdict::NeedsMore`] with what is missing (bag, header, body text, …), and only
//! then is more of it loaded. `false AND unknown` is false and `true OR unknown` is true, so that one
//! cheap condition spares the expensive ones.
//!
//! Trees come from clients: [`Restriction::check`] bounds them before they are evaluated.
//!
//! Absent properties: no relation but `NotEqual` holds, no content matches, a bitmask reads 0.

mod evaluate;

pub use evaluate::{Item, Lookup, Needs, Verdict};

use crate::{MapiError, PropertyTag, Value};
use serde::{Deserialize, Serialize};

/// Levels of a tree.
pub const MAX_DEPTH: usize = 64;
/// Nodes of a tree.
pub const MAX_NODES: usize = 1024;

/// How two values relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relation {
    /// RELOP_LT.
    Less,
    /// RELOP_LE.
    LessOrEqual,
    /// RELOP_GT.
    Greater,
    /// RELOP_GE.
    GreaterOrEqual,
    /// RELOP_EQ.
    Equal,
    /// RELOP_NE.
    NotEqual,
}

/// Which part of a text or of bytes must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MatchMode {
    /// FL_FULLSTRING.
    Full,
    /// FL_PREFIX.
    Prefix,
    /// FL_SUBSTRING.
    Substring,
}

/// Where a text is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextScope {
    /// Decoded text parts (SEARCH BODY).
    Body,
    /// Header and body (SEARCH TEXT).
    Whole,
}

/// As WIT `restriction-node`, as a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Restriction {
    /// All items, or none.
    Always(bool),
    /// Every child holds; true without children.
    All(Vec<Restriction>),
    /// Some child holds; false without children.
    Any(Vec<Restriction>),
    /// The child does not hold.
    Not(Box<Restriction>),
    /// A property relates to a value; of a multiple property, one member does.
    Property {
        /// The property.
        tag: PropertyTag,
        /// Property to value.
        relation: Relation,
        /// What it is compared with; see [`Value::compare`].
        value: Value,
    },
    /// A text or binary property matches; of a multiple property, one member does.
    Content {
        /// The property.
        tag: PropertyTag,
        /// Which part must match.
        mode: MatchMode,
        /// Texts without regard to case (FL_IGNORECASE).
        ignore_case: bool,
        /// Text or Binary.
        value: Value,
    },
    /// Some bit of the mask is set in a whole number, or with `any_set` false none is.
    Bitmask {
        /// The property.
        tag: PropertyTag,
        /// The bits.
        mask: u32,
        /// BMR_NEZ or BMR_EQZ.
        any_set: bool,
    },
    /// The item has the property.
    Exists(PropertyTag),
    /// The size of a property, as [`Value::size`] counts it, relates to a number.
    Size {
        /// The property.
        tag: PropertyTag,
        /// Size to number.
        relation: Relation,
        /// Octets.
        size: u32,
    },
    /// Two properties of the item relate.
    Compare {
        /// The left one.
        left: PropertyTag,
        /// Left to right.
        relation: Relation,
        /// The right one.
        right: PropertyTag,
    },
    /// Some recipient (PidTagMessageRecipients) or attachment (PidTagMessageAttachments) fits.
    Sub {
        /// Which of them.
        tag: PropertyTag,
        /// What it must fit.
        node: Box<Restriction>,
    },
    /// A header field's decoded value contains a text, ignoring case; the empty text: the field exists.
    Header {
        /// The field.
        name: String,
        /// The text.
        contains: String,
    },
    /// The item's text contains a text, ignoring case.
    Text {
        /// Where to look.
        scope: TextScope,
        /// The text.
        contains: String,
    },
    /// All bits of the mask are set in the item's flags, or with `all_set` false not all of them.
    Flags {
        /// Bits of WIT `item-flags`.
        mask: u32,
        /// Whether they must all be set.
        all_set: bool,
    },
    /// The item has an IMAP keyword; names ignore ASCII case.
    Keyword(String),
    /// The UID lies in one of these ranges, both ends included.
    Uids(Vec<(u32, u32)>),
    /// The position in the view lies in one of these ranges, both ends included.
    Positions(Vec<(u32, u32)>),
}

impl Restriction {
    /// Refuses a tree that is too deep or too large to be evaluated for every item of a folder.
    ///
    /// # Errors
    /// [`MapiError::RestrictionDepth`] and [`MapiError::RestrictionSize`].
    pub fn check(&self) -> Result<(), MapiError> {
        let mut open = vec![(self, 1)];
        let mut nodes = 0;
        while let Some((node, depth)) = open.pop() {
            nodes += 1;
            if nodes > MAX_NODES {
                return Err(MapiError::RestrictionSize);
            }
            if depth > MAX_DEPTH {
                return Err(MapiError::RestrictionDepth);
            }
            match node {
                Restriction::All(children) | Restriction::Any(children) => {
                    open.extend(children.iter().map(|child| (child, depth + 1)));
                }
                Restriction::Not(child) | Restriction::Sub { node: child, .. } => {
                    open.push((child, depth + 1));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether somewhere in the tree a header field of this name is looked at.
    pub fn asks_for_header(&self, name: &str) -> bool {
        match self {
            Restriction::Header { name: asked, .. } => asked.eq_ignore_ascii_case(name),
            Restriction::All(children) | Restriction::Any(children) => {
                children.iter().any(|child| child.asks_for_header(name))
            }
            Restriction::Not(child) | Restriction::Sub { node: child, .. } => {
                child.asks_for_header(name)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_that_is_asked_for_is_found_at_any_depth() {
        let header = Restriction::Header {
            name: "Subject".to_owned(),
            contains: String::new(),
        };
        let nested = Restriction::All(vec![
            Restriction::Always(true),
            Restriction::Not(Box::new(header)),
        ]);
        assert!(nested.asks_for_header("SUBJECT"));
        assert!(!nested.asks_for_header("from"));
    }

    #[test]
    fn trees_are_bounded_in_depth_and_size() {
        let nest = |levels| {
            (1..levels).fold(Restriction::Always(true), |node, _| {
                Restriction::Not(Box::new(node))
            })
        };
        assert_eq!(nest(MAX_DEPTH).check(), Ok(()));
        assert_eq!(
            nest(MAX_DEPTH + 1).check(),
            Err(MapiError::RestrictionDepth)
        );
        let wide = |nodes| Restriction::All(vec![Restriction::Always(true); nodes - 1]);
        assert_eq!(wide(MAX_NODES).check(), Ok(()));
        assert_eq!(wide(MAX_NODES + 1).check(), Err(MapiError::RestrictionSize));
    }
}
