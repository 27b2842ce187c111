//! The host's side of every interface in `wit/`, one file each. A call is three steps: take what the handles stand
//! for, let the service do the work aside (`State::call`), translate the answer. Services' errors become
//! faults by the table in `failure`; a limit that only a broken or hostile plugin reaches becomes a trap.

pub(crate) mod accounts;
mod addresses;
mod bodies;
mod changes;
mod config;
mod delivery;
mod failure;
mod folders;
mod items;
mod kv;
mod log;
mod mailboxes;
mod names;
mod objects;
mod permissions;
mod scheduling;
mod scram;
mod scripts;
mod sharing;
mod site;
mod submission;
mod surroundings;
mod values;
pub(crate) mod views;

pub(crate) use failure::{Failure, LimitReached, Result};

use crate::{
    bindings::waxwing::{self, log::logger::Level},
    host_side::HostSide,
    plugins::Facts,
    state::State,
};

/// Writes a line of a plugin that it printed.
pub(crate) fn write_log(host: &HostSide, facts: &Facts, level: Level, text: &str) {
    log::write(host, facts, level, text, &[]);
}

// Interfaces of types only.
impl waxwing::types::extensions::Host for State {}
impl waxwing::store::types::Host for State {}
impl waxwing::session::types::Host for State {}
impl waxwing::http::types::Host for State {}
impl waxwing::hook::types::Host for State {}
