//! `addressbook-query` (RFC 6352 section 8.6).

use waxwing_formats_vcard::{Card, filter::Filter};

use super::{Objects, filter, wanted};
use crate::answer::{Answer, Refusal};
use crate::methods::collection::Page;
use crate::paging::PAGE_OBJECTS;
use crate::place::CollectionPlace;
use crate::request::Request;
use crate::visit::Visit;
use crate::xml::{Element, ns};

pub(super) fn answer(
    (request, visit): (&Request, &Visit),
    place: &CollectionPlace,
    body: &Element,
) -> Result<Answer, Refusal> {
    let opened = visit.open(place)?;
    let filter = filter::of_cards(body)?;
    let limit = wanted(body, ns::CARDDAV)?.map(|limit| limit.min(PAGE_OBJECTS));
    let most = limit.map_or(usize::MAX, |most| most as usize);
    let mut objects = Objects::new((request, visit), &opened, body)?;
    let mut told = 0;
    let mut at = request.cursor;
    loop {
        let mut more = false;
        let rest = Page::of_list(&opened, at)?.sources(&opened, |object, source| {
            if !matches(&filter, &object.name, source) {
                return Ok(false);
            }
            if told >= most {
                more = true;
                return Ok(true);
            }
            told += 1;
            objects.tell(object, Some(source));
            // An answer with a limit is small, and counted in one turn.
            Ok(limit.is_none() && objects.is_full())
        })?;
        if more {
            objects.truncated();
            return Ok(objects.answer.answer());
        }
        match rest {
            Some(next) if limit.is_some() => at = next,
            rest => return Ok(objects.answer.answer_with(rest)),
        }
    }
}

fn matches(filter: &Filter, name: &str, source: &[u8]) -> bool {
    Card::parse(source)
        .inspect_err(|error| waxwing_sdk::warning!("{name:?} is left out of a query: {error}"))
        .is_ok_and(|card| filter.matches(&card))
}
