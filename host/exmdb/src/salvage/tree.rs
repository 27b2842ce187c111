//! The b-trees of a damaged file, walked without trust.
//!
//! An inner page counts whole or not at all: one made of garbage would lead into pages of other tables. What stands below a
//! damaged one is a [`Gap`], whose leaves are found later among the pages that nothing leads to. Of a leaf each cell counts for
//! itself. No page is read for two trees or two rows.
//!
//! Format: <https://www.sqlite.org/fileformat2.html#b_tree_pages>.

use std::collections::HashSet;

use super::{
    pages::{Pages, be16, be32},
    record,
};
use crate::StoredValue;

const INDEX_INNER: u8 = 2;
const TABLE_INNER: u8 = 5;
pub(super) const INDEX_LEAF: u8 = 10;
pub(super) const TABLE_LEAF: u8 = 13;

/// A range of rowids that a damaged page led to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gap {
    pub(super) page: u32,
    above: i64,
    up_to: i64,
}

impl Gap {
    pub(super) fn has(&self, rowid: i64) -> bool {
        self.above < rowid && rowid <= self.up_to
    }
}

/// A tree's pages with rows, in its order, and what is missing between them.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) pages: Vec<u32>,
    pub(super) gaps: Vec<Gap>,
}

/// A row of a table, or an entry of an index.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) rowid: Option<i64>,
    pub(super) values: Vec<StoredValue>,
}

/// The rows of a page.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pub(super) cells: Vec<Cell>,
    /// Those that could not be read.
    pub(super) damaged: u64,
}

/// A damaged file.
#[derive(Debug)]
pub(super) struct Wreck {
    pub(super) pages: Pages,
    seen: HashSet<u32>,
    free: HashSet<u32>,
}

struct Page {
    bytes: Vec<u8>,
    kind: u8,
    /// Where its cells begin.
    cells: Vec<usize>,
    /// All of them within the page.
    whole: bool,
    last_child: u32,
}

impl Wreck {
    pub(super) fn new(pages: Pages) -> Wreck {
        let mut wreck = Wreck {
            pages,
            seen: HashSet::new(),
            free: HashSet::new(),
        };
        wreck.find_free();
        wreck
    }

    /// Pages that the file's list of free ones names: what stands there was deleted.
    fn find_free(&mut self) {
        let mut trunk = self.pages.header.map_or(0, |header| header.first_free);
        while trunk != 0 && self.free.insert(trunk) {
            let Some(page) = self.pages.read(trunk) else {
                return;
            };
            let (words, _) = page.as_chunks::<4>();
            let mut words = words.iter().map(|word| u32::from_be_bytes(*word));
            let (next, count) = (words.next(), words.next());
            let count = count.unwrap_or_default() as usize;
            if next.is_none_or(|next| next > self.pages.count) || count > words.len() {
                return;
            }
            self.free.extend(words.take(count));
            trunk = next.unwrap_or_default();
        }
    }

    fn page(&self, number: u32) -> Option<Page> {
        let bytes = self.pages.read(number)?;
        let start = if number == 1 { 100 } else { 0 };
        let head = bytes.get(start..)?;
        let kind = *head.first()?;
        let inner = matches!(kind, INDEX_INNER | TABLE_INNER);
        if !inner && !matches!(kind, INDEX_LEAF | TABLE_LEAF) {
            return None;
        }
        let (count, first) = (be16(head.get(3..)?)?, start + if inner { 12 } else { 8 });
        let end = first.checked_add(count.checked_mul(2)?)?;
        let usable = self.pages.usable();
        let (pointers, _) = bytes.get(first..end.min(usable))?.as_chunks::<2>();
        let cells: Vec<_> = pointers
            .iter()
            .map(|pointer| usize::from(u16::from_be_bytes(*pointer)))
            .filter(|place| (end..usable).contains(place))
            .collect();
        Some(Page {
            kind,
            whole: cells.len() == count,
            cells,
            last_child: if inner { be32(head.get(8..)?)? } else { 0 },
            bytes,
        })
    }

    /// The pages of the tree below a root. Of an index, inner pages have rows too.
    pub(super) fn walk(&mut self, root: u32, table: bool) -> Walk {
        let mut walk = Walk::default();
        let mut open = vec![(root, i64::MIN, i64::MAX)];
        while let Some((number, above, up_to)) = open.pop() {
            let page = if self.seen.insert(number) {
                self.page(number)
            } else {
                None
            };
            let children = page.as_ref().and_then(|page| match page.kind {
                TABLE_LEAF if table => Some(Vec::new()),
                INDEX_LEAF if !table => Some(Vec::new()),
                TABLE_INNER if table => self.children(page, (above, up_to)),
                INDEX_INNER if !table => self.children(page, (above, up_to)),
                _ => None,
            });
            let Some(mut children) = children else {
                walk.gaps.push(Gap {
                    page: number,
                    above,
                    up_to,
                });
                continue;
            };
            if !table || children.is_empty() {
                walk.pages.push(number);
            }
            children.reverse();
            open.append(&mut children);
        }
        walk
    }

    /// Children with the rowids they may have; none when anything of the page does not hold.
    fn children(&self, page: &Page, (above, up_to): (i64, i64)) -> Option<Vec<(u32, i64, i64)>> {
        if !page.whole || page.cells.is_empty() {
            return None;
        }
        let (mut children, mut last) = (Vec::with_capacity(page.cells.len() + 1), above);
        for place in &page.cells {
            let cell = page.bytes.get(*place..)?;
            let child = be32(cell)?;
            if page.kind == TABLE_INNER {
                let key = record::varint(cell.get(4..)?)?.0.cast_signed();
                if key <= last && last != i64::MIN {
                    return None;
                }
                children.push((child, last, key));
                last = key;
            } else {
                children.push((child, above, up_to));
            }
        }
        children.push((page.last_child, last, up_to));
        let distinct: HashSet<_> = children.iter().map(|(child, ..)| *child).collect();
        let known = 2..=self.pages.count;
        let holds = distinct.len() == children.len()
            && distinct.iter().all(|child| known.contains(child))
            && last <= up_to;
        holds.then_some(children)
    }

    /// The rows of a page that [`Wreck::walk`] named.
    pub(super) fn cells(&mut self, number: u32) -> Cells {
        let mut found = Cells::default();
        let Some(page) = self.page(number) else {
            found.damaged = 1;
            return found;
        };
        found.damaged = u64::from(!page.whole);
        for place in &page.cells {
            match self.cell(&page, *place) {
                Some(cell) => found.cells.push(cell),
                None => found.damaged += 1,
            }
        }
        found
    }

    fn cell(&mut self, page: &Page, place: usize) -> Option<Cell> {
        let usable = self.pages.usable();
        let mut rest = page.bytes.get(place..usable)?;
        if page.kind == INDEX_INNER {
            rest = rest.get(4..)?;
        }
        let (size, used) = record::varint(rest)?;
        rest = rest.get(used..)?;
        let mut rowid = None;
        if page.kind == TABLE_LEAF {
            let (number, used) = record::varint(rest)?;
            rowid = Some(number.cast_signed());
            rest = rest.get(used..)?;
        }
        let all = u64::from(self.pages.count).saturating_mul(self.pages.size as u64);
        let size = usize::try_from(size).ok().filter(|_| size <= all)?;
        let local = local(size, usable, page.kind == TABLE_LEAF);
        let mut payload = rest.get(..local)?.to_vec();
        if local < size {
            self.overflow(be32(rest.get(local..)?)?, &mut payload, size)?;
        }
        Some(Cell {
            rowid,
            values: record::values(&payload)?,
        })
    }

    /// Adds what stands in overflow pages. The last of them leads nowhere; one that does was written over.
    fn overflow(&mut self, first: u32, payload: &mut Vec<u8>, size: usize) -> Option<()> {
        let mut next = first;
        while payload.len() < size {
            if !self.seen.insert(next) {
                return None;
            }
            let page = self.pages.read(next)?;
            let content = page.get(4..self.pages.usable())?;
            payload.extend_from_slice(content.get(..content.len().min(size - payload.len()))?);
            next = be32(&page)?;
        }
        (next == 0).then_some(())
    }

    /// Leaves that no walk came to and that are not free, with their rows.
    pub(super) fn orphans(&mut self, mut each: impl FnMut(u8, Vec<Cell>)) {
        for number in 2..=self.pages.count {
            if self.seen.contains(&number) || self.free.contains(&number) {
                continue;
            }
            let leaf = self.page(number).filter(|page| {
                page.whole && !page.cells.is_empty() && matches!(page.kind, TABLE_LEAF | INDEX_LEAF)
            });
            if let Some(page) = leaf {
                each(page.kind, self.cells(number).cells);
            }
        }
    }
}

/// Octets of a payload that stand in the page itself.
fn local(size: usize, usable: usize, table: bool) -> usize {
    let at_least = (usable.saturating_sub(12) * 32 / 255).saturating_sub(23);
    let at_most = match table {
        true => usable.saturating_sub(35),
        false => (usable.saturating_sub(12) * 64 / 255).saturating_sub(23),
    };
    if size <= at_most {
        return size;
    }
    let rest = size.saturating_sub(at_least) % usable.saturating_sub(4).max(1);
    match at_least + rest {
        fits if fits <= at_most => fits,
        _ => at_least,
    }
}
