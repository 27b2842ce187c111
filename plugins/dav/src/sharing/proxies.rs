//! Delegates (caldav-proxy): `calendar-proxy-read` and `calendar-proxy-write` of a principal. Who is in one of these groups may read, or
//! read and change, all calendars of the principal; so being in it is to be named in their permissions, and nothing else is stored.

use waxwing_formats_mapi::Rights;
use waxwing_sdk::store::Mailbox;

use super::access::{self, Access};
use crate::answer::Refusal;
use crate::catalog::Collection;
use crate::place::Shelf;
use crate::visit::Visit;

/// Members of a group.
const MAX_MEMBERS: usize = 100;

fn calendars(visit: &Visit) -> Result<(Mailbox, Vec<Collection>), Refusal> {
    let (mailbox, mut all) = visit.home(Shelf::Calendars, &visit.address)?;
    all.retain(|collection| {
        collection.purpose() == crate::catalog::Purpose::Objects
            && collection.rights().contains(Rights::FOLDER_OWNER)
    });
    Ok((mailbox, all))
}

/// The members of a group of whoever asks: who has the access to every calendar.
pub(crate) fn members(visit: &Visit, wanted: Access) -> Result<Vec<String>, Refusal> {
    let (mailbox, calendars) = calendars(visit)?;
    everywhere(&mailbox, calendars.iter(), wanted)
}

/// Who has the access to each of some calendars.
fn everywhere<'c>(
    mailbox: &Mailbox,
    calendars: impl Iterator<Item = &'c Collection>,
    wanted: Access,
) -> Result<Vec<String>, Refusal> {
    let mut members: Option<Vec<String>> = None;
    for calendar in calendars {
        let people = access::people(mailbox, calendar.folder.id)?;
        let mut here = people
            .into_iter()
            .filter(|(_, access)| *access == wanted)
            .map(|(member, _)| member);
        members = Some(match members {
            None => here.collect(),
            Some(members) => {
                let here: Vec<String> = here.by_ref().collect();
                let both = members.into_iter().filter(|one| here.contains(one));
                both.collect()
            }
        });
    }
    Ok(members.unwrap_or_default())
}

/// Makes a group of whoever asks consist of these. Who was in it before some calendar was made has no access to that one and is no
/// member any more, but has it still to those that a mailbox begins with, which are always there; he goes from all. Who was given a single
/// calendar keeps it.
pub(crate) fn set(visit: &Visit, wanted: Access, members: &[String]) -> Result<(), Refusal> {
    if members.len() > MAX_MEMBERS {
        return Err(Refusal::new(
            507,
            format!("limit delegates of a principal = {MAX_MEMBERS} reached"),
        ));
    }
    let (mailbox, calendars) = calendars(visit)?;
    let first = calendars.iter().filter(|calendar| calendar.is_default());
    let mut before = everywhere(&mailbox, first, wanted)?;
    before.extend(everywhere(&mailbox, calendars.iter(), wanted)?);
    before.retain(|member| !members.contains(member));
    let given: Vec<(String, Access)> = members
        .iter()
        .filter(|member| **member != visit.address)
        .map(|member| (member.clone(), wanted))
        .collect();
    for calendar in calendars {
        let people = access::people(&mailbox, calendar.folder.id)?.into_iter();
        let gone: Vec<String> = people
            .filter(|(member, access)| *access == wanted && before.contains(member))
            .map(|(member, _)| member)
            .collect();
        access::change(&mailbox, calendar.folder.id, (&given, &gone))?;
    }
    Ok(())
}
