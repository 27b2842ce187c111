use super::*;

#[test]
fn an_update_keeps_what_is_the_attendees_own() {
    let own = accepted(&part(
        "bob",
        "DTSTART:20240108T100000Z\nSUMMARY:a\nTRANSP:TRANSPARENT\nX-NOTE:1\nBEGIN:VALARM\nTRIGGER:-PT5M\nEND:VALARM",
    ));
    let update = received(
        "bob",
        "REQUEST",
        &part(
            "bob",
            "DTSTART:20240108T100000Z\nSUMMARY:b\nBEGIN:VALARM\nTRIGGER:-PT9M\nEND:VALARM",
        ),
        Some(&own),
    );
    assert_eq!(update.change, Change::Updated(false));
    let text = update.object.unwrap().to_text();
    for kept in [
        "SUMMARY:b",
        "PARTSTAT=ACCEPTED;RSVP=TRUE:mailto:bob",
        "TRANSP:TRANSPARENT",
        "X-NOTE:1",
        "TRIGGER:-PT5M",
    ] {
        assert!(text.contains(kept), "{kept} {text}");
    }
    assert!(!text.contains("PT9M"));
    let moved = received(
        "bob",
        "REQUEST",
        &part("bob", "DTSTART:20240109T100000Z\nSEQUENCE:1"),
        Some(&own),
    );
    assert_eq!(moved.change, Change::Updated(true));
    assert!(
        moved
            .object
            .unwrap()
            .to_text()
            .contains("NEEDS-ACTION;RSVP=TRUE:mailto:bob")
    );
}

#[test]
fn a_message_that_was_overtaken_changes_nothing() {
    let stored = part("bob", "DTSTART:20240108T100000Z\nSEQUENCE:2");
    for (method, lines) in [
        ("REQUEST", "DTSTART:20240109T100000Z\nSEQUENCE:1"),
        ("REPLY", "SEQUENCE:1"),
        ("CANCEL", "DTSTART:20240108T100000Z\nSEQUENCE:1"),
    ] {
        let lines = if method == "REPLY" {
            "DTSTART:20240108T100000Z\nSEQUENCE:1"
        } else {
            lines
        };
        assert_eq!(
            received("bob", method, &part("bob", lines), Some(&stored)).change,
            Change::Nothing(Stale::Older),
            "{method}"
        );
    }
    let earlier =
        part("bob", "DTSTART:20240108T100000Z\nSEQUENCE:2").replace("DTSTAMP:2023", "DTSTAMP:2022");
    assert_eq!(
        received("bob", "REQUEST", &earlier, Some(&stored)).change,
        Change::Nothing(Stale::Older)
    );
    assert_eq!(
        received("bob", "CANCEL", &earlier, None).change,
        Change::Nothing(Stale::Unknown)
    );
    assert_eq!(
        received("bob", "ADD", &earlier, None).change,
        Change::Nothing(Stale::NeedsRefresh)
    );
}

#[test]
fn answers_of_others_keep_the_schedule_tag() {
    let stored = part("bob carl", "DTSTART:20240108T100000Z");
    let update = received(
        "bob",
        "REQUEST",
        &stored.replace("NEEDS-ACTION;RSVP=TRUE:mailto:carl", "ACCEPTED:mailto:carl"),
        Some(&stored),
    );
    assert_eq!(update.change, Change::Answers);
    assert!(update.keeps_schedule_tag());
}

#[test]
fn what_is_off_is_marked() {
    let stored = part("bob", WEEKLY);
    let all = received(
        "bob",
        "CANCEL",
        &part("bob", &format!("{WEEKLY}\nSEQUENCE:1")),
        Some(&stored),
    )
    .object
    .unwrap();
    assert_eq!(
        (all.text("STATUS").as_deref(), all.sequence()),
        (Some("CANCELLED"), 1)
    );
    let one = part(
        "bob",
        "RECURRENCE-ID:20240115T090000Z\nDTSTART:20240115T090000Z\nSEQUENCE:1",
    );
    let received = received("bob", "CANCEL", &one, Some(&stored));
    assert_eq!(received.change, Change::Cancelled);
    let text = received.object.unwrap().to_text();
    assert!(
        text.contains("RECURRENCE-ID;TZID=Europe/Berlin:20240115T100000")
            && text.matches("CANCELLED").count() == 1,
        "{text}"
    );
}

fn reply_line(lines: &str, attendee: &str) -> String {
    format!(
        "BEGIN:VEVENT\nUID:m\nDTSTAMP:20240101T000000Z\nORGANIZER:mailto:anna@example.org\n{attendee}\nDTSTART:20240108T100000Z\n{lines}END:VEVENT\n"
    )
}

#[test]
fn a_reply_is_noted_at_the_organizer() {
    let stored = part("bob", WEEKLY);
    let reply = received(
        "anna",
        "REPLY",
        &reply_line(
            "REQUEST-STATUS:2.0;Success\n",
            "ATTENDEE;PARTSTAT=ACCEPTED:MAILTO:bob@example.org",
        ),
        Some(&stored),
    );
    assert_eq!(
        reply.change,
        Change::Replied("MAILTO:bob@example.org".into(), "ACCEPTED".into())
    );
    assert!(reply.keeps_schedule_tag());
    let text = reply.object.unwrap().to_text().replace("\r\n ", "");
    let noted = "ATTENDEE;PARTSTAT=ACCEPTED;SCHEDULE-STATUS=2.0;X-CALENDARSERVER-DTSTAMP=20240101T000000Z:mailto:bob@example.org";
    assert!(text.contains(noted), "{text}");
    let once = reply_line(
        "RECURRENCE-ID:20240115T090000Z\n",
        "ATTENDEE;PARTSTAT=DECLINED:mailto:bob@example.org",
    );
    let object = received("anna", "REPLY", &once, Some(&stored))
        .object
        .unwrap();
    let answers: Vec<&str> = object
        .components()
        .map(|one| {
            one.lines_of("ATTENDEE")
                .nth(1)
                .unwrap()
                .parameter("PARTSTAT")
                .unwrap()
        })
        .collect();
    assert_eq!(answers, ["NEEDS-ACTION", "DECLINED"]);
    let stranger = reply_line("", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:eve@example.org");
    assert_eq!(
        received("anna", "REPLY", &stranger, Some(&stored)).change,
        Change::Nothing(Stale::NotInvited)
    );
}

#[test]
fn an_answer_that_was_given_before_the_one_that_is_noted_changes_nothing() {
    let answer = |stamp: &str, answer: &str, stored: &str| {
        let line = format!("ATTENDEE;PARTSTAT={answer}:mailto:bob@example.org");
        let text = reply_line("", &line);
        let text = text.replace("20240101T000000Z\nORG", &format!("{stamp}\nORG"));
        received("anna", "REPLY", &text, Some(stored))
    };
    let accepted = |stamp: &str| -> String {
        let received = answer(stamp, "ACCEPTED", &part("bob", WEEKLY));
        let object = received.object.unwrap();
        object.components().map(|one| one.to_text()).collect()
    };
    let noted = accepted("20231231T100000Z");
    let stale = answer("20231231T090000Z", "TENTATIVE", &noted);
    assert_eq!(stale.change, Change::Nothing(Stale::Older));
    let later = answer("20231231T110000Z", "DECLINED", &noted);
    assert!(matches!(later.change, Change::Replied(..)));
    // A clock that was wrong once does not silence anybody.
    let later = answer(
        "20231231T110000Z",
        "DECLINED",
        &accepted("20990101T000000Z"),
    );
    assert!(matches!(later.change, Change::Replied(..)));
}

#[test]
fn answers_and_cancellations_need_not_say_when_the_meeting_is() {
    let stored = part("bob", WEEKLY);
    let without = |text: String| text.replace("DTSTART:20240108T100000Z\n", "");
    let reply = without(reply_line(
        "",
        "ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.org",
    ));
    assert!(matches!(
        received("anna", "REPLY", &reply, Some(&stored)).change,
        Change::Replied(..)
    ));
    let cancel = without(part("bob", "DTSTART:20240108T100000Z\nSEQUENCE:1"));
    assert_eq!(
        received("bob", "CANCEL", &cancel, Some(&stored)).change,
        Change::Cancelled
    );
    let request = calendar("REQUEST", &cancel);
    assert!(as_user("bob", |context| receive(&request, None, context).is_err()));
}

#[test]
fn a_delegate_is_added_by_the_word_of_who_delegates() {
    let stored = part("bob", "DTSTART:20240108T100000Z");
    let delegated = reply_line(
        "",
        "ATTENDEE;PARTSTAT=DELEGATED;DELEGATED-TO=\"mailto:carl@example.org\":mailto:bob@example.org",
    );
    let object = received("anna", "REPLY", &delegated, Some(&stored))
        .object
        .unwrap();
    assert_eq!(object.attendees().len(), 3);
    let by_delegate = reply_line(
        "",
        "ATTENDEE;PARTSTAT=ACCEPTED;DELEGATED-FROM=\"mailto:bob@example.org\":mailto:carl@example.org",
    );
    // Anybody can say of himself that he was sent.
    let alone = received("anna", "REPLY", &by_delegate, Some(&stored));
    assert_eq!(alone.change, Change::Nothing(Stale::NotInvited));
    let both = as_user("anna", |context| {
        let reply = calendar("REPLY", &by_delegate);
        receive(&reply, Some(&object), context).unwrap()
    });
    let object = both.object.unwrap();
    assert!(
        object
            .attendees()
            .iter()
            .any(|line| line.value.contains("carl") && line.has_parameter("PARTSTAT", "ACCEPTED"))
    );
}

#[test]
fn a_counter_is_taken_and_sent_to_all() {
    let stored = part("bob", "DTSTART:20240108T100000Z\nDURATION:PT1H\nSUMMARY:a");
    let counter = reply_line(
        "DTEND:20240108T130000Z\nLOCATION:here\n",
        "ATTENDEE;PARTSTAT=TENTATIVE:mailto:bob@example.org",
    )
    .replace("T100000Z", "T120000Z");
    assert_eq!(
        received("anna", "COUNTER", &counter, Some(&stored)).change,
        Change::Countered("mailto:bob@example.org".into())
    );
    let taken = accept_counter(&calendar("COUNTER", &counter), &object(&stored)).unwrap();
    assert_eq!(
        shown(&organized(Some(&object(&stored)), Some(&taken)).messages),
        ["REQUEST bob all@1"]
    );
    assert_eq!(
        (
            taken.text("LOCATION").as_deref(),
            taken.summary().as_deref()
        ),
        (Some("here"), Some("a"))
    );
}

#[test]
fn a_room_answers_and_the_status_is_noted() {
    let meeting = object(&part("room", WEEKLY));
    let (copy, message) = as_user("room", |context| {
        answer(&meeting, Participation::Accepted, context).unwrap()
    });
    assert!(
        copy.to_text()
            .contains("ATTENDEE;PARTSTAT=ACCEPTED:mailto:room")
    );
    let received = as_user("anna", |context| {
        receive(&message.unwrap().calendar, Some(&meeting), context).unwrap()
    });
    assert_eq!(
        received.change,
        Change::Replied("mailto:room@example.org".into(), "ACCEPTED".into())
    );
    assert!(
        set_schedule_status(&meeting, "MAILTO:room@example.org", "1.2")
            .to_text()
            .replace("\r\n ", "")
            .contains("SCHEDULE-STATUS=1.2:mailto:room")
    );
}

#[test]
fn a_free_busy_request_is_answered_for_each() {
    let request = calendar(
        "REQUEST",
        "BEGIN:VFREEBUSY\nUID:f\nDTSTAMP:20240101T000000Z\nDTSTART:20240108T000000Z\nDTEND:20240109T000000Z\nORGANIZER:mailto:anna@example.org\nATTENDEE:mailto:bob@example.org\nATTENDEE:mailto:carl@example.org\nX-CALENDARSERVER-MASK-UID:m\nEND:VFREEBUSY\n",
    );
    let request = FreeBusyRequest::of(&request, &crate::Limits::default()).unwrap();
    assert_eq!(
        (request.attendees.len(), request.mask_uid.as_deref()),
        (2, Some("m"))
    );
    let mut free_busy = crate::free_busy::FreeBusy::new(request.range, 10);
    free_busy
        .add(&object(&part("bob", WEEKLY)), &Zone::UTC)
        .unwrap();
    let reply = request.reply("mailto:bob@example.org", &free_busy, NOW);
    let text = reply.calendar.to_text();
    assert!(
        text.contains("METHOD:REPLY")
            && text.contains("UID:f")
            && text.contains("20240108T090000Z/20240108T100000Z")
    );
    assert!(
        !request
            .message("mailto:bob@example.org", NOW)
            .calendar
            .to_text()
            .contains("carl")
    );
    for (from, to) in [
        ("METHOD:REQUEST", "METHOD:REPLY"),
        ("ORGANIZER", "X-ORGANIZER"),
        ("DTEND:20240109", "DTEND:20240107"),
        ("ATTENDEE", "X-ATTENDEE"),
    ] {
        let wrong = request
            .message("mailto:bob@example.org", NOW)
            .calendar
            .to_text()
            .replace(from, to);
        let wrong =
            crate::Calendar::parse(wrong.as_bytes(), &crate::contentline::Limits::default())
                .unwrap();
        assert!(
            FreeBusyRequest::of(&wrong, &crate::Limits::default()).is_err(),
            "{from}"
        );
    }
}
