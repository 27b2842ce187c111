//! `expand-property` (RFC 3253 section 3.8): properties that hold paths, with what is there in their place.

use crate::answer::{Answer, Refusal};
use crate::methods::propfind::describe;
use crate::place::Place;
use crate::property::{Asked, Described, Multistatus};
use crate::request::Request;
use crate::visit::Visit;
use crate::xml::{self, Element, Name, Writer, ns};

/// Expansions in expansions.
const MAX_NESTING: usize = 3;
/// Resources in one answer.
const MAX_RESOURCES: usize = 200;

/// A `property` element: its name, and what is asked of what its paths lead to.
struct Wanted {
    name: Name,
    inner: Vec<Wanted>,
}

pub(super) fn answer(
    (request, visit): (&Request, &Visit),
    place: &Place,
    body: &Element,
) -> Result<Answer, Refusal> {
    let wanted = wanted(body, 0)?;
    let mut expansion = Expansion {
        visit,
        minimal: request.wants_minimal(),
        left: MAX_RESOURCES,
    };
    let mut answer = Multistatus::new(request.wants_minimal());
    expansion.tell(place, &wanted, &mut answer)?;
    Ok(answer.answer())
}

/// Reads the body alone.
pub(super) fn read(body: &Element) -> Result<(), Refusal> {
    wanted(body, 0).map(drop)
}

fn wanted(element: &Element, depth: usize) -> Result<Vec<Wanted>, Refusal> {
    if depth > MAX_NESTING {
        return Err(Refusal::new(
            403,
            format!("property nests deeper than {MAX_NESTING}"),
        ));
    }
    let one = |property: &Element| {
        let local = property
            .attribute("name")
            .ok_or_else(|| Refusal::new(400, "a property has a name"))?;
        let namespace = property.attribute("namespace").unwrap_or(ns::DAV);
        Ok(Wanted {
            name: Name::owned(namespace.to_owned(), local.to_owned()),
            inner: wanted(property, depth + 1)?,
        })
    };
    element.all(ns::DAV, "property").map(one).collect()
}

struct Expansion<'v> {
    visit: &'v Visit,
    minimal: bool,
    left: usize,
}

/// A resource whose properties are partly expanded already.
struct Expanded {
    place: Place,
    /// Names with their elements, as parts of a document.
    found: Vec<(Name, String)>,
}

impl Described for Expanded {
    fn place(&self) -> Place {
        self.place.clone()
    }

    fn write(&self, name: &Name, out: &mut Writer) -> bool {
        let found = self.found.iter().find(|(known, _)| known == name);
        if let Some((_, part)) = found {
            out.raw(part);
        }
        found.is_some()
    }

    fn names(&self) -> Vec<Name> {
        self.found.iter().map(|(name, _)| name.clone()).collect()
    }
}

impl Expansion<'_> {
    fn tell(
        &mut self,
        place: &Place,
        wanted: &[Wanted],
        answer: &mut Multistatus,
    ) -> Result<(), Refusal> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            Refusal::new(
                507,
                format!("limit resources of an expansion = {MAX_RESOURCES} reached"),
            )
        })?;
        let mut found = Vec::new();
        describe(self.visit, place, &mut |described| {
            for property in wanted {
                let mut part = Writer::part();
                if described.write(&property.name, &mut part) {
                    found.push((property.name.clone(), part.finish()));
                }
            }
        })?;
        for property in wanted.iter().filter(|property| !property.inner.is_empty()) {
            if let Some((_, part)) = found.iter_mut().find(|(name, _)| *name == property.name) {
                *part = self.expanded(property, part)?;
            }
        }
        let asked = Asked::These(
            wanted
                .iter()
                .map(|property| property.name.clone())
                .collect(),
        );
        let expanded = Expanded {
            place: place.clone(),
            found,
        };
        answer.describe(&expanded, &asked);
        Ok(())
    }

    /// A property's element with a response in the place of each path.
    fn expanded(&mut self, property: &Wanted, part: &str) -> Result<String, Refusal> {
        let root = Name::dav("prop");
        let mut document = Writer::document(&root);
        document.raw(part);
        document.close(&root);
        let parsed = xml::read(document.finish().as_bytes());
        let parsed = parsed.map_err(|broken| Refusal::new(500, broken.to_string()))?;
        let paths: Vec<String> = parsed
            .children()
            .flat_map(|element| element.all(ns::DAV, "href"))
            .map(Element::text)
            .collect();
        let mut inner = Multistatus::part(self.minimal);
        for path in paths {
            match Place::of_href(&path) {
                Some(place) => match self.tell(&place, &property.inner, &mut inner) {
                    Err(refusal) if refusal.status == 404 => inner.status(&path, 404, None),
                    other => other?,
                },
                None => inner.status(&path, 404, None),
            }
        }
        let mut out = Writer::part();
        out.open(&property.name);
        out.raw(&inner.into_part());
        out.close(&property.name);
        Ok(out.finish())
    }
}
