//! A bag that can be read is written again as it was understood.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waxwing_formats_mapi::{Bag, bag};

fuzz_target!(|bytes: &[u8]| {
    let Ok(bag) = Bag::open(bytes) else { return };
    for tag in bag.tags().collect::<Vec<_>>() {
        let _ = bag.get(tag);
    }
    let Ok(properties) = bag.unpack() else { return };
    let packed = bag::pack(&properties);
    let again = Bag::open(&packed).unwrap().unpack().unwrap();
    // Floats may be NaN, so the bytes are compared and not the values.
    assert_eq!(bag::pack(&again), packed);
});
