//! A message of iTIP and the copy of whom it is for: what is to be stored is an object, whoever reads it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waxwing_formats_ical::schedule::{Context, attendee_changed, organizer_changed, receive};
use waxwing_formats_ical::{Calendar, Object, contentline};

fuzz_target!(|input: (&[u8], &[u8])| {
    let (stored, message) = input;
    let stored = Object::parse(stored).ok();
    let mine = ["mailto:a@b".to_owned()];
    let context = Context { mine: &mine, now: 1_704_067_200 };
    if let Ok(message) = Calendar::parse(message, &contentline::Limits::default()) {
        if let Ok(Some(object)) = receive(&message, stored.as_ref(), &context).map(|received| received.object) {
            assert_eq!(Object::parse(object.to_text().as_bytes()), Ok(object));
        }
    }
    let other = Object::parse(message).ok();
    let _ = organizer_changed(stored.as_ref(), other.as_ref(), &context);
    let _ = attendee_changed(stored.as_ref(), other.as_ref(), &context);
});
