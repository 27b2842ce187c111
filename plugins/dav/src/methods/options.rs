//! OPTIONS: what the server can do. It says nothing about anything that is there, so it is for everybody.

use crate::answer::Answer;

/// Every method that is served somewhere.
pub(super) const ALLOW: &str = "OPTIONS, GET, HEAD, PUT, POST, DELETE, PROPFIND, PROPPATCH, MKCOL, MKCALENDAR, COPY, MOVE, LOCK, UNLOCK, REPORT, ACL";
/// One field: clients read only the first.
pub(super) const DAV: &str = "1, 2, 3, access-control, calendar-access, addressbook, extended-mkcol, sync-collection, calendar-auto-schedule, calendar-availability, calendarserver-sharing, calendar-proxy";

pub(super) fn answer() -> Answer {
    Answer::new(200).header("allow", ALLOW).header("dav", DAV)
}
