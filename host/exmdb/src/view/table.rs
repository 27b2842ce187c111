//! Rows as columns, for those that hand whole pages over a boundary where a row costs more than a number.

use waxwing_formats_mapi::Property;

use crate::{Columns, Row};

/// The columns of some rows, all of one length except those that say otherwise.
#[derive(Debug, Default)]
pub struct Table {
    /// As [`Row::position`].
    pub positions: Vec<u32>,
    /// As [`Row::uid`].
    pub uids: Vec<u32>,
    /// As [`Row::item`].
    pub items: Vec<u64>,
    /// As [`Row::modseq`].
    pub modseqs: Vec<u64>,
    /// As [`Row::flags`].
    pub flags: Vec<u32>,
    /// How long `keywords` is with each row's.
    pub keyword_ends: Vec<u32>,
    /// All rows' one after the other.
    pub keywords: Vec<u16>,
    /// As [`Row::internal_date`].
    pub internal_dates: Vec<i64>,
    /// As [`Row::save_date`].
    pub save_dates: Vec<i64>,
    /// As [`Row::size`].
    pub sizes: Vec<u64>,
    /// As `keyword_ends`; empty when structures were not asked for.
    pub structure_ends: Vec<u32>,
    /// All rows' one after the other.
    pub structures: Vec<u8>,
    /// As `keyword_ends`; empty when headers were not asked for.
    pub header_ends: Vec<u32>,
    /// All rows' one after the other.
    pub headers: Vec<u8>,
    /// Empty when properties were not asked for.
    pub properties: Vec<Vec<Property>>,
}

/// A page is far below 4 GiB (`fetch`).
fn end(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

impl Table {
    /// The columns of rows that were fetched with these.
    pub fn of(rows: Vec<Row>, columns: Columns) -> Table {
        let mut table = Table::with_capacity(rows.len());
        for row in rows {
            table.positions.push(row.position);
            table.uids.push(row.uid.0);
            table.items.push(row.item.0);
            table.modseqs.push(row.modseq);
            table.flags.push(row.flags.0);
            table.keywords.extend_from_slice(&row.keywords);
            table.keyword_ends.push(end(table.keywords.len()));
            table.internal_dates.push(row.internal_date);
            table.save_dates.push(row.save_date);
            table.sizes.push(row.size);
            if columns.has(Columns::STRUCTURE) {
                table.structures.extend_from_slice(&row.structure);
                table.structure_ends.push(end(table.structures.len()));
            }
            if columns.has(Columns::HEADER) {
                table.headers.extend_from_slice(&row.header);
                table.header_ends.push(end(table.headers.len()));
            }
            if columns.has(Columns::PROPERTIES) {
                table.properties.push(row.properties);
            }
        }
        table
    }

    fn with_capacity(rows: usize) -> Table {
        Table {
            positions: Vec::with_capacity(rows),
            uids: Vec::with_capacity(rows),
            items: Vec::with_capacity(rows),
            modseqs: Vec::with_capacity(rows),
            flags: Vec::with_capacity(rows),
            keyword_ends: Vec::with_capacity(rows),
            internal_dates: Vec::with_capacity(rows),
            save_dates: Vec::with_capacity(rows),
            sizes: Vec::with_capacity(rows),
            ..Table::default()
        }
    }
}
