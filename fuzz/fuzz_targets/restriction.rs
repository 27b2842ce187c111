//! Loading more of an item never changes a verdict, and sort orders are orders.
#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use std::borrow::Cow;
use std::cmp::Ordering;
use waxwing_formats_mapi::restriction::MAX_DEPTH;
use waxwing_formats_mapi::{
    Item, Lookup, MatchMode, Needs, PropertyTag, Relation, Restriction, SortKey, TextScope, Value,
    Verdict, fold, sort,
};

fuzz_target!(|bytes: &[u8]| {
    let _ = run(&mut Unstructured::new(bytes));
});

fn run(input: &mut Unstructured<'_>) -> Result<()> {
    let mut mail = Mail {
        values: (0..4).map(|_| value(input)).collect::<Result<_>>()?,
        text: input.arbitrary()?,
        loaded: Needs::empty(),
    };
    let restriction = tree(input, 1)?;
    if restriction.check().is_ok() {
        let cold = restriction.evaluate(&mail);
        mail.loaded = Needs::all();
        let warm = restriction.evaluate(&mail);
        assert!(!matches!(warm, Verdict::NeedsMore(_)));
        assert!(matches!(cold, Verdict::NeedsMore(_)) || cold == warm);
    }
    order(&mail.values);
    Ok(())
}

fn order(values: &[Value]) {
    let key = SortKey {
        tag: PropertyTag(0),
        descending: false,
    };
    let compare = |a: &Value, b: &Value| {
        sort::compare(&[key], std::slice::from_ref(a), std::slice::from_ref(b))
    };
    for a in values {
        for b in values {
            assert_eq!(compare(a, b), compare(b, a).reverse(), "{a:?} {b:?}");
            for c in values {
                if compare(a, b) != Ordering::Greater && compare(b, c) != Ordering::Greater {
                    assert_ne!(compare(a, c), Ordering::Greater, "{a:?} {b:?} {c:?}");
                }
            }
        }
    }
}

/// Two properties are at hand, two come with the bag.
struct Mail {
    values: Vec<Value>,
    text: String,
    loaded: Needs,
}

impl Mail {
    fn known<T>(&self, needs: Needs, answer: T) -> Lookup<T> {
        if self.loaded.contains(needs) {
            Lookup::Known(answer)
        } else {
            Lookup::Missing(needs)
        }
    }
}

impl Item for Mail {
    fn property(&self, tag: PropertyTag) -> Lookup<Option<Cow<'_, Value>>> {
        let index = tag.0 as usize % 6;
        let value = self.values.get(index).map(Cow::Borrowed);
        if index < 2 {
            Lookup::Known(value)
        } else {
            self.known(Needs::BAG, value)
        }
    }
    fn flags(&self) -> u32 {
        self.text.len() as u32
    }
    fn has_keyword(&self, name: &str) -> bool {
        self.text.starts_with(name)
    }
    fn uid(&self) -> u32 {
        7
    }
    fn position(&self) -> Option<u32> {
        (self.text.len() % 2 == 0).then_some(3)
    }
    fn header(&self, _: &str) -> Lookup<Vec<Cow<'_, str>>> {
        self.known(Needs::HEADER, vec![Cow::Borrowed(self.text.as_str())])
    }
    fn text_contains(&self, _: TextScope, text: &str) -> Lookup<bool> {
        self.known(Needs::BODY, fold::contains(&self.text, text))
    }
    fn sub_fits(&self, _: PropertyTag, node: &Restriction) -> Verdict {
        if self.loaded.contains(Needs::RECIPIENTS) {
            node.evaluate(self)
        } else {
            Verdict::NeedsMore(Needs::RECIPIENTS)
        }
    }
}

fn tree(input: &mut Unstructured<'_>, depth: usize) -> Result<Restriction> {
    let tag = PropertyTag(input.int_in_range(0..=7)?);
    if input.is_empty() || depth > MAX_DEPTH {
        return Ok(Restriction::Always(input.arbitrary()?));
    }
    let below = |input: &mut Unstructured<'_>| Ok(Box::new(tree(input, depth + 1)?));
    let several = |input: &mut Unstructured<'_>| {
        let count = input.int_in_range(0..=3)?;
        (0..count)
            .map(|_| tree(input, depth + 1))
            .collect::<Result<Vec<_>>>()
    };
    Ok(match input.int_in_range(0..=15)? {
        0 => Restriction::All(several(input)?),
        1 => Restriction::Any(several(input)?),
        2 => Restriction::Not(below(input)?),
        3 => Restriction::Sub {
            tag,
            node: below(input)?,
        },
        4 => Restriction::Property {
            tag,
            relation: relation(input)?,
            value: value(input)?,
        },
        5 => Restriction::Content {
            tag,
            mode: *input.choose(&[MatchMode::Full, MatchMode::Prefix, MatchMode::Substring])?,
            ignore_case: input.arbitrary()?,
            value: value(input)?,
        },
        6 => Restriction::Bitmask {
            tag,
            mask: input.arbitrary()?,
            any_set: input.arbitrary()?,
        },
        7 => Restriction::Exists(tag),
        8 => Restriction::Size {
            tag,
            relation: relation(input)?,
            size: input.arbitrary()?,
        },
        9 => {
            let right = PropertyTag(input.int_in_range(0..=7)?);
            Restriction::Compare {
                left: tag,
                relation: relation(input)?,
                right,
            }
        }
        10 => Restriction::Header {
            name: String::new(),
            contains: input.arbitrary()?,
        },
        11 => Restriction::Text {
            scope: TextScope::Body,
            contains: input.arbitrary()?,
        },
        12 => Restriction::Flags {
            mask: input.arbitrary()?,
            all_set: input.arbitrary()?,
        },
        13 => Restriction::Keyword(input.arbitrary()?),
        14 => Restriction::Uids(input.arbitrary()?),
        _ => Restriction::Positions(input.arbitrary()?),
    })
}

fn relation(input: &mut Unstructured<'_>) -> Result<Relation> {
    use Relation::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    Ok(*input.choose(&[Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual])?)
}

fn value(input: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match input.int_in_range(0..=19)? {
        0 => Value::Null,
        1 => Value::Boolean(input.arbitrary()?),
        2 => Value::Int16(input.arbitrary()?),
        3 => Value::Int32(input.arbitrary()?),
        4 => Value::Int64(input.arbitrary()?),
        5 => Value::Float32(input.arbitrary()?),
        6 => Value::Float64(input.arbitrary()?),
        7 => Value::Currency(input.arbitrary()?),
        8 => Value::AppTime(input.arbitrary()?),
        9 => Value::Time(input.arbitrary()?),
        10 => Value::Text(input.arbitrary()?),
        11 => Value::Binary(input.arbitrary()?),
        12 => Value::Guid(input.arbitrary()?),
        13 => Value::MultiInt16(input.arbitrary()?),
        14 => Value::MultiInt32(input.arbitrary()?),
        15 => Value::MultiInt64(input.arbitrary()?),
        16 => Value::MultiTime(input.arbitrary()?),
        17 => Value::MultiText(input.arbitrary()?),
        18 => Value::MultiBinary(input.arbitrary()?),
        _ => Value::MultiGuid(input.arbitrary()?),
    })
}
