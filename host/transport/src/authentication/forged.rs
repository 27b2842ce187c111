//! Results that claim to be ours and came from outside (RFC 8601 section 5): readers would believe them.

use bytes::BytesMut;
use waxwing_exmdb::Body;

use crate::header::{Header, fields};

const NAME: &[u8] = b"authentication-results";

/// The message without Authentication-Results fields of an authserv-id, or of one that cannot be read.
pub(super) fn removed(name: &str, header: &Header, message: &Body) -> Body {
    let mut kept = BytesMut::new();
    let mut removed = false;
    for field in fields(header.octets()) {
        match is_ours(name, field) {
            true => removed = true,
            false => kept.extend_from_slice(field),
        }
    }
    if !removed {
        return message.clone();
    }
    let length = header.octets().len() as u64;
    let rest = message.slice(length, message.size().saturating_sub(length));
    Body::concat(vec![Body::from_bytes(kept.freeze()), rest])
}

fn is_ours(name: &str, field: &[u8]) -> bool {
    let Some(colon) = field.iter().position(|octet| *octet == b':') else {
        return false;
    };
    let Some((field_name, value)) = field.split_at_checked(colon) else {
        return false;
    };
    if !field_name.trim_ascii().eq_ignore_ascii_case(NAME) {
        return false;
    }
    let id = authserv_id(value.get(1..).unwrap_or_default());
    id.is_empty() || id.eq_ignore_ascii_case(name.as_bytes())
}

/// RFC 8601 section 2.2: what stands first, without comments and quotes.
fn authserv_id(value: &[u8]) -> Vec<u8> {
    let (mut id, mut depth, mut escaped) = (Vec::new(), 0_u32, false);
    for octet in value {
        if std::mem::take(&mut escaped) {
            if depth == 0 {
                id.push(*octet);
            }
            continue;
        }
        let is_end = depth == 0 && (*octet == b';' || octet.is_ascii_whitespace());
        match octet {
            b'\\' => escaped = true,
            b'(' => depth = depth.saturating_add(1),
            b')' => depth = depth.saturating_sub(1),
            b'"' => {}
            _ if is_end && id.is_empty() && *octet != b';' => {}
            _ if is_end => break,
            _ if depth == 0 => id.push(*octet),
            _ => {}
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn kept(header: &str) -> String {
        let message = Body::from_bytes(format!("{header}\r\nbody\r\n").into());
        let header = Header::read(&message).await.unwrap();
        let message = removed("mx.example.org", &header, &message);
        let octets = message.read(0, usize::MAX).await.unwrap();
        String::from_utf8(octets.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn ours_goes_however_it_is_written_and_others_stay() {
        for forged in [
            "Authentication-Results: mx.example.org; spf=pass\r\n",
            "authentication-results :\r\n MX.Example.ORG 1;\r\n\tspf=pass\r\n",
            "Authentication-Results: (a (b)) \"mx.example.org\"; none\r\n",
            "Authentication-Results: mx\\.example.org; none\r\n",
            "Authentication-Results: ;spf=pass\r\n",
            "Authentication-Results:\r\n",
        ] {
            let header = format!("A: 1\r\n{forged}B: 2\r\n");
            assert_eq!(
                kept(&header).await,
                "A: 1\r\nB: 2\r\n\r\nbody\r\n",
                "{forged}"
            );
        }
        let others = "Authentication-Results: mx.example.net; spf=pass\r\nX: Authentication-Results: mx.example.org\r\n";
        assert_eq!(kept(others).await, format!("{others}\r\nbody\r\n"));
    }

    proptest! {
        #[test]
        fn nothing_is_lost_but_whole_fields(header in "[a:\n\t \r;(\\\\\"]{0,40}") {
            prop_assert_eq!(fields(header.as_bytes()).collect::<Vec<_>>().concat(), header.as_bytes());
            authserv_id(header.as_bytes());
        }
    }
}
