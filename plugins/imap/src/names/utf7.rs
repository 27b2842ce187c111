//! Modified UTF-7 (RFC 3501 section 5.1.3), both ways and exact: what `encode` writes is the only spelling that
//! `decode` accepts, so that no mailbox has two names.

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::NO_PAD;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};

const BASE64: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, CONFIG);
const CONFIG: GeneralPurposeConfig = NO_PAD;

/// Unicode to the wire.
pub(super) fn encode(text: &str) -> String {
    let mut wire = String::with_capacity(text.len());
    let mut shifted: Vec<u8> = Vec::new();
    for character in text.chars() {
        if !matches!(character, ' '..='~') {
            let mut units = [0u16; 2];
            shifted.extend(
                character
                    .encode_utf16(&mut units)
                    .iter()
                    .flat_map(|unit| unit.to_be_bytes()),
            );
            continue;
        }
        flush(&mut shifted, &mut wire);
        wire.push(character);
        if character == '&' {
            wire.push('-');
        }
    }
    flush(&mut shifted, &mut wire);
    wire
}

fn flush(shifted: &mut Vec<u8>, wire: &mut String) {
    if !shifted.is_empty() {
        wire.push('&');
        BASE64.encode_string(&*shifted, wire);
        wire.push('-');
        shifted.clear();
    }
}

/// The wire to Unicode; none when it is not what [`encode`] would write.
pub(super) fn decode(wire: &str) -> Option<String> {
    let mut text = String::with_capacity(wire.len());
    let mut rest = wire;
    while let Some((plain, shifted)) = rest.split_once('&') {
        text.push_str(plain);
        let (encoded, after) = shifted.split_once('-')?;
        if encoded.is_empty() {
            text.push('&');
        } else {
            let octets = BASE64.decode(encoded).ok()?;
            let pairs = octets.chunks_exact(2);
            if !pairs.remainder().is_empty() {
                return None;
            }
            let units = pairs.filter_map(|pair| Some(u16::from_be_bytes(pair.try_into().ok()?)));
            text.push_str(
                &char::decode_utf16(units)
                    .collect::<Result<String, _>>()
                    .ok()?,
            );
        }
        rest = after;
    }
    text.push_str(rest);
    (encode(&text) == wire).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_rfc_hold() {
        assert_eq!(
            encode("~peter/mail/台北/日本語"),
            "~peter/mail/&U,BTFw-/&ZeVnLIqe-"
        );
        assert_eq!(
            decode("~peter/mail/&U,BTFw-/&ZeVnLIqe-").as_deref(),
            Some("~peter/mail/台北/日本語")
        );
        assert_eq!(encode("A&B"), "A&-B");
        assert_eq!(encode("😀"), "&2D3eAA-");
    }

    #[test]
    fn other_spellings_are_refused() {
        for wire in [
            "&Jjo",
            "&U,BTFw-&ZeVnLIqe-",
            "&AGE-",
            "&2D0-",
            "&U,BTFx-",
            "A&B",
            "ü",
        ] {
            assert_eq!(decode(wire), None, "{wire}");
        }
    }

    proptest! {
        #[test]
        fn every_name_comes_back(text in any::<String>()) {
            prop_assert_eq!(decode(&encode(&text)), Some(text));
        }

        #[test]
        fn no_wire_has_a_second_spelling(wire in "[&a-c,\\-A-Z0-9]{0,12}") {
            if let Some(text) = decode(&wire) {
                prop_assert_eq!(encode(&text), wire);
            }
        }
    }
}
