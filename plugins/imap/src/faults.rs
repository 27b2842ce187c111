//! Failing on demand: a client names the fault in its tag, an operator in the version. What the host makes of it is
//! tested with a real client against a real server; the package that is shipped is built without.
//!
//! | tag begins with | what happens, once the command has done its work and before its tagged line |
//! |---|---|
//! | `XTRAP` | a trap |
//! | `XLOOP` | an endless loop |
//! | `XHOG` | memory is used up |
//! | `XPAGE` | a trap at the second page of a FETCH |
//! | `XPARSE` | a trap in the parser, whenever it sees the command |
//!
//! | version ends with | what `thaw` does |
//! |---|---|
//! | `-refusing` | it refuses |
//! | `-trapping` | a trap |
//! | `-silly` | it answers what makes no sense |
//! | `-looping` | an endless loop |
//!
//! `thaw` fails only for a session that has logged in: what fails for all would not pass the self-test of a package.

#![allow(clippy::panic, reason = "failing is the purpose")]

use std::hint::black_box;

use waxwing_sdk::stream::Turn;

/// At the end of a command.
pub(crate) fn at_end(tag: &str) {
    match tag {
        tag if tag.starts_with("XTRAP") => panic!("XTRAP was asked for"),
        tag if tag.starts_with("XLOOP") => forever(),
        tag if tag.starts_with("XHOG") => hog(),
        _ => {}
    }
}

/// Between two pages of a FETCH.
pub(crate) fn between_pages(tag: &str) {
    assert!(!tag.starts_with("XPAGE"), "XPAGE was asked for");
}

/// In the parser.
pub(crate) fn in_parser(tag: &str) {
    assert!(!tag.starts_with("XPARSE"), "XPARSE was asked for");
}

/// What `thaw` answers instead of what it should.
pub(crate) fn in_thaw(version: &str) -> Option<Result<Turn, String>> {
    match version.rsplit('-').next() {
        Some("refusing") => Some(Err("a refusal was asked for".to_owned())),
        Some("trapping") => panic!("a trap was asked for"),
        Some("silly") => Some(Ok(Turn::new().start_tls())),
        Some("looping") => forever(),
        _ => None,
    }
}

fn forever() -> ! {
    let mut turns = 0_u64;
    loop {
        turns = black_box(turns.wrapping_add(1));
    }
}

fn hog() -> ! {
    let mut eaten: Vec<Vec<u8>> = Vec::new();
    loop {
        eaten.push(black_box(vec![1; 1 << 20]));
    }
}
