//! SEARCH and UID SEARCH (RFC 9051 section 6.4.4), ESEARCH (RFC 4731), SEARCHRES (RFC 5182). The store evaluates; here keys become
//! its restriction, and what it finds becomes an answer.

mod restriction;

use waxwing_sdk::store::views::Found;
use waxwing_sdk::store::{Query, RestrictionNode, Selection, Span, View};

use super::context;
use crate::parse::{Charset, SearchRequest, SearchReturn};
use crate::render::{decimal, spans};
use crate::session::{Answer, Completion, Imap, Kept, Output, Refusal};

/// Ranges that a saved result may have; it lives in the frozen state.
const SAVED: usize = 4_096;

pub(super) fn run(
    session: &mut Imap,
    tag: &str,
    uid: bool,
    request: &SearchRequest,
    out: &mut Output,
) -> Answer {
    let nodes = begin(session, request, out)?;
    let found = session.view()?.search(&nodes)?;
    let modseq = match request.mentions_modseq && found.count > 0 {
        true => Some(modseq_of(session, &found, request.returns)?),
        false => None,
    };
    let numbers = pairs(if uid { &found.uids } else { &found.positions });
    // IMAP4rev2 knows no other answer (RFC 9051 section 6.4.4).
    let implied = session.state.enabled.rev2.then_some(SearchReturn::ALL);
    let Some(returns) = request.returns.or(implied) else {
        plain(out.text(), "SEARCH", numbers.iter().copied(), modseq);
        return Ok(Completion::text("SEARCH completed"));
    };
    if returns.update {
        let kept = Kept {
            tag: tag.to_owned(),
            uid,
            key: request.key.clone(),
            criteria: Vec::new(),
            uids: pairs(&found.uids),
        };
        context::keep(session, kept, out);
    }
    if returns.save {
        let ends = Ordered {
            first: found.uids.first().map(|span| span.first),
            last: found.uids.last().map(|span| span.last),
        };
        let uids = match returns.partial {
            Some(partial) => partial.of(&pairs(&found.uids)),
            None => pairs(&found.uids),
        };
        save(session, uids, ends, returns)?;
    }
    if returns.tells() {
        extended(
            out.text(),
            &Extended {
                correlator: &format!("TAG \"{tag}\""),
                uid,
                returns,
                numbers: &numbers,
                count: found.count,
                modseq,
            },
        );
    }
    Ok(Completion::text("SEARCH completed"))
}

/// A key as a restriction of the store, in a mailbox that need not be the selected one: it names no message numbers.
pub(super) fn nodes_within(
    session: &Imap,
    key: &crate::parse::SearchKey,
    view: &View,
) -> Result<Vec<RestrictionNode>, Refusal> {
    let largest = if restriction::needs_largest_uid(key) {
        let all = view.search(&[RestrictionNode::Always(true)])?;
        all.uids.last().map_or(0, |span| span.last)
    } else {
        0
    };
    restriction::compile(session, key, largest)
}

/// A key as a restriction of the store.
pub(super) fn nodes(
    session: &mut Imap,
    key: &crate::parse::SearchKey,
) -> Result<Vec<RestrictionNode>, Refusal> {
    let largest = if restriction::needs_largest_uid(key) {
        largest_uid(session)?
    } else {
        0
    };
    restriction::compile(session, key, largest)
}

/// What SEARCH and SORT begin with: the keys as a restriction.
pub(super) fn begin(
    session: &mut Imap,
    request: &SearchRequest,
    out: &mut Output,
) -> Result<Vec<RestrictionNode>, Refusal> {
    if request.charset == Charset::Unknown {
        return Err(bad_charset());
    }
    if request.mentions_modseq {
        session.enable_condstore(out)?;
    }
    nodes(session, &request.key)
}

pub(super) fn bad_charset() -> Refusal {
    Refusal::no("[BADCHARSET (US-ASCII UTF-8)] Use UTF-8")
}

pub(super) fn pairs(spans: &[Span]) -> Vec<(u32, u32)> {
    spans.iter().map(|span| (span.first, span.last)).collect()
}

fn largest_uid(session: &mut Imap) -> Result<u32, Refusal> {
    let exists = session
        .state
        .selected
        .as_ref()
        .map_or(0, |selected| selected.exists);
    if exists == 0 {
        return Ok(0);
    }
    let selection = Selection::Positions(vec![Span {
        first: exists,
        last: exists,
    }]);
    let query = Query {
        selection,
        columns: 0,
        tags: Vec::new(),
        changed_since: None,
        after: 0,
        limit: 1,
    };
    Ok(session
        .view()?
        .fetch(&query)?
        .rows
        .first()
        .map_or(0, |row| row.uid))
}

/// RFC 7162 section 3.1.10: with only MIN or MAX, the modseq of those messages; else the highest found.
pub(super) fn modseq_of(
    session: &mut Imap,
    found: &Found,
    returns: Option<SearchReturn>,
) -> Result<u64, Refusal> {
    let Some(SearchReturn {
        all: false,
        count: false,
        min,
        max,
        ..
    }) = returns.filter(|r| r.min || r.max)
    else {
        return Ok(found.highest_modseq);
    };
    let ends = [
        found.uids.first().map(|span| span.first).filter(|_| min),
        found.uids.last().map(|span| span.last).filter(|_| max),
    ];
    let uids = ends
        .into_iter()
        .flatten()
        .map(|uid| Span {
            first: uid,
            last: uid,
        })
        .collect();
    let query = Query {
        selection: Selection::Uids(uids),
        columns: 0,
        tags: Vec::new(),
        changed_since: None,
        after: 0,
        limit: 2,
    };
    let page = session.view()?.fetch(&query)?;
    Ok(page
        .rows
        .iter()
        .map(|row| row.modseq)
        .max()
        .unwrap_or(found.highest_modseq))
}

/// The UIDs at the ends of a result, in its own order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ordered {
    pub(super) first: Option<u32>,
    pub(super) last: Option<u32>,
}

/// RFC 5182 section 2.1: with MIN or MAX and nothing else, only those are saved.
pub(super) fn save(
    session: &mut Imap,
    uids: Vec<(u32, u32)>,
    ends: Ordered,
    returns: SearchReturn,
) -> Result<(), Refusal> {
    let mut saved = uids;
    let all = returns.all || returns.count || returns.partial.is_some();
    if (returns.min || returns.max) && !all {
        let first = ends.first.filter(|_| returns.min);
        let last = ends.last.filter(|_| returns.max);
        let both = first.into_iter().chain(last);
        saved = both.map(|uid| (uid, uid)).collect();
        saved.sort_unstable();
        saved.dedup();
    }
    let fits = saved.len() <= SAVED;
    if let Some(selected) = session.state.selected.as_mut() {
        selected.saved = if fits { saved } else { Vec::new() };
    }
    if fits {
        Ok(())
    } else {
        Err(Refusal::no(
            "[NOTSAVED] The result has more than 4096 ranges",
        ))
    }
}

/// `* SEARCH 2 84 882 (MODSEQ 917162500)`
pub(super) fn plain(
    out: &mut Vec<u8>,
    name: &str,
    numbers: impl Iterator<Item = (u32, u32)>,
    modseq: Option<u64>,
) {
    out.extend_from_slice(b"* ");
    out.extend_from_slice(name.as_bytes());
    for number in numbers.flat_map(|(first, last)| first..=last) {
        out.push(b' ');
        decimal(out, u64::from(number));
    }
    if let Some(modseq) = modseq {
        out.extend_from_slice(format!(" (MODSEQ {modseq})").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

/// An ESEARCH; the first of the numbers is MIN, the last MAX, also where they are sorted otherwise (RFC 5267 section 3.2).
pub(super) struct Extended<'a> {
    /// What it belongs to: `TAG "a"`.
    pub(super) correlator: &'a str,
    pub(super) uid: bool,
    pub(super) returns: SearchReturn,
    pub(super) numbers: &'a [(u32, u32)],
    pub(super) count: u32,
    pub(super) modseq: Option<u64>,
}

/// `* ESEARCH (TAG "a") UID MIN 2 COUNT 3`
pub(super) fn extended(out: &mut Vec<u8>, answer: &Extended<'_>) {
    let Extended {
        correlator,
        uid,
        returns,
        numbers,
        count,
        modseq,
    } = answer;
    out.extend_from_slice(format!("* ESEARCH ({correlator})").as_bytes());
    if *uid {
        out.extend_from_slice(b" UID");
    }
    if let (true, Some((first, _))) = (returns.min, numbers.first()) {
        out.extend_from_slice(format!(" MIN {first}").as_bytes());
    }
    if let (true, Some((_, last))) = (returns.max, numbers.last()) {
        out.extend_from_slice(format!(" MAX {last}").as_bytes());
    }
    if returns.all && !numbers.is_empty() {
        out.extend_from_slice(b" ALL ");
        spans::set(out, numbers.iter().copied());
    }
    if let Some(partial) = returns.partial {
        out.extend_from_slice(format!(" PARTIAL ({partial} ").as_bytes());
        match partial.of(numbers) {
            page if page.is_empty() => out.extend_from_slice(b"NIL"),
            page => spans::set(out, page),
        }
        out.push(b')');
    }
    if returns.count {
        out.extend_from_slice(format!(" COUNT {count}").as_bytes());
    }
    if let Some(modseq) = modseq {
        out.extend_from_slice(format!(" MODSEQ {modseq}").as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_answer_lists_every_number() {
        let mut out = Vec::new();
        plain(&mut out, "SEARCH", [(2, 4), (9, 9)].into_iter(), Some(12));
        plain(&mut out, "SEARCH", std::iter::empty(), None);
        assert_eq!(out, b"* SEARCH 2 3 4 9 (MODSEQ 12)\r\n* SEARCH\r\n");
    }

    #[test]
    fn an_extended_answer_holds_what_was_asked_for_and_nothing_of_an_empty_result() {
        let returns = SearchReturn {
            min: true,
            max: true,
            all: true,
            count: true,
            ..SearchReturn::ALL
        };
        let mut out = Vec::new();
        let answer = Extended {
            correlator: "TAG \"a\"",
            uid: true,
            returns,
            numbers: &[(2, 4), (9, 9)],
            count: 4,
            modseq: None,
        };
        extended(&mut out, &answer);
        extended(
            &mut out,
            &Extended {
                numbers: &[],
                count: 0,
                uid: false,
                ..answer
            },
        );
        assert_eq!(out, b"* ESEARCH (TAG \"a\") UID MIN 2 MAX 9 ALL 2:4,9 COUNT 4\r\n* ESEARCH (TAG \"a\") COUNT 0\r\n");
    }
}
