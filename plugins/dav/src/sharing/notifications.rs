//! The notification collection of somebody: invitations that he has not answered, and answers to his own. Nothing is stored for it, so
//! nothing in it can be of another opinion than the invitations.

use waxwing_sdk::accounts::sharing;
use waxwing_sdk::store::Mailbox;

use super::invites::{self, Invite, Status};
use super::notices::{self, Notice};
use crate::answer::Refusal;
use crate::catalog;
use crate::place::{Place, Shelf};
use crate::property::stamp;
use crate::visit::Visit;
use crate::xml::{Name, Writer, ns};

static INVITE: Name = Name::calendarserver("invite-notification");
static REPLY: Name = Name::calendarserver("invite-reply");

/// A resource of the collection.
pub(crate) struct Notification {
    /// Its name, without the ending.
    pub(crate) uid: String,
    pub(crate) stamp: i64,
    subject: Subject,
}

enum Subject {
    /// An invitation to a collection at a place, in the mailbox of its owner.
    Invite(Box<(Invite, Place, Mailbox)>),
    Reply(Box<(Notice, Option<Place>)>),
}

/// All of whoever asks.
pub(crate) fn all(visit: &Visit) -> Result<Vec<Notification>, Refusal> {
    let mut found = Vec::new();
    for account in sharing::accounts()? {
        let owner = account.address.to_lowercase();
        // One that cannot be opened now is in the next answer.
        let Ok(mailbox) = visit.mailbox(&owner) else {
            continue;
        };
        for invite in invites::of(&mailbox, &visit.address)? {
            if invite.status != Status::NoResponse || invite.is_dismissed {
                continue;
            }
            if let Some(place) = place_of(&mailbox, (&owner, invite.folder)) {
                let again = visit.mailbox(&owner)?;
                found.push(Notification {
                    uid: invite.uid.clone(),
                    stamp: invite.stamp,
                    subject: Subject::Invite(Box::new((invite, place, again))),
                });
            }
        }
    }
    let own = visit.mailbox(&visit.address)?;
    for notice in notices::all(&own)? {
        let place = place_of(&own, (&visit.address, notice.invite.folder));
        found.push(Notification {
            uid: notice.uid.clone(),
            stamp: notice.stamp,
            subject: Subject::Reply(Box::new((notice, place))),
        });
    }
    Ok(found)
}

/// The one of a name.
pub(crate) fn named(visit: &Visit, name: &str) -> Result<Notification, Refusal> {
    let uid = name.strip_suffix(".xml").unwrap_or(name);
    let mut all = all(visit)?.into_iter();
    all.find(|one| one.uid == uid)
        .ok_or_else(Refusal::not_found)
}

/// Where a shared folder is.
pub(crate) fn place_of(mailbox: &Mailbox, (owner, folder): (&str, u64)) -> Option<Place> {
    let shelves = [Shelf::Calendars, Shelf::AddressBooks];
    let all = shelves
        .into_iter()
        .filter_map(|shelf| catalog::of_home(mailbox, shelf, owner).ok())
        .flatten();
    let mut found = all.filter(|collection| collection.folder.id == folder);
    found.next().map(|found| Place::Collection(found.place))
}

impl Notification {
    pub(crate) fn name(&self) -> String {
        format!("{}.xml", self.uid)
    }

    /// It says the same as long as it is there.
    pub(crate) fn etag(&self) -> String {
        format!("\"{}-{}\"", self.uid, self.stamp)
    }

    /// What `CS:notificationtype` holds.
    pub(crate) fn kind(&self) -> &'static Name {
        match self.subject {
            Subject::Invite(_) => &INVITE,
            Subject::Reply(_) => &REPLY,
        }
    }

    /// Takes it out of the collection.
    pub(crate) fn dismiss(self, visit: &Visit) -> Result<(), Refusal> {
        match self.subject {
            Subject::Invite(inner) => {
                let (invite, _, mailbox) = *inner;
                let dismissed = Invite {
                    is_dismissed: true,
                    ..invite
                };
                invites::put(&mailbox, &dismissed)
            }
            Subject::Reply(inner) => {
                let (notice, _) = *inner;
                let own = visit.mailbox(&visit.address)?;
                Ok(notices::remove(&own, &notice.uid)?)
            }
        }
    }

    pub(crate) fn document(&self) -> String {
        let root = Name::calendarserver("notification");
        let mut out = Writer::document(&root);
        out.leaf(&Name::calendarserver("dtstamp"), &stamp(self.stamp));
        match &self.subject {
            Subject::Invite(inner) => {
                let (invite, place, mailbox) = &**inner;
                let owner = mailbox.address();
                out.open(&INVITE);
                out.leaf(&Name::calendarserver("uid"), &invite.uid);
                said(&mut out, invite);
                write_access(&mut out, invite);
                host(&mut out, Some(place));
                out.open(&Name::calendarserver("organizer"));
                out.leaf(&Name::dav("href"), &format!("mailto:{owner}"));
                out.leaf(&Name::calendarserver("common-name"), &owner);
                out.close(&Name::calendarserver("organizer"));
                out.leaf(&Name::calendarserver("summary"), &invite.summary);
                out.close(&INVITE);
            }
            Subject::Reply(inner) => {
                let (notice, place) = &**inner;
                out.open(&REPLY);
                said(&mut out, &notice.invite);
                host(&mut out, place.as_ref());
                out.leaf(&Name::calendarserver("in-reply-to"), &notice.invite.uid);
                out.leaf(&Name::calendarserver("summary"), &notice.invite.summary);
                out.close(&REPLY);
            }
        }
        out.close(&root);
        out.finish()
    }
}

/// Who is invited, and what he says.
fn said(out: &mut Writer, invite: &Invite) {
    out.leaf(&Name::dav("href"), &format!("mailto:{}", invite.address));
    out.empty(&invite.status.name());
}

/// `CS:access`.
pub(crate) fn write_access(out: &mut Writer, invite: &Invite) {
    let access = Name::calendarserver("access");
    out.open(&access);
    out.empty(&Name::new(ns::CALENDARSERVER, invite.access.element()));
    out.close(&access);
}

fn host(out: &mut Writer, place: Option<&Place>) {
    let host = Name::calendarserver("hosturl");
    out.open(&host);
    if let Some(place) = place {
        out.leaf(&Name::dav("href"), &place.path());
    }
    out.close(&host);
}
