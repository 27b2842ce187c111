//! Scheduling (RFC 5546, RFC 6638): what a change of a meeting sends, and what a message that arrives changes.
//!
//! Pure functions over [`Object`]s; who is local, where copies lie and how messages travel is the caller's to know.
//!
//! - [`organizer_changed`]: the organiser's client put, changed or deleted a meeting. Gives what is to be stored, with SEQUENCE and PARTSTAT as
//!   RFC 6638 section 3.2.8 wants them, and a [`Message`] for each attendee who has to know.
//! - [`attendee_changed`]: an attendee's client did. Refuses what is not his to change (section 3.2.2.1), and gives the answer to the organiser.
//! - [`receive`]: a message arrived for somebody. Gives what his copy becomes.
//! - [`refresh`] and [`refreshed`]: the whole of a meeting, asked for and given.
//! - [`answer`]: accepts or declines for somebody: rooms, and protocols that have a button for it.
//! - [`FreeBusyRequest`]: a free-busy request and its answers.
//!
//! **Schedule-Tag** (section 3.2.10) changes with every object these give, unless [`Received::keeps_schedule_tag`] or [`Message::minor`] says
//! that only the answers of others changed.

mod address;
mod attendee;
mod compare;
mod difference;
mod free_busy;
mod message;
mod organizer;
mod prepare;
mod receive;
mod reply;
mod request;
mod view;

pub use address::{Role, role, same_address};
pub use attendee::{Attended, attendee_changed};
pub use free_busy::FreeBusyRequest;
pub use message::{Message, Method};
pub use organizer::{Organized, organizer_changed};
pub use receive::{Change, Received, Stale, accept_counter, receive};
pub use reply::{Participation, answer, set_schedule_status};
pub use request::{refresh, refreshed};

/// Who acts, and when.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// All addresses of the owner of the calendar, as ORGANIZER and ATTENDEE may name him: `mailto:a@example.org`.
    pub mine: &'a [String],
    /// Seconds since 1970: the DTSTAMP of messages.
    pub now: i64,
}

impl Context<'_> {
    fn is_me(&self, address: &str) -> bool {
        self.mine.iter().any(|mine| same_address(mine, address))
    }
}

#[cfg(test)]
mod tests;
