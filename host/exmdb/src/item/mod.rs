//! Items as property bags, for the protocols that see them so.

pub(crate) mod bag;
pub(crate) mod candidate;
pub(crate) mod columns;
pub(crate) mod load;
mod pending;
pub(crate) mod search;
