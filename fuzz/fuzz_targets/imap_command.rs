//! A command is read the same however its octets arrive, and every answer makes progress.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waxwing_plugin_imap::parse::{
    AppendRole, ImapUrl, Mode, Parsed, parse_date_time, parse_in, parse_next_append,
};

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, input)) = bytes.split_first() else {
        return;
    };
    let mode = Mode {
        utf8: choice & 1 == 1,
    };
    let whole = parse_in(input, mode);
    match &whole {
        Parsed::Incomplete { .. } => {}
        Parsed::Command { consumed, .. } => {
            assert!((1..=input.len()).contains(consumed));
            assert_eq!(parse_in(&input[..*consumed], mode), whole);
            let torn = &input[..consumed * usize::from(*choice) / 256];
            let early = parse_in(torn, mode);
            assert!(matches!(early, Parsed::Incomplete { .. }), "{early:?}");
        }
        Parsed::Bad { consumed, .. } => assert!(*consumed <= input.len()),
    }
    for role in [
        AppendRole::Message,
        AppendRole::InParentheses,
        AppendRole::Text,
        AppendRole::Url,
    ] {
        let _ = parse_next_append(input, role);
    }
    if let Ok(text) = std::str::from_utf8(input) {
        let _ = ImapUrl::parse(text);
    }
    let _ = parse_date_time(input);
});
