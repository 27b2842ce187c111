//! A card of one version as the other (RFC 6350 appendix A): binary values, preference, groups, dates, places. What the other version
//! has no word for stays as it is; readers pass over it.

mod down;
pub(crate) mod media;
mod up;

use crate::contentline::Component;
use crate::{Card, Version};

/// The card in a version.
pub(crate) fn to(card: &Card, version: Version) -> Component {
    match (card.version(), version) {
        (Version::V3, Version::V4) => up::to_4(card.component()),
        (Version::V4, Version::V3) => down::to_3(card.component(), &card.formatted_name()),
        _ => card.component().clone(),
    }
}

/// Names of properties that say the same: first that of 3.0, then that of 4.0.
const SAME: [(&str, &str); 4] = [
    ("X-ADDRESSBOOKSERVER-KIND", "KIND"),
    ("X-ADDRESSBOOKSERVER-MEMBER", "MEMBER"),
    ("X-ANNIVERSARY", "ANNIVERSARY"),
    ("X-GENDER", "GENDER"),
];

#[cfg(test)]
mod tests;
