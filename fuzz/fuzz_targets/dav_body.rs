//! A body and a path: whatever they are, they are read or refused.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8])| {
    let (path, body) = input;
    waxwing_plugin_dav::read_any(body, path);
});
