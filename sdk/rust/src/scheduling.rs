//! Meetings between people (RFC 5546, RFC 6638): what a change in a calendar tells others, and when they have time.
//!
//! The plugin works out the messages; the host brings them into the calendars of people of this server and sends mail to everybody.

pub use crate::bindings::waxwing::scheduling::itip::{
    BusyTime, CollectionIds, Message, addresses, collections, free_busy, kinds, send,
};
