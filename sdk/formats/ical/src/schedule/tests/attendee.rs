use super::*;

fn attended(old: &str, new: Option<&str>) -> std::result::Result<Vec<String>, String> {
    let new = new.map(object);
    let attended = as_user("bob", |context| {
        attendee_changed(Some(&object(old)), new.as_ref(), context)
    })
    .map_err(|error| {
        assert_eq!(
            error.precondition().element(),
            "allowed-attendee-scheduling-object-change"
        );
        error.to_string()
    })?;
    let answer = |message: &Message| {
        assert_eq!(
            (message.recipient.as_str(), message.originator.as_str()),
            ("mailto:anna@example.org", "mailto:bob@example.org")
        );
        let components = message.calendar.component().components_of("VEVENT");
        components
            .map(|one| {
                format!(
                    "{} {}",
                    one.value("RECURRENCE-ID").unwrap_or("all"),
                    one.line("ATTENDEE").unwrap().parameter("PARTSTAT").unwrap()
                )
            })
            .collect::<Vec<_>>()
    };
    Ok(attended.reply.iter().flat_map(answer).collect())
}

#[test]
fn an_answer_goes_to_the_organizer() {
    let weekly = part("bob", WEEKLY);
    assert_eq!(
        attended(&weekly, Some(&accepted(&weekly))).unwrap(),
        ["all ACCEPTED"]
    );
    assert!(
        attended(&accepted(&weekly), Some(&accepted(&weekly)))
            .unwrap()
            .is_empty()
    );
    let once = part(
        "bob",
        "RECURRENCE-ID;TZID=Europe/Berlin:20240115T100000\nDTSTART;TZID=Europe/Berlin:20240115T100000\nDURATION:PT1H\nSUMMARY:Weekly",
    );
    assert_eq!(
        attended(&weekly, Some(&format!("{weekly}{}", accepted(&once)))).unwrap(),
        ["20240115T100000 ACCEPTED"]
    );
    let client = accepted(&weekly).replace("ORGANIZER:", "ORGANIZER;SCHEDULE-AGENT=CLIENT:");
    assert!(attended(&weekly, Some(&client)).unwrap().is_empty());
    let forced = weekly.replace("ORGANIZER:", "ORGANIZER;SCHEDULE-FORCE-SEND=REPLY:");
    assert_eq!(
        attended(&weekly, Some(&forced)).unwrap(),
        ["all NEEDS-ACTION"]
    );
}

#[test]
fn whoever_deletes_does_not_come() {
    let weekly = part("bob", WEEKLY);
    assert_eq!(attended(&weekly, None).unwrap(), ["all DECLINED"]);
    assert!(
        attended(&weekly.replace("NEEDS-ACTION", "DECLINED"), None)
            .unwrap()
            .is_empty()
    );
    assert!(
        attended(&part("bob", &format!("{WEEKLY}\nSTATUS:CANCELLED")), None)
            .unwrap()
            .is_empty()
    );
    let without = part(
        "bob",
        &format!("{WEEKLY}\nEXDATE;TZID=Europe/Berlin:20240115T100000"),
    );
    assert_eq!(
        attended(&weekly, Some(&without)).unwrap(),
        ["20240115T100000 DECLINED"]
    );
}

#[test]
fn an_attendee_changes_what_is_his_and_nothing_else() {
    let weekly = part("bob carl", WEEKLY);
    let own = weekly.replace("END:VEVENT", "TRANSP:TRANSPARENT\nX-NOTE:1\nCATEGORIES:Work\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM\nEND:VEVENT");
    assert!(attended(&weekly, Some(&own)).unwrap().is_empty());
    for (from, to, what) in [
        ("Weekly", "Mine", "SUMMARY"),
        ("T100000\nDUR", "T110000\nDUR", "DTSTART"),
        ("PT1H", "PT2H", "END"),
        ("COUNT=5", "COUNT=6", "RRULE"),
        (
            "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:carl@example.org\n",
            "",
            "ATTENDEE",
        ),
        ("anna@example.org", "eve@example.org", "ATTENDEE"),
    ] {
        assert_eq!(
            attended(&weekly, Some(&weekly.replace(from, to))),
            Err(format!("an attendee may not change {what}"))
        );
    }
    let extra = part(
        "bob carl",
        "RECURRENCE-ID:20240116T090000Z\nDTSTART:20240116T090000Z",
    );
    assert_eq!(
        attended(&weekly, Some(&format!("{weekly}{extra}"))),
        Err("an attendee may not add an instance".to_owned())
    );
}
