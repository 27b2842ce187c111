//! MAPI property values, packed bags, restrictions and sort orders (MS-OXCDATA, MS-OXPROPS, MS-OXCPERM).
//!
//! The words that every protocol over the store shares: bytes in, bytes out, no clock and no I/O.
//!
//! - [`Value`], [`Property`], [`PropertyTag`]: a property as MAPI types it; [`tags`] and [`columns`] name those in use.
//! - [`Bag`]: all properties of an item in one run of bytes, of which a few can be read without the rest.
//! - [`Restriction`]: one tree for IMAP SEARCH, EWS and MAPI restrictions and rules, evaluated in three
//!   values so that a store first asks its index and loads an item only when that does not decide.
//! - [`SortKey`] and [`sort`]: the order of rows.
//! - [`NamedProperty`] and [`sets`]: names of properties that have no fixed id.
//! - [`appointment`]: recurrence, time zones and identity of calendar items.
//! - [`ItemProperties`], [`lids`]: the properties of an item by their names, for converters of formats.
//! - [`Rights`]: what a member may do in a folder.

pub mod appointment;
pub mod bag;
pub mod columns;
pub mod fold;
pub mod item;
pub mod lids;
pub mod name;
pub mod restriction;
pub mod rights;
pub mod sets;
pub mod sort;
pub mod tags;
pub mod value;

pub use bag::Bag;
pub use item::ItemProperties;
pub use name::{NamedProperty, PropertyName};
pub use restriction::{Item, Lookup, MatchMode, Needs, Relation, Restriction, TextScope, Verdict};
pub use rights::Rights;
pub use sort::SortKey;
pub use value::{Property, PropertyTag, Value};

/// What can be wrong with bytes or trees given to this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MapiError {
    /// The bag was written in a form that this version does not know.
    #[error("property bag of unknown version {0}")]
    BagVersion(u8),
    /// The bag ends too early, or its directory or a value in it makes no sense.
    #[error("property bag is damaged")]
    BagDamaged,
    /// A restriction nests deeper than [`restriction::MAX_DEPTH`].
    #[error("restriction is nested deeper than {} levels", restriction::MAX_DEPTH)]
    RestrictionDepth,
    /// A restriction has more than [`restriction::MAX_NODES`] nodes.
    #[error("restriction has more than {} nodes", restriction::MAX_NODES)]
    RestrictionSize,
    /// A binary property that ends too early, or whose fields make no sense.
    #[error("{0} is damaged")]
    StructureDamaged(&'static str),
}
