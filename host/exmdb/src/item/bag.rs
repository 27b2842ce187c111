//! Property lists as they stand in the database: `waxwing_formats_mapi::bag`, and nothing for an empty list.

use waxwing_formats_mapi::{Bag, Property, PropertyTag, bag};

use crate::{Error, Result};

fn corrupt(error: impl std::fmt::Display) -> Error {
    Error::Corrupt(error.to_string())
}

pub(crate) fn pack(properties: &[Property]) -> Vec<u8> {
    if properties.is_empty() {
        Vec::new()
    } else {
        bag::pack(properties)
    }
}

pub(crate) fn unpack(bytes: &[u8]) -> Result<Vec<Property>> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    Bag::open(bytes)
        .and_then(|bag| bag.unpack())
        .map_err(corrupt)
}

/// Several lists in one run of bytes: the length of each, then the list.
pub(crate) fn pack_lists(lists: &[Vec<Property>]) -> Vec<u8> {
    let mut out = Vec::new();
    for list in lists {
        let packed = pack(list);
        out.extend_from_slice(&(packed.len() as u64).to_le_bytes());
        out.extend_from_slice(&packed);
    }
    out
}

pub(crate) fn unpack_lists(mut bytes: &[u8]) -> Result<Vec<Vec<Property>>> {
    let mut lists = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk::<8>() {
        let length = usize::try_from(u64::from_le_bytes(*length)).ok();
        let split = length.and_then(|length| rest.split_at_checked(length));
        let (packed, rest) = split.ok_or_else(|| corrupt("a list of property lists is cut off"))?;
        lists.push(unpack(packed)?);
        bytes = rest;
    }
    if bytes.is_empty() {
        Ok(lists)
    } else {
        Err(corrupt("a list of property lists is cut off"))
    }
}

pub(crate) fn find(properties: &[Property], tag: PropertyTag) -> Option<&Property> {
    properties.iter().find(|property| property.tag == tag)
}

pub(crate) fn set(properties: &mut Vec<Property>, property: Property) {
    match properties
        .iter_mut()
        .find(|known| known.tag == property.tag)
    {
        Some(known) => known.value = property.value,
        None => properties.push(property),
    }
}

#[cfg(test)]
mod tests {
    use waxwing_formats_mapi::Value;

    use super::*;

    #[test]
    fn lists_survive_packing_and_a_cut_one_is_corrupt() {
        let text = |text: &str| Property {
            tag: PropertyTag(0x3001_001F),
            value: Value::Text(text.into()),
        };
        let lists = vec![vec![text("one")], vec![], vec![text("two")]];
        let packed = pack_lists(&lists);
        assert_eq!(unpack_lists(&packed).unwrap(), lists);
        assert!(unpack_lists(&packed[..packed.len() - 1]).is_err());
        assert_eq!(unpack_lists(&[]).unwrap(), Vec::<Vec<Property>>::new());
    }
}
