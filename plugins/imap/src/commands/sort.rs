//! SORT and UID SORT (RFC 5256 section 3), ESORT (RFC 5267 section 3). The store sorts, over columns that it derived at delivery
//! (the base subject, the local part of the first address, the date sent) and display names that it reads from the envelopes
//! (SORT=DISPLAY, RFC 5957); here criteria become its keys, and numbers an answer.
//! Strings compare regardless of case; equal messages stand in the order of their numbers, also under REVERSE.

use waxwing_formats_mapi::{PropertyTag, columns};
use waxwing_sdk::store::{SortKey, Span};

use super::context;
use super::search::{Extended, Ordered, begin, extended, modseq_of, pairs, plain, save};
use crate::parse::{SortCriterion, SortKeyName, SortRequest};
use crate::session::{Answer, Completion, Imap, Kept, Output};

pub(super) fn run(
    session: &mut Imap,
    tag: &str,
    uid: bool,
    request: &SortRequest,
    out: &mut Output,
) -> Answer {
    let nodes = begin(session, &request.search, out)?;
    let keys: Vec<SortKey> = request.criteria.iter().map(key).collect();
    let sorted = session.view()?.sort(&nodes, &keys)?;
    let modseq = match request.search.mentions_modseq && !sorted.uids.is_empty() {
        true => {
            let found = session.view()?.search(&nodes)?;
            Some(modseq_of(session, &found, request.search.returns)?)
        }
        false => None,
    };
    let numbers = if uid { &sorted.uids } else { &sorted.positions };
    let Some(returns) = request.search.returns else {
        plain(
            out.text(),
            "SORT",
            numbers.iter().map(|&number| (number, number)),
            modseq,
        );
        return Ok(Completion::text("SORT completed"));
    };
    if returns.update {
        context::keep(session, kept(tag, uid, request, &sorted.uids), out);
    }
    if returns.save {
        let ends = Ordered {
            first: sorted.uids.first().copied(),
            last: sorted.uids.last().copied(),
        };
        let saved = match returns.partial {
            Some(partial) => {
                let mut page: Vec<u32> = partial
                    .of(&runs(&sorted.uids))
                    .into_iter()
                    .flat_map(|(first, last)| first..=last)
                    .collect();
                page.sort_unstable();
                runs(&page)
            }
            None => pairs(&ascending(&sorted.uids)),
        };
        save(session, saved, ends, returns)?;
    }
    if returns.tells() {
        extended(
            out.text(),
            &Extended {
                correlator: &format!("TAG \"{tag}\""),
                uid,
                returns,
                numbers: &runs(numbers),
                count: u32::try_from(numbers.len()).unwrap_or(u32::MAX),
                modseq,
            },
        );
    }
    Ok(Completion::text("SORT completed"))
}

fn kept(tag: &str, uid: bool, request: &SortRequest, uids: &[u32]) -> Kept {
    Kept {
        tag: tag.to_owned(),
        uid,
        key: request.search.key.clone(),
        criteria: request.criteria.clone(),
        uids: runs(uids),
    }
}

pub(super) fn key(criterion: &SortCriterion) -> SortKey {
    let PropertyTag(tag) = match criterion.key {
        SortKeyName::Arrival => columns::INTERNAL_DATE,
        SortKeyName::Cc => columns::FIRST_CC,
        SortKeyName::Date => columns::SENT_DATE,
        SortKeyName::DisplayFrom => columns::DISPLAY_FROM,
        SortKeyName::DisplayTo => columns::DISPLAY_TO,
        SortKeyName::From => columns::FIRST_FROM,
        SortKeyName::Size => columns::SIZE,
        SortKeyName::Subject => columns::BASE_SUBJECT,
        SortKeyName::To => columns::FIRST_TO,
    };
    SortKey {
        tag,
        descending: criterion.reverse,
    }
}

/// Numbers in their order, those that follow each other as ranges: a range of an answer that is sorted means its numbers
/// upwards (RFC 5267 section 3.2), so only such runs become one.
pub(super) fn runs(numbers: &[u32]) -> Vec<(u32, u32)> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for &number in numbers {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(number) => *last = number,
            _ => runs.push((number, number)),
        }
    }
    runs
}

/// The UIDs as a set.
fn ascending(uids: &[u32]) -> Vec<Span> {
    let mut uids = uids.to_vec();
    uids.sort_unstable();
    let span = |(first, last)| Span { first, last };
    runs(&uids).into_iter().map(span).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_numbers_that_go_upwards_become_a_range() {
        assert_eq!(runs(&[4, 5, 6, 3, 2, 9]), [(4, 6), (3, 3), (2, 2), (9, 9)]);
        assert!(runs(&[]).is_empty());
    }

    #[test]
    fn reverse_turns_one_criterion_and_not_the_next() {
        let criterion = |key, reverse| SortCriterion { key, reverse };
        let keys = [
            key(&criterion(SortKeyName::Subject, true)),
            key(&criterion(SortKeyName::Date, false)),
        ];
        assert_eq!(
            keys.map(|key| (key.tag, key.descending)),
            [
                (columns::BASE_SUBJECT.0, true),
                (columns::SENT_DATE.0, false)
            ]
        );
    }
}
