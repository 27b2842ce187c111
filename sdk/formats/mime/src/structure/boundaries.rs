//! The boundaries that are open at a place of the message, and which of them a line ends.
//!
//! A line is looked up once among all, so that a message that opens a hundred multiparts and then consists of lines
//! that look like delimiters costs no more than another.

use std::collections::BTreeMap;

/// A stack; the index of a boundary is its depth.
#[derive(Default)]
pub(super) struct Boundaries {
    open: Vec<Vec<u8>>,
    /// The indexes of each text, ascending: inner multiparts may use the boundary of an outer one.
    by_text: BTreeMap<Vec<u8>, Vec<usize>>,
}

/// What a delimiter line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Delimiter {
    /// The boundary's index.
    pub(super) index: usize,
    /// Whether no part follows.
    pub(super) last: bool,
}

impl Boundaries {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Opens a boundary and tells its index.
    pub(super) fn push(&mut self, boundary: Vec<u8>) -> usize {
        let index = self.open.len();
        let indexes = self.by_text.entry(boundary.clone()).or_default();
        indexes.push(index);
        self.open.push(boundary);
        index
    }

    /// Closes the innermost boundary.
    pub(super) fn pop(&mut self) {
        let Some(boundary) = self.open.pop() else {
            return;
        };
        if let Some(indexes) = self.by_text.get_mut(&boundary) {
            indexes.pop();
            if indexes.is_empty() {
                self.by_text.remove(&boundary);
            }
        }
    }

    /// The delimiter that a line is, without its leading `--`; of several the innermost.
    pub(super) fn delimiter(&self, line: &[u8]) -> Option<Delimiter> {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        let len = line
            .iter()
            .rposition(|byte| !blank(byte))
            .map_or(0, |at| at + 1);
        let text = line.get(..len)?;
        let find = |text: &[u8], last| {
            let index = *self.by_text.get(text)?.last()?;
            Some(Delimiter { index, last })
        };
        let closing = text.strip_suffix(b"--").and_then(|text| find(text, true));
        find(text, false).max(closing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_boundary_that_fits_takes_the_line() {
        let mut boundaries = Boundaries::default();
        for boundary in ["a", "a--", "a"] {
            boundaries.push(boundary.as_bytes().to_vec());
        }
        let told = |boundaries: &Boundaries, line: &str| {
            let delimiter = boundaries.delimiter(line.as_bytes());
            delimiter.map(|delimiter| (delimiter.index, delimiter.last))
        };
        assert_eq!(told(&boundaries, "a \t\r\n"), Some((2, false)));
        assert_eq!(told(&boundaries, "a--\n"), Some((2, true)));
        assert_eq!(told(&boundaries, "a----"), Some((1, true)));
        assert_eq!(told(&boundaries, "a b"), None);
        boundaries.pop();
        assert_eq!(told(&boundaries, "a"), Some((0, false)));
        assert_eq!(told(&boundaries, "a--"), Some((1, false)));
    }
}
