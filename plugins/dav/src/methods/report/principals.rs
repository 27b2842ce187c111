//! Reports about principals (RFC 3744 section 9). There is no list of people to be read: who searches finds themselves, and somebody
//! whose whole address they know.

use crate::answer::{Answer, Refusal};
use crate::methods::propfind::{describe, principal};
use crate::place::Place;
use crate::property::{Asked, Multistatus};
use crate::request::Request;
use crate::visit::Visit;
use crate::xml::{Element, Name, Writer, ns};

/// Properties that are searched, and what they are called.
const SEARCHABLE: [(Name, &str); 3] = [
    (Name::dav("displayname"), "Display name"),
    (
        Name::caldav("calendar-user-address-set"),
        "Calendar address",
    ),
    (
        Name::new(ns::CALENDARSERVER, "email-address-set"),
        "E-mail address",
    ),
];

/// `principal-match`: which of the resources are, or belong to, who asks.
pub(super) fn matching(
    (request, visit): (&Request, &Visit),
    body: &Element,
) -> Result<Answer, Refusal> {
    let mut answer = Multistatus::new(request.wants_minimal());
    let asked = Asked::of(body)?.unwrap_or(Asked::These(Vec::new()));
    if body.child(ns::DAV, "self").is_some() || body.child(ns::DAV, "principal-property").is_some()
    {
        answer.describe(&principal(visit, &visit.address)?, &asked);
    }
    Ok(answer.answer())
}

/// `principal-property-search`.
pub(super) fn search(
    (request, visit): (&Request, &Visit),
    body: &Element,
) -> Result<Answer, Refusal> {
    let asked = Asked::of(body)?.unwrap_or(Asked::These(Vec::new()));
    let any = body.attribute("test") == Some("anyof");
    let mut found: Vec<String> = Vec::new();
    let mut searches = Vec::new();
    for search in body.all(ns::DAV, "property-search") {
        let props = search.all(ns::DAV, "prop").flat_map(|prop| prop.children());
        let names: Vec<&Name> = props.map(|prop| &prop.name).collect();
        if names
            .iter()
            .any(|name| !SEARCHABLE.iter().any(|(known, _)| known == *name))
        {
            // RFC 3744 section 9.4: a property that cannot be searched matches nothing.
            searches.push(Search::Nothing);
            continue;
        }
        let text = search
            .child(ns::DAV, "match")
            .map(Element::text)
            .unwrap_or_default();
        searches.push(Search::of(&names, text.trim()));
    }
    let mut candidates = vec![visit.address.clone()];
    candidates.extend(searches.iter().filter_map(Search::address));
    for address in candidates {
        let mut results = searches.iter().map(|search| search.finds(visit, &address));
        let matches = !searches.is_empty()
            && if any {
                results.any(|finds| finds)
            } else {
                results.all(|finds| finds)
            };
        if matches && !found.contains(&address) {
            found.push(address);
        }
    }
    let mut answer = Multistatus::new(request.wants_minimal());
    for address in found {
        if let Ok(principal) = principal(visit, &address) {
            answer.describe(&principal, &asked);
        }
    }
    Ok(answer.answer())
}

/// One `property-search`.
enum Search {
    Nothing,
    Text {
        text: String,
        names: bool,
        addresses: bool,
    },
}

impl Search {
    fn of(names: &[&Name], text: &str) -> Search {
        let text = text.to_lowercase();
        let by_name = names.iter().any(|name| name.is(ns::DAV, "displayname"));
        Search::Text {
            text: text.strip_prefix("mailto:").unwrap_or(&text).to_owned(),
            names: by_name,
            addresses: names.iter().any(|name| !name.is(ns::DAV, "displayname")),
        }
    }

    /// A whole address that is searched for.
    fn address(&self) -> Option<String> {
        match self {
            Search::Text {
                text,
                addresses: true,
                ..
            } => {
                let place = Place::of_href(text);
                match place {
                    Some(Place::Principal(address)) => Some(address),
                    _ => text.contains('@').then(|| text.clone()),
                }
            }
            _ => None,
        }
    }

    fn finds(&self, visit: &Visit, address: &str) -> bool {
        let Search::Text {
            text,
            names,
            addresses,
        } = self
        else {
            return false;
        };
        if address != visit.address {
            return self.address().as_deref() == Some(address);
        }
        let name = visit.display_name().to_lowercase();
        (*names && name.contains(text.as_str()))
            || (*addresses
                && (address.contains(text.as_str()) || self.address().as_deref() == Some(address)))
    }
}

/// `principal-search-property-set`.
pub(super) fn searchable() -> Answer {
    let root = Name::dav("principal-search-property-set");
    let mut out = Writer::document(&root);
    for (name, description) in SEARCHABLE {
        out.open(&Name::dav("principal-search-property"));
        out.open(&Name::dav("prop"));
        out.empty(&name);
        out.close(&Name::dav("prop"));
        let described = Name::dav("description");
        out.open_with(&described, &[("xml:lang", "en")]);
        out.text(description);
        out.close(&described);
        out.close(&Name::dav("principal-search-property"));
    }
    out.close(&root);
    Answer::xml(200, out.finish())
}

/// `acl-principal-prop-set`: the principals that the access control of something names, which is its owner.
pub(super) fn of_acl(
    (request, visit): (&Request, &Visit),
    place: &Place,
    body: &Element,
) -> Result<Answer, Refusal> {
    describe(visit, place, &mut |_| {})?;
    let asked = Asked::of(body)?.unwrap_or(Asked::These(Vec::new()));
    let owner = match place {
        Place::Home(_, owner) => Some(owner),
        Place::Collection(at) | Place::Object(at, _) => Some(&at.owner),
        _ => None,
    };
    let mut answer = Multistatus::new(request.wants_minimal());
    if let Some(owner) = owner {
        answer.describe(&principal(visit, owner)?, &asked);
    }
    Ok(answer.answer())
}
