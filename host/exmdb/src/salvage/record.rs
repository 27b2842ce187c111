//! Records of SQLite, read without trust: a record counts only when its header and its length agree to the octet.
//!
//! Format: <https://www.sqlite.org/fileformat2.html#record_format>.

use crate::StoredValue;

/// A number of one to nine octets, and how many it took.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0u64;
    for (place, byte) in bytes.iter().take(9).enumerate() {
        if place == 8 {
            return Some((value << 8 | u64::from(*byte), 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, place + 1));
        }
    }
    None
}

/// The values of a record.
pub(super) fn values(payload: &[u8]) -> Option<Vec<StoredValue>> {
    let (header, used) = varint(payload)?;
    let (header, mut content) = payload.split_at_checked(usize::try_from(header).ok()?)?;
    let mut kinds = header.get(used..)?;
    let mut values = Vec::new();
    while !kinds.is_empty() {
        let (kind, used) = varint(kinds)?;
        kinds = kinds.get(used..)?;
        let (bytes, rest) = content.split_at_checked(octets(kind)?)?;
        values.push(value(kind, bytes)?);
        content = rest;
    }
    content.is_empty().then_some(values)
}

fn octets(kind: u64) -> Option<usize> {
    Some(match kind {
        0 | 8 | 9 => 0,
        1..=4 => usize::try_from(kind).ok()?,
        5 => 6,
        6 | 7 => 8,
        10 | 11 => return None,
        12.. => usize::try_from((kind - 12) / 2).ok()?,
    })
}

fn value(kind: u64, bytes: &[u8]) -> Option<StoredValue> {
    Some(match kind {
        0 => StoredValue::Null,
        8 => StoredValue::Integer(0),
        9 => StoredValue::Integer(1),
        1..=6 => {
            let negative = bytes.first()? & 0x80 != 0;
            let start: i64 = if negative { -1 } else { 0 };
            let number = bytes
                .iter()
                .fold(start, |number, byte| number << 8 | i64::from(*byte));
            StoredValue::Integer(number)
        }
        7 => StoredValue::Real(f64::from_be_bytes(*bytes.first_chunk()?)),
        kind if kind % 2 == 0 => StoredValue::Blob(bytes.to_vec()),
        _ => StoredValue::Text(String::from_utf8(bytes.to_vec()).ok()?),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_is_its_values_and_one_octet_too_many_is_none() {
        let record = [5, 1, 8, 15, 14, 0xfe, b'a', b'x'];
        let expected = vec![
            StoredValue::Integer(-2),
            StoredValue::Integer(0),
            StoredValue::Text("a".into()),
            StoredValue::Blob(b"x".to_vec()),
        ];
        assert_eq!(values(&record), Some(expected));
        assert_eq!(values(&[&record[..], &[0]].concat()), None);
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0x81, 0x00]), Some((128, 2)));
    }

    proptest! {
        #[test]
        fn any_octets_are_a_record_or_none(bytes: Vec<u8>) {
            let _never_panics = values(&bytes);
        }
    }
}
