//! Items as property bags, for the protocols that see them so.
//!
//! Hot columns are answered from the item's row, all else from its packed bag. A mail's bag is derived from its source at first
//! need ([`derive`]) and kept. Views show mail, that is items with a source; an item made from properties is seen through
//! these calls and the change log only, until something renders it.
//!
//! An edit of what was derived would make the source lie, so it is refused for items with a source; state that a source does
//! not hold (follow-up flags, named properties) can be changed.

pub(crate) mod bag;
pub(crate) mod candidate;
pub(crate) mod columns;
pub(crate) mod derive;
pub(crate) mod lifecycle;
pub(crate) mod load;
mod parts;
mod preview;
mod read;
pub(crate) mod search;
pub(crate) mod signature;
mod stored;
mod table;
mod versions;
pub(crate) mod write;
