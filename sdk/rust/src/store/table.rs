//! A page's columns, read as rows. Nothing is copied: a row borrows its keywords, structure and header from the table.

use super::{ItemFlags, ItemId, Property, Row, Table, Uid};

/// A row of a [`Table`], or what it has in common with a [`Row`].
#[derive(Debug, Clone, Copy)]
pub struct TableRow<'a> {
    /// Position in the view, from 1.
    pub position: u32,
    /// The UID in its folder.
    pub uid: Uid,
    /// Names it in calls about items.
    pub item: ItemId,
    /// RFC 7162.
    pub modseq: u64,
    /// `RECENT` as the view sees it.
    pub flags: ItemFlags,
    /// Indexes into `mailbox.keywords`.
    pub keywords: &'a [u16],
    /// Seconds since 1970.
    pub internal_date: i64,
    /// Seconds since 1970.
    pub save_date: i64,
    /// Octets of the RFC 5322 form.
    pub size: u64,
    /// `waxwing-formats-mime` `Structure`, encoded; empty when it was not asked for.
    pub structure: &'a [u8],
    /// The header block with its empty line; empty when it was not asked for.
    pub header: &'a [u8],
    /// Those that were asked for and exist.
    pub properties: &'a [Property],
}

impl<'a> From<&'a Row> for TableRow<'a> {
    fn from(row: &'a Row) -> Self {
        TableRow {
            position: row.position,
            uid: row.uid,
            item: row.item,
            modseq: row.modseq,
            flags: row.flags,
            keywords: &row.keywords,
            internal_date: row.internal_date,
            save_date: row.save_date,
            size: row.size,
            structure: &row.structure,
            header: &row.header,
            properties: &row.properties,
        }
    }
}

/// The piece of a row: from the end of the one before to its own.
fn piece<'a, T>(all: &'a [T], ends: &[u32], at: usize) -> &'a [T] {
    let before = at.checked_sub(1).and_then(|before| ends.get(before));
    let first = before.map_or(0, |end| *end as usize);
    let end = ends.get(at).map_or(first, |end| *end as usize);
    all.get(first..end).unwrap_or_default()
}

impl Table {
    /// Rows.
    pub fn len(&self) -> usize {
        self.uids.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.uids.is_empty()
    }

    /// The row at this place, from 0.
    pub fn row(&self, at: usize) -> Option<TableRow<'_>> {
        Some(TableRow {
            position: *self.positions.get(at)?,
            uid: *self.uids.get(at)?,
            item: *self.items.get(at)?,
            modseq: *self.modseqs.get(at)?,
            flags: ItemFlags::from_bits_retain(*self.flags.get(at)? as u16),
            keywords: match self.keywords.is_empty() {
                true => &[],
                false => piece(&self.keywords, &self.keyword_ends, at),
            },
            internal_date: *self.internal_dates.get(at)?,
            save_date: *self.save_dates.get(at)?,
            size: *self.sizes.get(at)?,
            structure: piece(&self.structures, &self.structure_ends, at),
            header: piece(&self.headers, &self.header_ends, at),
            properties: self.properties.get(at).map_or(&[], Vec::as_slice),
        })
    }

    /// All rows in order.
    pub fn rows(&self) -> impl Iterator<Item = TableRow<'_>> {
        (0..self.len()).filter_map(|at| self.row(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_its_own_pieces() {
        let table = Table {
            positions: vec![1, 2],
            uids: vec![5, 9],
            items: vec![50, 90],
            modseqs: vec![3, 4],
            flags: vec![1, 0],
            keyword_ends: vec![0, 2],
            keywords: vec![7, 8],
            internal_dates: vec![0, 0],
            save_dates: vec![0, 0],
            sizes: vec![1, 2],
            structure_ends: vec![2, 3],
            structures: b"abc".to_vec(),
            header_ends: Vec::new(),
            headers: Vec::new(),
            properties: Vec::new(),
        };
        let rows: Vec<_> = table.rows().collect();
        let pieces = |row: &TableRow<'_>| (row.keywords.to_vec(), row.structure.to_vec());
        assert_eq!(pieces(&rows[0]), (vec![], b"ab".to_vec()));
        assert_eq!(pieces(&rows[1]), (vec![7, 8], b"c".to_vec()));
        assert_eq!((rows[0].flags, rows[1].uid), (ItemFlags::SEEN, 9));
        assert!(rows.iter().all(|row| row.header.is_empty()));
    }
}
