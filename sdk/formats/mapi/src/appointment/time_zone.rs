use super::cursor::{Cursor, from_utf16};
use crate::MapiError;

/// A PidLidAppointmentTimeZoneDefinition* (MS-OXOCAL 2.2.1.41).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZoneDefinition {
    /// KeyName: Windows' name of the zone.
    pub name: String,
    /// Its rules, each valid from its year on.
    pub rules: Vec<TimeZoneRule>,
}

/// A TZRule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeZoneRule {
    /// 1: the rule that a series is expanded with, 2: the rule of today.
    pub flags: u16,
    /// The first year.
    pub year: u16,
    /// Minutes to add to the clock for UTC.
    pub bias: i32,
    /// To add to that in standard time.
    pub standard_bias: i32,
    /// To add to that in daylight time.
    pub daylight_bias: i32,
    /// When standard time begins; month 0: never.
    pub standard: Transition,
    /// When daylight time begins.
    pub daylight: Transition,
}

/// A SYSTEMTIME that says when a clock changes: the nth weekday of a month, 5 for the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transition {
    /// 1 to 12; 0: never.
    pub month: u16,
    /// 0: Sunday.
    pub weekday: u16,
    /// 1 to 5.
    pub nth: u16,
    /// On the clock before the change.
    pub hour: u16,
    /// Minutes.
    pub minute: u16,
}

const VERSION: [u8; 2] = [2, 1];
const RULE_SIZE: u16 = 0x3E;

impl Transition {
    fn read(from: &mut Cursor<'_>) -> Result<Self, MapiError> {
        let _year = from.u16()?;
        let (month, weekday, nth) = (from.u16()?, from.u16()?, from.u16()?);
        let (hour, minute) = (from.u16()?, from.u16()?);
        from.take(4)?;
        Ok(Transition {
            month,
            weekday,
            nth,
            hour,
            minute,
        })
    }

    fn write(self, out: &mut Vec<u8>) {
        for field in [
            0,
            self.month,
            self.weekday,
            self.nth,
            self.hour,
            self.minute,
            0,
            0,
        ] {
            out.extend(field.to_le_bytes());
        }
    }
}

impl TimeZoneDefinition {
    /// Reads the property.
    ///
    /// # Errors
    /// [`MapiError::StructureDamaged`].
    pub fn decode(octets: &[u8]) -> Result<Self, MapiError> {
        let from = &mut Cursor::new(octets, "time zone definition");
        if from.array()? != VERSION {
            return Err(from.damaged());
        }
        let header = usize::from(from.u16()?);
        let mut header = Cursor::new(from.take(header)?, "time zone definition");
        let _reserved = header.u16()?;
        let length = usize::from(header.u16()?);
        let name = from_utf16(header.take(length * 2)?);
        let count = header.u16()?;
        let mut rules = Vec::new();
        for _ in 0..count {
            rules.push(TimeZoneRule::read(from)?);
        }
        Ok(TimeZoneDefinition { name, rules })
    }

    /// As octets.
    pub fn encode(&self) -> Vec<u8> {
        let name: Vec<u16> = self.name.encode_utf16().take(260).collect();
        let mut out = VERSION.to_vec();
        for field in [6 + 2 * name.len() as u16, 2, name.len() as u16] {
            out.extend(field.to_le_bytes());
        }
        out.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
        out.extend((self.rules.len() as u16).to_le_bytes());
        self.rules.iter().for_each(|rule| rule.write(&mut out));
        out
    }
}

impl TimeZoneRule {
    fn read(from: &mut Cursor<'_>) -> Result<Self, MapiError> {
        let (_major, _minor, _size) = (from.u8()?, from.u8()?, from.u16()?);
        let (flags, year) = (from.u16()?, from.u16()?);
        from.take(14)?;
        Ok(TimeZoneRule {
            flags,
            year,
            bias: from.i32()?,
            standard_bias: from.i32()?,
            daylight_bias: from.i32()?,
            standard: Transition::read(from)?,
            daylight: Transition::read(from)?,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend(VERSION);
        for field in [RULE_SIZE, self.flags, self.year] {
            out.extend(field.to_le_bytes());
        }
        out.extend([0; 14]);
        self.write_biases(out);
        self.standard.write(out);
        self.daylight.write(out);
    }

    fn write_biases(&self, out: &mut Vec<u8>) {
        for bias in [self.bias, self.standard_bias, self.daylight_bias] {
            out.extend(bias.to_le_bytes());
        }
    }

    /// Reads PidLidTimeZoneStruct, which has neither a name nor a year.
    ///
    /// # Errors
    /// [`MapiError::StructureDamaged`].
    pub fn decode_struct(octets: &[u8]) -> Result<Self, MapiError> {
        let from = &mut Cursor::new(octets, "time zone");
        let (bias, standard_bias, daylight_bias) = (from.i32()?, from.i32()?, from.i32()?);
        from.take(2)?;
        let standard = Transition::read(from)?;
        from.take(2)?;
        Ok(TimeZoneRule {
            flags: 0,
            year: 0,
            bias,
            standard_bias,
            daylight_bias,
            standard,
            daylight: Transition::read(from)?,
        })
    }

    /// As PidLidTimeZoneStruct.
    pub fn encode_struct(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_biases(&mut out);
        for transition in [self.standard, self.daylight] {
            out.extend([0; 2]);
            transition.write(&mut out);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EASTERN: &str = "02013000020015004500610073007400650072006E0020005300740061006E0064006100720064002000540069006D006500020002013E000000D60700000000000000000000000000002C01000000000000C4FFFFFF00000A000000050002000000000000000000040000000100020000000000000002013E000200D70700000000000000000000000000002C01000000000000C4FFFFFF00000B0000000100020000000000000000000300000002000200000000000000";
    const STRUCT: &str = "2C01000000000000C4FFFFFF000000000B00000001000200000000000000000000000300000002000200000000000000";

    fn octets(hex: &str) -> Vec<u8> {
        let digits = hex.as_bytes().chunks(2);
        digits
            .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
            .collect()
    }

    #[test]
    fn a_definition_of_windows_is_read_and_written() {
        let zone = TimeZoneDefinition::decode(&octets(EASTERN)).unwrap();
        assert_eq!(
            (zone.name.as_str(), zone.rules.len()),
            ("Eastern Standard Time", 2)
        );
        let now = &zone.rules[1];
        assert_eq!(
            (now.flags, now.year, now.bias, now.daylight_bias),
            (2, 2007, 300, -60)
        );
        assert_eq!(
            now.standard,
            Transition {
                month: 11,
                weekday: 0,
                nth: 1,
                hour: 2,
                minute: 0
            }
        );
        assert_eq!(zone.encode(), octets(EASTERN));
        let rule = TimeZoneRule::decode_struct(&octets(STRUCT)).unwrap();
        assert_eq!((rule.standard, rule.daylight), (now.standard, now.daylight));
        assert_eq!(rule.encode_struct(), octets(STRUCT));
    }

    proptest! {
        #[test]
        fn no_octets_make_it_panic(mut all in Just(octets(EASTERN)), at in any::<prop::sample::Index>(), octet in any::<u8>(), length in any::<prop::sample::Index>()) {
            let at = at.index(all.len());
            all[at] = octet;
            all.truncate(length.index(all.len()) + 1);
            let _ = (TimeZoneDefinition::decode(&all), TimeZoneRule::decode_struct(&all));
        }
    }
}
