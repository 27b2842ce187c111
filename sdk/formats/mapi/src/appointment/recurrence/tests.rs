use super::*;
use proptest::prelude::*;

/// Series that Outlook wrote, from Microsoft's collection of such structures: every other Thursday with one exception, every other Monday
/// (followed by what an older, longer version left behind), every other Thursday with five exceptions.
const EXCEPTION: &str = "043004300B2001000000C021000002000000000000001000000021200000120000000000000004000000806ADB0C40B9DB0C0008DC0CC056DC0C01000000806ADB0C80F4D80CA056DE0C063000000930000066030000A20300000100E66DDB0C226EDB0CE66DDB0C820201000000000000000000000004000000800100000000000000000000";
const LEFT_BEHIND: &str = "043004300B20010000002049000002000000000000000200000021200000060000000000000000000000000000004081D70C000BD90C0630000009300000480300008403000000000000000000000000D90C80A8D90C40F7D90C4081D70CDF80E95A0630000009300000480300008403000004008884D70CC484D70C8884D70C8200";
const FIVE: &str = "043004300B2001000000C0210000020000000000000010000000212000000A000000000000000A0000004057D40C00A6D40CC0F4D40C8043D50C4092D50C00E1D50CC02FD60C807ED60C40CDD60C001CD70C050000004057D40C00A6D40CA08CD50C00E1D50C001CD70C4057D40C001CD70C063000000930000084030000C00300000500C45AD40C005BD40CC45AD40C13023100300042692D7765656B6C79205465616D204D656574696E6720285941444B494E20666F722074686973206D656574696E672901000000070006005961646B696E84A9D40CC0A9D40C84A9D40C1302410040002855736520746F206D65657420776974682043687269732F4D6174742F5269636B292020202D2020202042692D7765656B6C79205465616D204D656574696E670100000027002600436F6E6620526F6F6D20434C5420312F323338312028323429204156204361706520466561722490D50C6090D50CC495D50C1A0201000000000000000100000084E4D50CC0E4D50C84E4D50C0002841FD70CC01FD70C841FD70C02000100000000000000040000000000000000000000C45AD40C005BD40CC45AD40C3000420069002D007700650065006B006C00790020005400650061006D0020004D0065006500740069006E006700200028005900410044004B0049004E00200066006F0072002000740068006900730020006D0065006500740069006E006700290006005900610064006B0069006E000000000004000000000000000000000084A9D40CC0A9D40C84A9D40C40002800550073006500200074006F0020006D00650065007400200077006900740068002000430068007200690073002F004D006100740074002F005200690063006B0029002000200020002D002000200020002000420069002D007700650065006B006C00790020005400650061006D0020004D0065006500740069006E006700260043006F006E006600200052006F006F006D00200043004C005400200031002F003200330038003100200028003200340029002000410056002000430061007000650020004600650061007200000000000400000000000000000000002490D50C6090D50CC495D50C00000000000004000000800000000000000004000000000000000000000000000000";

fn octets(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect()
}

fn decoded(hex: &str) -> AppointmentRecurrence {
    AppointmentRecurrence::decode(&octets(hex)).unwrap()
}

#[test]
fn a_series_of_outlook_is_read() {
    let series = decoded(EXCEPTION);
    let pattern = &series.pattern;
    assert_eq!(
        (pattern.frequency, pattern.pattern, pattern.period),
        (Frequency::Weekly, Pattern::Week(0x10), 2)
    );
    assert_eq!(
        (
            pattern.end,
            pattern.occurrence_count,
            pattern.first_date_time
        ),
        (End::Date, 18, 8_640)
    );
    assert_eq!(
        (pattern.start_date, pattern.end_date),
        (215_544_960, 215_897_760)
    );
    assert_eq!(
        (pattern.deleted.len(), pattern.modified.as_slice()),
        (4, [0x0CDB_6A80].as_slice())
    );
    assert_eq!(
        (
            series.start_offset,
            series.end_offset,
            series.writer_version
        ),
        (870, 930, 0x3009)
    );
    let exception = &series.exceptions[0];
    assert_eq!(
        (exception.start, exception.original_start),
        (0x0CDB_6DE6, 0x0CDB_6DE6)
    );
    assert_eq!(
        (
            exception.meeting_type,
            exception.sub_type,
            exception.has_body
        ),
        (Some(1), Some(0), true)
    );
    assert_eq!(exception.change_highlight, [0x80, 1, 0, 0]);
}

#[test]
fn texts_of_exceptions_are_read() {
    let series = decoded(FIVE);
    let first = &series.exceptions[0];
    assert_eq!(
        first.subject.as_deref(),
        Some("Bi-weekly Team Meeting (YADKIN for this meeting)")
    );
    assert_eq!(first.location.as_deref(), Some("Yadkin"));
    assert_eq!(
        (series.exceptions.len(), series.pattern.deleted.len()),
        (5, 10)
    );
}

#[test]
fn what_outlook_wrote_is_written_the_same() {
    for hex in [EXCEPTION, FIVE] {
        assert_eq!(decoded(hex).encode(), octets(hex));
    }
    let short = decoded(LEFT_BEHIND).encode();
    assert!(octets(LEFT_BEHIND).starts_with(&short) && short.len() < LEFT_BEHIND.len() / 2);
}

#[test]
fn a_pattern_of_a_task_is_the_first_part() {
    let series = decoded(EXCEPTION);
    assert_eq!(
        RecurrencePattern::decode(&octets(EXCEPTION)).unwrap(),
        series.pattern
    );
}

#[test]
fn a_structure_that_ends_early_is_damaged() {
    let all = octets(FIVE);
    for length in 0..all.len() {
        assert!(
            AppointmentRecurrence::decode(&all[..length]).is_err(),
            "{length}"
        );
    }
}

fn exceptions() -> impl Strategy<Value = Exception> {
    let text = || prop::option::of("[a-zä€]{0,9}");
    let number = || prop::option::of(any::<u32>());
    (
        (any::<[u32; 3]>(), text(), text()),
        (number(), number(), number(), number()),
        any::<bool>(),
    )
        .prop_map(
            |(
                ([start, end, original_start], subject, location),
                (meeting_type, reminder_delta, busy_status, color),
                has_body,
            )| Exception {
                start,
                end,
                original_start,
                subject,
                location,
                meeting_type,
                reminder_delta,
                busy_status,
                color,
                has_body,
                change_highlight: vec![1, 0, 0, 0],
                ..Exception::default()
            },
        )
}

proptest! {
    #[test]
    fn what_is_written_is_read_the_same(list in prop::collection::vec(exceptions(), 0..4), days in prop::collection::vec(any::<u32>(), 0..5)) {
        let mut series = decoded(EXCEPTION);
        series.exceptions = list;
        series.pattern.deleted = days;
        prop_assert_eq!(AppointmentRecurrence::decode(&series.encode()).unwrap(), series);
    }

    #[test]
    fn no_octets_make_it_panic_and_what_can_be_read_can_be_written(mut all in Just(octets(FIVE)), changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8)) {
        for (at, octet) in changes {
            let at = at.index(all.len());
            all[at] = octet;
        }
        if let Ok(series) = AppointmentRecurrence::decode(&all) {
            prop_assert_eq!(AppointmentRecurrence::decode(&series.encode()), Ok(series));
        }
    }
}
