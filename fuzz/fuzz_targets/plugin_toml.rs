//! Any manifest is read or refused with a message.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waxwing_runtime::package::manifest;

fuzz_target!(|text: &str| {
    if let Err(error) = manifest::parse(text) {
        assert!(!error.to_string().is_empty());
    }
});
