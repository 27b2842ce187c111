use super::*;

/// When somebody has to be somewhere, after his copy: begin and summary of what is not off and what he is invited to.
fn agenda(object: Option<&Object>, name: &str) -> Vec<(i64, String)> {
    let Some(object) = object else {
        return Vec::new();
    };
    let invited = |component: &Component| {
        component
            .lines_of("ATTENDEE")
            .any(|line| line.value.contains(name))
    };
    let off = |component: &Component| component.value("STATUS") == Some("CANCELLED");
    let found = object
        .occurrences(
            &Zone::UTC,
            range("20240101T000000Z", "20250101T000000Z"),
            100,
        )
        .unwrap();
    let mine = found
        .into_iter()
        .filter(|one| invited(one.component) && !off(one.component));
    mine.map(|one| {
        (
            one.start,
            one.component
                .value("SUMMARY")
                .unwrap_or_default()
                .to_owned(),
        )
    })
    .collect()
}

/// A weekly meeting with some of what organisers do to one.
fn meetings() -> impl Strategy<Value = String> {
    let people = prop::sample::select(vec!["bob", "carl", "bob carl"]);
    let week = |number: i64| format!("202401{:02}", 8 + 7 * number);
    let one = (0..4_i64, people.clone(), 8..18_i64, any::<bool>()).prop_map(move |(number, people, hour, berlin)| {
        let id = if berlin { format!(";TZID=Europe/Berlin:{}T100000", week(number)) } else { format!(":{}T090000Z", week(number)) };
        (number, part(people, &format!("RECURRENCE-ID{id}\nDTSTART:{}T{hour:02}0000Z\nDURATION:PT1H\nSUMMARY:{hour}", week(number))))
    });
    let exceptions = prop::collection::btree_set(0..4_i64, 0..3);
    (people, 9..12_i64, 2..5_i64, exceptions, prop::collection::vec(one, 0..3)).prop_map(move |(people, hour, count, exceptions, overrides)| {
        let dates: Vec<String> = exceptions.iter().map(|number| format!("EXDATE;TZID=Europe/Berlin:{}T{hour:02}0000\n", week(*number))).collect();
        let mut text = part(people, &format!("DTSTART;TZID=Europe/Berlin:20240108T{hour:02}0000\nDURATION:PT1H\n{}RRULE:FREQ=WEEKLY;COUNT={count}\nSUMMARY:Weekly", dates.concat()));
        let mut seen = std::collections::BTreeSet::new();
        for (number, one) in overrides {
            if seen.insert(number) && number < count && hour == 10 && !exceptions.contains(&number) {
                text.push_str(&one);
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn after_every_change_each_attendee_has_the_meetings_he_is_invited_to(versions in prop::collection::vec(meetings(), 1..5), delete in any::<bool>()) {
        let mut stored: Option<Object> = None;
        let mut copies: std::collections::BTreeMap<String, Object> = Default::default();
        let mut steps: Vec<Option<Object>> = versions.iter().map(|text| Some(object(text))).collect();
        if delete { steps.push(None); }
        for (number, step) in steps.iter().enumerate() {
            let mine = ["mailto:anna@example.org".to_owned()];
            let now = NOW + number as i64;
            let organized = organizer_changed(stored.as_ref(), step.as_ref(), &Context { mine: &mine, now }).unwrap();
            for message in organized.messages {
                let mine = [message.recipient.clone()];
                let copy = copies.get(&message.recipient);
                let received = receive(&message.calendar, copy, &Context { mine: &mine, now }).unwrap();
                prop_assert!(received.object.is_some(), "{:?} {}", received.change, message.calendar.to_text());
                copies.extend(received.object.map(|object| (message.recipient, object)));
            }
            stored = organized.object;
            for name in ["bob", "carl"] {
                let copy = copies.get(&format!("mailto:{name}@example.org"));
                prop_assert_eq!(agenda(copy, name), agenda(stored.as_ref(), name), "{} {}", name, number);
            }
        }
    }

    #[test]
    fn nothing_that_is_stored_makes_scheduling_panic(old in meetings(), new in meetings(), method in prop::sample::select(vec!["REQUEST", "CANCEL", "REPLY", "COUNTER", "ADD", "REFRESH"])) {
        let (old, other) = (object(&old), object(&new));
        as_user("bob", |context| {
            let _ = attendee_changed(Some(&old), Some(&other), context);
            let _ = receive(&calendar(method, &new), Some(&old), context);
            let _ = accept_counter(&calendar(method, &new), &old);
            let _ = answer(&old, Participation::Tentative, context);
        });
    }
}
