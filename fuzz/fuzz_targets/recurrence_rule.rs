//! A rule, its start and a time: instances are in order, and entering late gives what a walk from the begin gives.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waxwing_formats_ical::rule::Instances;
use waxwing_formats_ical::{Rule, Zone};

fuzz_target!(|input: (i32, u8, &str)| {
    let (start, skip, text) = input;
    let Ok(rule) = Rule::parse(text) else {
        return;
    };
    let start = Zone::UTC.to_civil(i64::from(start));
    let mut walk = Instances::new(&rule, start, None).within(100_000);
    let mut all = Vec::new();
    while let Ok(Some(next)) = walk.next() {
        assert!(all.last() < Some(&next));
        all.push(next);
        if all.len() > usize::from(skip) + 5 {
            break;
        }
    }
    if let Some(target) = all.get(usize::from(skip)) {
        let mut late = Instances::new(&rule, start, None).within(200_000);
        if late.seek(*target).is_ok() {
            assert_eq!(late.peek(), Ok(Some(*target)));
        }
    }
});
