//! What is readable of a damaged file: its rows, table by table, and what its indexes say of the rows that are not.
//!
//! Where the tables stand is read from the file's own schema, and from a new file's where that is damaged: the migrations
//! give a table the same root in every file. An index tells of a lost row what it is made of: the name of a folder, the
//! folder and UID of an item and the blob it has, the digest of a blob.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;
use sqlx::SqliteConnection;
use tokio::sync::mpsc::Sender;

use super::{
    pages::Pages,
    tree::{Cell, Gap, TABLE_LEAF, Wreck},
};
use crate::{
    PackedBlob, Result, StoredValue,
    snapshot::{BLOBS, DATA, tables},
};

/// A row, by the table's columns.
pub(super) type Row = Vec<StoredValue>;

/// Rows handed over at once.
const BATCH: usize = 256;

/// Tables whose lost leaves are looked for among pages that nothing leads to: those whose rows look like no others'.
/// Permissions are not among them: a wrong one would open a mailbox.
const DISTINCT: [&str; 9] = [
    "folders",
    "items",
    "blobs",
    "bags",
    "attachments",
    "tombstones",
    "names",
    "kv",
    "objects",
];

/// Indexes that tell of lost rows, by table.
const WITNESSES: [(&str, &[&str]); 5] = [
    ("folders", &["sqlite_autoindex_folders_1"]),
    ("items", &["items_uid", "items_blob", "items_deleted"]),
    ("blobs", &["sqlite_autoindex_blobs_1"]),
    ("keywords", &["sqlite_autoindex_keywords_1"]),
    ("names", &["names_lid", "names_name"]),
];

#[derive(Debug, Clone)]
struct Column {
    kind: String,
    nullable: bool,
}

/// A table as the schema says it.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) name: String,
    pub(super) columns: Vec<String>,
    kinds: Vec<Column>,
    /// Rows have a rowid; a column may stand for it.
    has_rowid: bool,
    rowid_column: Option<usize>,
    /// Where each column stands in a record.
    order: Vec<usize>,
}

/// The tables of a new file, and where all its trees stand.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) shapes: Vec<Shape>,
    roots: HashMap<String, u32>,
}

impl Plan {
    pub(super) async fn of(conn: &mut SqliteConnection) -> Result<Plan> {
        let roots: Vec<(String, u32)> =
            sqlx::query_as("SELECT name, rootpage FROM sqlite_schema WHERE rootpage > 0")
                .fetch_all(&mut *conn)
                .await?;
        let mut shapes = Vec::new();
        for table in tables(conn).await? {
            shapes.push(Shape::of(conn, table.name, &table.key).await?);
        }
        Ok(Plan {
            shapes,
            roots: roots.into_iter().collect(),
        })
    }
}

impl Shape {
    async fn of(conn: &mut SqliteConnection, name: String, key: &[String]) -> Result<Shape> {
        let info = "SELECT name, type, \"notnull\" FROM pragma_table_info(?) ORDER BY cid";
        let info: Vec<(String, String, bool)> = sqlx::query_as(info)
            .bind(&name)
            .fetch_all(&mut *conn)
            .await?;
        let has_rowid: bool = sqlx::query_scalar("SELECT NOT wr FROM pragma_table_list(?)")
            .bind(&name)
            .fetch_one(&mut *conn)
            .await?;
        let place = |column: &String| info.iter().position(|(name, ..)| name == column);
        let keys: Vec<_> = key.iter().filter_map(place).collect();
        let rowid_column = match keys.as_slice() {
            [one] if has_rowid => info
                .get(*one)
                .filter(|(_, kind, _)| kind == "INTEGER")
                .map(|_| *one),
            _ => None,
        };
        // Without rowid, the key's columns stand first.
        let mut order: Vec<_> = (0..info.len()).collect();
        if !has_rowid {
            order.retain(|place| !keys.contains(place));
            order.splice(..0, keys.iter().copied());
        }
        let kinds = info.iter().enumerate().map(|(place, (_, kind, not_null))| {
            let is_key = keys.contains(&place) && !has_rowid;
            Column {
                kind: kind.clone(),
                nullable: !not_null && !is_key,
            }
        });
        Ok(Shape {
            kinds: kinds.collect(),
            columns: info.iter().map(|(name, ..)| name.clone()).collect(),
            name,
            has_rowid,
            rowid_column,
            order,
        })
    }

    /// The cell as a row, if it can be one of this table.
    fn row(&self, cell: Cell) -> Option<Row> {
        if cell.rowid.is_some() != self.has_rowid || cell.values.len() != self.columns.len() {
            return None;
        }
        let mut row = vec![StoredValue::Null; self.columns.len()];
        for (value, place) in cell.values.into_iter().zip(&self.order) {
            *row.get_mut(*place)? = value;
        }
        if let (Some(place), Some(rowid)) = (self.rowid_column, cell.rowid) {
            let stands_for = row.get_mut(place)?;
            if *stands_for != StoredValue::Null {
                return None;
            }
            *stands_for = StoredValue::Integer(rowid);
        }
        let fits = row
            .iter()
            .zip(&self.kinds)
            .all(|(value, column)| match value {
                StoredValue::Null => column.nullable,
                StoredValue::Integer(_) => column.kind == "INTEGER",
                StoredValue::Real(_) => column.kind == "REAL",
                StoredValue::Text(_) => column.kind == "TEXT",
                StoredValue::Blob(_) => column.kind == "BLOB",
            });
        fits.then_some(row)
    }
}

impl Shape {
    /// Octets of a blob are what they were: a page within them that was written over does not always break their chain.
    fn holds(&self, row: &Row) -> bool {
        let value = |name: &str| {
            let place = self.columns.iter().position(|column| column == name)?;
            row.get(place)
        };
        if self.name != BLOBS {
            return true;
        }
        match (value("digest"), value("frames"), value(DATA)) {
            (
                Some(StoredValue::Blob(digest)),
                Some(StoredValue::Blob(frames)),
                Some(StoredValue::Blob(data)),
            ) => {
                let packed = PackedBlob {
                    frames: frames.clone(),
                    packed: Bytes::from(data.clone()),
                };
                packed
                    .content()
                    .is_ok_and(|(content, _)| content[..] == digest[..])
            }
            _ => true,
        }
    }
}

/// What is damaged of a table.
#[derive(Debug, Default)]
pub(super) struct Damage {
    gaps: Vec<Gap>,
    rows: u64,
}

/// What was seen beside the rows.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) damage: BTreeMap<String, Damage>,
    /// Entries of indexes whose rows were not found, by index; the last value is the row's.
    pub(super) witnesses: HashMap<&'static str, Vec<Row>>,
    /// Rows came from pages that nothing led to.
    pub(super) orphans: bool,
    /// Damaged pages of trees, tables or indexes.
    pub(super) damaged_pages: Vec<u32>,
}

impl Seen {
    pub(super) fn is_damaged(&self, table: &str) -> bool {
        self.damage.contains_key(table)
    }

    pub(super) fn witnesses(&self, index: &str) -> &[Row] {
        self.witnesses.get(index).map_or(&[], Vec::as_slice)
    }
}

/// Reads everything. Blocking; ends early when nobody takes the rows.
pub(super) fn read(pages: Pages, plan: &Plan, rows: &Sender<(usize, Vec<Row>)>) -> Option<Seen> {
    let mut reading = Reading {
        wreck: Wreck::new(pages),
        plan,
        rows,
        ids: HashMap::new(),
        seen: Seen::default(),
    };
    let roots = reading.roots();
    // All trees first, so that no damaged row takes a page of another tree for its own.
    let mut walks: HashMap<&str, Vec<u32>> = HashMap::new();
    let mut names: Vec<_> = roots.iter().collect();
    names.sort_by_key(|(_, root)| **root);
    for (name, root) in names {
        let table = plan.shapes.iter().find(|shape| shape.name == **name);
        let walk = reading
            .wreck
            .walk(*root, table.is_some_and(|table| table.has_rowid));
        let damaged = walk.gaps.iter().map(|gap| gap.page);
        reading.seen.damaged_pages.extend(damaged);
        if table.is_some() && !walk.gaps.is_empty() {
            reading.seen.damage.entry(name.clone()).or_default().gaps = walk.gaps;
        }
        walks.insert(name, walk.pages);
    }
    for (number, shape) in plan.shapes.iter().enumerate() {
        let pages = walks.get(shape.name.as_str()).cloned().unwrap_or_default();
        reading.table(number, shape, &pages)?;
    }
    let damaged = reading.seen.damage.values();
    if damaged.map(|damage| damage.gaps.len()).sum::<usize>() > 0 {
        reading.orphans()?;
    }
    for (table, indexes) in WITNESSES {
        if reading.seen.is_damaged(table) {
            for index in indexes {
                let pages = walks.get(index).cloned().unwrap_or_default();
                reading.witness(table, index, &pages);
            }
        }
    }
    reading.seen.damaged_pages.sort_unstable();
    Some(reading.seen)
}

struct Reading<'r> {
    wreck: Wreck,
    plan: &'r Plan,
    rows: &'r Sender<(usize, Vec<Row>)>,
    /// Rowids that were found, of the tables that have witnesses.
    ids: HashMap<String, HashSet<i64>>,
    seen: Seen,
}

impl Reading<'_> {
    fn roots(&mut self) -> HashMap<String, u32> {
        let mut roots = self.plan.roots.clone();
        let schema = self.wreck.walk(1, true);
        self.seen
            .damaged_pages
            .extend(schema.gaps.iter().map(|gap| gap.page));
        for page in schema.pages {
            for cell in self.wreck.cells(page).cells {
                if let [_, StoredValue::Text(name), _, StoredValue::Integer(root), _] =
                    cell.values.as_slice()
                    && let Ok(root) = u32::try_from(*root)
                    && let Some(known) = roots.get_mut(name)
                {
                    *known = root;
                }
            }
        }
        roots
    }

    fn table(&mut self, number: usize, shape: &Shape, pages: &[u32]) -> Option<()> {
        let mut batch = Vec::new();
        for page in pages {
            let found = self.wreck.cells(*page);
            let mut damaged = found.damaged;
            for cell in found.cells {
                let rowid = cell.rowid;
                match shape.row(cell).filter(|row| shape.holds(row)) {
                    Some(row) => {
                        self.found(shape, rowid);
                        batch.push(row);
                    }
                    None => damaged += 1,
                }
            }
            if damaged > 0 {
                let damage = self.seen.damage.entry(shape.name.clone()).or_default();
                damage.rows += damaged;
            }
            if batch.len() >= BATCH {
                self.hand_over(number, std::mem::take(&mut batch))?;
            }
        }
        self.hand_over(number, batch)
    }

    fn found(&mut self, shape: &Shape, rowid: Option<i64>) {
        let has_witness = WITNESSES.iter().any(|(table, _)| *table == shape.name);
        if let Some(rowid) = rowid.filter(|_| has_witness) {
            self.ids
                .entry(shape.name.clone())
                .or_default()
                .insert(rowid);
        }
    }

    fn hand_over(&self, number: usize, batch: Vec<Row>) -> Option<()> {
        if batch.is_empty() {
            return Some(());
        }
        self.rows.blocking_send((number, batch)).ok()
    }

    /// A leaf is one of a table whose rows look like its rows, and whose gap has its rowids.
    fn orphans(&mut self) -> Option<()> {
        let plan = self.plan;
        let damage = &self.seen.damage;
        let wanted: Vec<_> = plan
            .shapes
            .iter()
            .enumerate()
            .filter(|(_, shape)| DISTINCT.contains(&shape.name.as_str()))
            .filter_map(|(number, shape)| {
                let gaps = damage.get(&shape.name)?.gaps.clone();
                (!gaps.is_empty()).then_some((number, shape, gaps))
            })
            .collect();
        let (mut taken, rows) = (Vec::new(), self.rows);
        let mut broken_off = false;
        self.wreck.orphans(|kind, cells| {
            let mut cells: Vec<_> = cells.into_iter().map(Some).collect();
            for (number, shape, gaps) in &wanted {
                if shape.has_rowid != (kind == TABLE_LEAF) {
                    continue;
                }
                let mut batch = Vec::new();
                for slot in &mut cells {
                    let fits = slot.as_ref().is_some_and(|cell| {
                        cell.values.len() == shape.columns.len()
                            && cell
                                .rowid
                                .is_none_or(|rowid| gaps.iter().any(|gap| gap.has(rowid)))
                    });
                    if fits && let Some(cell) = slot.take() {
                        let rowid = cell.rowid;
                        if let Some(row) = shape.row(cell).filter(|row| shape.holds(row)) {
                            taken.push((*number, rowid));
                            batch.push(row);
                        }
                    }
                }
                if !batch.is_empty() {
                    broken_off |= rows.blocking_send((*number, batch)).is_err();
                }
            }
        });
        self.seen.orphans = !taken.is_empty();
        for (number, rowid) in taken {
            if let Some(shape) = plan.shapes.get(number) {
                self.found(shape, rowid);
            }
        }
        (!broken_off).then_some(())
    }

    fn witness(&mut self, table: &str, index: &'static str, pages: &[u32]) {
        let none = HashSet::new();
        let mut entries = Vec::new();
        for page in pages {
            entries.extend(
                self.wreck
                    .cells(*page)
                    .cells
                    .into_iter()
                    .map(|cell| cell.values),
            );
        }
        let known = self.ids.get(table).unwrap_or(&none);
        entries.retain(
            |entry| matches!(entry.last(), Some(StoredValue::Integer(id)) if !known.contains(id)),
        );
        self.seen.witnesses.insert(index, entries);
    }
}
