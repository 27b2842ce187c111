//! Sharing as calendarserver's clients know it: the owner invites, the invited answers (caldav-sharing, caldav-proxy).
//!
//! | room | what |
//! |---|---|
//! | [`access`] | what is given, and the rights that it comes to |
//! | [`invites`] | who is invited, and what he said |
//! | [`notices`] | what the owner is told of answers |
//! | [`notifications`] | both, as the resources of somebody's notification collection |
//! | [`proxies`] | delegates: who may read or change all calendars of somebody |
//!
//! Rights are those of the folder, given when somebody is invited, by whoever may give them: the invited cannot give them to himself by
//! accepting. What an invitation adds is whether the calendar stands in the invited's home, so one that is given otherwise (ACL, another
//! protocol, the operator) is simply there, and one that is declined is still readable for who knows its path. All rows lie in the
//! mailbox of the owner, beside what is shared, and go with it: by DELETE, or, when another protocol has deleted it, once there is no room
//! for another row.

pub(crate) mod access;
pub(crate) mod invites;
pub(crate) mod notices;
pub(crate) mod notifications;
pub(crate) mod proxies;

use waxwing_sdk::accounts::sharing;

use crate::place::Place;

/// The member that an href stands for: an address or a principal of this server.
pub(crate) fn member(href: &str) -> Option<String> {
    let address = match Place::of_href(href) {
        Some(Place::Principal(address)) => address,
        _ => {
            let (scheme, address) = href.trim().split_once(':')?;
            scheme
                .eq_ignore_ascii_case("mailto")
                .then(|| address.to_owned())?
        }
    };
    sharing::member(&address)
        .ok()
        .map(|member| member.to_lowercase())
}
