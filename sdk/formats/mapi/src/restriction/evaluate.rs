//! Whether an item fits a restriction, as far as what is at hand tells.

use super::{MatchMode, Relation, Restriction, TextScope};
use crate::{PropertyTag, Value, fold};
use std::borrow::Cow;
use std::cmp::Ordering;

bitflags::bitflags! {
    /// What must be loaded of an item before a verdict is possible.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Needs: u8 {
        /// Its property bag.
        const BAG = 1;
        /// Its header block.
        const HEADER = 2;
        /// The text of its body.
        const BODY = 4;
        /// Its recipients.
        const RECIPIENTS = 8;
        /// Its attachments.
        const ATTACHMENTS = 16;
    }
}

/// What an item answers to a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup<T> {
    /// The answer.
    Known(T),
    /// This must be loaded first.
    Missing(Needs),
}

/// An item, as much of it as is loaded. All answers are synchronous.
///
/// What a fully loaded item does not have is `Known(None)` (or an empty list, or `Known(false)`), never `Missing`:
/// otherwise no verdict is ever reached.
pub trait Item {
    /// A property; `Known(None)` when the item does not have it.
    fn property(&self, tag: PropertyTag) -> Lookup<Option<Cow<'_, Value>>>;
    /// Bits of WIT `item-flags`.
    fn flags(&self) -> u32;
    /// Whether it has this keyword (ignoring ASCII case).
    fn has_keyword(&self, name: &str) -> bool;
    /// Its IMAP UID.
    fn uid(&self) -> u32;
    /// Its position in the view; None outside of one.
    fn position(&self) -> Option<u32>;
    /// The decoded values of all header fields of that name.
    fn header(&self, name: &str) -> Lookup<Vec<Cow<'_, str>>>;
    /// Whether its text contains a text, by [`fold::contains`].
    fn text_contains(&self, scope: TextScope, text: &str) -> Lookup<bool>;
    /// Whether some recipient or attachment fits: an implementation evaluates the node for each.
    fn sub_fits(&self, tag: PropertyTag, node: &Restriction) -> Verdict;
}

/// Whether an item fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Fits,
    /// It does not.
    Differs,
    /// More of it must be loaded to tell.
    NeedsMore(Needs),
}

impl Verdict {
    fn of(fits: bool) -> Verdict {
        if fits {
            Verdict::Fits
        } else {
            Verdict::Differs
        }
    }

    fn not(self) -> Verdict {
        match self {
            Verdict::Fits => Verdict::Differs,
            Verdict::Differs => Verdict::Fits,
            unknown => unknown,
        }
    }
}

impl<T> Lookup<T> {
    fn decide(self, test: impl FnOnce(T) -> bool) -> Verdict {
        match self {
            Lookup::Known(answer) => Verdict::of(test(answer)),
            Lookup::Missing(needs) => Verdict::NeedsMore(needs),
        }
    }
}

impl Relation {
    /// Whether an order is of this relation; values that do not compare are only not equal.
    pub fn holds(self, order: Option<Ordering>) -> bool {
        match self {
            Relation::Less => order == Some(Ordering::Less),
            Relation::LessOrEqual => order.is_some_and(Ordering::is_le),
            Relation::Greater => order == Some(Ordering::Greater),
            Relation::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
            Relation::Equal => order == Some(Ordering::Equal),
            Relation::NotEqual => order != Some(Ordering::Equal),
        }
    }
}

impl Restriction {
    /// Whether the item fits, with what it has loaded.
    pub fn evaluate(&self, item: &impl Item) -> Verdict {
        match self {
            Restriction::Always(fits) => Verdict::of(*fits),
            Restriction::All(children) => all(children, Verdict::Differs, item),
            Restriction::Any(children) => all(children, Verdict::Fits, item),
            Restriction::Not(child) => child.evaluate(item).not(),
            Restriction::Sub { tag, node } => item.sub_fits(*tag, node),
            Restriction::Header { name, contains } => item.header(name).decide(|values| {
                let mut values = values.iter();
                values.any(|value| fold::contains(value, contains))
            }),
            Restriction::Text { scope, contains } => {
                item.text_contains(*scope, contains).decide(|found| found)
            }
            Restriction::Flags { mask, all_set } => {
                Verdict::of((item.flags() & mask == *mask) == *all_set)
            }
            Restriction::Keyword(name) => Verdict::of(item.has_keyword(name)),
            Restriction::Uids(ranges) => Verdict::of(within(ranges, item.uid())),
            Restriction::Positions(ranges) => {
                let position = item.position();
                Verdict::of(position.is_some_and(|position| within(ranges, position)))
            }
            of_property => of_property.evaluate_property(item),
        }
    }

    fn evaluate_property(&self, item: &impl Item) -> Verdict {
        match self {
            Restriction::Property {
                tag,
                relation,
                value,
            } => item
                .property(*tag)
                .decide(|found| relates(found.as_deref(), *relation, value)),
            Restriction::Content {
                tag,
                mode,
                ignore_case,
                value,
            } => item.property(*tag).decide(|found| {
                let found = found.as_deref();
                found.is_some_and(|found| matches(found, *mode, *ignore_case, value))
            }),
            Restriction::Bitmask { tag, mask, any_set } => item.property(*tag).decide(|found| {
                let bits = found.and_then(|value| value.as_integer()).unwrap_or(0);
                (bits & i64::from(*mask) != 0) == *any_set
            }),
            Restriction::Exists(tag) => item.property(*tag).decide(|found| found.is_some()),
            Restriction::Size {
                tag,
                relation,
                size,
            } => item.property(*tag).decide(|found| {
                let order = found.map(|value| value.size().cmp(&u64::from(*size)));
                order.is_some_and(|order| relation.holds(Some(order)))
            }),
            Restriction::Compare {
                left,
                relation,
                right,
            } => compare(item, *left, *relation, *right),
            // All others are `evaluate`'s.
            _ => Verdict::Differs,
        }
    }
}

/// Conjunction when `deciding` is `Differs`, disjunction when it is `Fits`.
fn all(children: &[Restriction], deciding: Verdict, item: &impl Item) -> Verdict {
    let mut needs = Needs::empty();
    for child in children {
        match child.evaluate(item) {
            Verdict::NeedsMore(more) => needs |= more,
            verdict if verdict == deciding => return verdict,
            _ => {}
        }
    }
    if needs.is_empty() {
        deciding.not()
    } else {
        Verdict::NeedsMore(needs)
    }
}

fn within(ranges: &[(u32, u32)], number: u32) -> bool {
    let mut ranges = ranges.iter();
    ranges.any(|(first, last)| (*first..=*last).contains(&number))
}

fn relates(found: Option<&Value>, relation: Relation, value: &Value) -> bool {
    let Some(found) = found else {
        return relation == Relation::NotEqual;
    };
    match found.members().filter(|_| value.members().is_none()) {
        // Not equal: no member is.
        Some(members) if relation == Relation::NotEqual => {
            let mut members = members.iter();
            members.all(|member| relation.holds(member.compare(value)))
        }
        Some(members) => {
            let mut members = members.iter();
            members.any(|member| relation.holds(member.compare(value)))
        }
        None => relation.holds(found.compare(value)),
    }
}

fn matches(found: &Value, mode: MatchMode, ignore_case: bool, value: &Value) -> bool {
    match (found, value) {
        (Value::Text(text), Value::Text(part)) if ignore_case => match mode {
            MatchMode::Full => fold::compare(text, part) == Ordering::Equal,
            MatchMode::Prefix => fold::starts_with(text, part),
            MatchMode::Substring => fold::contains(text, part),
        },
        (Value::Text(text), Value::Text(part)) => match mode {
            MatchMode::Full => text == part,
            MatchMode::Prefix => text.starts_with(part),
            MatchMode::Substring => text.contains(part),
        },
        (Value::Binary(bytes), Value::Binary(part)) => match mode {
            MatchMode::Full => bytes == part,
            MatchMode::Prefix => bytes.starts_with(part),
            MatchMode::Substring => memchr::memmem::find(bytes, part).is_some(),
        },
        (Value::MultiText(_) | Value::MultiBinary(_), _) => {
            let members = found.members().unwrap_or_default();
            let mut members = members.iter();
            members.any(|member| matches(member, mode, ignore_case, value))
        }
        _ => false,
    }
}

fn compare(item: &impl Item, left: PropertyTag, relation: Relation, right: PropertyTag) -> Verdict {
    match (item.property(left), item.property(right)) {
        (Lookup::Missing(left), Lookup::Missing(right)) => Verdict::NeedsMore(left | right),
        (Lookup::Missing(needs), _) | (_, Lookup::Missing(needs)) => Verdict::NeedsMore(needs),
        (Lookup::Known(Some(left)), Lookup::Known(Some(right))) => {
            Verdict::of(relation.holds(left.compare(&right)))
        }
        (Lookup::Known(left), Lookup::Known(right)) => {
            let differ = left.is_some() != right.is_some();
            Verdict::of(relation == Relation::NotEqual && differ)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{columns, tags};

    /// An item whose hot columns are a subject, categories and a size; the rest comes with `loaded`.
    struct Mail {
        loaded: bool,
    }

    impl Mail {
        fn known<T>(&self, answer: T, needs: Needs) -> Lookup<T> {
            if self.loaded {
                Lookup::Known(answer)
            } else {
                Lookup::Missing(needs)
            }
        }
    }

    impl Item for Mail {
        fn property(&self, tag: PropertyTag) -> Lookup<Option<Cow<'_, Value>>> {
            let hot = match tag {
                tags::SUBJECT => Value::Text("Re: Lunch".to_owned()),
                columns::SIZE => Value::Int64(1000),
                tags::ENTRY_ID => Value::Binary(vec![1, 2, 3]),
                tags::DISPLAY_NAME => Value::MultiText(vec!["red".to_owned(), "blue".to_owned()]),
                tags::MESSAGE_FLAGS => Value::Int32(5),
                tags::COMMENT => return Lookup::Known(None),
                _ => {
                    let value =
                        (tag == tags::BODY).then(|| Cow::Owned(Value::Text("b".to_owned())));
                    return self.known(value, Needs::BAG);
                }
            };
            Lookup::Known(Some(Cow::Owned(hot)))
        }
        fn flags(&self) -> u32 {
            0b101
        }
        fn has_keyword(&self, name: &str) -> bool {
            name.eq_ignore_ascii_case("$Junk")
        }
        fn uid(&self) -> u32 {
            7
        }
        fn position(&self) -> Option<u32> {
            Some(3)
        }
        fn header(&self, name: &str) -> Lookup<Vec<Cow<'_, str>>> {
            let values = if name == "X-A" {
                vec![Cow::Borrowed("Value")]
            } else {
                Vec::new()
            };
            self.known(values, Needs::HEADER)
        }
        fn text_contains(&self, _: TextScope, text: &str) -> Lookup<bool> {
            self.known(text == "b", Needs::BODY)
        }
        fn sub_fits(&self, _: PropertyTag, node: &Restriction) -> Verdict {
            if self.loaded {
                node.evaluate(self)
            } else {
                Verdict::NeedsMore(Needs::RECIPIENTS)
            }
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    fn property(tag: PropertyTag, relation: Relation, value: Value) -> Restriction {
        Restriction::Property {
            tag,
            relation,
            value,
        }
    }

    fn content(tag: PropertyTag, mode: MatchMode, ignore_case: bool, value: Value) -> Restriction {
        Restriction::Content {
            tag,
            mode,
            ignore_case,
            value,
        }
    }

    fn header(name: &str, contains: &str) -> Restriction {
        let (name, contains) = (name.to_owned(), contains.to_owned());
        Restriction::Header { name, contains }
    }

    fn body(contains: &str) -> Restriction {
        let contains = contains.to_owned();
        Restriction::Text {
            scope: TextScope::Body,
            contains,
        }
    }

    const COLD: Mail = Mail { loaded: false };

    fn expect(table: impl IntoIterator<Item = (Restriction, bool)>) {
        for (restriction, expected) in table {
            let verdict = restriction.evaluate(&COLD);
            assert_eq!(verdict, Verdict::of(expected), "{restriction:?}");
        }
    }

    #[test]
    fn properties_relate_to_values_by_their_type() {
        use Relation::{Equal, Greater, Less, NotEqual};
        expect([
            (property(tags::SUBJECT, Equal, text("re: LUNCH")), true),
            (property(columns::SIZE, Greater, Value::Int32(999)), true),
            (property(columns::SIZE, Less, Value::Int64(1000)), false),
            (property(tags::COMMENT, Equal, text("")), false),
            (property(tags::COMMENT, NotEqual, text("")), true),
            (property(tags::DISPLAY_NAME, Equal, text("BLUE")), true),
            (property(tags::DISPLAY_NAME, NotEqual, text("blue")), false),
        ]);
    }

    #[test]
    fn content_matches_whole_at_the_start_or_anywhere() {
        use MatchMode::{Full, Prefix, Substring};
        let middle = Value::Binary(vec![2, 3]);
        expect([
            (content(tags::SUBJECT, Substring, true, text("lun")), true),
            (content(tags::SUBJECT, Substring, false, text("lun")), false),
            (content(tags::SUBJECT, Prefix, true, text("RE")), true),
            (content(tags::SUBJECT, Full, true, text("RE")), false),
            (content(tags::ENTRY_ID, Substring, false, middle), true),
            (content(tags::DISPLAY_NAME, Prefix, false, text("bl")), true),
        ]);
    }

    #[test]
    fn bits_sizes_and_other_properties_are_compared() {
        let tag = tags::MESSAGE_FLAGS;
        let bits = |mask, any_set| Restriction::Bitmask { tag, mask, any_set };
        let relation = Relation::Equal;
        let size = |tag, size| Restriction::Size {
            tag,
            relation,
            size,
        };
        let left = columns::SIZE;
        let compare = |relation, right| Restriction::Compare {
            left,
            relation,
            right,
        };
        expect([
            (bits(6, true), true),
            (bits(2, false), true),
            (Restriction::Exists(tags::COMMENT), false),
            (size(tags::ENTRY_ID, 3), true),
            (size(tags::COMMENT, 0), false),
            (compare(Relation::Greater, tag), true),
            (compare(Relation::NotEqual, tags::COMMENT), true),
        ]);
    }

    #[test]
    fn flags_keywords_and_numbers_need_no_property() {
        let flags = |mask, all_set| Restriction::Flags { mask, all_set };
        expect([
            (Restriction::Always(false), false),
            (Restriction::All(vec![]), true),
            (Restriction::Any(vec![]), false),
            (flags(0b101, true), true),
            (flags(0b010, false), true),
            (Restriction::Keyword("$junk".to_owned()), true),
            (Restriction::Uids(vec![(1, 2), (7, 7)]), true),
            (Restriction::Positions(vec![(4, u32::MAX)]), false),
            (Restriction::Not(Box::new(Restriction::Always(false))), true),
        ]);
    }

    #[test]
    fn an_undecided_item_says_what_to_load() {
        let exists = Restriction::Exists(tags::BODY);
        let both = Restriction::Not(Box::new(Restriction::All(vec![
            header("X-A", ""),
            body("b"),
        ])));
        let sub = Restriction::Sub {
            tag: tags::MESSAGE_RECIPIENTS,
            node: Box::new(Restriction::Always(true)),
        };
        let table = [
            (exists, Needs::BAG, true),
            (both, Needs::HEADER | Needs::BODY, false),
            (header("X-A", "VAL"), Needs::HEADER, true),
            (header("X-B", ""), Needs::HEADER, false),
            (sub, Needs::RECIPIENTS, true),
        ];
        for (restriction, needs, loaded) in table {
            assert_eq!(restriction.evaluate(&COLD), Verdict::NeedsMore(needs));
            let warm = Mail { loaded: true };
            assert_eq!(
                restriction.evaluate(&warm),
                Verdict::of(loaded),
                "{restriction:?}"
            );
        }
    }

    #[test]
    fn a_cheap_condition_spares_the_expensive_one() {
        let no = Restriction::All(vec![body("b"), Restriction::Uids(vec![])]);
        assert_eq!(no.evaluate(&COLD), Verdict::Differs);
        let yes = Restriction::Any(vec![body("b"), Restriction::Uids(vec![(7, 9)])]);
        assert_eq!(yes.evaluate(&COLD), Verdict::Fits);
    }
}
