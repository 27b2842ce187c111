//! STORE (RFC 9051 section 6.4.6), conditional too (RFC 7162 section 3.1.3).

use waxwing_sdk::store::{FlagMode, FlagUpdate, ItemFlags, RestrictionNode, Span};

use crate::parse::{StoreMode, StoreRequest};
use crate::render::spans;
use crate::session::{Answer, Completion, Imap, Output, Refusal, RowStyle, fetch_row};

pub(super) fn run(
    session: &mut Imap,
    uid: bool,
    request: StoreRequest,
    out: &mut Output,
) -> Answer {
    if session
        .state
        .selected
        .as_ref()
        .is_some_and(|selected| selected.read_only)
    {
        return Err(Refusal::no("[CANNOT] The mailbox is selected read-only"));
    }
    let targets = session.targets(&request.set, uid)?;
    if targets.spans.is_empty() {
        return Ok(Completion::text("There was nothing to do"));
    }
    if request.unchanged_since.is_some() {
        session.enable_condstore(out)?;
    }
    let update = FlagUpdate {
        selection: targets.selection(),
        mode: match request.mode {
            StoreMode::Replace => FlagMode::Replace,
            StoreMode::Add => FlagMode::Add,
            StoreMode::Remove => FlagMode::Remove,
        },
        flags: item_flags(request.flags.bits.0),
        keywords: request.flags.keywords,
        unchanged_since: request.unchanged_since,
    };
    let result = session.view()?.set_flags_table(&update)?;
    let condstore = session.state.enabled.condstore;
    if !request.silent || condstore {
        session.announce_keywords(result.rows.keywords.iter().copied(), out)?;
        let style = RowStyle {
            uid_only: session.state.enabled.uid_only,
            uid: uid || session.state.enabled.quick_resync,
            flags: !request.silent,
            modseq: condstore,
        };
        for row in result.rows.rows() {
            fetch_row(out.text(), row, session.keywords(), style);
        }
    }
    if result.modified.is_empty() {
        // RFC 2180 section 4.2: messages that other sessions have expunged are passed over, and told of when none is left.
        return match result.rows.is_empty() && !targets.by_uid {
            true => Err(Refusal::no("[EXPUNGEISSUED] The messages no longer exist")),
            false => Ok(Completion::text("STORE completed")),
        };
    }
    let modified = if uid {
        result.modified
    } else {
        positions(session, result.modified)?
    };
    let mut set = Vec::new();
    spans::set(
        &mut set,
        modified.iter().map(|span| (span.first, span.last)),
    );
    Ok(Completion::Done(format!(
        "[MODIFIED {}] Some messages were changed meanwhile",
        String::from_utf8_lossy(&set)
    )))
}

/// Message numbers of UIDs.
fn positions(session: &mut Imap, uids: Vec<Span>) -> Result<Vec<Span>, Refusal> {
    Ok(session
        .view()?
        .search(&[RestrictionNode::Uids(uids)])?
        .positions)
}

pub(super) fn item_flags(bits: u32) -> ItemFlags {
    ItemFlags::from_bits_retain(u16::try_from(bits).unwrap_or_default())
}
