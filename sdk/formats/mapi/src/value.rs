//! Property values as MS-OXCDATA section 2.11 types them, and how two of them compare.

use crate::fold;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// MS-OXCDATA 2.9: id << 16 | type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PropertyTag(pub u32);

impl PropertyTag {
    /// The tag of an id and a type.
    pub const fn new(id: u16, kind: u16) -> Self {
        PropertyTag((id as u32) << 16 | kind as u32)
    }

    /// The property id; from 0x8000 on that of a named property.
    pub const fn id(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// The property type (MS-OXCDATA 2.11.1): 0x001F for Unicode text.
    pub const fn kind(self) -> u16 {
        self.0 as u16
    }
}

/// As WIT `store/types.value`, case by case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// PtypNull.
    Null,
    /// PtypBoolean.
    Boolean(bool),
    /// PtypInteger16.
    Int16(i16),
    /// PtypInteger32.
    Int32(i32),
    /// PtypInteger64.
    Int64(i64),
    /// PtypFloating32.
    Float32(f32),
    /// PtypFloating64.
    Float64(f64),
    /// PtypCurrency: ten-thousandths.
    Currency(i64),
    /// PtypFloatingTime: days since 1899-12-30.
    AppTime(f64),
    /// PtypTime: 100 ns since 1601, UTC.
    Time(u64),
    /// PtypString.
    Text(String),
    /// PtypBinary.
    Binary(Vec<u8>),
    /// PtypGuid, in the byte order of the wire.
    Guid([u8; 16]),
    /// PtypMultipleInteger16.
    MultiInt16(Vec<i16>),
    /// PtypMultipleInteger32.
    MultiInt32(Vec<i32>),
    /// PtypMultipleInteger64.
    MultiInt64(Vec<i64>),
    /// PtypMultipleTime.
    MultiTime(Vec<u64>),
    /// PtypMultipleString.
    MultiText(Vec<String>),
    /// PtypMultipleBinary.
    MultiBinary(Vec<Vec<u8>>),
    /// PtypMultipleGuid.
    MultiGuid(Vec<[u8; 16]>),
}

/// A property: its tag and its value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Property {
    /// Which property.
    pub tag: PropertyTag,
    /// Its value; of the tag's type.
    pub value: Value,
}

impl Property {
    /// A property of a tag.
    pub fn new(tag: PropertyTag, value: Value) -> Self {
        Property { tag, value }
    }

    /// A text property.
    pub fn text(tag: PropertyTag, text: impl Into<String>) -> Self {
        Property::new(tag, Value::Text(text.into()))
    }
}

/// Seconds between 1601 and 1970.
const EPOCH_SECONDS: i64 = 11_644_473_600;
const TICKS_PER_SECOND: u64 = 10_000_000;

impl Value {
    /// PtypTime of an instant in seconds since 1970; instants before 1601 become 1601.
    pub fn time(unix_seconds: i64) -> Value {
        let seconds = unix_seconds.saturating_add(EPOCH_SECONDS);
        let seconds = u64::try_from(seconds).unwrap_or(0);
        Value::Time(seconds.saturating_mul(TICKS_PER_SECOND))
    }

    /// Seconds since 1970 of a PtypTime.
    pub fn unix_seconds(&self) -> Option<i64> {
        match self {
            Value::Time(ticks) => {
                let seconds = i64::try_from(ticks / TICKS_PER_SECOND).ok()?;
                Some(seconds - EPOCH_SECONDS)
            }
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Any whole number, a boolean as 0 or 1.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Value::Boolean(value) => Some(i64::from(*value)),
            Value::Int16(value) => Some(i64::from(*value)),
            Value::Int32(value) => Some(i64::from(*value)),
            Value::Int64(value) | Value::Currency(value) => Some(*value),
            _ => None,
        }
    }

    fn as_float(&self) -> Option<f64> {
        match self {
            Value::Float32(value) => Some(f64::from(*value)),
            Value::Float64(value) | Value::AppTime(value) => Some(*value),
            _ => None,
        }
    }

    /// How two values compare (MS-OXCDATA 2.12.5): whole numbers of any width by their value, texts
    /// ignoring case, bytes by bytes, shorter first. None when their types do not compare, and for NaN.
    pub fn compare(&self, other: &Value) -> Option<Ordering> {
        if let (Some(left), Some(right)) = (self.as_integer(), other.as_integer()) {
            return Some(left.cmp(&right));
        }
        if let (Some(left), Some(right)) = (self.as_float(), other.as_float()) {
            return left.partial_cmp(&right);
        }
        match (self, other) {
            (Value::Null, Value::Null) => Some(Ordering::Equal),
            (Value::Time(left), Value::Time(right)) => Some(left.cmp(right)),
            (Value::Text(left), Value::Text(right)) => Some(fold::compare(left, right)),
            (Value::Binary(left), Value::Binary(right)) => Some(left.cmp(right)),
            (Value::Guid(left), Value::Guid(right)) => Some(left.cmp(right)),
            _ => self.compare_multiple(other),
        }
    }

    fn compare_multiple(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::MultiInt16(left), Value::MultiInt16(right)) => Some(left.cmp(right)),
            (Value::MultiInt32(left), Value::MultiInt32(right)) => Some(left.cmp(right)),
            (Value::MultiInt64(left), Value::MultiInt64(right)) => Some(left.cmp(right)),
            (Value::MultiTime(left), Value::MultiTime(right)) => Some(left.cmp(right)),
            (Value::MultiBinary(left), Value::MultiBinary(right)) => Some(left.cmp(right)),
            (Value::MultiGuid(left), Value::MultiGuid(right)) => Some(left.cmp(right)),
            (Value::MultiText(left), Value::MultiText(right)) => {
                let fold = |texts: &[String]| texts.iter().map(|t| fold::fold(t)).collect();
                let (left, right): (Vec<String>, Vec<String>) = (fold(left), fold(right));
                Some(left.cmp(&right))
            }
            _ => None,
        }
    }

    /// The members of a value with several; none for a single value.
    pub fn members(&self) -> Option<Vec<Value>> {
        let members = match self {
            Value::MultiInt16(values) => values.iter().copied().map(Value::Int16).collect(),
            Value::MultiInt32(values) => values.iter().copied().map(Value::Int32).collect(),
            Value::MultiInt64(values) => values.iter().copied().map(Value::Int64).collect(),
            Value::MultiTime(values) => values.iter().copied().map(Value::Time).collect(),
            Value::MultiText(values) => values.iter().cloned().map(Value::Text).collect(),
            Value::MultiBinary(values) => values.iter().cloned().map(Value::Binary).collect(),
            Value::MultiGuid(values) => values.iter().copied().map(Value::Guid).collect(),
            _ => return None,
        };
        Some(members)
    }

    /// Octets of the value on a MAPI wire (MS-OXCDATA 2.11.1), which a size restriction compares: texts
    /// are UTF-16 with their end.
    pub fn size(&self) -> u64 {
        let size = match self {
            Value::Null => 0,
            Value::Boolean(_) => 1,
            Value::Int16(_) => 2,
            Value::Int32(_) | Value::Float32(_) => 4,
            Value::Int64(_) | Value::Float64(_) => 8,
            Value::Currency(_) | Value::AppTime(_) | Value::Time(_) => 8,
            Value::Text(text) => 2 * (text.encode_utf16().count() + 1),
            Value::Binary(bytes) => bytes.len(),
            Value::Guid(_) => 16,
            several => {
                let members = several.members().unwrap_or_default();
                return members.iter().map(Value::size).sum();
            }
        };
        u64::try_from(size).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_compare_by_their_type() {
        let text = |text: &str| Value::Text(text.to_owned());
        let table = [
            (Value::Int16(2), Value::Int64(10), Some(Ordering::Less)),
            (Value::Boolean(true), Value::Int32(1), Some(Ordering::Equal)),
            (text("B"), text("a"), Some(Ordering::Greater)),
            (text("A"), text("a"), Some(Ordering::Equal)),
            (
                Value::Binary(vec![1]),
                Value::Binary(vec![1, 0]),
                Some(Ordering::Less),
            ),
            (Value::Float64(f64::NAN), Value::Float64(0.0), None),
            (text("1"), Value::Int32(1), None),
        ];
        for (left, right, expected) in table {
            assert_eq!(left.compare(&right), expected, "{left:?} {right:?}");
        }
    }

    #[test]
    fn times_convert_to_unix_seconds_and_back() {
        assert_eq!(Value::time(0), Value::Time(116_444_736_000_000_000));
        assert_eq!(
            Value::time(1_700_000_000).unix_seconds(),
            Some(1_700_000_000)
        );
        assert_eq!(Value::time(i64::MIN), Value::Time(0));
    }

    #[test]
    fn a_tag_is_its_id_and_type() {
        let tag = PropertyTag::new(0x0037, 0x001F);
        assert_eq!(tag, crate::tags::SUBJECT);
        assert_eq!((tag.id(), tag.kind()), (0x0037, 0x001F));
    }

    #[test]
    fn sizes_are_those_of_the_wire() {
        assert_eq!(Value::Text("\u{e4}b".to_owned()).size(), 6);
        assert_eq!(Value::MultiInt32(vec![1, 2]).size(), 8);
    }
}
