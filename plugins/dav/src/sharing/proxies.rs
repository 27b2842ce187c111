//! Delegates (caldav-proxy): `calendar-proxy-read` and `calendar-proxy-write` of a principal. Who is in one of these groups may read, or
//! read and change, all calendars of the principal; so being in it is to be named in their permissions, and nothing else is stored.

use waxwing_formats_mapi::Rights;

use super::access::{self, Access};
use crate::answer::Refusal;
use crate::catalog::Collection;
use crate::place::Shelf;
use crate::visit::Visit;

/// Members of a group.
const MAX_MEMBERS: usize = 100;

fn calendars(visit: &Visit) -> Result<(waxwing_sdk::store::Mailbox, Vec<Collection>), Refusal> {
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
    let mut members: Option<Vec<String>> = None;
    for calendar in calendars {
        let people = access::people(&mailbox, calendar.folder.id)?;
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

/// Makes a group of whoever asks consist of these.
pub(crate) fn set(visit: &Visit, wanted: Access, members: &[String]) -> Result<(), Refusal> {
    if members.len() > MAX_MEMBERS {
        return Err(Refusal::new(
            507,
            format!("limit delegates of a principal = {MAX_MEMBERS} reached"),
        ));
    }
    let gone: Vec<String> = self::members(visit, wanted)?
        .into_iter()
        .filter(|member| !members.contains(member))
        .collect();
    let given: Vec<(String, Access)> = members
        .iter()
        .filter(|member| **member != visit.address)
        .map(|member| (member.clone(), wanted))
        .collect();
    let (mailbox, calendars) = calendars(visit)?;
    for calendar in calendars {
        access::change(&mailbox, calendar.folder.id, (&given, &gone))?;
    }
    Ok(())
}
