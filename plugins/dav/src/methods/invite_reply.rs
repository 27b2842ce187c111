//! POST of a `CS:invite-reply` to a home: whoever is invited accepts or declines.

use waxwing_sdk::accounts::sharing;

use super::put::now;
use crate::answer::{Answer, Refusal};
use crate::sharing::invites::{self, Invite, Status};
use crate::sharing::notices;
use crate::sharing::notifications::place_of;
use crate::visit::Visit;
use crate::xml::{Element, Name, Writer, ns};

pub(super) fn answer(visit: &Visit, body: &Element) -> Result<Answer, Refusal> {
    let (uid, status) = read(body)?;
    for account in sharing::accounts()? {
        let owner = account.address.to_lowercase();
        let Ok(mailbox) = visit.mailbox(&owner) else {
            continue;
        };
        let mut mine = invites::of(&mailbox, &visit.address)?.into_iter();
        let Some(invite) = mine.find(|invite| invite.uid == uid) else {
            continue;
        };
        let place = place_of(&mailbox, (&owner, invite.folder)).ok_or_else(Refusal::not_found)?;
        say(&mailbox, invite, status)?;
        if status == Status::Declined {
            return Ok(Answer::new(200));
        }
        let root = Name::calendarserver("shared-as");
        let mut out = Writer::document(&root);
        out.leaf(&Name::dav("href"), &place.path());
        out.close(&root);
        return Ok(Answer::xml(200, out.finish()));
    }
    Err(Refusal::new(404, "there is no such invitation"))
}

/// Notes an answer, and tells the owner of it.
pub(super) fn say(
    mailbox: &waxwing_sdk::store::Mailbox,
    invite: Invite,
    status: Status,
) -> Result<(), Refusal> {
    if invite.status == status {
        return Ok(());
    }
    let answered = Invite {
        status,
        stamp: now(),
        is_dismissed: true,
        ..invite
    };
    invites::put(mailbox, &answered)?;
    notices::put(mailbox, &answered, answered.stamp)
}

/// To which invitation, and what.
fn read(body: &Element) -> Result<(String, Status), Refusal> {
    let wrong = || {
        Refusal::new(
            400,
            "a CS:invite-reply has CS:in-reply-to, and CS:invite-accepted or CS:invite-declined",
        )
    };
    if !body.name.is(ns::CALENDARSERVER, "invite-reply") {
        return Err(Refusal::new(
            400,
            "what is posted to a home is a CS:invite-reply",
        ));
    }
    let own = |name: &str| body.child(ns::CALENDARSERVER, name);
    let uid = own("in-reply-to").ok_or_else(wrong)?.text();
    let status = match (own("invite-accepted"), own("invite-declined")) {
        (Some(_), None) => Status::Accepted,
        (None, Some(_)) => Status::Declined,
        _ => return Err(wrong()),
    };
    Ok((uid.trim().to_owned(), status))
}

/// As [`super::read_any`].
pub(super) fn read_any(body: &Element) {
    let _ = read(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_accepts_or_declines_one_invitation() {
        let read = |inner: &str| {
            let body = format!(
                "<invite-reply xmlns='http://calendarserver.org/ns/'>{inner}</invite-reply>"
            );
            super::read(&crate::xml::read(body.as_bytes()).unwrap())
        };
        let uid = "<in-reply-to> 7 </in-reply-to>";
        assert_eq!(
            read(&format!("{uid}<invite-accepted/>")),
            Ok(("7".into(), Status::Accepted))
        );
        assert_eq!(
            read(&format!("<invite-declined/>{uid}")),
            Ok(("7".into(), Status::Declined))
        );
        assert!(read(uid).is_err() && read("<invite-accepted/>").is_err());
        assert!(read(&format!("{uid}<invite-accepted/><invite-declined/>")).is_err());
    }
}
