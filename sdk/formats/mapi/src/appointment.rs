//! The binary structures of calendar items (MS-OXOCAL 2.2.1).
//!
//! - [`AppointmentRecurrence`]: PidLidAppointmentRecur, when a series is; its first part alone is PidLidTaskRecurrence.
//! - [`TimeZoneDefinition`]: PidLidAppointmentTimeZoneDefinitionRecur and its like, and the older PidLidTimeZoneStruct.
//! - [`GlobalObjectId`]: PidLidGlobalObjectId, which meeting it is.
//!
//! Times in these are minutes since 1601 on the clock of the place. Counts are checked against the octets that are there before anything
//! is reserved, so memory is bounded by the input.

mod cursor;
mod global_object_id;
mod recurrence;
mod time_zone;

pub use global_object_id::GlobalObjectId;
pub use recurrence::{
    AppointmentRecurrence, End, Exception, Frequency, NO_END, Pattern, RecurrencePattern,
};
pub use time_zone::{TimeZoneDefinition, TimeZoneRule, Transition};
