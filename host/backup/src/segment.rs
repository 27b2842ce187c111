//! Rows of a table as octets, and where one segment ends and the next begins.
//!
//! A segment ends after a row whose key hashes to a multiple of [`ROWS`], or when it is large. So the ends depend on the rows
//! themselves: where a row is added, changed or removed, one segment is another, and its neighbours stay as they were.

use waxwing_exmdb::StoredValue;

/// Rows of a segment, on average.
const ROWS: u64 = 512;
/// Octets of a segment, unless one row has more.
const OCTETS: usize = 4 << 20;

/// A row.
pub(crate) type StoredRow = Vec<StoredValue>;

/// Gathers rows, and says when a segment is whole.
#[derive(Debug)]
pub(crate) struct Cutter {
    /// Places of the key's columns in a row.
    key: Vec<usize>,
    octets: Vec<u8>,
}

impl Cutter {
    pub(crate) fn new(key: Vec<usize>) -> Cutter {
        Cutter {
            key,
            octets: Vec::new(),
        }
    }

    /// Adds a row; answers with the segment that it ends.
    pub(crate) fn add(&mut self, row: &StoredRow) -> postcard::Result<Option<Vec<u8>>> {
        self.octets = postcard::to_extend(row, std::mem::take(&mut self.octets))?;
        let key: Vec<_> = match self.key.as_slice() {
            [] => row.iter().collect(),
            key => key.iter().filter_map(|place| row.get(*place)).collect(),
        };
        let hash = blake3::hash(&postcard::to_stdvec(&key)?);
        let number = hash
            .as_bytes()
            .first_chunk()
            .map_or(0, |eight| u64::from_le_bytes(*eight));
        if number.is_multiple_of(ROWS) || self.octets.len() >= OCTETS {
            return Ok(Some(std::mem::take(&mut self.octets)));
        }
        Ok(None)
    }

    /// What is left at the end of the table.
    pub(crate) fn end(self) -> Option<Vec<u8>> {
        (!self.octets.is_empty()).then_some(self.octets)
    }
}

/// The rows of a segment.
pub(crate) fn rows(mut octets: &[u8]) -> postcard::Result<Vec<StoredRow>> {
    let mut rows = Vec::new();
    while !octets.is_empty() {
        let (row, rest) = postcard::take_from_bytes(octets)?;
        rows.push(row);
        octets = rest;
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn segments(keys: &[i64]) -> Vec<Vec<u8>> {
        let mut cutter = Cutter::new(vec![0]);
        let mut segments = Vec::new();
        for key in keys {
            let row = vec![StoredValue::Integer(*key), StoredValue::Text("x".into())];
            segments.extend(cutter.add(&row).unwrap());
        }
        segments.extend(cutter.end());
        segments
    }

    #[test]
    fn a_row_that_goes_changes_one_segment() {
        let keys: Vec<i64> = (0..20_000).collect();
        let before = segments(&keys);
        let without: Vec<i64> = keys.into_iter().filter(|key| *key != 7_777).collect();
        let after = segments(&without);
        let new = after.iter().filter(|segment| !before.contains(segment));
        assert!(before.len() > 10);
        assert_eq!(new.count(), 1);
    }

    fn value() -> impl Strategy<Value = StoredValue> {
        prop_oneof![
            Just(StoredValue::Null),
            any::<i64>().prop_map(StoredValue::Integer),
            (-1e300..1e300f64).prop_map(StoredValue::Real),
            ".{0,20}".prop_map(StoredValue::Text),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(StoredValue::Blob),
        ]
    }

    proptest! {
        #[test]
        fn rows_come_back_as_they_were(table in prop::collection::vec(prop::collection::vec(value(), 0..6), 0..40)) {
            let mut cutter = Cutter::new(Vec::new());
            let mut read = Vec::new();
            for row in &table {
                if let Some(segment) = cutter.add(row).unwrap() {
                    read.extend(rows(&segment).unwrap());
                }
            }
            if let Some(segment) = cutter.end() {
                read.extend(rows(&segment).unwrap());
            }
            prop_assert_eq!(read, table);
        }

        #[test]
        fn octets_that_are_no_rows_are_an_error_and_no_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = rows(&octets);
        }
    }
}
