use super::*;
use crate::rfc4791::{eastern, object, range};

fn berlin() -> Zone {
    Zone::named("Europe/Berlin").unwrap()
}

/// The instances of an event of 2024 and 2025: begin in UTC and summary.
fn seen(lines: &str) -> Vec<String> {
    let object = object(lines);
    let found = object
        .occurrences(
            &berlin(),
            range("20240101T000000Z", "20260101T000000Z"),
            100,
        )
        .unwrap();
    let shown = |occurrence: &Occurrence<'_>| {
        let summary = occurrence.component.value("SUMMARY").unwrap_or_default();
        format!("{} {summary}", Moment::utc(occurrence.start).to_value())
            .trim_end()
            .to_owned()
    };
    found.iter().map(shown).collect()
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\n")
}

#[test]
fn a_series_follows_the_clock_of_its_place_over_the_change_to_summer_time() {
    let weekly = event("DTSTART;TZID=Europe/Berlin:20240325T090000\nRRULE:FREQ=WEEKLY;COUNT=2");
    assert_eq!(seen(&weekly), ["20240325T080000Z", "20240401T070000Z"]);
}

#[test]
fn until_in_utc_includes_the_instance_of_that_second() {
    let daily = |until: &str| {
        seen(&event(&format!(
            "DTSTART;TZID=America/New_York:20240701T090000\nRRULE:FREQ=DAILY;UNTIL={until}"
        )))
        .len()
    };
    assert_eq!(daily("20240703T130000Z"), 3);
    assert_eq!(daily("20240703T125959Z"), 2);
    // A date, which RFC 5545 forbids here and clients write, is its whole day.
    assert_eq!(daily("20240703"), 3);
}

#[test]
fn exceptions_are_found_however_their_time_is_written() {
    for exception in [
        "EXDATE;TZID=Europe/Berlin:20240702T090000",
        "EXDATE:20240702T070000Z",
        "EXDATE;VALUE=DATE:20240702",
        "EXDATE;TZID=America/New_York:20240702T030000",
    ] {
        let daily = event(&format!(
            "DTSTART;TZID=Europe/Berlin:20240701T090000\nRRULE:FREQ=DAILY;COUNT=3\n{exception}"
        ));
        assert_eq!(
            seen(&daily),
            ["20240701T070000Z", "20240703T070000Z"],
            "{exception}"
        );
    }
    let days =
        event("DTSTART;VALUE=DATE:20240701\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20240702T000000Z");
    assert_eq!(seen(&days), ["20240630T220000Z", "20240702T220000Z"]);
}

#[test]
fn dates_and_periods_are_added_to_the_rule() {
    let lines = "DTSTART:20240701T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nRDATE:20240710T120000Z,20240702T090000Z\nRDATE;VALUE=PERIOD:20240720T080000Z/PT3H,20240721T080000Z/20240721T090000Z";
    assert_eq!(
        seen(&event(lines)),
        [
            "20240701T090000Z",
            "20240702T090000Z",
            "20240710T120000Z",
            "20240720T080000Z",
            "20240721T080000Z"
        ]
    );
    let long = object(&event(lines));
    assert!(
        long.overlaps(&Zone::UTC, range("20240720T103000Z", "20240720T110000Z"))
            .unwrap()
    );
    assert!(
        !long
            .overlaps(&Zone::UTC, range("20240710T133000Z", "20240710T140000Z"))
            .unwrap()
    );
}

#[test]
fn a_start_that_the_rule_does_not_give_is_an_instance_and_counts() {
    let odd = event("DTSTART:20240703T090000Z\nRRULE:FREQ=WEEKLY;BYDAY=MO;COUNT=3");
    assert_eq!(
        seen(&odd),
        ["20240703T090000Z", "20240708T090000Z", "20240715T090000Z"]
    );
}

#[test]
fn apple_writes_working_days_as_daily_with_weekdays() {
    let working = event("DTSTART:20240705T090000Z\nRRULE:FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR;COUNT=3");
    assert_eq!(
        seen(&working),
        ["20240705T090000Z", "20240708T090000Z", "20240709T090000Z"]
    );
}

#[test]
fn an_override_replaces_its_instance_and_may_lie_elsewhere() {
    let series = format!(
        "{}{}{}",
        event("SUMMARY:a\nDTSTART;TZID=Europe/Berlin:20240701T090000\nRRULE:FREQ=DAILY;COUNT=3"),
        event("SUMMARY:b\nRECURRENCE-ID:20240702T070000Z\nDTSTART:20250702T070000Z"),
        event("SUMMARY:c\nRECURRENCE-ID;VALUE=DATE:20240703\nDTSTART:20240703T100000Z"),
    );
    assert_eq!(
        seen(&series),
        [
            "20240701T070000Z a",
            "20240703T100000Z c",
            "20250702T070000Z b"
        ]
    );
}

#[test]
fn this_and_future_moves_all_later_instances() {
    let series = format!(
        "{}{}{}",
        event(
            "SUMMARY:a\nDTSTART;TZID=Europe/Berlin:20240701T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=5"
        ),
        event(
            "SUMMARY:b\nRECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20240703T090000\nDTSTART;TZID=Europe/Berlin:20240703T140000\nDURATION:PT2H"
        ),
        event(
            "SUMMARY:c\nRECURRENCE-ID;TZID=Europe/Berlin:20240704T090000\nDTSTART;TZID=Europe/Berlin:20240704T080000\nDURATION:PT2H"
        ),
    );
    assert_eq!(
        seen(&series),
        [
            "20240701T070000Z a",
            "20240702T070000Z a",
            "20240703T120000Z b",
            "20240704T060000Z c",
            "20240705T120000Z b"
        ]
    );
    let object = object(&series);
    let last = object
        .occurrences(&berlin(), range("20240705T000000Z", "20240706T000000Z"), 9)
        .unwrap();
    assert_eq!(
        (
            last[0].end - last[0].start,
            last[0].recurrence_id.as_ref().unwrap().to_value()
        ),
        (7_200, "20240705T090000".to_owned())
    );
}

#[test]
fn somebody_invited_to_one_instance_sees_that_one() {
    let alone = event("RECURRENCE-ID:20240702T070000Z\nDTSTART:20240702T080000Z");
    assert_eq!(seen(&alone), ["20240702T080000Z"]);
}

#[test]
fn floating_times_and_dates_are_of_the_default_zone() {
    assert_eq!(
        seen(&event("DTSTART:20240701T090000")),
        ["20240701T070000Z"]
    );
    assert_eq!(
        seen(&event("DTSTART;VALUE=DATE:20240101")),
        ["20231231T230000Z"]
    );
}

#[test]
fn a_range_far_from_the_start_costs_no_walk() {
    let old = object(&event(
        "DTSTART;TZID=America/New_York:19000101T090000\nRRULE:FREQ=MINUTELY;INTERVAL=60;BYHOUR=9",
    ));
    let found = old
        .occurrences(&eastern(), range("20240701T000000Z", "20240702T000000Z"), 9)
        .unwrap();
    assert_eq!(found.len(), 1);
}

#[test]
fn a_rule_without_end_reaches_the_limit_of_the_caller() {
    let daily = object(&event("DTSTART:20240701T090000Z\nRRULE:FREQ=DAILY"));
    assert_eq!(
        daily.occurrences(&Zone::UTC, Range::ALL, 50).unwrap_err(),
        Error::Limit {
            name: "occurrences",
            most: 50
        }
    );
}

#[test]
fn an_index_ends_at_its_horizon_or_its_limit() {
    let daily = object(&event(
        "DTSTART:20240701T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY",
    ));
    let day = |day: &str| crate::moment::seconds(Moment::parse(day, None).unwrap().civil);
    let index = daily
        .index(&Zone::UTC, day("20240706T000000Z"), 100)
        .unwrap();
    assert_eq!(
        (index.spans.len(), index.complete_until.is_some()),
        (5, true)
    );
    assert!(!index.may_overlap(range("20240701T103000Z", "20240702T080000Z")));
    assert!(index.may_overlap(range("20240701T093000Z", "20240701T100000Z")));
    assert!(index.may_overlap(range("20300101T000000Z", "20300102T000000Z")));
    let once = object(&event("DTSTART:20240701T090000Z"))
        .index(&Zone::UTC, 0, 1)
        .unwrap();
    assert_eq!((once.spans.len(), once.complete_until), (1, None));
}
