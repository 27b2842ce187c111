//! The order of rows: keys from the most significant to the least.

use crate::{PropertyTag, Value};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// One key of a sort order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortKey {
    /// The property sorted by.
    pub tag: PropertyTag,
    /// Greatest first.
    pub descending: bool,
}

/// Compares two rows by the values of the keys' properties, in the order of the keys; [`Value::Null`] stands for
/// an absent one and comes before all others (MS-OXCTABL 3.2.5.3). Rows that compare equal keep the order the
/// caller gives them (a stable sort over ascending UIDs).
pub fn compare(keys: &[SortKey], left: &[Value], right: &[Value]) -> Ordering {
    let mut pairs = keys.iter().zip(left.iter().zip(right));
    pairs
        .find_map(|(key, (left, right))| {
            let order = order(left, right);
            let order = if key.descending {
                order.reverse()
            } else {
                order
            };
            (order != Ordering::Equal).then_some(order)
        })
        .unwrap_or(Ordering::Equal)
}

/// A total order: absent first, then by [`Value::compare`], values that do not compare by their type.
fn order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) => Ordering::Less,
        (_, Value::Null) => Ordering::Greater,
        _ => left
            .compare(right)
            .unwrap_or_else(|| rank(left).cmp(&rank(right))),
    }
}

/// Groups types so that the order is transitive whatever a row holds.
fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Boolean(_) | Value::Int16(_) | Value::Int32(_) => 1,
        Value::Int64(_) | Value::Currency(_) => 1,
        Value::Float32(value) => 2 + u8::from(value.is_nan()),
        Value::Float64(value) | Value::AppTime(value) => 2 + u8::from(value.is_nan()),
        Value::Time(_) => 4,
        Value::Text(_) => 5,
        Value::Binary(_) => 6,
        Value::Guid(_) => 7,
        Value::MultiInt16(_) => 8,
        Value::MultiInt32(_) => 9,
        Value::MultiInt64(_) => 10,
        Value::MultiTime(_) => 11,
        Value::MultiText(_) => 12,
        Value::MultiBinary(_) => 13,
        Value::MultiGuid(_) => 14,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags;

    fn key(descending: bool) -> SortKey {
        let tag = tags::SUBJECT;
        SortKey { tag, descending }
    }

    #[test]
    fn later_keys_decide_ties_and_absent_values_come_first() {
        let row = |text: &str, number: i32| [Value::Text(text.to_owned()), Value::Int32(number)];
        let keys = [key(false), key(true)];
        assert_eq!(
            compare(&keys, &row("a", 1), &row("A", 2)),
            Ordering::Greater
        );
        assert_eq!(compare(&keys, &row("a", 1), &row("b", 2)), Ordering::Less);
        let absent = [Value::Null, Value::Null];
        assert_eq!(compare(&keys, &absent, &row("", 0)), Ordering::Less);
    }

    #[test]
    fn nan_sorts_behind_numbers() {
        let (nan, one) = ([Value::Float64(f64::NAN)], [Value::Float32(1.0)]);
        assert_eq!(compare(&[key(false)], &nan, &one), Ordering::Greater);
        assert_eq!(compare(&[key(false)], &nan, &nan), Ordering::Equal);
    }
}
