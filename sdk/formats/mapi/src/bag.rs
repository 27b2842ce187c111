//! All properties of an item in one run of bytes, of which a few can be read without decoding the rest.
//!
//! Layout, little-endian: version (1 octet), count (4), then per property in ascending order of tags its tag (4) and the
//! end of its value (4), counted from where the values begin; then the values. A value is one octet for its kind
//! and its content: numbers at full width, text and bytes to the end of the value, members of a
//! multiple value each with its length (4) where they have none of their own.
//! A lookup is a binary search in the directory. One row per property would cost a table of hundreds of
//! millions of rows; a serde format would have to be decoded from its start.

use crate::{MapiError, Property, PropertyTag, Value};

const VERSION: u8 = 1;
const PREFIX: usize = 5;
const ENTRY: usize = 8;

/// Packs properties; of two with the same tag the later one counts. Values past 4 GiB in sum do not
/// fit and are left out from the end.
pub fn pack(properties: &[Property]) -> Vec<u8> {
    let mut sorted: Vec<&Property> = properties.iter().rev().collect();
    sorted.sort_by_key(|property| property.tag);
    sorted.dedup_by_key(|property| property.tag);
    let mut directory = Vec::with_capacity(sorted.len() * ENTRY);
    let mut values = Vec::new();
    let mut count = 0u32;
    for property in sorted {
        let before = values.len();
        write(&property.value, &mut values);
        let Ok(end) = u32::try_from(values.len()) else {
            values.truncate(before);
            break;
        };
        directory.extend_from_slice(&property.tag.0.to_le_bytes());
        directory.extend_from_slice(&end.to_le_bytes());
        count += 1;
    }
    let mut out = Vec::with_capacity(PREFIX + directory.len() + values.len());
    out.push(VERSION);
    out.extend_from_slice(&count.to_le_bytes());
    out.append(&mut directory);
    out.append(&mut values);
    out
}

/// A packed bag. Opening checks version and directory; values are decoded when they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bag<'a> {
    entries: &'a [[u8; ENTRY]],
    values: &'a [u8],
}

impl<'a> Bag<'a> {
    /// Opens a packed bag.
    ///
    /// # Errors
    /// [`MapiError::BagVersion`] and [`MapiError::BagDamaged`].
    pub fn open(bytes: &'a [u8]) -> Result<Self, MapiError> {
        let (version, rest) = bytes.split_first().ok_or(MapiError::BagDamaged)?;
        if *version != VERSION {
            return Err(MapiError::BagVersion(*version));
        }
        let (count, rest) = rest.split_first_chunk::<4>().ok_or(MapiError::BagDamaged)?;
        let count = usize::try_from(u32::from_le_bytes(*count)).ok();
        let len = count.and_then(|count| count.checked_mul(ENTRY));
        let (directory, values) = len
            .and_then(|len| rest.split_at_checked(len))
            .ok_or(MapiError::BagDamaged)?;
        let (entries, _) = directory.as_chunks::<ENTRY>();
        Ok(Bag { entries, values })
    }

    /// Number of properties.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The tags in ascending order.
    pub fn tags(&self) -> impl Iterator<Item = PropertyTag> + 'a {
        self.entries.iter().map(|entry| split(entry).0)
    }

    /// Whether there is a property with that tag.
    pub fn contains(&self, tag: PropertyTag) -> bool {
        self.position(tag).is_some()
    }

    /// The value of a property; None when it is absent.
    ///
    /// # Errors
    /// [`MapiError::BagDamaged`] when its bytes make no sense.
    pub fn get(&self, tag: PropertyTag) -> Result<Option<Value>, MapiError> {
        match self.position(tag) {
            Some(index) => self.value(index).map(Some),
            None => Ok(None),
        }
    }

    /// All properties in ascending order of tags.
    ///
    /// # Errors
    /// [`MapiError::BagDamaged`] when the bytes of a value make no sense.
    pub fn unpack(&self) -> Result<Vec<Property>, MapiError> {
        let decode = |(index, tag)| Ok(Property::new(tag, self.value(index)?));
        self.tags().enumerate().map(decode).collect()
    }

    fn position(&self, tag: PropertyTag) -> Option<usize> {
        self.entries
            .binary_search_by_key(&tag, |entry| split(entry).0)
            .ok()
    }

    fn value(&self, index: usize) -> Result<Value, MapiError> {
        let end_of = |index: usize| self.entries.get(index).map(|entry| split(entry).1);
        let start = index.checked_sub(1).map_or(Some(0), end_of);
        let bytes = start
            .zip(end_of(index))
            .and_then(|(start, end)| self.values.get(start..end));
        bytes.and_then(read).ok_or(MapiError::BagDamaged)
    }
}

/// The tag of a directory entry and the end of its value.
fn split(entry: &[u8; ENTRY]) -> (PropertyTag, usize) {
    let [a, b, c, d, e, f, g, h] = *entry;
    let end = u32::from_le_bytes([e, f, g, h]);
    (
        PropertyTag(u32::from_le_bytes([a, b, c, d])),
        usize::try_from(end).unwrap_or(usize::MAX),
    )
}

fn write(value: &Value, out: &mut Vec<u8>) {
    out.push(kind(value));
    match value {
        Value::Null => {}
        Value::Boolean(value) => out.push(u8::from(*value)),
        Value::Int16(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Int32(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Int64(value) | Value::Currency(value) => {
            out.extend_from_slice(&value.to_le_bytes());
        }
        Value::Float32(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Float64(value) | Value::AppTime(value) => {
            out.extend_from_slice(&value.to_le_bytes());
        }
        Value::Time(value) => out.extend_from_slice(&value.to_le_bytes()),
        Value::Text(text) => out.extend_from_slice(text.as_bytes()),
        Value::Binary(bytes) => out.extend_from_slice(bytes),
        Value::Guid(guid) => out.extend_from_slice(guid),
        Value::MultiInt16(values) => out.extend(values.iter().flat_map(|v| v.to_le_bytes())),
        Value::MultiInt32(values) => out.extend(values.iter().flat_map(|v| v.to_le_bytes())),
        Value::MultiInt64(values) => out.extend(values.iter().flat_map(|v| v.to_le_bytes())),
        Value::MultiTime(values) => out.extend(values.iter().flat_map(|v| v.to_le_bytes())),
        Value::MultiText(texts) => write_members(texts.iter().map(String::as_bytes), out),
        Value::MultiBinary(runs) => write_members(runs.iter().map(Vec::as_slice), out),
        Value::MultiGuid(guids) => out.extend(guids.iter().flatten()),
    }
}

/// A member of 4 GiB makes the bag too big, so its length is never read.
fn write_members<'a>(members: impl Iterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    for member in members {
        let len = u32::try_from(member.len()).unwrap_or(u32::MAX);
        out.extend_from_slice(&len.to_le_bytes());
        out.extend_from_slice(member);
    }
}

/// The octet that names a value's kind; never renumbered.
fn kind(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Boolean(_) => 1,
        Value::Int16(_) => 2,
        Value::Int32(_) => 3,
        Value::Int64(_) => 4,
        Value::Float32(_) => 5,
        Value::Float64(_) => 6,
        Value::Currency(_) => 7,
        Value::AppTime(_) => 8,
        Value::Time(_) => 9,
        Value::Text(_) => 10,
        Value::Binary(_) => 11,
        Value::Guid(_) => 12,
        Value::MultiInt16(_) => 13,
        Value::MultiInt32(_) => 14,
        Value::MultiInt64(_) => 15,
        Value::MultiTime(_) => 16,
        Value::MultiText(_) => 17,
        Value::MultiBinary(_) => 18,
        Value::MultiGuid(_) => 19,
    }
}

fn read(bytes: &[u8]) -> Option<Value> {
    let (kind, bytes) = bytes.split_first()?;
    Some(match kind {
        0 if bytes.is_empty() => Value::Null,
        1 => match bytes {
            [0] => Value::Boolean(false),
            [1] => Value::Boolean(true),
            _ => return None,
        },
        2 => Value::Int16(i16::from_le_bytes(bytes.try_into().ok()?)),
        3 => Value::Int32(i32::from_le_bytes(bytes.try_into().ok()?)),
        4 => Value::Int64(i64::from_le_bytes(bytes.try_into().ok()?)),
        5 => Value::Float32(f32::from_le_bytes(bytes.try_into().ok()?)),
        6 => Value::Float64(f64::from_le_bytes(bytes.try_into().ok()?)),
        7 => Value::Currency(i64::from_le_bytes(bytes.try_into().ok()?)),
        8 => Value::AppTime(f64::from_le_bytes(bytes.try_into().ok()?)),
        9 => Value::Time(u64::from_le_bytes(bytes.try_into().ok()?)),
        10 => Value::Text(text(bytes)?),
        11 => Value::Binary(bytes.to_vec()),
        12 => Value::Guid(bytes.try_into().ok()?),
        13 => Value::MultiInt16(numbers(bytes, i16::from_le_bytes)?),
        14 => Value::MultiInt32(numbers(bytes, i32::from_le_bytes)?),
        15 => Value::MultiInt64(numbers(bytes, i64::from_le_bytes)?),
        16 => Value::MultiTime(numbers(bytes, u64::from_le_bytes)?),
        17 => Value::MultiText(read_members(bytes, text)?),
        18 => Value::MultiBinary(read_members(bytes, |run| Some(run.to_vec()))?),
        19 => Value::MultiGuid(numbers(bytes, |guid: [u8; 16]| guid)?),
        _ => return None,
    })
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

fn numbers<const N: usize, T>(bytes: &[u8], convert: impl Fn([u8; N]) -> T) -> Option<Vec<T>> {
    let (chunks, rest) = bytes.as_chunks::<N>();
    rest.is_empty()
        .then(|| chunks.iter().map(|chunk| convert(*chunk)).collect())
}

fn read_members<T>(mut bytes: &[u8], convert: impl Fn(&[u8]) -> Option<T>) -> Option<Vec<T>> {
    let mut members = Vec::new();
    while !bytes.is_empty() {
        let (len, rest) = bytes.split_first_chunk::<4>()?;
        let len = usize::try_from(u32::from_le_bytes(*len)).ok()?;
        let (member, rest) = rest.split_at_checked(len)?;
        members.push(convert(member)?);
        bytes = rest;
    }
    Some(members)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags;
    use proptest::prelude::*;

    #[test]
    fn a_few_properties_are_read_without_the_rest() {
        let bytes = pack(&[
            Property::text(tags::SUBJECT, "hello"),
            Property::new(tags::IMPORTANCE, Value::Int32(1)),
            Property::new(tags::IMPORTANCE, Value::Int32(2)),
        ]);
        let bag = Bag::open(&bytes).unwrap();
        assert_eq!(bag.len(), 2);
        assert_eq!(bag.get(tags::IMPORTANCE), Ok(Some(Value::Int32(2))));
        assert_eq!(bag.get(tags::BODY), Ok(None));
        assert!(bag.contains(tags::SUBJECT));
        let first: Vec<_> = bag.tags().collect();
        assert_eq!(first, [tags::IMPORTANCE, tags::SUBJECT]);
    }

    #[test]
    fn damaged_bags_are_refused_with_a_reason() {
        let bytes = pack(&[Property::text(tags::SUBJECT, "hello")]);
        assert_eq!(Bag::open(&[]), Err(MapiError::BagDamaged));
        assert_eq!(Bag::open(&[9, 0, 0, 0, 0]), Err(MapiError::BagVersion(9)));
        assert_eq!(Bag::open(&bytes[..9]), Err(MapiError::BagDamaged));
        let cut = Bag::open(&bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(cut.get(tags::SUBJECT), Err(MapiError::BagDamaged));
    }

    fn value() -> impl Strategy<Value = Value> {
        use prop::collection::vec;
        let bytes = || vec(any::<u8>(), 0..20);
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            any::<i16>().prop_map(Value::Int16),
            any::<i32>().prop_map(Value::Int32),
            any::<i64>().prop_map(Value::Int64),
            any::<i64>().prop_map(Value::Currency),
            (-1e9f32..1e9).prop_map(Value::Float32),
            (-1e9f64..1e9).prop_map(Value::Float64),
            (-1e9f64..1e9).prop_map(Value::AppTime),
            any::<u64>().prop_map(Value::Time),
            any::<String>().prop_map(Value::Text),
            bytes().prop_map(Value::Binary),
            any::<[u8; 16]>().prop_map(Value::Guid),
            vec(any::<i16>(), 0..4).prop_map(Value::MultiInt16),
            vec(any::<i32>(), 0..4).prop_map(Value::MultiInt32),
            vec(any::<i64>(), 0..4).prop_map(Value::MultiInt64),
            vec(any::<u64>(), 0..4).prop_map(Value::MultiTime),
            vec(any::<String>(), 0..4).prop_map(Value::MultiText),
            vec(bytes(), 0..4).prop_map(Value::MultiBinary),
            vec(any::<[u8; 16]>(), 0..4).prop_map(Value::MultiGuid),
        ]
    }

    proptest! {
        #[test]
        fn packing_and_unpacking_give_the_same_properties(
            properties in prop::collection::btree_map(any::<u32>(), value(), 0..20)
        ) {
            let property = |(tag, value)| Property::new(PropertyTag(tag), value);
            let properties: Vec<_> = properties.into_iter().map(property).collect();
            let bytes = pack(&properties);
            let bag = Bag::open(&bytes).unwrap();
            for property in &properties {
                prop_assert_eq!(bag.get(property.tag), Ok(Some(property.value.clone())));
            }
            prop_assert_eq!(bag.unpack(), Ok(properties));
        }

        #[test]
        fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            bytes.splice(0..0, [1, 2, 0, 0, 0]);
            if let Ok(bag) = Bag::open(&bytes) {
                let _ = bag.unpack();
            }
        }
    }
}
