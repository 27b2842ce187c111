//! A message that came as literal8 (RFC 3516 section 4.4): what holds NUL is stored with its binary parts in base64, so that every
//! command can show it. What holds none is stored as it came, and is not even read as a whole.

use waxwing_formats_mime::textual;
use waxwing_sdk::bodies::{self, Body, Piece};

use crate::session::Refusal;

/// Octets of a message that is encoded: it is read into the plugin's memory.
const ENCODED: u64 = 6 * 1024 * 1024;
const CHUNK: u32 = 256 * 1024;

/// The message as it is to be stored.
pub(super) fn encoded(body: Body) -> Result<Body, Refusal> {
    if !holds_nul(&body)? {
        return Ok(body);
    }
    if body.size() > ENCODED {
        waxwing_sdk::info!("limit reached: octets of a binary message", limit = ENCODED);
        return Err(Refusal::no(
            "[TOOBIG] A message with NUL octets may have 6291456 octets; encode its parts in base64",
        ));
    }
    let message = bodies::read_all(&body, ENCODED)?;
    drop(body);
    let textual = textual::without_binary(&message).map_err(|_| {
        Refusal::no("[UNKNOWN-CTE] There is a NUL octet outside of the content of a binary part")
    })?;
    Ok(bodies::compose(&[Piece::Bytes(textual)])?)
}

fn holds_nul(body: &Body) -> Result<bool, Refusal> {
    let mut at = 0;
    while at < body.size() {
        let chunk = body.read(at, CHUNK)?;
        if chunk.is_empty() {
            break;
        }
        if chunk.contains(&0) {
            return Ok(true);
        }
        at += chunk.len() as u64;
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_holds_nul_is_encoded() {
        let stored = |message: &[u8]| encoded(Body::of(message)).map(|body| body.bytes().to_vec());
        let text = b"Content-Transfer-Encoding: binary\r\n\r\nlong\nlines\r";
        assert_eq!(stored(text).unwrap(), text);
        assert_eq!(
            stored(b"Content-Transfer-Encoding: binary\r\n\r\n\0").unwrap(),
            b"Content-Transfer-Encoding: base64\r\n\r\nAA=="
        );
        assert!(matches!(stored(b"\0"), Err(Refusal::No(text)) if text.contains("UNKNOWN-CTE")));
    }
}
