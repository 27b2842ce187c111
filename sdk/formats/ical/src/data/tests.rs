use super::*;
use crate::rfc4791::{eastern, object, objects, range};

fn text(data: &CalendarData, object: &Object) -> String {
    data.apply(object, &eastern(), 100)
        .unwrap()
        .to_text()
        .replace("\r\n", "\n")
}

fn values(text: &str, name: &str) -> Vec<String> {
    text.lines()
        .filter(|line| line.starts_with(name))
        .map(str::to_owned)
        .collect()
}

#[test]
fn an_expanded_object_has_its_instances_in_utc_as_in_section_7_8_3() {
    let data = CalendarData {
        recurrence: Some(Recurrence::Expand(range(
            "20060103T000000Z",
            "20060105T000000Z",
        ))),
        ..CalendarData::default()
    };
    let text = text(&data, &objects()[1]);
    assert_eq!(
        values(&text, "DTSTART"),
        ["DTSTART:20060103T170000Z", "DTSTART:20060104T190000Z"]
    );
    assert_eq!(
        values(&text, "RECURRENCE-ID"),
        [
            "RECURRENCE-ID:20060103T170000Z",
            "RECURRENCE-ID:20060104T170000Z"
        ]
    );
    assert_eq!(
        values(&text, "SUMMARY"),
        ["SUMMARY:Event #2", "SUMMARY:Event #2 bis"]
    );
    assert!(
        !text.contains("RRULE") && !text.contains("VTIMEZONE") && text.contains("DURATION:PT1H")
    );
    assert_eq!(
        values(&self::text(&data, &objects()[2]), "DTSTART"),
        ["DTSTART:20060104T150000Z"]
    );
    assert!(!self::text(&data, &objects()[2]).contains("RECURRENCE-ID"));
}

#[test]
fn expansion_gives_every_instance_its_own_end_and_keeps_whole_days() {
    let expand = |inner: &str| {
        let data = CalendarData {
            recurrence: Some(Recurrence::Expand(range(
                "20240330T000000Z",
                "20240402T000000Z",
            ))),
            ..CalendarData::default()
        };
        text(&data, &object(inner))
    };
    // The night in which the clock in Berlin goes forward.
    let night = expand(
        "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Berlin:20240301T230000\nDTEND;TZID=Europe/Berlin:20240302T030000\nRRULE:FREQ=DAILY\nEXDATE;TZID=Europe/Berlin:20240331T230000\nEND:VEVENT\n",
    );
    assert_eq!(
        values(&night, "DTSTART"),
        [
            "DTSTART:20240329T220000Z",
            "DTSTART:20240330T220000Z",
            "DTSTART:20240401T210000Z"
        ]
    );
    assert_eq!(
        values(&night, "DTEND"),
        [
            "DTEND:20240330T020000Z",
            "DTEND:20240331T020000Z",
            "DTEND:20240402T010000Z"
        ]
    );
    let days = expand(
        "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20240301\nDTEND;VALUE=DATE:20240303\nRRULE:FREQ=WEEKLY;BYDAY=SA\nEND:VEVENT\n",
    );
    assert_eq!(values(&days, "DTSTART"), ["DTSTART;VALUE=DATE:20240330"]);
    assert_eq!(values(&days, "DTEND"), ["DTEND;VALUE=DATE:20240401"]);
}

#[test]
fn more_instances_than_allowed_are_an_error() {
    let data = CalendarData {
        recurrence: Some(Recurrence::Expand(range(
            "20060101T000000Z",
            "20060201T000000Z",
        ))),
        ..CalendarData::default()
    };
    let error = data.apply(&objects()[1], &eastern(), 4).unwrap_err();
    assert_eq!(
        error,
        crate::Error::Limit {
            name: "occurrences",
            most: 4
        }
    );
    assert!(data.apply(&objects()[1], &eastern(), 5).is_ok());
}

#[test]
fn a_limited_object_keeps_the_overrides_of_the_range_as_in_section_7_8_2() {
    let data = CalendarData {
        recurrence: Some(Recurrence::Limit(range(
            "20060103T000000Z",
            "20060105T000000Z",
        ))),
        ..CalendarData::default()
    };
    let text = text(&data, &objects()[1]);
    assert_eq!(
        values(&text, "SUMMARY"),
        ["SUMMARY:Event #2", "SUMMARY:Event #2 bis"]
    );
    assert!(text.contains("RRULE") && text.contains("VTIMEZONE"));
}

#[test]
fn free_busy_time_outside_of_the_range_is_left_out_as_in_section_7_8_4() {
    let data = CalendarData {
        free_busy: Some(range("20060102T000000Z", "20060103T000000Z")),
        ..CalendarData::default()
    };
    assert_eq!(
        values(&text(&data, &objects()[7]), "FREEBUSY"),
        ["FREEBUSY;FBTYPE=BUSY-TENTATIVE:20060102T100000Z/20060102T120000Z"]
    );
}

#[test]
fn only_the_components_and_properties_that_are_wanted_are_given_as_in_section_7_8_1() {
    let prop = |name: &str, no_value| Prop {
        name: name.into(),
        no_value,
    };
    let comp = |name: &str, properties, components| Comp {
        name: name.into(),
        properties,
        components,
    };
    let event = comp(
        "VEVENT",
        Some(vec![prop("SUMMARY", false), prop("UID", true)]),
        None,
    );
    let wanted = comp(
        "VCALENDAR",
        Some(vec![prop("VERSION", false)]),
        Some(vec![event]),
    );
    let data = CalendarData {
        components: Some(wanted),
        ..CalendarData::default()
    };
    assert!(!data.is_whole());
    assert_eq!(
        text(&data, &objects()[0]),
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VEVENT\nSUMMARY:Event #1\nUID:\nEND:VEVENT\nEND:VCALENDAR\n"
    );
}
