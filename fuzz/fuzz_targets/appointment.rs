//! Binary properties of an appointment: what can be decoded is encoded so that it decodes to the same, and the item becomes an object or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use waxwing_formats_ical::Zone;
use waxwing_formats_ical::mapi::Item;
use waxwing_formats_mapi::appointment::{AppointmentRecurrence, GlobalObjectId, TimeZoneDefinition};
use waxwing_formats_mapi::{Value, lids};

fuzz_target!(|input: (u64, bool, &[u8], &[u8], &[u8])| {
    let (start, whole_day, recurrence, zone, id) = input;
    if let Ok(series) = AppointmentRecurrence::decode(recurrence) {
        assert_eq!(AppointmentRecurrence::decode(&series.encode()), Ok(series));
    }
    if let Ok(definition) = TimeZoneDefinition::decode(zone) {
        assert_eq!(TimeZoneDefinition::decode(&definition.encode()).map(|again| again.rules), Ok(definition.rules));
    }
    let _ = GlobalObjectId::decode(id).map(|id| id.uid());
    let mut item = Item::default();
    item.properties.set_lid(lids::APPOINTMENT_START_WHOLE, Value::Time(start));
    item.properties.set_lid(lids::APPOINTMENT_SUB_TYPE, Value::Boolean(whole_day));
    for (lid, octets) in [(lids::APPOINTMENT_RECUR, recurrence), (lids::TIME_ZONE_RECUR, zone), (lids::CLEAN_GLOBAL_OBJECT_ID, id)] {
        item.properties.set_lid(lid, Value::Binary(octets.to_vec()));
    }
    if let Ok(object) = item.to_object(&Zone::UTC, "uid", 0) {
        let _ = Item::of(&object, &Zone::UTC, &[]);
    }
});
