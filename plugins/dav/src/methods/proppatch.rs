//! PROPPATCH: all of it is done or nothing (RFC 4918 section 9.2).
//!
//! What a collection is called is the name of its folder. All else that the server does not say itself is kept as it comes, with the
//! collection; only a time zone is looked at, because queries depend on it.

use waxwing_formats_ical::Zone;
use waxwing_formats_mapi::columns;
use waxwing_sdk::fault::FaultClass;
use waxwing_sdk::store::objects::{self, CollectionUpdate};
use waxwing_sdk::store::{Property, Value};

use super::put::denied;
use crate::answer::{Answer, Refusal};
use crate::catalog::{self, Collection, Purpose};
use crate::content::calendar::{is_availability, is_zone};
use crate::kept::{AVAILABILITY, DEFAULT_CALENDAR, Kept};
use crate::lock;
use crate::place::{Place, Shelf};
use crate::property::{Multistatus, is_protected};
use crate::request::Request;
use crate::sharing::access::Access;
use crate::sharing::{member, proxies};
use crate::visit::{Opened, Visit};
use crate::xml::{Element, Name, Writer, ns};

/// How often a change is tried anew when another one came in between.
const ATTEMPTS: u32 = 5;
/// Folders of one name beside each other, told apart by numbers.
const NAMESAKES: u32 = 100;

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Set(Element),
    Remove(Name),
}

impl Change {
    fn name(&self) -> &Name {
        match self {
            Change::Set(element) => &element.name,
            Change::Remove(name) => name,
        }
    }
}

/// The instructions of a `propertyupdate`, `mkcol` or `mkcalendar`, in their order.
pub(super) fn changes(body: &Element) -> Vec<Change> {
    let mut changes = Vec::new();
    for instruction in body.children() {
        let props = || {
            instruction
                .all(ns::DAV, "prop")
                .flat_map(|prop| prop.children())
        };
        if instruction.name.is(ns::DAV, "set") {
            changes.extend(props().cloned().map(Change::Set));
        } else if instruction.name.is(ns::DAV, "remove") {
            changes.extend(props().map(|prop| Change::Remove(prop.name.clone())));
        }
    }
    changes
}

/// What a collection is to become.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) display_name: Option<String>,
    pub(super) kept: Kept,
}

/// Applies instructions. Each that is refused is told with its reason.
pub(super) fn plan(changes: &[Change], kept: &Kept) -> Result<Plan, Vec<(Name, Refusal)>> {
    plan_of(Purpose::Objects, changes, kept)
}

/// As `plan`, of a collection of a purpose.
fn plan_of(
    purpose: Purpose,
    changes: &[Change],
    kept: &Kept,
) -> Result<Plan, Vec<(Name, Refusal)>> {
    let mut plan = Plan {
        display_name: None,
        kept: kept.clone(),
    };
    let mut refused = Vec::new();
    for change in changes {
        if let Err(refusal) = apply(change, (purpose, &mut plan)) {
            refused.push((change.name().clone(), refusal));
        }
    }
    if refused.is_empty() {
        Ok(plan)
    } else {
        Err(refused)
    }
}

fn apply(change: &Change, (purpose, plan): (Purpose, &mut Plan)) -> Result<(), Refusal> {
    let name = change.name();
    let is_inboxes = *name == DEFAULT_CALENDAR;
    if is_protected(name) || (is_inboxes && purpose != Purpose::Inbox) {
        return Err(protected());
    }
    if name.is(ns::DAV, "displayname") {
        let text = match change {
            Change::Set(element) => element.text().trim().to_owned(),
            Change::Remove(_) => String::new(),
        };
        // A folder has a name; who takes it away leaves it as it is.
        if !text.is_empty() {
            plan.display_name = Some(folder_name(&text));
        }
        return Ok(());
    }
    match change {
        Change::Remove(name) => plan.kept.remove(name),
        Change::Set(element) => {
            if is_zone(name) && Zone::of_calendar(&element.text()).is_none() {
                return Err(Refusal::forbidden(
                    Name::caldav("valid-calendar-data"),
                    "calendar-timezone is a VCALENDAR with one VTIMEZONE",
                ));
            }
            if *name == AVAILABILITY && !is_availability(&element.text()) {
                return Err(Refusal::forbidden(
                    Name::caldav("valid-calendar-data"),
                    "calendar-availability is a VCALENDAR with VAVAILABILITY",
                ));
            }
            plan.kept.set(element)?;
        }
    }
    Ok(())
}

fn protected() -> Refusal {
    Refusal::forbidden(
        Name::dav("cannot-modify-protected-property"),
        "the server says this itself",
    )
}

/// A display name as a folder may have it.
pub(super) fn folder_name(text: &str) -> String {
    let mut name: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    name.truncate(name.floor_char_boundary(200));
    name
}

/// Names to try when one is taken.
pub(super) fn namesakes(name: &str) -> impl Iterator<Item = String> + '_ {
    let numbered = (2..=NAMESAKES).map(move |number| format!("{name} ({number})"));
    std::iter::once(name.to_owned()).chain(numbered)
}

pub(super) fn answer(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    let place = request.place.as_ref().ok_or_else(Refusal::not_found)?;
    let body = request.xml()?;
    let body = body
        .filter(|body| body.name.is(ns::DAV, "propertyupdate"))
        .ok_or_else(|| Refusal::new(400, "the body of PROPPATCH is a DAV:propertyupdate"))?;
    let changes = changes(&body);
    if let Place::Proxy(address, access) = place {
        let refused = delegate(visit, (address, *access), &changes)?;
        return Ok(told(&place.path(), &changes, refused));
    }
    let Place::Collection(at) = place else {
        super::propfind::describe(visit, place, &mut |_| {})?;
        if let Place::Object(at, name) = place {
            lock::demand(
                (request, visit),
                &visit.open(at)?,
                lock::Change::Object(name),
            )?;
        }
        let refused = changes
            .iter()
            .map(|change| (change.name().clone(), protected()))
            .collect();
        return Ok(told(&place.path(), &changes, refused));
    };
    for _ in 0..ATTEMPTS {
        let opened = visit.open(at)?;
        lock::demand((request, visit), &opened, lock::Change::Collection)?;
        let purpose = opened.collection.purpose();
        let planned = plan_of(purpose, &changes, &opened.collection.kept);
        let planned = planned.and_then(|plan| {
            match default_calendar(&opened, &plan.kept) {
                // One that is gone since is no reason to refuse other changes.
                Err(refusal) if changes.iter().any(|one| *one.name() == DEFAULT_CALENDAR) => {
                    Err(vec![(DEFAULT_CALENDAR, refusal)])
                }
                chosen => Ok((plan, chosen.unwrap_or_default())),
            }
        });
        let (plan, chosen) = match planned {
            Ok(planned) => planned,
            Err(refused) => return Ok(told(&place.path(), &changes, refused)),
        };
        if carry_out(&opened, (&plan, chosen))? {
            return Ok(if request.wants_minimal() {
                Answer::new(200).header("preference-applied", "return=minimal")
            } else {
                told(&place.path(), &changes, Vec::new())
            });
        }
    }
    Err(Refusal::new(
        409,
        "others change the collection at the same time",
    ))
}

/// A client sets the members of a group of delegates; nothing else of it can be changed.
fn delegate(
    visit: &Visit,
    (address, access): (&str, Access),
    changes: &[Change],
) -> Result<Vec<(Name, Refusal)>, Refusal> {
    let members = |element: &Element| {
        let hrefs = element.all(ns::DAV, "href").map(|href| href.text());
        let unknown = |href: String| {
            let text = format!("{href} is nobody of this server");
            Refusal::forbidden(Name::dav("recognized-principal"), text)
        };
        hrefs
            .map(|href| member(&href).ok_or_else(|| unknown(href)))
            .collect::<Result<Vec<String>, Refusal>>()
    };
    let mut refused = Vec::new();
    let mut wanted = None;
    for change in changes {
        let planned = match change {
            _ if address != visit.address || !change.name().is(ns::DAV, "group-member-set") => {
                Err(protected())
            }
            Change::Set(element) => members(element),
            Change::Remove(_) => Ok(Vec::new()),
        };
        match planned {
            Ok(members) => wanted = Some(members),
            Err(refusal) => refused.push((change.name().clone(), refusal)),
        }
    }
    if let Some(members) = wanted.filter(|_| refused.is_empty()) {
        proxies::set(visit, access, &members)?;
    }
    Ok(refused)
}

/// The folder that invitations are to go to, of an inbox of which that is said.
fn default_calendar(opened: &Opened, kept: &Kept) -> Result<Option<u64>, Refusal> {
    let collection = &opened.collection;
    if collection.purpose() != Purpose::Inbox || kept.xml(&DEFAULT_CALENDAR).is_none() {
        return Ok(None);
    }
    let owner = &collection.place.owner;
    let chosen = kept.default_calendar();
    let home = catalog::of_home(&opened.mailbox, Shelf::Calendars, owner)?;
    let mut home = home.into_iter();
    let found = home.find(|one| Some(&one.place) == chosen.as_ref() && one.takes_invitations());
    found.map(|found| Some(found.folder.id)).ok_or_else(|| {
        Refusal::forbidden(
            Name::caldav("valid-schedule-default-calendar-URL"),
            "invitations go to a calendar of one's own that takes events",
        )
    })
}

/// False when somebody changed the collection in between.
fn carry_out(
    opened: &Opened,
    (plan, default_calendar): (&Plan, Option<u64>),
) -> Result<bool, Refusal> {
    let Collection { folder, .. } = &opened.collection;
    let wanted = plan.display_name.as_deref();
    let wanted = wanted.filter(|name| **name != *folder.name);
    let mut set = plan.kept.properties()?.to_vec();
    set.extend(default_calendar.map(|folder| Property {
        tag: columns::DEFAULT_CALENDAR.0,
        value: Value::Int64(folder.cast_signed()),
    }));
    let remove = match default_calendar {
        Some(_) => Vec::new(),
        None => vec![columns::DEFAULT_CALENDAR.0],
    };
    let mut update = CollectionUpdate {
        name: None,
        set,
        remove,
        expected: Some(folder.change_number),
    };
    let Some(wanted) = wanted else {
        return changed(opened, &update).map(|outcome| outcome != Outcome::Conflict);
    };
    for name in namesakes(wanted) {
        update.name = Some(name);
        match changed(opened, &update)? {
            Outcome::Done => return Ok(true),
            Outcome::Conflict => return Ok(false),
            Outcome::NameTaken => {}
        }
    }
    Err(Refusal::new(409, "too many folders of this name"))
}

#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Done,
    Conflict,
    NameTaken,
}

fn changed(opened: &Opened, update: &CollectionUpdate) -> Result<Outcome, Refusal> {
    let folder = opened.collection.folder.id;
    match objects::update_collection(&opened.mailbox, folder, update) {
        Ok(_) => Ok(Outcome::Done),
        Err(fault) if fault.class == FaultClass::Conflict => Ok(Outcome::Conflict),
        Err(fault) if fault.class == FaultClass::AlreadyExists => Ok(Outcome::NameTaken),
        Err(fault) => Err(denied(fault, opened)),
    }
}

/// One propstat for what was done, or one for each that was refused and one for those that fail with them.
fn told(path: &str, changes: &[Change], refused: Vec<(Name, Refusal)>) -> Answer {
    let mut answer = Multistatus::new(false);
    answer.changed(path, stats(changes, refused));
    answer.answer()
}

/// Parts of a document by their status.
pub(super) fn stats(
    changes: &[Change],
    refused: Vec<(Name, Refusal)>,
) -> Vec<(u16, String, Option<Refusal>)> {
    let status = if refused.is_empty() { 200 } else { 424 };
    let mut rest = Writer::part();
    let mut seen: Vec<&Name> = Vec::new();
    for change in changes {
        let name = change.name();
        if !seen.contains(&name) && !refused.iter().any(|(other, _)| other == name) {
            rest.empty(name);
            seen.push(name);
        }
    }
    let mut stats = Vec::new();
    if !rest.is_empty() || refused.is_empty() {
        stats.push((status, rest.finish(), None));
    }
    for (name, refusal) in refused {
        let mut part = Writer::part();
        part.empty(&name);
        stats.push((refusal.status, part.finish(), Some(refusal)));
    }
    stats
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::read;

    fn parsed(inner: &str) -> Vec<Change> {
        let body = format!(
            "<propertyupdate xmlns='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav' xmlns:X='urn:x'>{inner}</propertyupdate>"
        );
        changes(&read(body.as_bytes()).unwrap())
    }

    #[test]
    fn instructions_are_carried_out_in_their_order() {
        let changes = parsed(
            "<set><prop><X:a>1</X:a><displayname> Home\n</displayname></prop></set><remove><prop><X:a/><X:b/></prop></remove>\
             <set><prop><X:c>3</X:c></prop></set>",
        );
        let plan = plan(&changes, &Kept::default()).unwrap();
        assert_eq!(plan.display_name.as_deref(), Some("Home"));
        let names: Vec<_> = plan
            .kept
            .names()
            .map(|name| name.local.to_string())
            .collect();
        assert_eq!(names, ["c"]);
    }

    #[test]
    fn one_that_is_refused_takes_the_others_with_it() {
        let changes = parsed("<set><prop><getetag>1</getetag><X:a>1</X:a></prop></set>");
        let refused = plan(&changes, &Kept::default()).unwrap_err();
        let statuses: Vec<_> = stats(&changes, refused)
            .into_iter()
            .map(|stat| stat.0)
            .collect();
        assert_eq!(statuses, [424, 403]);
    }

    #[test]
    fn a_time_zone_that_is_none_is_refused_by_its_precondition() {
        let changes = parsed(
            "<set><prop><C:calendar-timezone>Europe/Berlin</C:calendar-timezone></prop></set>",
        );
        let refused = plan(&changes, &Kept::default()).unwrap_err();
        assert_eq!(refused[0].1.status, 403);
    }

    #[test]
    fn an_availability_that_is_none_is_refused() {
        let set = |inner: &str| {
            let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{inner}END:VCALENDAR");
            let set = format!(
                "<set><prop><C:calendar-availability>{text}</C:calendar-availability></prop></set>"
            );
            plan(&parsed(&set), &Kept::default())
        };
        let available = "BEGIN:AVAILABLE\nUID:1\nDTSTART:20240101T090000Z\nDTEND:20240101T170000Z\nEND:AVAILABLE\n";
        assert!(
            set(&format!(
                "BEGIN:VAVAILABILITY\nUID:a\n{available}END:VAVAILABILITY\n"
            ))
            .is_ok()
        );
        assert!(set("").is_err());
        let broken = available.replace("2024", "x");
        assert!(
            set(&format!(
                "BEGIN:VAVAILABILITY\nUID:a\n{broken}END:VAVAILABILITY\n"
            ))
            .is_err()
        );
    }

    #[test]
    fn namesakes_are_numbered() {
        let names: Vec<_> = namesakes("A").take(3).collect();
        assert_eq!(names, ["A", "A (2)", "A (3)"]);
        assert_eq!(folder_name("a\tb"), "a b");
    }
}
