use super::*;
use crate::contentline::filter::{Collation, MatchType, ParamTest};
use crate::rfc4791::{eastern, names, object, range};
use proptest::prelude::*;

fn within(name: &str, test: CompTest) -> CompFilter {
    let inner = CompFilter {
        name: name.into(),
        test,
    };
    CompFilter {
        name: "VCALENDAR".into(),
        test: CompTest::Defined {
            time_range: None,
            properties: vec![],
            components: vec![inner],
        },
    }
}

fn defined(
    time_range: Option<Range>,
    properties: Vec<PropFilter>,
    components: Vec<CompFilter>,
) -> CompTest {
    CompTest::Defined {
        time_range,
        properties,
        components,
    }
}

fn found(filter: &CompFilter) -> String {
    names(|object| filter.matches(object, &eastern()).unwrap())
}

fn text(text: &str) -> TextMatch {
    TextMatch::new(text, Collation::AsciiCasemap, MatchType::Contains)
}

fn property(name: &str, text: Option<TextMatch>, parameters: Vec<ParamFilter>) -> PropFilter {
    PropFilter {
        name: name.into(),
        test: PropTest::Defined {
            time_range: None,
            text,
            parameters,
        },
    }
}

/// Whether one component overlaps a range.
fn overlaps(component: &str, start: &str, end: &str) -> bool {
    object(component)
        .overlaps(&Zone::UTC, range(start, end))
        .unwrap()
}

#[test]
fn events_of_a_day_are_found_with_their_overrides() {
    // RFC 4791 section 7.8.1.
    let day = range("20060104T000000Z", "20060105T000000Z");
    assert_eq!(
        found(&within("VEVENT", defined(Some(day), vec![], vec![]))),
        "23"
    );
    // The instance of January 4 at noon was moved to two o'clock.
    let noon = range("20060104T170000Z", "20060104T180000Z");
    assert_eq!(
        found(&within("VEVENT", defined(Some(noon), vec![], vec![]))),
        ""
    );
}

#[test]
fn the_other_queries_of_rfc_4791_find_their_objects() {
    // 7.8.4: a free-busy object of a day.
    let day = range("20060102T000000Z", "20060103T000000Z");
    assert_eq!(
        found(&within("VFREEBUSY", defined(Some(day), vec![], vec![]))),
        "8"
    );
    // 7.8.6: by UID.
    let uid = property(
        "UID",
        Some(TextMatch::new(
            "DC6C50A017428C5216A2F1CD@example.com",
            Collation::Octet,
            MatchType::Contains,
        )),
        vec![],
    );
    assert_eq!(
        found(&within("VEVENT", defined(None, vec![uid], vec![]))),
        "3"
    );
    // 7.8.7: lisa has not answered.
    let waits = ParamFilter {
        name: "PARTSTAT".into(),
        test: ParamTest::Text(text("NEEDS-ACTION")),
    };
    let lisa = property(
        "ATTENDEE",
        Some(text("mailto:lisa@example.com")),
        vec![waits],
    );
    assert_eq!(
        found(&within("VEVENT", defined(None, vec![lisa], vec![]))),
        "3"
    );
    // 7.8.8: all events. 7.8.9: tasks that are left to do.
    assert_eq!(found(&CompFilter::defined("VCALENDAR")), "12345678");
    assert_eq!(
        found(&within("VEVENT", defined(None, vec![], vec![]))),
        "123"
    );
    let open = PropFilter {
        name: "COMPLETED".into(),
        test: PropTest::NotDefined,
    };
    let wanted = property("STATUS", Some(text("CANCELLED").negated(true)), vec![]);
    assert_eq!(
        found(&within("VTODO", defined(None, vec![open, wanted], vec![]))),
        "45"
    );
}

#[test]
fn a_component_that_is_not_there_can_be_asked_for() {
    let no_alarm = CompFilter {
        name: "VALARM".into(),
        test: CompTest::NotDefined,
    };
    assert_eq!(
        found(&within("VTODO", defined(None, vec![], vec![no_alarm]))),
        "67"
    );
    assert_eq!(found(&within("VTODO", CompTest::NotDefined)), "1238");
}

#[test]
fn an_alarm_is_found_when_it_rings() {
    let rings = |start: &str, end: &str| {
        let alarm = CompFilter {
            name: "VALARM".into(),
            test: defined(Some(range(start, end)), vec![], vec![]),
        };
        found(&within("VTODO", defined(None, vec![], vec![alarm])))
    };
    // Ten minutes before midnight in New York.
    assert_eq!(rings("20060106T045000Z", "20060106T045001Z"), "5");
    assert_eq!(rings("20060106T045001Z", "20060107T000000Z"), "");
}

#[test]
fn an_alarm_repeats_and_counts_from_the_end_if_it_says_so() {
    let event = object(
        "BEGIN:VEVENT\nUID:1\nDTSTART:20240101T100000Z\nDTEND:20240101T110000Z\nRRULE:FREQ=DAILY;COUNT=3\nBEGIN:VALARM\nTRIGGER;RELATED=END:PT5M\nREPEAT:2\nDURATION:PT10M\nEND:VALARM\nBEGIN:VALARM\nTRIGGER;VALUE=DATE-TIME:20250101T000000Z\nEND:VALARM\nEND:VEVENT\n",
    );
    let rings = |start: &str, end: &str| {
        let alarm = CompFilter {
            name: "VALARM".into(),
            test: defined(Some(range(start, end)), vec![], vec![]),
        };
        within("VEVENT", defined(None, vec![], vec![alarm]))
            .matches(&event, &Zone::UTC)
            .unwrap()
    };
    for at in [
        "20240101T1105",
        "20240102T1115",
        "20240103T1125",
        "20250101T0000",
    ] {
        assert!(rings(&format!("{at}00Z"), &format!("{at}01Z")), "{at}");
    }
    for at in ["20240101T1106", "20240103T1135", "20240104T1105"] {
        assert!(!rings(&format!("{at}00Z"), &format!("{at}01Z")), "{at}");
    }
}

#[test]
fn an_event_overlaps_as_its_row_of_section_9_9_says() {
    let event = |lines: &str, start: &str, end: &str| {
        overlaps(
            &format!("BEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT\n"),
            start,
            end,
        )
    };
    let hour = "DTSTART:20240101T100000Z\nDTEND:20240101T110000Z";
    assert!(event(hour, "20240101T105959Z", "20240101T120000Z"));
    assert!(!event(hour, "20240101T110000Z", "20240101T120000Z"));
    assert!(!event(hour, "20240101T090000Z", "20240101T100000Z"));
    for instant in [
        "DTSTART:20240101T100000Z",
        "DTSTART:20240101T100000Z\nDURATION:PT0S",
        "DTSTART:20240101T100000Z\nDTEND:20240101T100000Z",
    ] {
        assert!(
            event(instant, "20240101T100000Z", "20240101T100001Z"),
            "{instant}"
        );
        assert!(
            !event(instant, "20240101T090000Z", "20240101T100000Z"),
            "{instant}"
        );
    }
    let day = "DTSTART;VALUE=DATE:20240101";
    assert!(event(day, "20240101T235959Z", "20240102T120000Z"));
    assert!(!event(day, "20240102T000000Z", "20240102T120000Z"));
}

fn task(lines: &str, start: &str, end: &str) -> bool {
    overlaps(
        &format!("BEGIN:VTODO\nUID:1\n{lines}\nEND:VTODO\n"),
        start,
        end,
    )
}

const EARLY: (&str, &str) = ("20231231T000000Z", "20231231T120000Z");
const LATE: (&str, &str) = ("20250101T000000Z", "20250102T000000Z");

#[test]
fn a_task_overlaps_as_its_row_of_section_9_9_says() {
    // Start and duration: the end counts as in it.
    assert!(task(
        "DTSTART:20240101T100000Z\nDURATION:PT1H",
        "20240101T110000Z",
        "20240101T120000Z"
    ));
    assert!(!task(
        "DTSTART:20240101T100000Z\nDURATION:PT1H",
        "20240101T090000Z",
        "20240101T100000Z"
    ));
    // Start and due.
    assert!(!task(
        "DTSTART:20240101T100000Z\nDUE:20240101T110000Z",
        "20240101T110000Z",
        "20240101T120000Z"
    ));
    assert!(task(
        "DTSTART:20240101T100000Z\nDUE:20240101T110000Z",
        "20240101T103000Z",
        "20240101T104500Z"
    ));
    // Start alone, due alone.
    assert!(task(
        "DTSTART:20240101T100000Z",
        "20240101T100000Z",
        "20240101T110000Z"
    ));
    assert!(!task("DTSTART:20240101T100000Z", LATE.0, LATE.1));
    assert!(task(
        "DUE:20240101T100000Z",
        "20240101T090000Z",
        "20240101T100000Z"
    ));
    assert!(!task(
        "DUE:20240101T100000Z",
        "20240101T100000Z",
        "20240101T110000Z"
    ));
}

#[test]
fn a_task_without_dates_overlaps_by_when_it_was_made_and_done() {
    // Completed and created, one of them, none.
    let both = "COMPLETED:20240103T000000Z\nCREATED:20240101T000000Z";
    assert!(task(both, "20240102T000000Z", "20240102T120000Z"));
    assert!(!task(both, EARLY.0, EARLY.1) && !task(both, LATE.0, LATE.1));
    assert!(task(
        "COMPLETED:20240103T000000Z",
        "20240103T000000Z",
        "20240104T000000Z"
    ));
    assert!(!task("COMPLETED:20240103T000000Z", LATE.0, LATE.1));
    assert!(
        task("CREATED:20240101T000000Z", LATE.0, LATE.1)
            && !task("CREATED:20240101T000000Z", EARLY.0, EARLY.1)
    );
    assert!(task("SUMMARY:x", EARLY.0, EARLY.1) && task("SUMMARY:x", LATE.0, LATE.1));
}

#[test]
fn journals_and_availability_overlap_as_their_rows_say() {
    let journal = |lines: &str, start: &str, end: &str| {
        overlaps(
            &format!("BEGIN:VJOURNAL\nUID:1\n{lines}\nEND:VJOURNAL\n"),
            start,
            end,
        )
    };
    assert!(journal(
        "DTSTART;VALUE=DATE:20240101",
        "20240101T120000Z",
        "20240102T000000Z"
    ));
    assert!(!journal(
        "DTSTART:20240101T100000Z",
        "20240101T100001Z",
        "20240102T000000Z"
    ));
    assert!(!journal(
        "SUMMARY:x",
        "20000101T000000Z",
        "20500101T000000Z"
    ));
    let available = |lines: &str| {
        overlaps(
            &format!("BEGIN:VAVAILABILITY\nUID:1\n{lines}\nEND:VAVAILABILITY\n"),
            "20240101T000000Z",
            "20240102T000000Z",
        )
    };
    assert!(
        available("SUMMARY:always")
            && available("DTSTART:20230101T000000Z")
            && !available("DTEND:20230101T000000Z")
    );
}

#[test]
fn a_property_can_be_asked_for_its_time() {
    let event = object(
        "BEGIN:VEVENT\nUID:1\nDTSTART:20240101T100000Z\nLAST-MODIFIED:20240201T100000Z\nEXDATE;VALUE=DATE:20240301\nEND:VEVENT\n",
    );
    let at = |name: &str, start: &str, end: &str| {
        let test = PropTest::Defined {
            time_range: Some(range(start, end)),
            text: None,
            parameters: vec![],
        };
        within(
            "VEVENT",
            defined(
                None,
                vec![PropFilter {
                    name: name.into(),
                    test,
                }],
                vec![],
            ),
        )
        .matches(&event, &Zone::UTC)
        .unwrap()
    };
    assert!(
        at("LAST-MODIFIED", "20240201T000000Z", "20240202T000000Z")
            && !at("LAST-MODIFIED", "20240202T000000Z", "20240203T000000Z")
    );
    assert!(at("EXDATE", "20240301T230000Z", "20240302T000000Z"));
    assert!(!at("UID", "20240301T230000Z", "20240302T000000Z"));
}

proptest! {
    #[test]
    fn the_index_never_says_no_where_the_object_says_yes(
        start in 0..60_i64, length in 0..300_i64, zone in prop::sample::select(vec!["", "Z", ";TZID=Asia/Tokyo", ";VALUE=DATE"]),
        rule in prop::sample::select(vec!["", "RRULE:FREQ=DAILY;INTERVAL=3\n", "RRULE:FREQ=WEEKLY;COUNT=4\n", "RRULE:FREQ=MONTHLY;BYDAY=-1FR\n"]),
        task in any::<bool>(), from in 0..200_i64, hours in 1..100_i64, limit in 1..20_usize,
    ) {
        let at = |hours: i64| crate::moment::from_seconds(1_704_067_200 + hours * 3_600);
        let form = match zone { "Z" => Form::Utc, ";TZID=Asia/Tokyo" => Form::Zoned("Asia/Tokyo".into()), ";VALUE=DATE" => Form::Date, _ => Form::Floating };
        let line = |name: &str, hours: i64| {
            let mut component = Component::new("X");
            component.lines.push(Moment { civil: at(hours), form: form.clone() }.to_line(name));
            component.to_text().lines().nth(1).unwrap().to_owned()
        };
        let (kind, end) = if task { ("VTODO", "DUE") } else { ("VEVENT", "DTEND") };
        let object = object(&format!("BEGIN:{kind}\nUID:1\n{}\n{}\n{rule}END:{kind}\n", line("DTSTART", start), line(end, start + length)));
        let index = object.index(&Zone::UTC, 1_704_067_200 + 86_400 * 30, limit).unwrap();
        let begin = 1_704_067_200 - 36_000 + from * 3_600;
        let range = Range::new(begin, begin + hours * 3_600);
        for default in [Zone::UTC, Zone::named("Pacific/Kiritimati").unwrap(), Zone::named("Pacific/Pago_Pago").unwrap()] {
            if object.overlaps(&default, range).unwrap() {
                prop_assert!(index.may_overlap(range), "{} {:?} {:?}", object.to_text(), index, range);
            }
        }
    }
}
