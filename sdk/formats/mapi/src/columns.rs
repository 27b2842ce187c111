//! Columns of the store that MAPI has no tag for (ids 0x67EA to 0x67FF).

use crate::PropertyTag;

/// IMAP UID (Int32).
pub const UID: PropertyTag = PropertyTag(0x67F0_0003);
/// max(cn, read_cn, flag_cn) (Int64).
pub const MODSEQ: PropertyTag = PropertyTag(0x67F1_0014);
/// INTERNALDATE, seconds since 1970 (Int64).
pub const INTERNAL_DATE: PropertyTag = PropertyTag(0x67F2_0014);
/// INTERNALDATE as days since 1970, UTC (Int32).
pub const INTERNAL_DAY: PropertyTag = PropertyTag(0x67F3_0003);
/// Day of the Date: header as written, its zone disregarded (RFC 9051 6.4.4), days since 1970 (Int32).
pub const SENT_DAY: PropertyTag = PropertyTag(0x67F4_0003);
/// Date: header as an instant, seconds since 1970 (Int64); INTERNALDATE when absent.
pub const SENT_DATE: PropertyTag = PropertyTag(0x67F5_0014);
/// Octets of the RFC 5322 form (Int64).
pub const SIZE: PropertyTag = PropertyTag(0x67F6_0014);
/// SAVEDATE, seconds since 1970 (Int64).
pub const SAVE_DATE: PropertyTag = PropertyTag(0x67F7_0014);
/// RFC 5256 base subject (Text).
pub const BASE_SUBJECT: PropertyTag = PropertyTag(0x67F8_001F);
/// Local part of the first From address (Text).
pub const FIRST_FROM: PropertyTag = PropertyTag(0x67F9_001F);
/// Local part of the first To address (Text).
pub const FIRST_TO: PropertyTag = PropertyTag(0x67FA_001F);
/// Local part of the first Cc address (Text).
pub const FIRST_CC: PropertyTag = PropertyTag(0x67FB_001F);
/// BLAKE3 of the RFC 5322 form (Binary): the same for copies, another after an edit.
pub const DIGEST: PropertyTag = PropertyTag(0x67FC_0102);
/// The beginning of the readable text (Text), made when it is asked for by name.
pub const PREVIEW: PropertyTag = PropertyTag(0x67FD_001F);
/// What DISPLAYFROM sorts by (RFC 5957) (Text), made when a sort asks for it.
pub const DISPLAY_FROM: PropertyTag = PropertyTag(0x67EC_001F);
/// What DISPLAYTO sorts by (RFC 5957) (Text), made when a sort asks for it.
pub const DISPLAY_TO: PropertyTag = PropertyTag(0x67ED_001F);
/// Of the scheduling inbox: the folder that invitations go to (RFC 6638 section 9.2) (Int64); the calendar of the mailbox without it.
pub const DEFAULT_CALENDAR: PropertyTag = PropertyTag(0x67EA_0014);
/// Of a folder: the zone of dates and floating times in it, a name or a VCALENDAR with a VTIMEZONE (RFC 4791 section 5.2.2) (Text).
pub const ZONE: PropertyTag = PropertyTag(0x67EB_001F);
/// Of the scheduling inbox: a VCALENDAR that says when its owner can be asked for at all (RFC 7953 section 7.2) (Text).
pub const AVAILABILITY: PropertyTag = PropertyTag(0x67EE_001F);
/// Of a folder: what is in it takes no time (RFC 6638 section 9.1) (Boolean).
pub const TRANSPARENT: PropertyTag = PropertyTag(0x67EF_000B);
/// Of a folder: the name by which DAV clients know it (Text); no two folders of a mailbox have the same.
pub const OUTSIDE_NAME: PropertyTag = PropertyTag(0x67FE_001F);
/// Of a folder: the properties that DAV clients gave it (Binary).
pub const DAV_PROPERTIES: PropertyTag = PropertyTag(0x67FF_0102);
