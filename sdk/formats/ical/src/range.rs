/// A span of time in seconds since 1970, UTC: from `start` up to and without `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Range {
    /// The first second; `i64::MIN` when there is none.
    pub start: i64,
    /// The first second after it; `i64::MAX` when there is none.
    pub end: i64,
}

impl Range {
    /// All time.
    pub const ALL: Range = Range {
        start: i64::MIN,
        end: i64::MAX,
    };

    /// A range.
    pub const fn new(start: i64, end: i64) -> Self {
        Range { start, end }
    }

    /// A `time-range` element: values such as `20060104T000000Z`, of which one may be missing (RFC 4791 section 9.9).
    ///
    /// # Errors
    /// A value that is no UTC time, or an end that is not after the start.
    pub fn of_attributes(start: Option<&str>, end: Option<&str>) -> crate::Result<Self> {
        let utc = |text: &str| {
            let wrong = || {
                crate::Error::value(
                    "time-range",
                    "not a UTC time such as 20060104T000000Z",
                    text,
                )
            };
            let moment = crate::Moment::parse(text, None).map_err(|_| wrong())?;
            moment.as_utc().ok_or_else(wrong)
        };
        let range = Range {
            start: start.map_or(Ok(i64::MIN), utc)?,
            end: end.map_or(Ok(i64::MAX), utc)?,
        };
        if (start.is_none() && end.is_none()) || range.start >= range.end {
            return Err(crate::Error::value(
                "time-range",
                "the end is not after the start",
                "",
            ));
        }
        Ok(range)
    }

    /// Whether a span that is not empty has time in common with this one.
    pub const fn overlaps(&self, start: i64, end: i64) -> bool {
        self.start < end && self.end > start
    }

    /// Whether an instant lies in it.
    pub const fn contains(&self, instant: i64) -> bool {
        self.start <= instant && instant < self.end
    }

    /// What of another lies in it.
    #[must_use]
    pub fn clip(&self, other: Range) -> Option<Range> {
        let both = Range::new(self.start.max(other.start), self.end.min(other.end));
        (both.start < both.end).then_some(both)
    }
}
