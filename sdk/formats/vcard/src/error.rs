use crate::contentline;

/// What is wrong with a card.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is no vCard.
    #[error(transparent)]
    Syntax(#[from] contentline::Error),
    /// A vCard, but not what a collection may hold (RFC 6352 section 5.1).
    #[error("{what}")]
    Card {
        /// The precondition it breaks.
        precondition: Precondition,
        /// In words for the author of the client.
        what: &'static str,
    },
}

impl Error {
    /// The precondition of PUT that the error breaks (RFC 6352 section 6.3.2.1).
    pub fn precondition(&self) -> Precondition {
        match self {
            Error::Syntax(contentline::Error::Limit { name: "size", .. }) => {
                Precondition::MaxResourceSize
            }
            Error::Syntax(_) => Precondition::ValidAddressData,
            Error::Card { precondition, .. } => *precondition,
        }
    }
}

/// A precondition of CardDAV, in the namespace `urn:ietf:params:xml:ns:carddav`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precondition {
    /// Neither 3.0 nor 4.0.
    SupportedAddressData,
    /// Not a vCard.
    ValidAddressData,
    /// Too large.
    MaxResourceSize,
}

impl Precondition {
    /// The local name of the element.
    pub const fn element(self) -> &'static str {
        match self {
            Precondition::SupportedAddressData => "supported-address-data",
            Precondition::ValidAddressData => "valid-address-data",
            Precondition::MaxResourceSize => "max-resource-size",
        }
    }
}
