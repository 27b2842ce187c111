//! Names of properties without a fixed id (MS-OXCDATA 2.6.1).

use serde::{Deserialize, Serialize};

/// A property set and a name in it; a mailbox maps it to an id from 0x8000 on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NamedProperty {
    /// The property set in the byte order of the wire; see [`crate::sets`].
    pub set: [u8; 16],
    /// The name in the set.
    pub name: PropertyName,
}

/// A number or a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PropertyName {
    /// PidLid…
    Lid(u32),
    /// PidName…
    Text(String),
}
