//! A calendar object and a range: what the index, the search and the expansion say of it fits together and is bounded.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waxwing_formats_ical::data::{CalendarData, Recurrence};
use waxwing_formats_ical::free_busy::FreeBusy;
use waxwing_formats_ical::{Calendar, Limits, Object, Range, Zone};

fuzz_target!(|input: (i64, i64, &[u8])| {
    let (start, length, octets) = input;
    if let Ok(calendar) = Calendar::parse(octets, &Limits::default().text) {
        let mut free_busy = FreeBusy::new(Range::new(0, 100_000_000), 100);
        let _ = free_busy.add_availability(&[(calendar.clone(), Zone::UTC)]);
    }
    let Ok(object) = Object::parse(octets) else {
        return;
    };
    assert_eq!(Object::parse(object.to_text().as_bytes()), Ok(object.clone()));
    let range = Range::new(start, start.saturating_add(length.saturating_abs()).max(start.saturating_add(1)));
    let any = object.overlaps(&Zone::UTC, range);
    if let (Ok(found), Ok(any)) = (object.occurrences(&Zone::UTC, range, 200), &any) {
        assert_eq!(found.is_empty(), !any);
    }
    if let (Ok(index), Ok(true)) = (object.index(&Zone::UTC, 4_000_000_000, 50), any) {
        assert!(index.may_overlap(range));
    }
    for recurrence in [Recurrence::Expand(range), Recurrence::Limit(range)] {
        let data = CalendarData { recurrence: Some(recurrence), ..CalendarData::default() };
        let _ = data.apply(&object, &Zone::UTC, 100);
    }
    let mut free_busy = FreeBusy::new(range, 100);
    let _ = free_busy.add(&object, &Zone::UTC);
    let _ = free_busy.spans();
});
