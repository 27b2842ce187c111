//! A vCard is written as it was read, and becomes one of the other version.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waxwing_formats_vcard::{AddressData, Card, Version};

fuzz_target!(|octets: &[u8]| {
    let Ok(card) = Card::parse(octets) else {
        return;
    };
    assert_eq!(Card::parse(card.to_text().as_bytes()).as_ref(), Ok(&card));
    let _ = (card.formatted_name(), card.emails(), card.members(), card.kind());
    for version in [Version::V3, Version::V4] {
        let data = AddressData { properties: None, version: Some(version) };
        let converted = Card::of_component(data.apply(&card));
        assert_eq!(converted.map(|card| card.version()), Ok(version));
    }
});
