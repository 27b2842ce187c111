use super::cursor::Cursor;
use crate::MapiError;

/// How often (MS-OXOCAL 2.2.1.44.1 RecurFrequency).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frequency {
    /// 0x200A.
    Daily,
    /// 0x200B.
    Weekly,
    /// 0x200C.
    Monthly,
    /// 0x200D.
    Yearly,
}

const FREQUENCIES: [(Frequency, u16); 4] = [
    (Frequency::Daily, 0x200A),
    (Frequency::Weekly, 0x200B),
    (Frequency::Monthly, 0x200C),
    (Frequency::Yearly, 0x200D),
];

/// Which days (PatternType and PatternTypeSpecific). Days of the week are bits, Sunday the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pattern {
    /// Every so many days; the period is in minutes.
    Day,
    /// These days of every so many weeks.
    Week(u32),
    /// This day of the month; in a shorter month its last.
    MonthDay(u32),
    /// The nth of these days of the month; 5: the last.
    MonthNth(u32, u32),
    /// The last day of the month.
    MonthEnd(u32),
    /// The same by the Hijri calendar: type 0xA, 0xB or 0xC and its fields.
    Hijri(u16, u32, u32),
}

/// EndType.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// 0x2021: at EndDate.
    Date,
    /// 0x2022: after OccurrenceCount.
    Count,
    /// 0x2023, or 0xFFFFFFFF as older clients write it.
    Never,
}

/// EndDate of a series without end.
pub const NO_END: u32 = 0x5AE9_80DF;

/// A RecurrencePattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecurrencePattern {
    /// RecurFrequency.
    pub frequency: Frequency,
    /// Which days.
    pub pattern: Pattern,
    /// CalendarType; 0: the one of the folder, Gregorian.
    pub calendar_type: u16,
    /// FirstDateTime.
    pub first_date_time: u32,
    /// Period: minutes, weeks or months.
    pub period: u32,
    /// SlidingFlag: a task that is made anew when it is done.
    pub sliding: u32,
    /// EndType.
    pub end: End,
    /// OccurrenceCount.
    pub occurrence_count: u32,
    /// FirstDOW, 0: Sunday.
    pub first_day_of_week: u32,
    /// DeletedInstanceDates: days that were taken out or changed.
    pub deleted: Vec<u32>,
    /// ModifiedInstanceDates: days on which changed ones are.
    pub modified: Vec<u32>,
    /// StartDate.
    pub start_date: u32,
    /// EndDate.
    pub end_date: u32,
}

/// An AppointmentRecurrencePattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppointmentRecurrence {
    /// Its first part.
    pub pattern: RecurrencePattern,
    /// WriterVersion2: 0x3009 since Outlook 2007.
    pub writer_version: u32,
    /// Minutes from midnight to the begin.
    pub start_offset: u32,
    /// Minutes from midnight to the end.
    pub end_offset: u32,
    /// Changed instances, in the order of their new begin.
    pub exceptions: Vec<Exception>,
    /// ReservedBlock1.
    pub reserved_1: Vec<u8>,
    /// ReservedBlock2.
    pub reserved_2: Vec<u8>,
}

/// An ExceptionInfo with its ExtendedException. A field that is `None` is as in the series.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exception {
    /// StartDateTime.
    pub start: u32,
    /// EndDateTime.
    pub end: u32,
    /// OriginalStartDate, with the time.
    pub original_start: u32,
    /// Subject.
    pub subject: Option<String>,
    /// MeetingType.
    pub meeting_type: Option<u32>,
    /// ReminderDelta, in minutes.
    pub reminder_delta: Option<u32>,
    /// ReminderSet.
    pub reminder_set: Option<u32>,
    /// Location.
    pub location: Option<String>,
    /// BusyStatus.
    pub busy_status: Option<u32>,
    /// Attachment.
    pub attachment: Option<u32>,
    /// SubType: 1 for a whole day.
    pub sub_type: Option<u32>,
    /// AppointmentColor.
    pub color: Option<u32>,
    /// ARO_EXCEPTIONAL_BODY: the body is in an attachment.
    pub has_body: bool,
    /// ChangeHighlight: its value and what follows.
    pub change_highlight: Vec<u8>,
    /// ReservedBlockEE1.
    pub reserved_1: Vec<u8>,
    /// ReservedBlockEE2.
    pub reserved_2: Vec<u8>,
}

const SUBJECT: u16 = 0x0001;
const LOCATION: u16 = 0x0010;
const BODY: u16 = 0x0200;
const VERSION: u16 = 0x3004;
const READER_VERSION: u32 = 0x3006;
/// From here on an ExtendedException has a ChangeHighlight.
const WITH_HIGHLIGHT: u32 = 0x3009;

impl RecurrencePattern {
    /// Reads PidLidTaskRecurrence.
    ///
    /// # Errors
    /// [`MapiError::StructureDamaged`].
    pub fn decode(octets: &[u8]) -> Result<Self, MapiError> {
        RecurrencePattern::read(&mut Cursor::new(octets, "recurrence pattern"))
    }

    fn read(from: &mut Cursor<'_>) -> Result<Self, MapiError> {
        if from.u16()? != VERSION || from.u16()? != VERSION {
            return Err(from.damaged());
        }
        let frequency = from.u16()?;
        let frequency = FREQUENCIES.iter().find(|(_, number)| *number == frequency);
        let frequency = frequency.ok_or_else(|| from.damaged())?.0;
        let pattern_type = from.u16()?;
        let calendar_type = from.u16()?;
        let (first_date_time, period, sliding) = (from.u32()?, from.u32()?, from.u32()?);
        let pattern = match pattern_type {
            0 => Pattern::Day,
            1 => Pattern::Week(from.u32()?),
            2 => Pattern::MonthDay(from.u32()?),
            3 => Pattern::MonthNth(from.u32()?, from.u32()?),
            4 => Pattern::MonthEnd(from.u32()?),
            0xA | 0xC => Pattern::Hijri(pattern_type, from.u32()?, 0),
            0xB => Pattern::Hijri(pattern_type, from.u32()?, from.u32()?),
            _ => return Err(from.damaged()),
        };
        let end = match from.u32()? {
            0x2021 => End::Date,
            0x2022 => End::Count,
            0x2023 | 0xFFFF_FFFF => End::Never,
            _ => return Err(from.damaged()),
        };
        Ok(RecurrencePattern {
            frequency,
            pattern,
            calendar_type,
            first_date_time,
            period,
            sliding,
            end,
            occurrence_count: from.u32()?,
            first_day_of_week: from.u32()?,
            deleted: from.numbers()?,
            modified: from.numbers()?,
            start_date: from.u32()?,
            end_date: from.u32()?,
        })
    }

    /// As octets.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        let frequency = FREQUENCIES
            .iter()
            .find(|(known, _)| *known == self.frequency)
            .map_or(0x200A, |(_, number)| *number);
        let (kind, fields): (u16, Vec<u32>) = match self.pattern {
            Pattern::Day => (0, vec![]),
            Pattern::Week(days) => (1, vec![days]),
            Pattern::MonthDay(day) => (2, vec![day]),
            Pattern::MonthNth(days, nth) => (3, vec![days, nth]),
            Pattern::MonthEnd(day) => (4, vec![day]),
            Pattern::Hijri(0xB, days, nth) => (0xB, vec![days, nth]),
            Pattern::Hijri(kind, day, _) => (kind, vec![day]),
        };
        for short in [VERSION, VERSION, frequency, kind, self.calendar_type] {
            out.extend(short.to_le_bytes());
        }
        let end = match self.end {
            End::Date => 0x2021,
            End::Count => 0x2022,
            End::Never => 0x2023,
        };
        numbers(&[self.first_date_time, self.period, self.sliding], out);
        numbers(&fields, out);
        numbers(&[end, self.occurrence_count, self.first_day_of_week], out);
        for list in [&self.deleted, &self.modified] {
            numbers(&[list.len() as u32], out);
            numbers(list, out);
        }
        numbers(&[self.start_date, self.end_date], out);
    }
}

impl AppointmentRecurrence {
    /// Reads PidLidAppointmentRecur. What follows the structure is ignored: some clients leave an older one there.
    ///
    /// # Errors
    /// [`MapiError::StructureDamaged`].
    pub fn decode(octets: &[u8]) -> Result<Self, MapiError> {
        let from = &mut Cursor::new(octets, "appointment recurrence");
        let pattern = RecurrencePattern::read(from)?;
        let _reader = from.u32()?;
        let writer_version = from.u32()?;
        let (start_offset, end_offset) = (from.u32()?, from.u32()?);
        let count = from.u16()?;
        let mut exceptions = Vec::new();
        for _ in 0..count {
            exceptions.push(Exception::read(from)?);
        }
        let reserved_1 = from.block()?;
        for exception in &mut exceptions {
            exception.read_extended(from, writer_version)?;
        }
        let reserved_2 = from.block()?;
        Ok(AppointmentRecurrence {
            pattern,
            writer_version,
            start_offset,
            end_offset,
            exceptions,
            reserved_1,
            reserved_2,
        })
    }

    /// As octets.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = self.pattern.encode();
        numbers(
            &[
                READER_VERSION,
                self.writer_version,
                self.start_offset,
                self.end_offset,
            ],
            &mut out,
        );
        let count = u16::try_from(self.exceptions.len()).unwrap_or(u16::MAX);
        out.extend(count.to_le_bytes());
        let exceptions = || self.exceptions.iter().take(usize::from(count));
        exceptions().for_each(|exception| exception.write(&mut out));
        block(&self.reserved_1, &mut out);
        exceptions().for_each(|exception| exception.write_extended(self.writer_version, &mut out));
        block(&self.reserved_2, &mut out);
        out
    }
}

impl Exception {
    fn read(from: &mut Cursor<'_>) -> Result<Self, MapiError> {
        let mut exception = Exception {
            start: from.u32()?,
            end: from.u32()?,
            original_start: from.u32()?,
            ..Exception::default()
        };
        let flags = from.u16()?;
        if flags & SUBJECT != 0 {
            exception.subject = Some(narrow(from)?);
        }
        for (flag, field) in [
            (0x0002, &mut exception.meeting_type),
            (0x0004, &mut exception.reminder_delta),
            (0x0008, &mut exception.reminder_set),
        ] {
            *field = if flags & flag != 0 {
                Some(from.u32()?)
            } else {
                None
            };
        }
        if flags & LOCATION != 0 {
            exception.location = Some(narrow(from)?);
        }
        for (flag, field) in [
            (0x0020, &mut exception.busy_status),
            (0x0040, &mut exception.attachment),
            (0x0080, &mut exception.sub_type),
            (0x0100, &mut exception.color),
        ] {
            *field = if flags & flag != 0 {
                Some(from.u32()?)
            } else {
                None
            };
        }
        exception.has_body = flags & BODY != 0;
        Ok(exception)
    }

    /// The texts again, in Unicode.
    fn read_extended(
        &mut self,
        from: &mut Cursor<'_>,
        writer_version: u32,
    ) -> Result<(), MapiError> {
        if writer_version >= WITH_HIGHLIGHT {
            self.change_highlight = from.block()?;
        }
        self.reserved_1 = from.block()?;
        if self.subject.is_none() && self.location.is_none() {
            return Ok(());
        }
        from.take(12)?;
        for text in [&mut self.subject, &mut self.location]
            .into_iter()
            .flatten()
        {
            *text = from.wide()?;
        }
        self.reserved_2 = from.block()?;
        Ok(())
    }

    fn write(&self, out: &mut Vec<u8>) {
        let fields = [
            (0x0002, self.meeting_type),
            (0x0004, self.reminder_delta),
            (0x0008, self.reminder_set),
            (0x0020, self.busy_status),
            (0x0040, self.attachment),
            (0x0080, self.sub_type),
            (0x0100, self.color),
        ];
        let mut flags = fields
            .iter()
            .filter(|(_, field)| field.is_some())
            .fold(0, |flags, (flag, _)| flags | flag);
        flags |= if self.subject.is_some() { SUBJECT } else { 0 };
        flags |= if self.location.is_some() { LOCATION } else { 0 };
        flags |= if self.has_body { BODY } else { 0 };
        numbers(&[self.start, self.end, self.original_start], out);
        out.extend(flags.to_le_bytes());
        let (before, after) = fields.split_at(3);
        let present = |fields: &[(u16, Option<u32>)]| {
            fields
                .iter()
                .filter_map(|(_, field)| *field)
                .collect::<Vec<u32>>()
        };
        self.subject
            .iter()
            .for_each(|subject| write_narrow(subject, out));
        numbers(&present(before), out);
        self.location
            .iter()
            .for_each(|location| write_narrow(location, out));
        numbers(&present(after), out);
    }

    fn write_extended(&self, writer_version: u32, out: &mut Vec<u8>) {
        if writer_version >= WITH_HIGHLIGHT {
            block(&self.change_highlight, out);
        }
        block(&self.reserved_1, out);
        if self.subject.is_none() && self.location.is_none() {
            return;
        }
        numbers(&[self.start, self.end, self.original_start], out);
        for text in [&self.subject, &self.location].into_iter().flatten() {
            let units: Vec<u16> = text.encode_utf16().take(usize::from(u16::MAX)).collect();
            out.extend((units.len() as u16).to_le_bytes());
            out.extend(units.iter().flat_map(|unit| unit.to_le_bytes()));
        }
        block(&self.reserved_2, out);
    }
}

fn numbers(list: &[u32], out: &mut Vec<u8>) {
    out.extend(list.iter().flat_map(|number| number.to_le_bytes()));
}

fn block(octets: &[u8], out: &mut Vec<u8>) {
    out.extend((octets.len() as u32).to_le_bytes());
    out.extend(octets);
}

/// A text in the code page of its writer, its length before it twice: with and without the NUL that is not there. Its Unicode form follows later.
fn narrow(from: &mut Cursor<'_>) -> Result<String, MapiError> {
    let _with_nul = from.u16()?;
    let length = usize::from(from.u16()?);
    Ok(from
        .take(length)?
        .iter()
        .map(|octet| char::from(*octet))
        .collect())
}

fn write_narrow(text: &str, out: &mut Vec<u8>) {
    let octets: Vec<u8> = text
        .chars()
        .map(|one| u8::try_from(one).unwrap_or(b'?'))
        .take(usize::from(u16::MAX - 1))
        .collect();
    let length = octets.len() as u16;
    out.extend((length + 1).to_le_bytes());
    out.extend(length.to_le_bytes());
    out.extend(octets);
}

#[cfg(test)]
mod tests;
