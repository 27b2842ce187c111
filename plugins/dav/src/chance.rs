//! Names that nobody has used and nobody guesses: 128 bits of chance.

use std::hash::{BuildHasher, Hasher, RandomState};

fn octets() -> [u8; 16] {
    // Each state has keys of its own, from the host's source of chance.
    let half = || u128::from(RandomState::new().build_hasher().finish());
    ((half() << 64) | half()).to_be_bytes()
}

/// 32 hexadecimal digits.
pub(crate) fn name() -> String {
    format!("{:032x}", u128::from_be_bytes(octets()))
}

/// A UUID of version 4 (RFC 9562 section 5.4) as a URN.
pub(crate) fn urn() -> String {
    let versioned = u128::from_be_bytes(octets()) & !(0xF000_u128 << 64) & !(0xC000_u128 << 48);
    let digits = format!(
        "{:032x}",
        versioned | (0x4000_u128 << 64) | (0x8000_u128 << 48)
    );
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    let (a, b, c, d, e) = (
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    );
    format!("urn:uuid:{a}-{b}-{c}-{d}-{e}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_urn_is_a_uuid_of_version_4_and_no_two_are_one() {
        let urns: std::collections::HashSet<String> = (0..100).map(|_| urn()).collect();
        assert_eq!(urns.len(), 100);
        for urn in urns {
            let uuid = urn.strip_prefix("urn:uuid:").unwrap();
            let lengths: Vec<usize> = uuid.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{uuid}");
            assert_eq!(&uuid[14..15], "4", "{uuid}");
            assert!("89ab".contains(&uuid[19..20]), "{uuid}");
        }
    }
}
