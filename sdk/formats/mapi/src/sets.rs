//! Property sets (MS-OXPROPS 1.3.2) in the byte order of the wire: the first three fields little-endian.

const fn guid(first: u32, second: u16, third: u16, rest: [u8; 8]) -> [u8; 16] {
    let ([a, b, c, d], [e, f]) = (first.to_le_bytes(), second.to_le_bytes());
    let ([g, h], [i, j, k, l, m, n, o, p]) = (third.to_le_bytes(), rest);
    [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
}

const fn outlook(first: u32) -> [u8; 16] {
    guid(first, 0, 0, [0xC0, 0, 0, 0, 0, 0, 0, 0x46])
}

/// PS_MAPI: ids below 0x8000.
pub const MAPI: [u8; 16] = outlook(0x0002_0328);
/// PS_PUBLIC_STRINGS: names that anyone may choose; IMAP keywords are here.
pub const PUBLIC_STRINGS: [u8; 16] = outlook(0x0002_0329);
/// PS_INTERNET_HEADERS: header fields by name.
pub const INTERNET_HEADERS: [u8; 16] = outlook(0x0002_0386);
/// PSETID_Appointment.
pub const APPOINTMENT: [u8; 16] = outlook(0x0006_2002);
/// PSETID_Task.
pub const TASK: [u8; 16] = outlook(0x0006_2003);
/// PSETID_Address.
pub const ADDRESS: [u8; 16] = outlook(0x0006_2004);
/// PSETID_Common.
pub const COMMON: [u8; 16] = outlook(0x0006_2008);
/// PSETID_Log.
pub const LOG: [u8; 16] = outlook(0x0006_200A);
/// PSETID_Note.
pub const NOTE: [u8; 16] = outlook(0x0006_200E);
/// PSETID_Sharing.
pub const SHARING: [u8; 16] = outlook(0x0006_2040);
/// PSETID_PostRss.
pub const POST_RSS: [u8; 16] = outlook(0x0006_2041);
/// PSETID_Meeting.
pub const MEETING: [u8; 16] = guid(
    0x6ED8_DA90,
    0x450B,
    0x101B,
    [0x98, 0xDA, 0x00, 0xAA, 0x00, 0x3F, 0x13, 0x05],
);
/// PSETID_AirSync.
pub const AIR_SYNC: [u8; 16] = guid(
    0x7103_5549,
    0x0739,
    0x4DCB,
    [0x91, 0x63, 0x00, 0xF0, 0x58, 0x0D, 0xBB, 0xDF],
);

#[cfg(test)]
mod tests {
    #[test]
    fn sets_are_in_wire_order() {
        assert_eq!(super::COMMON[..4], [0x08, 0x20, 0x06, 0x00]);
        assert_eq!(super::COMMON[8..], [0xC0, 0, 0, 0, 0, 0, 0, 0x46]);
    }
}
