/// Why octets are no content lines. Lines count from 1 and are those of the input, before unfolding.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A bound of [`crate::Limits`].
    #[error("line {line}: limit reached: {name} = {most}")]
    Limit {
        /// Where.
        line: usize,
        /// The field of [`crate::Limits`].
        name: &'static str,
        /// Its value.
        most: usize,
    },
    /// The text is not UTF-8.
    #[error("line {line}: not UTF-8")]
    Encoding {
        /// Where.
        line: usize,
    },
    /// A line that has no name, no colon, or a character that may not stand in it.
    #[error("line {line}: {what}")]
    Syntax {
        /// Where.
        line: usize,
        /// In words for the author of the client.
        what: &'static str,
    },
    /// END without its BEGIN, BEGIN without its END.
    #[error("line {line}: {found} where END:{expected} should stand")]
    Nesting {
        /// Where.
        line: usize,
        /// The component that is open.
        expected: String,
        /// What stands there.
        found: String,
    },
    /// There is nothing between the first and the last octet.
    #[error("no component")]
    Empty,
}
