//! PROPFIND: properties of something, and of what is in it. All that is below a home in one answer would be a mailbox: no.

use waxwing_sdk::delivery::{AddressClass, resolve};
use waxwing_sdk::store::{Mailbox, objects};

use super::collection::Page;
use crate::answer::{Answer, Refusal};
use crate::catalog::{Collection, Purpose};
use crate::paging::Cursor;
use crate::place::{CollectionPlace, Place, Shelf};
use crate::property::{
    Asked, CollectionView, Described, Multistatus, NotificationView, NotificationsView, ObjectView,
    PrincipalView, ProxyView, TreeView,
};
use crate::request::{Depth, Request};
use crate::sharing::notifications;
use crate::visit::{Opened, Visit};
use crate::xml::Name;

pub(in crate::methods) fn answer(request: &Request, visit: &Visit) -> Result<Answer, Refusal> {
    let place = request.place.as_ref().ok_or_else(Refusal::not_found)?;
    let asked = Asked::of_propfind(request.xml()?.as_ref())?;
    // RFC 4918 section 9.1: no depth is infinity, which old clients mean as little as we do for what has no members.
    let depth = request.depth(Depth::Infinity)?;
    if depth == Depth::Infinity && !matches!(place, Place::Object(..)) {
        return Err(Refusal::forbidden(
            Name::dav("propfind-finite-depth"),
            "ask with a Depth of 0 or 1",
        ));
    }
    let mut answer = Multistatus::page(request);
    if request.cursor.is_start() {
        describe(visit, place, &mut |described| {
            answer.describe(described, &asked);
        })?;
    }
    let mut rest = None;
    if depth == Depth::One {
        match place {
            Place::Collection(at) => {
                let opened = visit.open(at)?;
                rest = objects_of((request, visit), &opened, (&asked, &mut answer))?;
            }
            other => members(visit, other, (&asked, &mut answer))?,
        }
    }
    Ok(answer.answer_with(rest).header("dav", super::options::DAV))
}

/// Gives the resource at a place to somebody who describes it.
pub(in crate::methods) fn describe(
    visit: &Visit,
    place: &Place,
    take: &mut dyn FnMut(&dyn Described),
) -> Result<(), Refusal> {
    match place {
        Place::Root | Place::Principals | Place::Homes(_) => take(&tree(visit, place)),
        Place::Home(_, owner) => {
            demand_visible(visit, owner)?;
            take(&tree(visit, place));
        }
        Place::Principal(address) => take(&principal(visit, address)?),
        Place::Proxy(address, access) => {
            principal(visit, address)?;
            take(&ProxyView {
                visit,
                address: address.clone(),
                access: *access,
            });
        }
        Place::Notifications(owner) => {
            demand_own(visit, owner)?;
            take(&NotificationsView { visit });
        }
        Place::Notification(owner, name) => {
            demand_own(visit, owner)?;
            take(&NotificationView {
                visit,
                notification: &notifications::named(visit, name)?,
            });
        }
        Place::Collection(at) => {
            let opened = visit.open(at)?;
            let guid = opened.mailbox.guid();
            take(&CollectionView {
                visit,
                collection: &opened.collection,
                guid: &guid,
                mailbox: &opened.mailbox,
            });
        }
        Place::Object(at, name) => object(visit, (at, name), take)?,
    }
    Ok(())
}

fn tree<'v>(visit: &'v Visit, place: &Place) -> TreeView<'v> {
    TreeView {
        visit,
        place: place.clone(),
    }
}

fn object(
    visit: &Visit,
    (at, name): (&CollectionPlace, &str),
    take: &mut dyn FnMut(&dyn Described),
) -> Result<(), Refusal> {
    let opened = visit.open(at)?;
    let names = [name.to_owned()];
    let found = objects::get(&opened.mailbox, opened.collection.folder.id, &names)?;
    let object = found.into_iter().flatten().next();
    take(&ObjectView {
        visit,
        opened: &opened,
        object: &object.ok_or_else(Refusal::not_found)?,
        data: None,
    });
    Ok(())
}

/// Somebody by their address: who asks, or another user of this server.
pub(in crate::methods) fn principal<'v>(
    visit: &'v Visit,
    address: &str,
) -> Result<PrincipalView<'v>, Refusal> {
    if address == visit.address {
        return Ok(PrincipalView::current(visit));
    }
    let resolved = resolve(&[address.to_owned()]);
    let exists = resolved.first().is_some_and(|resolution| {
        resolution.class == AddressClass::Local
            && resolution.canonical.eq_ignore_ascii_case(address)
    });
    if !exists {
        return Err(Refusal::not_found());
    }
    Ok(PrincipalView {
        visit,
        address: address.to_owned(),
        display_name: address.to_owned(),
    })
}

/// Notifications are seen by whom they are for.
pub(in crate::methods) fn demand_own(visit: &Visit, owner: &str) -> Result<(), Refusal> {
    match owner == visit.address {
        true => Ok(()),
        false => Err(Refusal::not_found()),
    }
}

/// A home is there for who sees something in it.
fn demand_visible(visit: &Visit, owner: &str) -> Result<(), Refusal> {
    if owner == visit.address {
        return Ok(());
    }
    visit.mailbox(owner).map(drop)
}

/// What is in something, one level down.
fn members(
    visit: &Visit,
    place: &Place,
    (asked, answer): (&Asked, &mut Multistatus),
) -> Result<(), Refusal> {
    match place {
        Place::Root => {
            let inner = [
                Place::Principals,
                Place::Homes(Shelf::Calendars),
                Place::Homes(Shelf::AddressBooks),
            ];
            for place in inner {
                answer.describe(&tree(visit, &place), asked);
            }
        }
        Place::Principals => answer.describe(&PrincipalView::current(visit), asked),
        Place::Homes(shelf) => {
            let own = Place::Home(*shelf, visit.address.clone());
            answer.describe(&tree(visit, &own), asked);
        }
        Place::Home(shelf, owner) => {
            let (mailbox, collections) = visit.home(*shelf, owner)?;
            collections_of(visit, (&mailbox, &collections), (asked, answer));
            if *owner == visit.address {
                // Not a home set of several homes: many clients look at the first only, and some at none then. They all take what is
                // listed, wherever it is.
                for shared in visit.shared(*shelf) {
                    let of_owner = (&shared.mailbox, shared.collections.as_slice());
                    collections_of(visit, of_owner, (asked, answer));
                }
            }
        }
        Place::Notifications(_) => {
            for notification in &notifications::all(visit)? {
                answer.describe(
                    &NotificationView {
                        visit,
                        notification,
                    },
                    asked,
                );
            }
        }
        Place::Principal(_)
        | Place::Proxy(..)
        | Place::Notification(..)
        | Place::Collection(_)
        | Place::Object(..) => {}
    }
    Ok(())
}

fn collections_of(
    visit: &Visit,
    (mailbox, collections): (&Mailbox, &[Collection]),
    (asked, answer): (&Asked, &mut Multistatus),
) {
    let guid = mailbox.guid();
    // Clients find inbox and outbox by the principal, and take what is listed here for calendars.
    let shown = collections
        .iter()
        .filter(|collection| collection.purpose() == Purpose::Objects);
    for collection in shown {
        let view = CollectionView {
            visit,
            collection,
            guid: &guid,
            mailbox,
        };
        answer.describe(&view, asked);
    }
}

fn objects_of(
    (request, visit): (&Request, &Visit),
    opened: &Opened,
    (asked, answer): (&Asked, &mut Multistatus),
) -> Result<Option<Cursor>, Refusal> {
    Page::of_list(opened, request.cursor)?.rows(|object| {
        let view = ObjectView {
            visit,
            opened,
            object,
            data: None,
        };
        answer.describe(&view, asked);
        Ok(answer.is_full())
    })
}
