//! CalDAV and CardDAV: calendars, tasks and contacts for standard clients.
//!
//! | room | what |
//! |---|---|
//! | [`place`] | where things are, and paths to it |
//! | [`request`], [`answer`] | what came, what goes, and preconditions |
//! | [`xml`] | the trees and texts between |
//! | [`visit`], [`catalog`] | who asks, and which collections there are |
//! | [`property`] | properties, and the 207 |
//! | [`content`] | what stands in objects |
//! | [`paging`] | answers that take more than one turn |
//! | [`scheduling`] | meetings: what a change of one tells others |
//! | [`sharing`] | invitations to calendars, notifications, delegates |
//! | [`lock`] | what is locked, and the `If` field |
//! | [`methods`] | one file for each method, [`methods::report`] for each report |
//!
//! An instance serves one request and keeps nothing: all state is the store's, so a version that takes over in the middle of a day's
//! synchronisation is noticed by nobody. The conditions of a change (If-Match, the UID's uniqueness) are looked at by the store in the
//! commit that makes it.

mod answer;
mod catalog;
mod chance;
mod content;
mod kept;
mod kind;
mod limits;
mod lock;
mod methods;
mod paging;
mod place;
mod property;
mod request;
mod scheduling;
mod sharing;
mod token;
mod visit;
mod xml;

use waxwing_sdk::http::{Action, HttpPlugin, Request, Wake};

/// The plugin: it has no state.
pub struct Dav;

impl HttpPlugin for Dav {
    fn handle(request: Request) -> Vec<Action> {
        methods::answer(request)
    }

    fn resume(ticket: Vec<u8>, _wake: Wake) -> Vec<Action> {
        methods::go_on(&ticket)
    }
}

waxwing_sdk::http_plugin!(Dav);

/// Reads octets in every way in which those of a client are read, and a path. For fuzzing: whatever they are, it returns.
pub fn read_any(octets: &[u8], path: &str) {
    let _ = place::Place::of_href(path);
    let _ = path.parse::<token::Token>();
    let _ = lock::Lists::read(path);
    if let Ok(body) = xml::read(octets) {
        methods::read_any(&body);
    }
}
