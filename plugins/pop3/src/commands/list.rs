//! LIST and UIDL. Of all messages they are sent page by page, so that a long list costs no more memory than a short one.

use waxwing_sdk::stream::Turn;

use crate::maildrop::{Maildrop, PAGE, Row};
use crate::reply::{Answer, ok};
use crate::session::Pop3;
use crate::state::{Listed, Pending, Stage};

pub(super) fn run(session: &mut Pop3, listed: Listed, number: Option<u32>) -> Answer<Turn> {
    let maildrop = super::maildrop(session)?;
    let Some(number) = number else {
        let text = super::counted(maildrop);
        session.state.pending = Pending::Listing { listed, next: 1 };
        return Ok(Turn::new().send(ok(&text)).more());
    };
    maildrop.demand(number)?;
    let uid_validity = maildrop.uid_validity;
    let row = session.live.row(number)?;
    let text = told(listed, number, row, uid_validity);
    Ok(Turn::new().send(ok(&text)))
}

/// The output of the last page has left.
pub(crate) fn next_page(session: &mut Pop3) -> Turn {
    let Pending::Listing { listed, next } = session.state.pending else {
        return Turn::new();
    };
    let Stage::Transaction(maildrop) = &session.state.stage else {
        return Turn::new().close();
    };
    // Nothing within a list can say that the rest of it will not come.
    let Ok(rows) = session.live.rows(next, PAGE) else {
        return Turn::new().close();
    };
    let turn = Turn::new().send(page(maildrop, listed, next, &rows));
    let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
    if count < PAGE {
        session.state.pending = Pending::Command;
        return turn.send(".\r\n");
    }
    let next = next.saturating_add(count);
    session.state.pending = Pending::Listing { listed, next };
    turn.more()
}

fn page(maildrop: &Maildrop, listed: Listed, first: u32, rows: &[Row]) -> String {
    let mut lines = String::with_capacity(rows.len() * 24);
    for (number, row) in (first..).zip(rows) {
        if !maildrop.deleted.contains(number) {
            lines.push_str(&told(listed, number, *row, maildrop.uid_validity));
            lines.push_str("\r\n");
        }
    }
    lines
}

/// A unique id is what IMAP calls a message by: UID and UIDVALIDITY of the INBOX. It never changes and never comes again.
fn told(listed: Listed, number: u32, row: Row, uid_validity: u32) -> String {
    match listed {
        Listed::Sizes => format!("{number} {}", row.size),
        Listed::UniqueIds => format!("{number} {:08x}{uid_validity:08x}", row.uid),
    }
}
