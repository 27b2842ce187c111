//! A part of a message as a body, for those who do not send it at once (CATENATE).

use waxwing_sdk::bodies::{self, Body, Piece, PieceRange};
use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::store::{Query, Selection, Span, View};

use super::item::{Cutting, Described, Message, cut};
use super::plan::Plan;
use crate::parse::{FetchItem, Section};
use crate::session::{Enabled, Refusal};

/// Which octets of which message.
pub(in crate::commands) struct Wanted<'a> {
    pub(in crate::commands) uid: u32,
    pub(in crate::commands) section: &'a Section,
    /// First octet and number of octets.
    pub(in crate::commands) partial: Option<(u64, u64)>,
}

/// None: there is no such message, or no such part of it.
pub(in crate::commands) fn open(view: &View, wanted: &Wanted<'_>) -> Result<Option<Body>, Refusal> {
    let item = FetchItem::Body {
        peek: true,
        section: wanted.section.clone(),
        partial: None,
    };
    let plan = Plan::new(&[item]);
    let (first, last) = (wanted.uid, wanted.uid);
    let query = Query {
        selection: Selection::Uids(vec![Span { first, last }]),
        columns: plan.columns(),
        tags: Vec::new(),
        changed_since: None,
        after: 0,
        limit: 1,
    };
    let rows = view.fetch_table(&query)?.rows;
    let Some(row) = rows.row(0) else {
        return Ok(None);
    };
    let body = match view.open_bodies(&rows.items).into_iter().next() {
        Some(Ok(body)) => body,
        Some(Err(fault)) if fault.class != FaultClass::NotFound => return Err(fault.into()),
        _ => return Ok(None),
    };
    let message = Message {
        row,
        body: Some(&body),
        described: Described::read(&plan, row.structure),
        keywords: &[],
        enabled: Enabled::default(),
    };
    match message.value(wanted.section)? {
        Cutting::Nil => Ok(None),
        Cutting::Bytes(bytes) => {
            let length = bytes.len() as u64;
            let whole = bodies::compose(&[Piece::Bytes(bytes)])?;
            range(&whole, cut((0, length), wanted.partial)).map(Some)
        }
        Cutting::Range(offset, length) => {
            range(&body, cut((offset, length), wanted.partial)).map(Some)
        }
    }
}

fn range(body: &Body, (offset, length): (u64, u64)) -> Result<Body, Refusal> {
    let piece = PieceRange {
        body,
        offset,
        length,
    };
    Ok(bodies::compose(&[Piece::Range(piece)])?)
}
