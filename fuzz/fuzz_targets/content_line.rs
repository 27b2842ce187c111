//! Any octets are components or an error; what can be read is written so that it reads the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waxwing_formats_contentline::{Component, Limits};

fuzz_target!(|octets: &[u8]| {
    let Ok(components) = Component::parse_all(octets, &Limits::default()) else {
        return;
    };
    let mut text = String::new();
    components.iter().for_each(|component| component.write(&mut text));
    assert_eq!(Component::parse_all(text.as_bytes(), &Limits::default()), Ok(components));
});
