//! The `If` field held against what is there (RFC 4918 section 10.4.4). What cannot be opened has no state: nothing matches it.

use waxwing_sdk::store::objects;

use super::Locks;
use super::lists::{About, Condition, List, Lists, State};
use crate::answer::Refusal;
use crate::place::Place;
use crate::request::Seen;
use crate::visit::Visit;

/// Resources that one field may be about.
const MAX_RESOURCES: usize = 20;

/// What a list is held against.
#[derive(Debug, Default)]
struct There {
    etag: Option<String>,
    tokens: Vec<String>,
}

/// Refuses a request of which no list is true. When it asked for entity tags of its own resource, what was seen of them: a change is
/// held to that.
pub(crate) fn evaluate(
    lists: &Lists,
    visit: &Visit,
    itself: Option<&Place>,
) -> Result<Option<Seen>, Refusal> {
    let mut known: Vec<(Option<Place>, There)> = Vec::new();
    let mut is_true = false;
    for list in &lists.0 {
        let place = subject(list, itself);
        if !known.iter().any(|(of, _)| of.as_ref() == place) {
            if known.len() >= MAX_RESOURCES {
                return Err(Refusal::new(
                    400,
                    format!("limit resources of an If field = {MAX_RESOURCES} reached"),
                ));
            }
            let there = place.map_or_else(There::default, |place| there(visit, place));
            known.push((place.cloned(), there));
        }
        let there = known.iter().find(|(of, _)| of.as_ref() == place);
        is_true |= there.is_some_and(|(_, there)| holds(&list.conditions, there));
    }
    if !is_true {
        return Err(Refusal::new(412, "no list of the If field is true"));
    }
    let asks_for_tag = |list: &&List| {
        let tagged = |condition: &Condition| matches!(condition.state, State::Tag(_));
        subject(list, itself) == itself && list.conditions.iter().any(tagged)
    };
    if !matches!(itself, Some(Place::Object(..))) || !lists.0.iter().any(|list| asks_for_tag(&list))
    {
        return Ok(None);
    }
    let own = known.into_iter().find(|(of, _)| of.as_ref() == itself);
    Ok(own.map(|(_, there)| Seen { etag: there.etag }))
}

fn subject<'l>(list: &'l List, itself: Option<&'l Place>) -> Option<&'l Place> {
    match &list.about {
        About::Itself => itself,
        About::Other(place) => place.as_ref(),
    }
}

fn holds(conditions: &[Condition], there: &There) -> bool {
    conditions.iter().all(|condition| {
        let matches = match &condition.state {
            State::Token(token) => there.tokens.contains(token),
            State::Tag(tag) => tag.is_some() && *tag == there.etag,
        };
        matches != condition.is_negated
    })
}

fn there(visit: &Visit, place: &Place) -> There {
    let (at, name) = match place {
        Place::Collection(at) => (at, None),
        Place::Object(at, name) => (at, Some(name)),
        _ => return There::default(),
    };
    let Ok(opened) = visit.open(at) else {
        return There::default();
    };
    let folder = opened.collection.folder.id;
    let locks = match name {
        Some(name) => Locks::about(&opened.mailbox, folder, name),
        None => Locks::all(&opened.mailbox, folder),
    };
    let locks = locks.unwrap_or_default();
    let on_it = locks
        .iter()
        .filter(|lock| lock.is_on(name.map(String::as_str)));
    let tokens = on_it.map(|lock| lock.token.clone()).collect();
    let row = name.and_then(|name| {
        let found = objects::get(&opened.mailbox, folder, std::slice::from_ref(name)).ok()?;
        found.into_iter().flatten().next()
    });
    There {
        etag: row.map(|row| row.etag),
        tokens,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a list is true of a resource with the entity tag `e` and the lock `t:1`.
    fn is_true(list: &str) -> bool {
        let there = There {
            etag: Some("e".into()),
            tokens: vec!["t:1".into()],
        };
        let lists = Lists::read(list).unwrap();
        lists.0.iter().any(|list| holds(&list.conditions, &there))
    }

    #[test]
    fn one_list_of_which_all_is_true_is_enough() {
        assert!(is_true("(<t:1> [\"e\"])") && is_true("(<t:2>) (Not <DAV:no-lock>)"));
        assert!(!is_true("(<t:1> [\"f\"])") && !is_true("(<DAV:no-lock> [\"e\"]) (Not <t:1>)"));
        assert!(!is_true("([W/\"e\"])") && is_true("(Not [W/\"e\"])"));
    }
}
