use super::{holds, plan};
use waxwing_formats_ical::Object;
use waxwing_formats_ical::schedule::{Context, Method};
use waxwing_sdk::store::objects::Condition;

fn meeting(organizer: &str, more: &str) -> Object {
    let text = format!(
        "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:m\nDTSTAMP:20300101T000000Z\nDTSTART:20300102T100000Z\n\
         DTEND:20300102T110000Z\nORGANIZER:mailto:{organizer}\nATTENDEE:mailto:ann@a.example\nATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:bob@a.example\n\
         {more}END:VEVENT\nEND:VCALENDAR\n"
    );
    Object::parse(text.as_bytes()).unwrap()
}

fn plain() -> Object {
    let text = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:m\nDTSTAMP:20300101T000000Z\nDTSTART:20300102T100000Z\nEND:VEVENT\n\
        END:VCALENDAR\n";
    Object::parse(text.as_bytes()).unwrap()
}

const ANN: &str = "ann@a.example";

fn put(old: Option<&Object>, new: Object) -> Result<plan::Plan, crate::answer::Refusal> {
    let mine = [format!("mailto:{ANN}")];
    plan::put(
        old,
        new,
        &Context {
            mine: &mine,
            now: 0,
        },
    )
}

#[test]
fn an_organizer_tells_the_attendees_and_an_attendee_the_organizer() {
    let new = put(None, meeting(ANN, "")).unwrap();
    assert!(new.is_scheduled);
    let told: Vec<_> = new
        .messages
        .iter()
        .map(|one| (one.method, one.recipient.as_str()))
        .collect();
    assert_eq!(told, [(Method::Request, "mailto:bob@a.example")]);
    let invited = meeting("carl@b.example", "");
    let accepted = Object::parse(
        invited
            .to_text()
            .replace(
                "ATTENDEE:mailto:ann",
                "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann",
            )
            .as_bytes(),
    );
    let answered = put(Some(&invited), accepted.unwrap()).unwrap();
    let told: Vec<_> = answered
        .messages
        .iter()
        .map(|one| (one.method, one.recipient.as_str()))
        .collect();
    assert_eq!(told, [(Method::Reply, "mailto:carl@b.example")]);
    assert!(!put(None, plain()).unwrap().is_scheduled);
}

#[test]
fn nobody_becomes_what_he_was_not() {
    let mine = meeting(ANN, "");
    let theirs = meeting("carl@b.example", "");
    for (old, new) in [(&mine, &theirs), (&theirs, &mine), (&theirs, &plain())] {
        assert_eq!(put(Some(old), new.clone()).unwrap_err().status, 403);
    }
    let moved = Object::parse(theirs.to_text().replace("T100000Z", "T090000Z").as_bytes()).unwrap();
    assert_eq!(put(Some(&theirs), moved).unwrap_err().status, 403);
}

#[test]
fn an_organizer_who_takes_everybody_out_tells_them() {
    let gone = put(Some(&meeting(ANN, "")), plain()).unwrap();
    assert!(!gone.is_scheduled);
    let told: Vec<_> = gone.messages.iter().map(|one| one.method).collect();
    assert_eq!(told, [Method::Cancel]);
}

#[test]
fn an_attendee_may_go_in_silence() {
    let mine = [format!("mailto:{ANN}")];
    let context = Context {
        mine: &mine,
        now: 0,
    };
    let theirs = meeting("carl@b.example", "");
    assert_eq!(plan::removal(&theirs, &context, false).unwrap().len(), 1);
    assert_eq!(plan::removal(&theirs, &context, true).unwrap().len(), 0);
    assert_eq!(
        plan::removal(&meeting(ANN, ""), &context, true)
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn a_condition_of_nothing_is_that_there_is_nothing() {
    assert!(holds(&Condition::Absent, None) && holds(&Condition::NoneOf(vec!["a".into()]), None));
    assert!(!holds(&Condition::Present, None) && !holds(&Condition::OneOf(vec!["a".into()]), None));
}
