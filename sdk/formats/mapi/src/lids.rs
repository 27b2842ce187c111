//! Named properties of calendar, task and contact items (MS-OXPROPS), by their canonical names without `PidLid`: set and number.

use crate::item::Lid;
use crate::sets::{ADDRESS, APPOINTMENT, COMMON, MEETING, TASK};

macro_rules! lids {
    ($($(#[$doc:meta])* $name:ident = $set:ident, $number:literal;)*) => {
        $($(#[$doc])* pub const $name: Lid = ($set, $number);)*
    };
}

lids! {
    /// Time: when an attendee's copy last changed.
    ATTENDEE_CRITICAL_CHANGE = MEETING, 0x0001;
    /// Binary: [`crate::appointment::GlobalObjectId`].
    GLOBAL_OBJECT_ID = MEETING, 0x0003;
    /// Boolean.
    IS_RECURRING = MEETING, 0x0005;
    /// Time: when the organiser last changed it.
    OWNER_CRITICAL_CHANGE = MEETING, 0x001A;
    /// Binary: the id without the date.
    CLEAN_GLOBAL_OBJECT_ID = MEETING, 0x0023;
    /// Integer32: SEQUENCE.
    APPOINTMENT_SEQUENCE = APPOINTMENT, 0x8201;
    /// Integer32: 0 free, 1 tentative, 2 busy, 3 out of office, 4 elsewhere.
    BUSY_STATUS = APPOINTMENT, 0x8205;
    /// String.
    LOCATION = APPOINTMENT, 0x8208;
    /// Time.
    APPOINTMENT_START_WHOLE = APPOINTMENT, 0x820D;
    /// Time.
    APPOINTMENT_END_WHOLE = APPOINTMENT, 0x820E;
    /// Integer32: minutes.
    APPOINTMENT_DURATION = APPOINTMENT, 0x8213;
    /// Boolean: a whole day.
    APPOINTMENT_SUB_TYPE = APPOINTMENT, 0x8215;
    /// Binary: [`crate::appointment::AppointmentRecurrence`].
    APPOINTMENT_RECUR = APPOINTMENT, 0x8216;
    /// Integer32: 1 meeting, 2 received, 4 cancelled.
    APPOINTMENT_STATE_FLAGS = APPOINTMENT, 0x8217;
    /// Integer32: 0 none, 1 organised, 2 tentative, 3 accepted, 4 declined, 5 not answered.
    RESPONSE_STATUS = APPOINTMENT, 0x8218;
    /// Boolean.
    RECURRING = APPOINTMENT, 0x8223;
    /// Time: in an exception, when it was to begin.
    EXCEPTION_REPLACE_TIME = APPOINTMENT, 0x8228;
    /// Integer32: 1 daily, 2 weekly, 3 monthly, 4 yearly.
    RECURRENCE_TYPE = APPOINTMENT, 0x8231;
    /// Binary: [`crate::appointment::TimeZoneRule::encode_struct`].
    TIME_ZONE_STRUCT = APPOINTMENT, 0x8233;
    /// String.
    TIME_ZONE_DESCRIPTION = APPOINTMENT, 0x8234;
    /// Time: the first day of a series.
    CLIP_START = APPOINTMENT, 0x8235;
    /// Time: its last.
    CLIP_END = APPOINTMENT, 0x8236;
    /// Binary: [`crate::appointment::TimeZoneDefinition`].
    TIME_ZONE_START_DISPLAY = APPOINTMENT, 0x825E;
    /// Binary.
    TIME_ZONE_END_DISPLAY = APPOINTMENT, 0x825F;
    /// Binary.
    TIME_ZONE_RECUR = APPOINTMENT, 0x8260;
    /// Integer32: minutes.
    REMINDER_DELTA = COMMON, 0x8501;
    /// Time.
    REMINDER_TIME = COMMON, 0x8502;
    /// Boolean.
    REMINDER_SET = COMMON, 0x8503;
    /// Boolean.
    PRIVATE = COMMON, 0x8506;
    /// Time.
    COMMON_START = COMMON, 0x8516;
    /// Time.
    COMMON_END = COMMON, 0x8517;
    /// Time: when the reminder comes.
    REMINDER_SIGNAL_TIME = COMMON, 0x8560;
    /// Integer32: 0 not started, 1 in progress, 2 complete, 3 waiting, 4 deferred.
    TASK_STATUS = TASK, 0x8101;
    /// Floating64: 0 to 1.
    PERCENT_COMPLETE = TASK, 0x8102;
    /// Time: midnight of the day, as if the clock showed UTC.
    TASK_START_DATE = TASK, 0x8104;
    /// Time, as the start.
    TASK_DUE_DATE = TASK, 0x8105;
    /// Time, as the start.
    TASK_DATE_COMPLETED = TASK, 0x810F;
    /// Binary: [`crate::appointment::RecurrencePattern`].
    TASK_RECURRENCE = TASK, 0x8116;
    /// Boolean.
    TASK_COMPLETE = TASK, 0x811C;
    /// Boolean.
    TASK_F_RECURRING = TASK, 0x8126;
    /// String.
    FILE_UNDER = ADDRESS, 0x8005;
    /// Boolean.
    HAS_PICTURE = ADDRESS, 0x8015;
    /// String.
    HTML = ADDRESS, 0x802B;
    /// String.
    WORK_ADDRESS_STREET = ADDRESS, 0x8045;
    /// String.
    WORK_ADDRESS_CITY = ADDRESS, 0x8046;
    /// String.
    WORK_ADDRESS_STATE = ADDRESS, 0x8047;
    /// String.
    WORK_ADDRESS_POSTAL_CODE = ADDRESS, 0x8048;
    /// String.
    WORK_ADDRESS_COUNTRY = ADDRESS, 0x8049;
    /// String.
    WORK_ADDRESS_POST_OFFICE_BOX = ADDRESS, 0x804A;
    /// String.
    INSTANT_MESSAGING_ADDRESS = ADDRESS, 0x8062;
    /// String; those of the second and third address are 0x10 and 0x20 further on.
    EMAIL_1_DISPLAY_NAME = ADDRESS, 0x8080;
    /// String.
    EMAIL_1_ADDRESS_TYPE = ADDRESS, 0x8082;
    /// String.
    EMAIL_1_EMAIL_ADDRESS = ADDRESS, 0x8083;
    /// String.
    EMAIL_1_ORIGINAL_DISPLAY_NAME = ADDRESS, 0x8084;
    /// String.
    FREE_BUSY_LOCATION = ADDRESS, 0x80D8;
}
