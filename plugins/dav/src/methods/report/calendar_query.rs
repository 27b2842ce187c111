//! `calendar-query` (RFC 4791 section 7.8).
//!
//! The store's index says what may occur in the range that the filter asks for; only those are read, and the filter has the last word on
//! each. Where the index does not reach far enough, what was read makes it longer.

use waxwing_formats_ical::filter::{CompFilter, CompTest};
use waxwing_formats_ical::{Object as CalendarObject, Range, Zone};
use waxwing_sdk::store::objects::{self, Extended, Object, TimeRange};

use super::{Objects, data, filter};
use crate::answer::{Answer, Refusal};
use crate::content::calendar;
use crate::kind::Kind;
use crate::limits::FURTHER;
use crate::methods::collection::Page;
use crate::paging::Cursor;
use crate::place::CollectionPlace;
use crate::request::Request;
use crate::visit::{Opened, Visit};
use crate::xml::Element;

/// Lists that are put back at once.
const EXTENDED: usize = 100;

pub(super) fn answer(
    (request, visit): (&Request, &Visit),
    place: &CollectionPlace,
    body: &Element,
) -> Result<Answer, Refusal> {
    let opened = visit.open(place)?;
    let filter = filter::of_calendar(body)?;
    let zone = data::zone(body)?.unwrap_or_else(|| calendar::default_zone(&opened.collection));
    let mut objects = Objects::new((request, visit), &opened, body)?;
    if let CompTest::NotDefined = filter.test {
        // Every object is a VCALENDAR.
        return Ok(objects.answer.answer());
    }
    let candidates = candidates(&opened, &filter, request.cursor)?;
    if is_kind_alone(&filter) && !objects.wants_data() {
        let rest = candidates.page.rows(|object| {
            objects.tell(object, None);
            Ok(objects.is_full())
        })?;
        return Ok(objects.answer.answer_with(rest));
    }
    let mut further = Further::new(&opened, candidates.range);
    let unsure = candidates.unsure;
    let rest = candidates.page.sources(&opened, |object, source| {
        if let Some(parsed) = parsed(&object.name, source) {
            if unsure.contains(&object.item) {
                further.note(object, &parsed)?;
            }
            if matches(&filter, &parsed, &zone) {
                objects.tell(object, Some(source));
            }
        }
        Ok(objects.is_full())
    })?;
    further.finish()?;
    Ok(objects.answer.answer_with(rest))
}

/// An object as its source says it. What was put was read then, so this is a defect to be told.
pub(super) fn parsed(name: &str, source: &[u8]) -> Option<CalendarObject> {
    CalendarObject::parse(source)
        .inspect_err(|error| waxwing_sdk::warning!("{name:?} is left out of a report: {error}"))
        .ok()
}

/// An object whose rules cost too much to follow does not match; others must not suffer for it.
fn matches(filter: &CompFilter, object: &CalendarObject, zone: &Zone) -> bool {
    filter.matches(object, zone).unwrap_or_else(|error| {
        let uid = object.uid();
        waxwing_sdk::warning!("{uid:?} is left out of a query: {error}");
        false
    })
}

/// Objects that may match.
pub(super) struct Candidates {
    pub(super) page: Page,
    /// Those whose list of occurrences is too short for the range, by item.
    pub(super) unsure: std::collections::HashSet<u64>,
    pub(super) range: Option<Range>,
}

/// Those that the index and the kind leave.
fn candidates(opened: &Opened, filter: &CompFilter, at: Cursor) -> Result<Candidates, Refusal> {
    let mut candidates = match filter.time_range() {
        Some((_, range)) => occurring(opened, range, at)?,
        None => Candidates {
            page: Page::of_list(opened, at)?,
            unsure: std::collections::HashSet::new(),
            range: None,
        },
    };
    if let Some(kind) = only_kind(filter) {
        candidates.page.retain(|object| object.kind == kind as u32);
    }
    Ok(candidates)
}

/// What may occur in a range.
pub(super) fn occurring(opened: &Opened, range: Range, at: Cursor) -> Result<Candidates, Refusal> {
    let asked = TimeRange {
        first: range.start,
        last: range.end,
    };
    let folder = opened.collection.folder.id;
    let occurring = objects::occurring_in(&opened.mailbox, folder, asked)?;
    let unsure = occurring.iter().filter(|one| !one.certain);
    Ok(Candidates {
        unsure: unsure.map(|one| one.object.item).collect(),
        page: Page::of_found(occurring.into_iter().map(|one| one.object).collect(), at),
        range: Some(range),
    })
}

/// The kind that every match has: there is a filter for a component that must be there.
fn only_kind(filter: &CompFilter) -> Option<Kind> {
    let CompTest::Defined { components, .. } = &filter.test else {
        return None;
    };
    components
        .iter()
        .filter(|inner| matches!(inner.test, CompTest::Defined { .. }))
        .find_map(|inner| Kind::of_component(&inner.name))
}

/// A filter that asks for a kind and no more: the store's rows answer it.
fn is_kind_alone(filter: &CompFilter) -> bool {
    let CompTest::Defined {
        time_range: None,
        properties,
        components,
    } = &filter.test
    else {
        return false;
    };
    let empty = |inner: &CompFilter| {
        matches!(&inner.test, CompTest::Defined { time_range: None, properties, components }
            if properties.is_empty() && components.is_empty())
            && Kind::of_component(&inner.name).is_some()
    };
    properties.is_empty() && components.len() <= 1 && components.iter().all(empty)
}

/// Longer lists of occurrences, put back in a few calls.
pub(super) struct Further<'o> {
    opened: &'o Opened,
    horizon: Option<i64>,
    lists: Vec<Extended>,
}

impl<'o> Further<'o> {
    pub(super) fn new(opened: &'o Opened, range: Option<Range>) -> Further<'o> {
        // A range without an end is never reached.
        let end = range
            .map(|range| range.end)
            .filter(|end| *end < i64::MAX - FURTHER);
        Further {
            opened,
            horizon: end.map(|end| end + FURTHER),
            lists: Vec::new(),
        }
    }

    pub(super) fn note(&mut self, object: &Object, parsed: &CalendarObject) -> Result<(), Refusal> {
        let Some(horizon) = self.horizon else {
            return Ok(());
        };
        self.lists.push(Extended {
            item: object.item,
            change_number: object.change_number,
            occurrences: calendar::occurrences(&parsed.spans_until(horizon)),
        });
        if self.lists.len() >= EXTENDED {
            self.put()?;
        }
        Ok(())
    }

    fn put(&mut self) -> Result<(), Refusal> {
        let lists = std::mem::take(&mut self.lists);
        let folder = self.opened.collection.folder.id;
        Ok(objects::extend(&self.opened.mailbox, folder, &lists)?)
    }

    pub(super) fn finish(mut self) -> Result<(), Refusal> {
        if self.lists.is_empty() {
            return Ok(());
        }
        self.put()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_asks_for_a_kind_alone_needs_no_source() {
        let with = |components: Vec<CompFilter>| CompFilter {
            name: "VCALENDAR".into(),
            test: CompTest::Defined {
                time_range: None,
                properties: Vec::new(),
                components,
            },
        };
        let event = with(vec![CompFilter::defined("VEVENT")]);
        assert!(is_kind_alone(&event) && only_kind(&event) == Some(Kind::Event));
        assert!(is_kind_alone(&with(Vec::new())));
        assert!(!is_kind_alone(&with(vec![CompFilter::defined("X-THING")])));
        let mut ranged = CompFilter::defined("VEVENT");
        if let CompTest::Defined { time_range, .. } = &mut ranged.test {
            *time_range = Some(Range::new(0, 1));
        }
        assert!(!is_kind_alone(&with(vec![ranged])));
    }
}
