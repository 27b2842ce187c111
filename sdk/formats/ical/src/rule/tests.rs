use super::*;
use crate::{Form, Moment};
use jiff::civil::DateTime;
use proptest::prelude::*;

/// DTSTART, rule, the first six instances: the examples of RFC 5545 section 3.8.5.3 and some corners, with what python-dateutil makes of them.
const EXAMPLES: &[(&str, &str, &str)] = &[
    (
        "19970902T090000",
        "FREQ=DAILY;COUNT=10",
        "19970902T090000 19970903T090000 19970904T090000 19970905T090000 19970906T090000 19970907T090000",
    ),
    (
        "19970902T090000",
        "FREQ=DAILY;UNTIL=19971224T000000",
        "19970902T090000 19970903T090000 19970904T090000 19970905T090000 19970906T090000 19970907T090000",
    ),
    (
        "19970902T090000",
        "FREQ=DAILY;INTERVAL=2",
        "19970902T090000 19970904T090000 19970906T090000 19970908T090000 19970910T090000 19970912T090000",
    ),
    (
        "19970902T090000",
        "FREQ=DAILY;INTERVAL=10;COUNT=5",
        "19970902T090000 19970912T090000 19970922T090000 19971002T090000 19971012T090000",
    ),
    (
        "19980101T090000",
        "FREQ=YEARLY;UNTIL=20000131T140000;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        "19980101T090000 19980102T090000 19980103T090000 19980104T090000 19980105T090000 19980106T090000",
    ),
    (
        "19980101T090000",
        "FREQ=DAILY;UNTIL=20000131T140000;BYMONTH=1",
        "19980101T090000 19980102T090000 19980103T090000 19980104T090000 19980105T090000 19980106T090000",
    ),
    (
        "19970902T090000",
        "FREQ=WEEKLY;COUNT=10",
        "19970902T090000 19970909T090000 19970916T090000 19970923T090000 19970930T090000 19971007T090000",
    ),
    (
        "19970902T090000",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        "19970902T090000 19970916T090000 19970930T090000 19971014T090000 19971028T090000 19971111T090000",
    ),
    (
        "19970902T090000",
        "FREQ=WEEKLY;UNTIL=19971007T000000;WKST=SU;BYDAY=TU,TH",
        "19970902T090000 19970904T090000 19970909T090000 19970911T090000 19970916T090000 19970918T090000",
    ),
    (
        "19970901T090000",
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000;WKST=SU;BYDAY=MO,WE,FR",
        "19970901T090000 19970903T090000 19970905T090000 19970915T090000 19970917T090000 19970919T090000",
    ),
    (
        "19970902T090000",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        "19970902T090000 19970904T090000 19970916T090000 19970918T090000 19970930T090000 19971002T090000",
    ),
    (
        "19970905T090000",
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "19970905T090000 19971003T090000 19971107T090000 19971205T090000 19980102T090000 19980206T090000",
    ),
    (
        "19970905T090000",
        "FREQ=MONTHLY;UNTIL=19971224T000000;BYDAY=1FR",
        "19970905T090000 19971003T090000 19971107T090000 19971205T090000",
    ),
    (
        "19970907T090000",
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "19970907T090000 19970928T090000 19971102T090000 19971130T090000 19980104T090000 19980125T090000",
    ),
    (
        "19970922T090000",
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        "19970922T090000 19971020T090000 19971117T090000 19971222T090000 19980119T090000 19980216T090000",
    ),
    (
        "19970928T090000",
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        "19970928T090000 19971029T090000 19971128T090000 19971229T090000 19980129T090000 19980226T090000",
    ),
    (
        "19970902T090000",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "19970902T090000 19970915T090000 19971002T090000 19971015T090000 19971102T090000 19971115T090000",
    ),
    (
        "19970930T090000",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "19970930T090000 19971001T090000 19971031T090000 19971101T090000 19971130T090000 19971201T090000",
    ),
    (
        "19970910T090000",
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "19970910T090000 19970911T090000 19970912T090000 19970913T090000 19970914T090000 19970915T090000",
    ),
    (
        "19970902T090000",
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "19970902T090000 19970909T090000 19970916T090000 19970923T090000 19970930T090000 19971104T090000",
    ),
    (
        "19970610T090000",
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "19970610T090000 19970710T090000 19980610T090000 19980710T090000 19990610T090000 19990710T090000",
    ),
    (
        "19970310T090000",
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "19970310T090000 19990110T090000 19990210T090000 19990310T090000 20010110T090000 20010210T090000",
    ),
    (
        "19970101T090000",
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "19970101T090000 19970410T090000 19970719T090000 20000101T090000 20000409T090000 20000718T090000",
    ),
    (
        "19970519T090000",
        "FREQ=YEARLY;BYDAY=20MO",
        "19970519T090000 19980518T090000 19990517T090000 20000515T090000 20010514T090000 20020520T090000",
    ),
    (
        "19970512T090000",
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        "19970512T090000 19980511T090000 19990517T090000 20000515T090000 20010514T090000 20020513T090000",
    ),
    (
        "19970313T090000",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
        "19970313T090000 19970320T090000 19970327T090000 19980305T090000 19980312T090000 19980319T090000",
    ),
    (
        "19970605T090000",
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        "19970605T090000 19970612T090000 19970619T090000 19970626T090000 19970703T090000 19970710T090000",
    ),
    (
        "19970913T090000",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "19980213T090000 19980313T090000 19981113T090000 19990813T090000 20001013T090000 20010413T090000",
    ),
    (
        "19970913T090000",
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "19970913T090000 19971011T090000 19971108T090000 19971213T090000 19980110T090000 19980207T090000",
    ),
    (
        "19961105T090000",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "19961105T090000 20001107T090000 20041102T090000 20081104T090000 20121106T090000 20161108T090000",
    ),
    (
        "19970904T090000",
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        "19970904T090000 19971007T090000 19971106T090000",
    ),
    (
        "19970929T090000",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "19970929T090000 19971030T090000 19971127T090000 19971230T090000 19980129T090000 19980226T090000",
    ),
    (
        "19970902T090000",
        "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000",
        "19970902T090000 19970902T120000 19970902T150000",
    ),
    (
        "19970902T090000",
        "FREQ=MINUTELY;INTERVAL=15;COUNT=6",
        "19970902T090000 19970902T091500 19970902T093000 19970902T094500 19970902T100000 19970902T101500",
    ),
    (
        "19970902T090000",
        "FREQ=MINUTELY;INTERVAL=90;COUNT=4",
        "19970902T090000 19970902T103000 19970902T120000 19970902T133000",
    ),
    (
        "19970902T090000",
        "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40",
        "19970902T090000 19970902T092000 19970902T094000 19970902T100000 19970902T102000 19970902T104000",
    ),
    (
        "19970902T090000",
        "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16",
        "19970902T090000 19970902T092000 19970902T094000 19970902T100000 19970902T102000 19970902T104000",
    ),
    (
        "19970805T090000",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        "19970805T090000 19970810T090000 19970819T090000 19970824T090000",
    ),
    (
        "19970805T090000",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        "19970805T090000 19970817T090000 19970819T090000 19970831T090000",
    ),
    (
        "20070115T090000",
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        "20070115T090000 20070130T090000 20070215T090000 20070315T090000 20070330T090000",
    ),
    (
        "20080229T090000",
        "FREQ=YEARLY",
        "20080229T090000 20120229T090000 20160229T090000 20200229T090000 20240229T090000 20280229T090000",
    ),
    (
        "20080131T090000",
        "FREQ=MONTHLY",
        "20080131T090000 20080331T090000 20080531T090000 20080731T090000 20080831T090000 20081031T090000",
    ),
    (
        "20240101T000000",
        "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
        "20240101T000000 20240102T000000 20240103T000000 20240104T000000 20240105T000000 20240108T000000",
    ),
    (
        "19970902T090000",
        "FREQ=YEARLY;BYWEEKNO=1,53;BYDAY=MO,SU",
        "19971229T090000 19980104T090000 19981228T090000 19990103T090000 19990104T090000 19990110T090000",
    ),
    (
        "19970902T090000",
        "FREQ=YEARLY;BYWEEKNO=-1;BYDAY=TH",
        "19971225T090000 19981231T090000 19991230T090000 20001228T090000 20011227T090000 20021226T090000",
    ),
    (
        "19970902T090000",
        "FREQ=HOURLY;BYMONTH=1;BYDAY=MO;BYSETPOS=1,-1",
        "19980105T000000 19980105T010000 19980105T020000 19980105T030000 19980105T040000 19980105T050000",
    ),
    (
        "19970902T090000",
        "FREQ=SECONDLY;INTERVAL=7;BYMINUTE=3;BYHOUR=4",
        "19970903T040306 19970903T040313 19970903T040320 19970903T040327 19970903T040334 19970903T040341",
    ),
    (
        "19970902T090000",
        "FREQ=YEARLY;BYSETPOS=-1,1;BYDAY=1MO,-1FR",
        "19971226T090000 19980105T090000 19981225T090000 19990104T090000 19991231T090000 20000103T090000",
    ),
];

fn time(text: &str) -> DateTime {
    Moment::parse(text, None).unwrap().civil
}

fn instances(start: &str, rule: &str) -> Instances {
    let rule = Rule::parse(rule).unwrap();
    let until = match rule.until {
        Some(Until::Local(until)) => Some(until),
        Some(Until::Date(date)) => Some(date.at(23, 59, 59, 0)),
        _ => None,
    };
    Instances::new(&rule, time(start), until)
}

fn shown(time: DateTime) -> String {
    Moment {
        civil: time,
        form: Form::Floating,
    }
    .to_value()
}

fn first(mut instances: Instances, many: usize) -> Vec<String> {
    let mut out = Vec::new();
    while let Some(next) = instances.next().unwrap() {
        out.push(shown(next));
        if out.len() == many {
            break;
        }
    }
    out
}

#[test]
fn the_examples_of_rfc_5545_give_their_instances() {
    for (start, rule, expected) in EXAMPLES {
        assert_eq!(
            first(instances(start, rule), 6).join(" "),
            *expected,
            "{start} {rule}"
        );
    }
}

#[test]
fn entering_late_gives_the_same_as_walking_from_the_begin() {
    for (start, rule, _) in EXAMPLES {
        let all = first(instances(start, rule), 40);
        for (skipped, target) in all.iter().enumerate() {
            let mut late = instances(start, rule);
            late.seek(time(target)).unwrap();
            assert_eq!(
                first(late, 40 - skipped),
                all[skipped..],
                "{rule} at {target}"
            );
        }
    }
}

#[test]
fn a_week_number_alone_means_the_weekday_of_the_start() {
    assert_eq!(
        first(instances("19970512T090000", "FREQ=YEARLY;BYWEEKNO=20"), 2),
        ["19970512T090000", "19980511T090000"]
    );
}

#[test]
fn a_rule_that_gives_nothing_ends() {
    for rule in [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYMONTH=4",
        "FREQ=SECONDLY;INTERVAL=2147483647;BYSECOND=61",
    ] {
        if let Ok(parsed) = Rule::parse(rule) {
            let mut instances = Instances::new(&parsed, time("19970902T090000"), None);
            assert!(
                matches!(instances.next(), Ok(None) | Err(crate::Error::Limit { .. })),
                "{rule}"
            );
        }
    }
}

#[test]
fn a_set_too_large_is_a_limit_and_not_an_outage() {
    let all = |to: u32| {
        (0..to)
            .map(|one| one.to_string())
            .collect::<Vec<_>>()
            .join(",")
    };
    let rule = format!(
        "FREQ=YEARLY;BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYHOUR={};BYMINUTE={};BYSECOND={}",
        all(24),
        all(60),
        all(60)
    );
    let mut instances = instances("19970902T090000", &rule);
    assert_eq!(
        instances.next(),
        Err(crate::Error::Limit {
            name: "recurrence work",
            most: MAX_WORK
        })
    );
}

#[test]
fn wrong_rules_say_what_is_wrong() {
    for (rule, what) in [
        ("COUNT=3", "no FREQ"),
        (
            "FREQ=DAILY;COUNT=0",
            "COUNT or INTERVAL is out of its range",
        ),
        (
            "FREQ=DAILY;INTERVAL=0",
            "COUNT or INTERVAL is out of its range",
        ),
        ("FREQ=OFTEN", "an unknown FREQ"),
        ("FREQ=DAILY;BYHOUR=24", "a number is out of its range"),
        ("FREQ=DAILY;BYMONTHDAY=0", "a number is out of its range"),
        ("FREQ=MONTHLY;BYDAY=1XX", "BYDAY has no weekday"),
        ("FREQ=MONTHLY;BYDAY=ä", "BYDAY has no weekday"),
        (
            "FREQ=MONTHLY;BYDAY=99MO",
            "BYDAY has a number out of its range",
        ),
        ("FREQ=DAILY;UNTIL=soon", "UNTIL is no date or date-time"),
        ("FREQ=DAILY;RSCALE=CHINESE", "RSCALE is not GREGORIAN"),
        ("FREQ", "a part without ="),
    ] {
        assert!(
            matches!(Rule::parse(rule), Err(crate::Error::Value { what: found, .. }) if found == what),
            "{rule}"
        );
    }
}

/// Rules that RFC 5545 allows and that libraries agree on: `calcard` takes every day of a week number without BYDAY.
fn rules() -> impl Strategy<Value = String> {
    let part = |name: &'static str, range: std::ops::RangeInclusive<i16>| {
        prop_oneof![
            3 => Just(String::new()),
            1 => prop::collection::vec(range, 1..4).prop_map(move |list| {
                let list: Vec<String> = list.iter().filter(|one| **one != 0 || name != "BYMONTHDAY").map(i16::to_string).collect();
                if list.is_empty() { String::new() } else { format!(";{name}={}", list.join(",")) }
            }),
        ]
    };
    let frequency = prop::sample::select(vec!["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"]);
    let days = prop_oneof![
        1 => Just(String::new()),
        1 => prop::sample::subsequence(vec!["MO", "TU", "WE", "TH", "FR", "SA", "SU"], 1..4).prop_map(|days| format!(";BYDAY={}", days.join(","))),
    ];
    (frequency, 1..5_u8, part("BYMONTH", 1..=12), part("BYMONTHDAY", -5..=28), days, part("BYHOUR", 0..=23), any::<bool>()).prop_map(
        |(frequency, interval, months, month_days, days, hours, sunday)| {
            let month_days = if frequency == "WEEKLY" { "" } else { month_days.as_str() };
            let week_start = if sunday { ";WKST=SU" } else { "" };
            format!("FREQ={frequency};INTERVAL={interval}{months}{month_days}{days}{hours}{week_start}")
        },
    )
}

/// The first instances after `calcard`, in UTC.
fn of_calcard(start: &str, rule: &str, many: usize) -> Vec<String> {
    let text = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:{start}Z\r\nRRULE:{rule}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    );
    let calcard::Entry::ICalendar(calendar) = calcard::Parser::new(&text).entry() else {
        panic!("calcard cannot read {text}");
    };
    let expanded = calendar.expand_dates(calcard::common::timezone::Tz::UTC, many);
    expanded
        .events
        .iter()
        .map(|event| event.start.format("%Y%m%dT%H%M%S").to_string())
        .collect()
}

proptest! {
    // The other library takes its time for rules that give little.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn another_library_expands_the_same(rule in rules(), year in 1990..2030_i16, month in 1..=12_i8, day in 1..=28_i8) {
        let start = format!("{year}{month:02}{day:02}T101500");
        let mut own = instances(&start, &rule);
        let mut found = Vec::new();
        while let Ok(Some(next)) = own.next() {
            found.push(shown(next));
            if found.len() == 25 { break; }
        }
        let theirs = of_calcard(&start, &rule, 25);
        let both = found.len().min(theirs.len());
        prop_assert_eq!(&found[..both], &theirs[..both], "{}", rule);
    }

}

proptest! {
    #[test]
    fn any_rule_is_read_or_refused_and_its_expansion_is_bounded(rule in "FREQ=(SECONDLY|MINUTELY|HOURLY|DAILY|WEEKLY|MONTHLY|YEARLY)(;(INTERVAL=[0-9]{1,10}|COUNT=[0-9]{1,3}|BY(SECOND|MINUTE|HOUR|MONTHDAY|YEARDAY|WEEKNO|MONTH|SETPOS)=-?[0-9]{1,3}(,-?[0-9]{1,2})?|BYDAY=-?[0-9]{0,2}(MO|SU)|UNTIL=2[0-9]{3}0[1-9]11(T000000Z?)?)){0,4}", to in 0..3_000_000_000_i64) {
        if let Ok(rule) = Rule::parse(&rule) {
            let mut all = Instances::new(&rule, time("20000131T235959"), None).within(100_000);
            let mut last = None;
            for _ in 0..50 {
                let Ok(Some(next)) = all.next() else { break };
                prop_assert!(last < Some(next));
                last = Some(next);
            }
            let mut late = Instances::new(&rule, time("20000131T235959"), None).within(100_000);
            if late.seek(crate::moment::from_seconds(to)).is_ok() && let Ok(Some(next)) = late.next() {
                prop_assert!(next >= crate::moment::from_seconds(to));
            }
        }
    }

    #[test]
    fn no_text_makes_a_rule_panic(text in "\\PC{0,60}") {
        let _ = Rule::parse(&text);
    }
}
