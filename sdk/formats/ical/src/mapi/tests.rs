use super::*;
use crate::rfc4791::object;
use crate::{Object, Zone};
use proptest::prelude::*;
use waxwing_formats_mapi::appointment::{AppointmentRecurrence, End, Pattern};
use waxwing_formats_mapi::{Value, lids, sets, tags};

const NOW: i64 = 1_704_067_200;

fn berlin() -> Zone {
    Zone::named("Europe/Berlin").unwrap()
}

fn event(lines: &str) -> String {
    format!("BEGIN:VEVENT\nUID:u@example.org\nDTSTAMP:20240101T000000Z\n{lines}\nEND:VEVENT\n")
}

fn item(inner: &str) -> Item {
    Item::of(
        &object(inner),
        &berlin(),
        &["mailto:bob@example.org".to_owned()],
    )
    .unwrap()
}

fn back(item: &Item) -> Object {
    item.to_object(&berlin(), "other", NOW).unwrap()
}

fn series(item: &Item) -> AppointmentRecurrence {
    AppointmentRecurrence::decode(item.properties.lid_binary(lids::APPOINTMENT_RECUR).unwrap())
        .unwrap()
}

/// The lines of the first component that is not of a name, unfolded.
fn lines(object: &Object) -> Vec<String> {
    object
        .main()
        .to_text()
        .replace("\r\n ", "")
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn an_appointment_says_what_its_event_says() {
    let item = item(&event(
        "DTSTART;TZID=Europe/Berlin:20240701T100000\nDURATION:PT90M\nSUMMARY:Lunch\\, late\nDESCRIPTION:a\\nb\nLOCATION:Here\nCLASS:PRIVATE\nPRIORITY:1\nCATEGORIES:Red,Green\\, too\nSTATUS:TENTATIVE\nSEQUENCE:3\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT10M\nEND:VALARM",
    ));
    let properties = &item.properties;
    assert_eq!(
        properties.text(tags::MESSAGE_CLASS),
        Some("IPM.Appointment")
    );
    assert_eq!(
        (properties.text(tags::SUBJECT), properties.text(tags::BODY)),
        (Some("Lunch, late"), Some("a\nb"))
    );
    assert_eq!(
        (
            properties.lid_time(lids::APPOINTMENT_START_WHOLE),
            properties.lid_time(lids::APPOINTMENT_END_WHOLE)
        ),
        (Some(1_719_820_800), Some(1_719_826_200))
    );
    let numbers = [
        lids::APPOINTMENT_DURATION,
        lids::BUSY_STATUS,
        lids::APPOINTMENT_SEQUENCE,
        lids::REMINDER_DELTA,
        lids::PRIVATE,
        lids::RECURRING,
        lids::APPOINTMENT_SUB_TYPE,
    ];
    assert_eq!(
        numbers.map(|lid| properties.lid_integer(lid).unwrap()),
        [90, 1, 3, 10, 1, 0, 0]
    );
    assert_eq!(
        properties.get_name(sets::PUBLIC_STRINGS, "Keywords"),
        Some(&Value::MultiText(vec!["Red".into(), "Green, too".into()]))
    );
    assert_eq!(
        (
            properties.get(tags::SENSITIVITY),
            properties.get(tags::IMPORTANCE)
        ),
        (Some(&Value::Int32(2)), Some(&Value::Int32(2)))
    );
    let object = back(&item);
    assert_eq!(object.uid(), "u@example.org");
    let lines = lines(&object);
    for line in [
        "DTSTART;TZID=Europe/Berlin:20240701T100000",
        "DTEND;TZID=Europe/Berlin:20240701T113000",
        "SUMMARY:Lunch\\, late",
        "CATEGORIES:Red,Green\\, too",
        "CLASS:PRIVATE",
        "STATUS:TENTATIVE",
        "SEQUENCE:3",
        "TRIGGER:-PT10M",
    ] {
        assert!(lines.contains(&line.to_owned()), "{line} {lines:?}");
    }
}

#[test]
fn a_whole_day_is_one_on_the_clock_of_its_owner() {
    let item = item(&event(
        "DTSTART;VALUE=DATE:20240701\nDTEND;VALUE=DATE:20240703",
    ));
    assert_eq!(
        item.properties.lid_time(lids::APPOINTMENT_START_WHOLE),
        Some(1_719_784_800)
    );
    let lines = lines(&back(&item));
    assert!(
        lines.contains(&"DTSTART;VALUE=DATE:20240701".to_owned())
            && lines.contains(&"DTEND;VALUE=DATE:20240703".to_owned()),
        "{lines:?}"
    );
}

#[test]
fn people_are_recipients_and_the_owner_has_his_answer() {
    let item = item(&event(
        "DTSTART:20240701T100000Z\nORGANIZER;CN=Anna:mailto:anna@example.org\nATTENDEE;PARTSTAT=ACCEPTED:mailto:anna@example.org\nATTENDEE;PARTSTAT=DECLINED;CN=Bob:mailto:bob@example.org\nATTENDEE;ROLE=OPT-PARTICIPANT:MAILTO:carl@example.org\nATTENDEE;CUTYPE=ROOM:mailto:room@example.org",
    ));
    let kinds: Vec<_> = item
        .recipients
        .iter()
        .map(|row| {
            (
                row.text(tags::SMTP_ADDRESS).unwrap(),
                row.get(tags::RECIPIENT_TYPE)
                    .and_then(Value::as_integer)
                    .unwrap(),
            )
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("anna@example.org", 1),
            ("bob@example.org", 1),
            ("carl@example.org", 2),
            ("room@example.org", 3)
        ]
    );
    assert_eq!(item.properties.lid_integer(lids::RESPONSE_STATUS), Some(4));
    assert_eq!(
        item.properties.lid_integer(lids::APPOINTMENT_STATE_FLAGS),
        Some(3)
    );
    let object = back(&item);
    assert_eq!(object.organizer().unwrap().parameter("CN"), Some("Anna"));
    assert_eq!(object.attendees().len(), 3);
    assert_eq!(
        object.attendees()[0].parameter("PARTSTAT"),
        Some("DECLINED")
    );
}

#[test]
fn a_series_of_outlook_comes_out_octet_for_octet() {
    // The second vector: every other Monday at two, six times, from August 23, 2010.
    let item = item(&event(
        "DTSTART;TZID=America/New_York:20100823T140000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;INTERVAL=2;UNTIL=20101101T180000Z;BYDAY=MO;WKST=SU",
    ));
    let hex: String = item
        .properties
        .lid_binary(lids::APPOINTMENT_RECUR)
        .unwrap()
        .iter()
        .map(|octet| format!("{octet:02X}"))
        .collect();
    assert_eq!(
        hex,
        "043004300B20010000002049000002000000000000000200000021200000060000000000000000000000000000004081D70C000BD90C063000000930000048030000840300000000000000000000000000"
            .get(..hex.len())
            .unwrap()
    );
    assert_eq!(
        item.properties.lid_text(lids::TIME_ZONE_DESCRIPTION),
        Some("Eastern Standard Time")
    );
}

/// Rules that a pattern can say, and that pattern.
const RULES: &[(&str, Pattern, u32)] = &[
    ("FREQ=DAILY;INTERVAL=3", Pattern::Day, 3 * 1_440),
    ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", Pattern::Week(0x3E), 1),
    ("FREQ=WEEKLY;INTERVAL=2", Pattern::Week(0x02), 2),
    ("FREQ=MONTHLY", Pattern::MonthDay(1), 1),
    (
        "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=1",
        Pattern::MonthDay(1),
        2,
    ),
    ("FREQ=MONTHLY;BYDAY=1MO", Pattern::MonthNth(0x02, 1), 1),
    (
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
        Pattern::MonthNth(0x3E, 1),
        1,
    ),
    ("FREQ=YEARLY", Pattern::MonthDay(1), 12),
    (
        "FREQ=YEARLY;BYMONTH=7;BYDAY=1MO",
        Pattern::MonthNth(0x02, 1),
        12,
    ),
];

#[test]
fn rules_become_patterns_and_rules_again() {
    for (rule, pattern, period) in RULES {
        let text = event(&format!(
            "DTSTART;TZID=Europe/Berlin:20240701T100000\nDURATION:PT1H\nRRULE:{rule};COUNT=9"
        ));
        let item = item(&text);
        let series = series(&item);
        assert_eq!(
            (
                series.pattern.pattern,
                series.pattern.period,
                series.pattern.end
            ),
            (*pattern, *period, End::Count),
            "{rule}"
        );
        let range = crate::Range::new(0, 4_000_000_000);
        let starts = |object: &Object| {
            object
                .occurrences(&berlin(), range, 99)
                .unwrap()
                .iter()
                .map(|one| one.start)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            starts(&back(&item)),
            starts(&object(&text)),
            "{rule} {:?}",
            lines(&back(&item))
        );
    }
}

#[test]
fn a_rule_that_no_pattern_says_leaves_the_series_out() {
    for rule in [
        "FREQ=YEARLY;BYDAY=20MO",
        "FREQ=DAILY;BYHOUR=9,10",
        "FREQ=MONTHLY;BYMONTHDAY=1,15",
        "FREQ=HOURLY",
        "FREQ=YEARLY;BYMONTH=1,7",
        "FREQ=MONTHLY;BYMONTHDAY=-2",
        "FREQ=WEEKLY;BYDAY=SU",
    ] {
        let item = item(&event(&format!("DTSTART:20240701T100000Z\nRRULE:{rule}")));
        assert!(
            item.properties
                .lid_binary(lids::APPOINTMENT_RECUR)
                .is_none(),
            "{rule}"
        );
        assert_eq!(item.properties.lid_integer(lids::RECURRING), Some(0));
    }
}

const CHANGED: &str = "DTSTART;TZID=Europe/Berlin:20240701T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=6\nEXDATE;TZID=Europe/Berlin:20240708T100000\nSUMMARY:Weekly\nLOCATION:Here";

fn changed_series() -> String {
    format!(
        "{}{}",
        event(CHANGED),
        event(
            "RECURRENCE-ID;TZID=Europe/Berlin:20240715T100000\nDTSTART;TZID=Europe/Berlin:20240716T140000\nDTEND;TZID=Europe/Berlin:20240716T160000\nSUMMARY:Moved\nLOCATION:Here\nDESCRIPTION:why"
        ),
    )
}

#[test]
fn exceptions_are_in_the_pattern_and_come_back() {
    let item = item(&changed_series());
    let series = series(&item);
    assert_eq!(
        (
            series.pattern.deleted.len(),
            series.pattern.modified.len(),
            series.exceptions.len()
        ),
        (2, 1, 1)
    );
    let exception = &series.exceptions[0];
    assert_eq!(
        (
            exception.subject.as_deref(),
            exception.location.as_deref(),
            exception.has_body
        ),
        (Some("Moved"), None, true)
    );
    let object = back(&item);
    let shown: Vec<String> = object
        .occurrences(&berlin(), crate::Range::new(0, 4_000_000_000), 99)
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{} {} {}",
                crate::Moment::utc(one.start).to_value(),
                one.component.value("SUMMARY").unwrap(),
                one.component.value("DESCRIPTION").unwrap_or("-")
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            "20240701T080000Z Weekly -",
            "20240716T120000Z Moved why",
            "20240722T080000Z Weekly -",
            "20240729T080000Z Weekly -",
            "20240805T080000Z Weekly -"
        ]
    );
}

#[test]
fn zones_of_windows_keep_their_rules_without_their_names() {
    let text = event("DTSTART;TZID=Europe/Berlin:20240701T100000\nRRULE:FREQ=DAILY");
    let mut item = item(&text);
    let mut definition = waxwing_formats_mapi::appointment::TimeZoneDefinition::decode(
        item.properties.lid_binary(lids::TIME_ZONE_RECUR).unwrap(),
    )
    .unwrap();
    assert_eq!(
        (
            definition.name.as_str(),
            definition.rules[0].bias,
            definition.rules[0].daylight_bias
        ),
        ("W. Europe Standard Time", -60, -60)
    );
    assert_eq!(
        (
            definition.rules[0].daylight.month,
            definition.rules[0].daylight.nth,
            definition.rules[0].standard.month,
            definition.rules[0].standard.hour
        ),
        (3, 5, 10, 3)
    );
    definition.name = "Nobody's".into();
    item.properties
        .set_lid(lids::TIME_ZONE_RECUR, Value::Binary(definition.encode()));
    let object = back(&item);
    assert!(object.to_text().contains("BEGIN:VTIMEZONE\r\nTZID:Custom"));
    let winter = object
        .occurrences(
            &Zone::UTC,
            crate::Range::new(1_735_689_600, 1_735_776_000),
            9,
        )
        .unwrap();
    assert_eq!(
        crate::Moment::utc(winter[0].start).to_value(),
        "20250101T090000Z"
    );
}

#[test]
fn a_task_has_days_and_progress() {
    let text = "BEGIN:VTODO\nUID:t\nDTSTAMP:20240101T000000Z\nDTSTART;VALUE=DATE:20240701\nDUE;TZID=Europe/Berlin:20240703T003000\nSUMMARY:Do\nSTATUS:IN-PROCESS\nPERCENT-COMPLETE:40\nRRULE:FREQ=WEEKLY\nBEGIN:VALARM\nTRIGGER;VALUE=DATE-TIME:20240702T070000Z\nEND:VALARM\nEND:VTODO\n";
    let item = item(text);
    let day = |lid| {
        item.properties
            .lid_time(lid)
            .map(|at| crate::Moment::utc(at).to_value())
    };
    assert_eq!(
        (
            day(lids::TASK_START_DATE).as_deref(),
            day(lids::TASK_DUE_DATE).as_deref()
        ),
        (Some("20240701T000000Z"), Some("20240703T000000Z"))
    );
    assert_eq!(
        (
            item.properties.lid_integer(lids::TASK_STATUS),
            item.properties.get_lid(lids::PERCENT_COMPLETE)
        ),
        (Some(1), Some(&Value::Float64(0.4)))
    );
    let lines = lines(&back(&item));
    for line in [
        "DTSTART;VALUE=DATE:20240701",
        "DUE;VALUE=DATE:20240703",
        "STATUS:IN-PROCESS",
        "PERCENT-COMPLETE:40",
        "RRULE:FREQ=WEEKLY;BYDAY=MO;WKST=MO",
        "TRIGGER;VALUE=DATE-TIME:20240702T070000Z",
    ] {
        assert!(lines.contains(&line.to_owned()), "{line} {lines:?}");
    }
}

fn patch(inner: &str, edit: impl FnOnce(&mut Item)) -> Object {
    let mine = ["mailto:bob@example.org".to_owned()];
    let stored = object(inner);
    let mut item = Item::of(&stored, &berlin(), &mine).unwrap();
    edit(&mut item);
    patched(&stored, &item, &berlin(), &mine, NOW).unwrap()
}

const RICH: &str = "DTSTART;X-P=1;TZID=Europe/Berlin:20240701T100000\nDURATION:PT1H\nSUMMARY;LANGUAGE=de:Alt\nX-APPLE-TRAVEL:yes\nURL:http://x/\nRDATE;TZID=Europe/Berlin:20240801T100000\nORGANIZER:mailto:anna@example.org\nATTENDEE;X-NUM=7;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob@example.org\nBEGIN:VALARM\nACTION:AUDIO\nTRIGGER;RELATED=END:-PT5M\nATTACH:ping\nEND:VALARM\nBEGIN:VALARM\nACTION:EMAIL\nTRIGGER:-P1D\nEND:VALARM";

#[test]
fn an_item_that_was_not_changed_leaves_the_object_as_it_was() {
    for inner in [event(RICH), changed_series()] {
        assert_eq!(
            patch(&inner, |_| {})
                .component()
                .components_of("VEVENT")
                .collect::<Vec<_>>(),
            object(&inner)
                .component()
                .components_of("VEVENT")
                .collect::<Vec<_>>()
        );
    }
}

#[test]
fn an_edit_changes_its_property_and_keeps_what_nobody_understands() {
    let object = patch(&event(RICH), |item| {
        item.properties
            .set(tags::SUBJECT, Value::Text("Neu".into()));
        item.recipients[1].set(tags::RECIPIENT_TRACK_STATUS, Value::Int32(3));
        item.properties
            .set_lid(lids::REMINDER_DELTA, Value::Int32(30));
    });
    let text = object.to_text();
    for kept in [
        "SUMMARY:Neu",
        "DTSTART;X-P=1;TZID=Europe/Berlin:20240701T100000",
        "DURATION:PT1H",
        "X-APPLE-TRAVEL:yes",
        "ATTENDEE;X-NUM=7;PARTSTAT=ACCEPTED:mailto:bob",
        "TRIGGER:-PT30M",
        "ATTACH:ping",
        "ACTION:EMAIL",
        "RDATE",
    ] {
        assert!(text.contains(kept), "{kept} {text}");
    }
    assert!(!text.contains("LANGUAGE=de"));
}

#[test]
fn a_time_that_was_moved_takes_the_duration_with_it() {
    let object = patch(&event(RICH), |item| {
        item.properties
            .set_lid(lids::APPOINTMENT_START_WHOLE, Value::time(1_719_824_400));
        item.properties
            .set_lid(lids::APPOINTMENT_END_WHOLE, Value::time(1_719_831_600));
    });
    let lines = lines(&object);
    assert!(
        lines.contains(&"DTSTART;TZID=Europe/Berlin:20240701T110000".to_owned())
            && lines.contains(&"DTEND;TZID=Europe/Berlin:20240701T130000".to_owned()),
        "{lines:?}"
    );
    assert!(!lines.iter().any(|line| line.starts_with("DURATION")));
}

#[test]
fn an_exception_that_was_taken_out_becomes_an_exception_date() {
    let object = patch(&changed_series(), |item| {
        let mut series = series(item);
        series.exceptions.clear();
        series.pattern.modified.clear();
        item.exceptions.clear();
        item.properties
            .set_lid(lids::APPOINTMENT_RECUR, Value::Binary(series.encode()));
    });
    assert_eq!(object.components().count(), 1);
    assert_eq!(
        object
            .occurrences(&berlin(), crate::Range::new(0, 4_000_000_000), 99)
            .unwrap()
            .len(),
        4
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn whatever_is_read_can_be_mapped_and_patched_with_itself(
        lines in prop::collection::vec("(SUMMARY:[a-z]{0,9}|TRANSP:(OPAQUE|TRANSPARENT)|STATUS:(TENTATIVE|CANCELLED)|CLASS:[A-Z]{3}|PRIORITY:[0-9]|X-A:[a-z]{3}|EXDATE:2024070[1-9]T100000Z|CATEGORIES:[a-c,]{1,5})", 0..6),
        rule in prop::sample::select(vec!["", "RRULE:FREQ=DAILY;COUNT=5\n", "RRULE:FREQ=WEEKLY;BYDAY=MO,WE\n", "RRULE:FREQ=MONTHLY;BYDAY=1MO;UNTIL=20250101T000000Z\n", "RRULE:FREQ=YEARLY;BYDAY=20MO\n"]),
        start in prop::sample::select(vec!["DTSTART:20240701T100000Z", "DTSTART;VALUE=DATE:20240701", "DTSTART;TZID=Asia/Kolkata:20240701T100000", "DTSTART:20240701T100000"]),
    ) {
        let inner = event(&format!("{start}\n{rule}{}", lines.join("\n")));
        let stored = object(&inner);
        let patched = patch(&inner, |_| {});
        prop_assert_eq!(patched.component().components_of("VEVENT").collect::<Vec<_>>(), stored.component().components_of("VEVENT").collect::<Vec<_>>());
    }

    #[test]
    fn no_properties_make_reading_panic(octets in prop::collection::vec(any::<u8>(), 0..200), start in any::<u64>(), end in any::<u64>(), flags in any::<(bool, i32)>()) {
        let mut item = item(&changed_series());
        for lid in [lids::TIME_ZONE_RECUR, lids::TIME_ZONE_STRUCT, lids::CLEAN_GLOBAL_OBJECT_ID] {
            item.properties.set_lid(lid, Value::Binary(octets.clone()));
        }
        item.properties.set_lid(lids::APPOINTMENT_START_WHOLE, Value::Time(start));
        item.properties.set_lid(lids::APPOINTMENT_END_WHOLE, Value::Time(end));
        item.properties.set_lid(lids::APPOINTMENT_SUB_TYPE, Value::Boolean(flags.0));
        item.properties.set_lid(lids::REMINDER_DELTA, Value::Int32(flags.1));
        let mut blob = item.properties.lid_binary(lids::APPOINTMENT_RECUR).unwrap().to_vec();
        for (at, octet) in octets.chunks(2).filter_map(|two| Some((*two.first()?, *two.get(1)?))) {
            let at = usize::from(at) % blob.len();
            blob[at] = octet;
        }
        item.properties.set_lid(lids::APPOINTMENT_RECUR, Value::Binary(blob));
        let _ = item.to_object(&berlin(), "u", NOW);
    }
}
