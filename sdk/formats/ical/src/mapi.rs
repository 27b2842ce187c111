//! Calendar and task items of MAPI (MS-OXCICAL, MS-OXOCAL, MS-OXOTASK): objects as properties, and properties as objects.
//!
//! - [`Item::of`]: what an object says, in properties, recipients and exceptions.
//! - [`Item::to_object`]: a new object of an item that some other protocol made.
//! - [`patched`]: an object after an item was edited. What MAPI has no word for stays as it was written.
//!
//! **What MAPI cannot say** is left out of the properties and stays in the object: rules that no dialog of Outlook makes (lists of months or hours, days
//! counted in the year, more than one rule), THISANDFUTURE, RDATE, alarms besides the first, whatever begins with `X-`. A series with
//! such a rule has no PidLidAppointmentRecur and shows its first instance. Dates of tasks have no time.

mod appointment;
mod item;
mod patch;
mod pattern;
mod people;
mod read;
mod task;
mod words;
mod zone;

pub use item::Item;
pub use patch::patched;

#[cfg(test)]
mod tests;
