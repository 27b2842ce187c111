//! Any line of POP3 is a command or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waxwing_plugin_pop3::parse::parse_command;

fuzz_target!(|line: &[u8]| {
    let _ = parse_command(line);
});
