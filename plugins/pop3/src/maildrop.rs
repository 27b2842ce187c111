//! The maildrop: the INBOX as it was at log-in (RFC 1939 section 8: numbers and sizes stand for the whole session).
//!
//! What a number stands for is kept in a body of the host, [`ROW`] octets for each message: a session of a hundred thousand
//! messages then freezes to as little as one of ten, and a row costs one read. The view alone would not do: it leaves out what
//! IMAP has expunged meanwhile, and LIST would tell other numbers than STAT.
//!
//! A message that is gone is refused when it is asked for. One lock of the host on the mailbox keeps a second session away; it
//! belongs to the connection, so it survives a hand-over and does not survive its owner.

use serde::{Deserialize, Serialize};
use waxwing_sdk::accounts;
use waxwing_sdk::bodies::{self, Body, Piece};
use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::store::{
    FlagMode, FlagUpdate, ItemFlags, Mailbox, Query, Selection, Span, Table, View, folders, views,
};

use crate::marks::Marks;
use crate::reply::{Answer, Refusal};

/// Octets of a row: UID, item and size.
const ROW: usize = 4 + 8 + 8;
/// Octets that are handed to the host at once while the rows are collected.
const PIECE: usize = 1 << 20;
/// The host's name of the lock.
const LOCK: &str = "maildrop";
/// `folder.role` of the INBOX.
const INBOX: u32 = 1;

/// What is frozen of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Maildrop {
    /// By which the session opened its mailbox.
    pub(crate) mailbox: u32,
    pub(crate) view: u64,
    pub(crate) uid_validity: u32,
    /// At log-in.
    pub(crate) messages: u32,
    pub(crate) octets: u64,
    /// Under which the rows are kept while the session is frozen; 0 in a live one.
    pub(crate) rows: u64,
    pub(crate) deleted: Marks,
    pub(crate) deleted_messages: u32,
    pub(crate) deleted_octets: u64,
}

/// A message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) uid: u32,
    pub(crate) item: u64,
    pub(crate) size: u64,
}

/// Handles; none of this is frozen.
#[derive(Debug, Default)]
pub(crate) struct Live {
    rows: Option<Body>,
    view: Option<View>,
}

impl Maildrop {
    /// Messages that are not marked, and their octets.
    pub(crate) fn left(&self) -> (u32, u64) {
        (
            self.messages.saturating_sub(self.deleted_messages),
            self.octets.saturating_sub(self.deleted_octets),
        )
    }

    /// Whether a number stands for a message that is not marked.
    pub(crate) fn demand(&self, number: u32) -> Answer<()> {
        if number == 0 || number > self.messages {
            return Err(Refusal::client("There is no such message"));
        }
        match self.deleted.contains(number) {
            true => Err(Refusal::client("The message is deleted")),
            false => Ok(()),
        }
    }

    pub(crate) fn mark(&mut self, number: u32, row: Row) -> Answer<()> {
        if !self.deleted.insert(number) {
            return Err(Refusal::server(
                "[SYS/TEMP] No more single deletions fit this session, QUIT first",
            ));
        }
        self.deleted_messages += 1;
        self.deleted_octets += row.size;
        Ok(())
    }

    pub(crate) fn unmark_all(&mut self) {
        self.deleted.clear();
        self.deleted_messages = 0;
        self.deleted_octets = 0;
    }
}

impl Row {
    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.uid.to_le_bytes());
        out.extend_from_slice(&self.item.to_le_bytes());
        out.extend_from_slice(&self.size.to_le_bytes());
    }

    fn read(octets: &[u8]) -> Option<Row> {
        let (uid, rest) = octets.split_first_chunk()?;
        let (item, rest) = rest.split_first_chunk()?;
        let (size, _) = rest.split_first_chunk()?;
        Some(Row {
            uid: u32::from_le_bytes(*uid),
            item: u64::from_le_bytes(*item),
            size: u64::from_le_bytes(*size),
        })
    }
}

/// Locks the mailbox and takes the snapshot.
pub(crate) fn open(mailbox: &Mailbox) -> Answer<(Maildrop, Live)> {
    mailbox.lock(LOCK).map_err(|fault| match fault.class {
        FaultClass::Conflict => {
            Refusal::server("[IN-USE] Another session has the maildrop, try later")
        }
        _ => Refusal::from(fault),
    })?;
    let inbox = folders::by_role(mailbox, INBOX)?;
    let view = views::open(mailbox, inbox.id, false)?;
    let info = view.info();
    let rows = match info.exists {
        0 => Rows::default(),
        _ => Rows::of(&view)?,
    };
    let maildrop = Maildrop {
        mailbox: mailbox.number(),
        view: info.id,
        uid_validity: info.uid_validity,
        messages: rows.messages,
        octets: rows.octets,
        rows: 0,
        deleted: Marks::default(),
        deleted_messages: 0,
        deleted_octets: 0,
    };
    let live = Live {
        rows: Some(rows.finish()?),
        view: Some(view),
    };
    Ok((maildrop, live))
}

fn all(after: u32) -> Query {
    Query {
        selection: Selection::Positions(vec![Span {
            first: 1,
            last: u32::MAX,
        }]),
        columns: 0,
        tags: Vec::new(),
        changed_since: None,
        after,
        limit: u32::MAX,
    }
}

/// Rows on their way to the host.
#[derive(Default)]
struct Rows {
    messages: u32,
    octets: u64,
    pending: Vec<u8>,
    pieces: Vec<Body>,
}

impl Rows {
    fn of(view: &View) -> Answer<Rows> {
        let mut rows = Rows::default();
        let mut after = Some(0);
        while let Some(from) = after {
            let page = view.fetch_table(&all(from))?;
            rows.take(&page.rows)?;
            after = page.next;
        }
        Ok(rows)
    }

    fn take(&mut self, table: &Table) -> Answer<()> {
        let columns = table.uids.iter().zip(&table.items).zip(&table.sizes);
        for ((&uid, &item), &size) in columns {
            self.messages += 1;
            self.octets += size;
            Row { uid, item, size }.write(&mut self.pending);
        }
        if self.pending.len() >= PIECE {
            self.hand_over()?;
        }
        Ok(())
    }

    fn hand_over(&mut self) -> Answer<()> {
        let piece = Piece::Bytes(std::mem::take(&mut self.pending));
        self.pieces.push(bodies::compose(&[piece])?);
        Ok(())
    }

    fn finish(mut self) -> Answer<Body> {
        self.hand_over()?;
        let pieces: Vec<Piece<'_>> = self.pieces.iter().map(bodies::whole).collect();
        Ok(bodies::compose(&pieces)?)
    }
}

impl Live {
    /// Keeps with the host what the next version or instance needs; the token.
    pub(crate) fn keep(&self) -> u64 {
        self.rows.as_ref().map_or(0, Body::keep)
    }

    /// Takes back what was kept.
    pub(crate) fn resume(token: u64) -> Result<Live, String> {
        let rows =
            bodies::resume(token).map_err(|fault| format!("the maildrop is lost: {fault}"))?;
        Ok(Live {
            rows: Some(rows),
            view: None,
        })
    }

    pub(crate) fn row(&self, number: u32) -> Answer<Row> {
        let rows = self.rows(number, 1)?;
        rows.first().copied().ok_or_else(broken)
    }

    /// So many rows from a number on; fewer only at the end.
    pub(crate) fn rows(&self, first: u32, count: u32) -> Answer<Vec<Row>> {
        let body = self.rows.as_ref().ok_or_else(broken)?;
        let row = u32::try_from(ROW).unwrap_or(u32::MAX);
        let offset = u64::from(first.saturating_sub(1)) * u64::from(row);
        if offset >= body.size() {
            return Ok(Vec::new());
        }
        let octets = body.read(offset, count.saturating_mul(row))?;
        Ok(octets.chunks_exact(ROW).filter_map(Row::read).collect())
    }

    fn view(&mut self, maildrop: &Maildrop) -> Answer<&View> {
        if self.view.is_none() {
            let mailbox = accounts::reopen_mailbox(maildrop.mailbox)?;
            self.view = Some(views::resume(&mailbox, maildrop.view)?);
        }
        self.view.as_ref().ok_or_else(broken)
    }

    /// The RFC 5322 form of a message.
    pub(crate) fn message(&mut self, maildrop: &Maildrop, row: Row) -> Answer<Body> {
        let mut opened = self.view(maildrop)?.open_bodies(&[row.item]);
        Ok(opened.pop().ok_or_else(broken)??)
    }

    /// Removes the marked messages. Those that somebody else has removed or moved away are passed over.
    pub(crate) fn remove_marked(&mut self, maildrop: &Maildrop) -> Answer<()> {
        let uids = self.marked(maildrop)?;
        let view = self.view(maildrop)?;
        view.set_flags_table(&FlagUpdate {
            selection: Selection::Uids(uids.clone()),
            mode: FlagMode::Add,
            flags: ItemFlags::DELETED,
            keywords: Vec::new(),
            unchanged_since: None,
        })?;
        view.expunge(Some(&Selection::Uids(uids)))?;
        Ok(())
    }

    fn marked(&self, maildrop: &Maildrop) -> Answer<Vec<Span>> {
        let mut uids: Vec<Span> = Vec::new();
        for (first, last) in maildrop.deleted.runs() {
            let mut next = first;
            while next <= last {
                let rows = self.rows(next, (last - next + 1).min(PAGE))?;
                if rows.is_empty() {
                    return Err(broken());
                }
                for row in &rows {
                    add(&mut uids, row.uid);
                }
                next += u32::try_from(rows.len()).unwrap_or(u32::MAX);
            }
        }
        Ok(uids)
    }
}

/// Rows of one read.
pub(crate) const PAGE: u32 = 4_096;

/// UIDs come in ascending order.
fn add(uids: &mut Vec<Span>, uid: u32) {
    match uids.last_mut() {
        Some(span) if span.last.checked_add(1) == Some(uid) => span.last = uid,
        _ => uids.push(Span {
            first: uid,
            last: uid,
        }),
    }
}

fn broken() -> Refusal {
    waxwing_sdk::error!("the rows of the maildrop are not what they were");
    Refusal::server("[SYS/TEMP] Internal error, connect again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(uids: std::ops::Range<u32>) -> Table {
        Table {
            uids: uids.clone().collect(),
            items: uids.clone().map(|uid| u64::from(uid) << 33).collect(),
            sizes: uids.map(|uid| u64::from(uid) + 100).collect(),
            ..empty()
        }
    }

    fn empty() -> Table {
        Table {
            positions: Vec::new(),
            uids: Vec::new(),
            items: Vec::new(),
            modseqs: Vec::new(),
            flags: Vec::new(),
            keyword_ends: Vec::new(),
            keywords: Vec::new(),
            internal_dates: Vec::new(),
            save_dates: Vec::new(),
            sizes: Vec::new(),
            structure_ends: Vec::new(),
            structures: Vec::new(),
            header_ends: Vec::new(),
            headers: Vec::new(),
            properties: Vec::new(),
        }
    }

    fn maildrop(messages: u32) -> (Maildrop, Live) {
        let mut rows = Rows::default();
        rows.take(&table(1..messages + 1)).unwrap();
        let maildrop = Maildrop {
            mailbox: 1,
            view: 1,
            uid_validity: 7,
            messages: rows.messages,
            octets: rows.octets,
            rows: 0,
            deleted: Marks::default(),
            deleted_messages: 0,
            deleted_octets: 0,
        };
        let rows = Some(rows.finish().unwrap());
        (maildrop, Live { rows, view: None })
    }

    #[test]
    fn a_row_is_found_by_its_number_in_a_large_maildrop_and_survives_a_freeze() {
        let (_, live) = maildrop(120_000);
        let live = Live::resume(live.keep()).unwrap();
        let row = live.row(100_000).unwrap();
        assert_eq!(
            (row.uid, row.item, row.size),
            (100_000, 100_000 << 33, 100_100)
        );
        assert_eq!(live.rows(119_999, PAGE).unwrap().len(), 2);
        assert_eq!(live.rows(120_001, PAGE).unwrap(), []);
    }

    #[test]
    fn what_is_marked_does_not_count_and_cannot_be_asked_for() {
        let (mut maildrop, live) = maildrop(3);
        assert_eq!(maildrop.left(), (3, 306));
        maildrop.mark(2, live.row(2).unwrap()).unwrap();
        assert_eq!(maildrop.left(), (2, 204));
        assert!(maildrop.demand(2).is_err());
        assert!(maildrop.demand(0).is_err());
        assert!(maildrop.demand(4).is_err());
        maildrop.unmark_all();
        assert_eq!(maildrop.left(), (3, 306));
        assert!(maildrop.demand(2).is_ok());
    }

    #[test]
    fn marked_messages_are_named_by_runs_of_uids() {
        let (mut maildrop, live) = maildrop(10_000);
        for number in (2..9_000).chain([9_999]) {
            maildrop.mark(number, live.row(number).unwrap()).unwrap();
        }
        let spans = live.marked(&maildrop).unwrap();
        let pairs: Vec<_> = spans.iter().map(|span| (span.first, span.last)).collect();
        assert_eq!(pairs, [(2, 8_999), (9_999, 9_999)]);
    }
}
