use super::*;

#[test]
fn a_new_meeting_invites_everybody_else_and_tells_nothing_of_the_server() {
    let text = part("bob carl", "DTSTART:20240108T100000Z\nTRANSP:OPAQUE\nBEGIN:VALARM\nACTION:DISPLAY\nTRIGGER:-PT5M\nEND:VALARM")
        .replace("ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:carl", "ATTENDEE;SCHEDULE-AGENT=CLIENT:mailto:carl")
        .replace("RSVP=TRUE:mailto:bob", "RSVP=TRUE;SCHEDULE-STATUS=1.2:mailto:bob");
    let messages = organized(None, Some(&object(&text))).messages;
    assert_eq!(shown(&messages), ["REQUEST bob all@0"]);
    let text = messages[0].calendar.to_text();
    assert!(text.contains("METHOD:REQUEST") && text.contains("DTSTAMP:20240101T000000Z"));
    for own in ["VALARM", "TRANSP", "SCHEDULE-"] {
        assert!(!text.contains(own), "{own}");
    }
}

#[test]
fn a_meeting_that_moves_asks_everybody_again() {
    let old = object(
        &part("bob", "DTSTART:20240108T100000Z\nDURATION:PT1H")
            .replace("NEEDS-ACTION;RSVP=TRUE", "ACCEPTED"),
    );
    let new = object(
        &part("bob", "DTSTART:20240108T110000Z\nDTEND:20240108T120000Z")
            .replace("NEEDS-ACTION;RSVP=TRUE", "ACCEPTED"),
    );
    let organized = organized(Some(&old), Some(&new));
    assert_eq!(shown(&organized.messages), ["REQUEST bob all@1"]);
    let text = organized.object.unwrap().to_text();
    assert!(
        organized.changed && text.contains("ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:bob")
    );
    assert!(text.contains("ATTENDEE;PARTSTAT=ACCEPTED:mailto:anna"));
}

#[test]
fn what_does_not_concern_others_is_not_sent() {
    let old = part(
        "bob",
        "DTSTART:20240108T100000Z\nDTEND:20240108T110000Z\nSUMMARY:a",
    );
    let same = part(
        "bob",
        "SUMMARY:a\nDURATION:PT1H\nDTSTART;TZID=Europe/Berlin:20240108T110000\nX-OWN:1\nTRANSP:TRANSPARENT\nLAST-MODIFIED:20240101T000000Z",
    );
    assert!(changed(&old, &same).is_empty());
    let other = part(
        "bob",
        "DTSTART:20240108T100000Z\nDTEND:20240108T110000Z\nSUMMARY:b",
    );
    assert_eq!(changed(&old, &other), ["REQUEST bob all@0"]);
}

#[test]
fn somebody_who_is_taken_out_gets_a_cancel_of_his_own() {
    let (both, one) = (
        part("bob carl", "DTSTART:20240108T100000Z"),
        part("bob", "DTSTART:20240108T100000Z"),
    );
    assert_eq!(
        changed(&both, &one),
        ["REQUEST bob all@1", "CANCEL carl all@1"]
    );
    let cancel = organized(Some(&object(&both)), None).messages;
    assert_eq!(shown(&cancel), ["CANCEL bob all@1", "CANCEL carl all@1"]);
    let text = cancel[0].calendar.to_text();
    assert!(
        text.contains("STATUS:CANCELLED")
            && !text.contains("carl")
            && !text.contains("ATTENDEE;PARTSTAT=ACCEPTED:mailto:anna")
    );
}

#[test]
fn an_exception_cancels_its_instance_and_an_override_is_sent_alone() {
    let weekly = part("bob", WEEKLY);
    let without = part(
        "bob",
        &format!("{WEEKLY}\nEXDATE;TZID=Europe/Berlin:20240115T100000"),
    );
    assert_eq!(changed(&weekly, &without), ["CANCEL bob 20240115T100000@1"]);
    assert_eq!(changed(&without, &weekly), ["REQUEST bob all@1"]);
    let moved = part(
        "bob",
        "RECURRENCE-ID;TZID=Europe/Berlin:20240122T100000\nDTSTART:20240123T100000Z\nDURATION:PT1H\nSUMMARY:Weekly",
    );
    assert_eq!(
        changed(&weekly, &format!("{weekly}{moved}")),
        ["REQUEST bob 20240122T100000@1"]
    );
    assert_eq!(
        changed(&format!("{weekly}{moved}"), &weekly),
        ["REQUEST bob all@1"]
    );
}

#[test]
fn each_attendee_knows_only_the_instances_he_is_in() {
    let weekly = part("bob", WEEKLY);
    let same = "RECURRENCE-ID;TZID=Europe/Berlin:20240122T100000\nDTSTART;TZID=Europe/Berlin:20240122T100000\nDURATION:PT1H\nSUMMARY:Weekly";
    let with_carl = format!("{weekly}{}", part("bob carl", same));
    assert_eq!(
        changed(&weekly, &with_carl),
        [
            "REQUEST bob 20240122T100000@0",
            "REQUEST carl 20240122T100000@0"
        ]
    );
    let without_bob = format!("{weekly}{}", part("carl", same));
    assert_eq!(
        changed(&weekly, &without_bob),
        [
            "CANCEL bob 20240122T100000@1",
            "REQUEST carl 20240122T100000@1"
        ]
    );
    assert_eq!(
        changed(&without_bob, &weekly),
        ["REQUEST bob all@1", "CANCEL carl 20240122T100000@1"]
    );
}

#[test]
fn a_client_can_have_the_invitation_sent_again() {
    let plain = part("bob", "DTSTART:20240108T100000Z");
    let forced = plain.replace("RSVP=TRUE", "SCHEDULE-FORCE-SEND=REQUEST");
    let organized = organized(Some(&object(&plain)), Some(&object(&forced)));
    assert_eq!(shown(&organized.messages), ["REQUEST bob all@0"]);
    assert!(!organized.object.unwrap().to_text().contains("FORCE"));
}

#[test]
fn answers_of_others_are_minor_news() {
    let (old, new) = (
        part("bob carl", "DTSTART:20240108T100000Z"),
        part("bob carl", "DTSTART:20240108T100000Z"),
    );
    let new = new.replacen("NEEDS-ACTION", "ACCEPTED", 1);
    assert_eq!(
        changed(&old, &new),
        ["REQUEST bob all@0 minor", "REQUEST carl all@0 minor"]
    );
}

#[test]
fn roles_follow_the_organizer() {
    let meeting = object(&part("bob", "DTSTART:20240108T100000Z"));
    let of = |name: &str| as_user(name, |context| role(&meeting, context).unwrap());
    assert_eq!(
        (of("anna"), of("bob"), of("carl")),
        (Role::Organizer, Role::Attendee, Role::Nobody)
    );
    let other = part(
        "bob",
        "RECURRENCE-ID:20240115T100000Z\nDTSTART:20240115T100000Z",
    )
    .replace("ORGANIZER:mailto:anna", "ORGANIZER:mailto:x");
    let mixed = object(&format!(
        "{}{other}",
        part("bob", "DTSTART:20240108T100000Z\nRRULE:FREQ=WEEKLY")
    ));
    let error = as_user("anna", |context| role(&mixed, context).unwrap_err());
    assert_eq!(
        error.precondition().element(),
        "same-organizer-in-all-components"
    );
}

#[test]
fn who_is_asked_again_has_not_answered_yet() {
    let noted = "ACCEPTED;X-CALENDARSERVER-DTSTAMP=20231231T100000Z:mailto:bob";
    let answered = |start: &str| {
        let text = part("bob", &format!("DTSTART:{start}\nDURATION:PT1H"));
        object(&text.replace("NEEDS-ACTION;RSVP=TRUE:mailto:bob", noted))
    };
    let text = |new: &str| {
        let organized = organized(Some(&answered("20240108T100000Z")), Some(&answered(new)));
        organized.object.unwrap().to_text().replace("\r\n ", "")
    };
    assert!(text("20240108T100000Z").contains("X-CALENDARSERVER-DTSTAMP"));
    let moved = text("20240108T120000Z");
    assert!(moved.contains("NEEDS-ACTION") && !moved.contains("X-CALENDARSERVER-DTSTAMP"));
}
