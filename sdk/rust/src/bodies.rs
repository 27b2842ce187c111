//! Runs of bytes that the host keeps: a message being received, a stored message, something composed of those.
//!
//! A big body need never enter the plugin: it arrives with [`Event::BodyReceived`](crate::stream::Event::BodyReceived), is
//! strung together with [`compose`], and leaves with [`Turn::send_body`](crate::stream::Turn::send_body).

pub use crate::bindings::bodies::{Body, BodyRange, Piece, PieceRange, compose, resume};
use crate::fault::Fault;

/// A piece for [`compose`]: the whole of a body.
#[must_use]
pub fn whole(body: &Body) -> Piece<'_> {
    Piece::Range(PieceRange {
        body,
        offset: 0,
        length: body.size(),
    })
}

/// All octets of a body that must be small.
///
/// # Errors
/// `limit` when it has more than `limit` octets, or what reading answers.
pub fn read_all(body: &Body, limit: u64) -> Result<Vec<u8>, Fault> {
    let size = body.size();
    if size > limit {
        return Err(Fault::new(
            crate::fault::FaultClass::Limit,
            format!("a body of {size} octets passes the limit of {limit}"),
        ));
    }
    let mut all = Vec::new();
    while (all.len() as u64) < size {
        let chunk = body.read(all.len() as u64, 256 * 1024)?;
        if chunk.is_empty() {
            break;
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}
