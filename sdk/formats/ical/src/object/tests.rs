use super::*;
use proptest::prelude::*;

fn parse(inner: &str) -> Result<Object> {
    Object::parse(
        format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{inner}\nEND:VCALENDAR\n").as_bytes(),
    )
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:1\nDTSTART:20240101T100000Z\n{lines}\nEND:VEVENT")
}

fn broken(inner: &str) -> &'static str {
    match parse(inner) {
        Ok(object) => panic!("{}", object.to_text()),
        Err(error) => error.precondition().element(),
    }
}

#[test]
fn an_object_tells_what_it_is() {
    let object = parse(&event(
        "SUMMARY:Lunch\\, late\nSEQUENCE:3\nORGANIZER:mailto:a@example.org\nATTENDEE:mailto:a@example.org\nATTENDEE:MAILTO:A@example.org\nATTENDEE:mailto:b@example.org\nRRULE:FREQ=DAILY\nLAST-MODIFIED:20240102T000000Z",
    ))
    .unwrap();
    assert_eq!(
        (
            object.kind(),
            object.uid(),
            object.sequence(),
            object.is_recurring()
        ),
        (Kind::Event, "1", 3, true)
    );
    assert_eq!(object.summary().as_deref(), Some("Lunch, late"));
    assert_eq!(object.organizer().unwrap().value, "mailto:a@example.org");
    assert_eq!(object.attendees().len(), 2);
    assert_eq!(
        object.moment("LAST-MODIFIED").unwrap().to_value(),
        "20240102T000000Z"
    );
}

#[test]
fn what_may_not_be_in_a_collection_breaks_its_precondition() {
    for inner in [
        "METHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nDTSTART:20240101\nEND:VEVENT",
        "BEGIN:VTIMEZONE\nTZID:x\nEND:VTIMEZONE",
        "BEGIN:VEVENT\nUID:1\nDTSTART:20240101\nEND:VEVENT\nBEGIN:VTODO\nUID:1\nEND:VTODO",
        "BEGIN:VTODO\nUID:1\nEND:VTODO\nBEGIN:VTODO\nUID:2\nEND:VTODO",
        "BEGIN:VTODO\nSUMMARY:x\nEND:VTODO",
        "BEGIN:VTODO\nUID:1\nEND:VTODO\nBEGIN:VTODO\nUID:1\nEND:VTODO",
    ] {
        assert_eq!(broken(inner), "valid-calendar-object-resource", "{inner}");
    }
    assert_eq!(
        broken("BEGIN:X-THING\nUID:1\nEND:X-THING"),
        "supported-calendar-component"
    );
}

#[test]
fn values_that_cannot_be_read_are_no_calendar_data() {
    for line in [
        "DTEND:later",
        "RRULE:FREQ=SOMETIMES",
        "RRULE:",
        "EXDATE:x",
        "DURATION:1h",
        "RECURRENCE-ID:1",
        "DTSTART:20240102T100000Z",
        "DTEND;VALUE=DATE:20240102",
        "RDATE:20240101T100000/PT1H,nonsense",
    ] {
        assert_eq!(broken(&event(line)), "valid-calendar-data", "{line}");
    }
    assert_eq!(
        broken("BEGIN:VEVENT\nUID:1\nEND:VEVENT"),
        "valid-calendar-data"
    );
    assert_eq!(
        broken("BEGIN:VTODO\nUID:1\nRRULE:FREQ=DAILY\nEND:VTODO"),
        "valid-calendar-data"
    );
    let Err(error) = parse(&event("RRULE:FREQ=SOMETIMES")) else {
        panic!()
    };
    assert_eq!(
        error.to_string(),
        "RRULE: an unknown FREQ: \"FREQ=SOMETIMES\""
    );
}

#[test]
fn limits_break_the_preconditions_that_name_them() {
    assert_eq!(broken(&event("RRULE:FREQ=MINUTELY")), "max-instances");
    assert_eq!(
        broken(&event(&"ATTENDEE:mailto:a@b\n".repeat(1_001))),
        "max-attendees-per-instance"
    );
    let text = format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\n{}\nEND:VCALENDAR\n",
        event("SUMMARY:x")
    );
    let mut limits = Limits::default();
    limits.text.size = 20;
    assert_eq!(
        Object::parse_within(text.as_bytes(), &limits)
            .unwrap_err()
            .precondition()
            .element(),
        "max-resource-size"
    );
    assert!(
        parse(&event("RRULE:FREQ=MINUTELY;COUNT=60")).is_ok()
            && parse(&event("RRULE:FREQ=HOURLY")).is_ok()
    );
}

/// Lines that an event is made of, right and wrong ones.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        3 => "(DTSTART|DTEND|EXDATE|RDATE|DUE|RECURRENCE-ID(;RANGE=THISANDFUTURE)?|COMPLETED)(;TZID=(Europe/Berlin|Custom|X)|;VALUE=DATE)?:(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-3][0-9](T[0-2][0-9][0-5][0-9]00Z?)?",
        2 => "RRULE:FREQ=(SECONDLY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY)(;(COUNT=[0-9]{1,2}|INTERVAL=[0-9]{1,3}|BYMONTHDAY=-?[0-9]{1,2}|BYHOUR=[0-9]|BYDAY=-?[0-9]?MO|UNTIL=20[0-9]{2}0101T000000Z)){0,3}",
        1 => "(DURATION|TRIGGER):-?P[0-9]{1,3}(D|W|DT[0-9]H)",
        1 => "FREEBUSY:20240101T100000Z/(PT[0-9]H|20240101T200000Z)",
        1 => "(BEGIN|END):(VEVENT|VALARM)",
        1 => "X-Y:\\PC{0,20}",
    ];
    prop::collection::vec(line, 0..8).prop_map(|lines| lines.join("\n"))
}

const CUSTOM: &str = "BEGIN:VTIMEZONE\nTZID:Custom\nBEGIN:STANDARD\nDTSTART:19700101T000000\nRRULE:FREQ=DAILY;BYMONTH=3;BYDAY=SU\nTZOFFSETFROM:+0100\nTZOFFSETTO:-0230\nEND:STANDARD\nEND:VTIMEZONE";

proptest! {
    // Hostile rules are worked at up to their limit, and nothing is optimised in tests.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_is_let_in_is_written_as_it_was_and_can_be_asked_for_anything(lines in lines(), kind in prop::sample::select(vec!["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"]), from in -3_000_000_000..5_000_000_000_i64, length in 1..100_000_000_i64) {
        let start = if kind == "VEVENT" && !lines.contains("DTSTART") { "DTSTART;TZID=Custom:20240101T100000\n" } else { "" };
        if let Ok(object) = parse(&format!("{CUSTOM}\nBEGIN:{kind}\nUID:1\n{start}{lines}\nEND:{kind}")) {
            prop_assert_eq!(Object::parse(object.to_text().as_bytes()), Ok(object.clone()));
            let range = Range::new(from, from.saturating_add(length));
            let zone = Zone::named("Europe/Berlin").unwrap();
            for range in [range, Range::ALL, Range::new(from, i64::MAX), Range::new(i64::MIN, from)] {
                let any = object.overlaps(&zone, range);
                if let Ok(found) = object.occurrences(&zone, range, 1_000) {
                    prop_assert_eq!(any, Ok(!found.is_empty()));
                    prop_assert!(found.windows(2).all(|two| two[0].start <= two[1].start));
                }
            }
            let index = object.index(&zone, 4_000_000_000, 50);
            if let (Ok(index), Ok(true)) = (index, object.overlaps(&zone, range)) {
                prop_assert!(index.may_overlap(range), "{:?}", index);
            }
            let expand = crate::data::CalendarData { recurrence: Some(crate::data::Recurrence::Expand(range)), ..Default::default() };
            if let Ok(expanded) = expand.apply(&object, &zone, 100) {
                prop_assert!(expanded.components.len() <= 100);
            }
            let limit = crate::data::CalendarData { recurrence: Some(crate::data::Recurrence::Limit(range)), ..Default::default() };
            let _ = limit.apply(&object, &zone, 100);
            let _ = crate::free_busy::FreeBusy::new(range, 100).add(&object, &zone);
        }
    }
}
