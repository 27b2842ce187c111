//! Bodies kept in memory: the shape of `waxwing:types/bodies` without a host.
//!
//! Names and signatures are those that `wit-bindgen` generates, so that plugin code does not see the difference.

#![allow(
    missing_docs,
    reason = "the fields are those of `wit/deps/types/types.wit`, documented there"
)]

use std::cell::RefCell;
use std::rc::Rc;

use crate::bindings::answered::faults::{Fault, FaultClass};

/// The most that one `read` answers, as on a host: 256 KiB.
const READ_LIMIT: usize = 256 * 1024;

thread_local! {
    static KEPT: RefCell<Vec<Option<Body>>> = const { RefCell::new(Vec::new()) };
}

/// An immutable run of bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(Rc<[u8]>);

impl std::fmt::Debug for Body {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Body({} octets)", self.0.len())
    }
}

impl Body {
    /// A body of these octets.
    pub fn of(bytes: &[u8]) -> Body {
        Body(Rc::from(bytes))
    }

    /// All octets.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// In octets.
    pub fn size(&self) -> u64 {
        self.0.len() as u64
    }

    /// At most 256 KiB a call; shorter only at the end.
    ///
    /// # Errors
    /// `invalid` when the offset lies behind the end.
    pub fn read(&self, offset: u64, length: u32) -> Result<Vec<u8>, Fault> {
        let rest = slice_from(&self.0, offset)?;
        let length = usize::try_from(length)
            .unwrap_or(READ_LIMIT)
            .min(READ_LIMIT);
        Ok(rest.get(..length).unwrap_or(rest).to_vec())
    }

    /// Another handle on the same bytes.
    pub fn dup(&self) -> Body {
        self.clone()
    }

    /// Keeps the body for `resume`; the token is good once.
    pub fn keep(&self) -> u64 {
        KEPT.with_borrow_mut(|kept| {
            kept.push(Some(self.clone()));
            kept.len() as u64
        })
    }

    // Generated code wants these three to cross the component boundary, which there is none of here.
    pub(crate) fn handle(&self) -> u32 {
        0
    }
    pub(crate) fn take_handle(&self) -> u32 {
        0
    }
    pub(crate) fn from_handle(_handle: u32) -> Body {
        Body::of(b"")
    }
}

/// A range of a body, handed over with the action that sends it.
#[derive(Debug, Clone)]
pub struct BodyRange {
    pub body: Body,
    pub offset: u64,
    pub length: u64,
}

/// A range of a body that `compose` takes.
#[derive(Debug, Clone, Copy)]
pub struct PieceRange<'a> {
    pub body: &'a Body,
    pub offset: u64,
    pub length: u64,
}

/// What `compose` strings together.
#[derive(Debug, Clone)]
pub enum Piece<'a> {
    Bytes(Vec<u8>),
    Range(PieceRange<'a>),
}

/// Strings pieces together into one body.
///
/// # Errors
/// `invalid` when a range leaves its body.
pub fn compose(pieces: &[Piece<'_>]) -> Result<Body, Fault> {
    let mut whole = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Bytes(bytes) => whole.extend_from_slice(bytes),
            Piece::Range(range) => {
                let rest = slice_from(&range.body.0, range.offset)?;
                let part = usize::try_from(range.length)
                    .ok()
                    .and_then(|length| rest.get(..length));
                whole.extend_from_slice(part.ok_or_else(outside)?);
            }
        }
    }
    Ok(Body::of(&whole))
}

/// Takes back what `keep` kept.
///
/// # Errors
/// `not-found` for a token that was never given or was used.
pub fn resume(token: u64) -> Result<Body, Fault> {
    let found = KEPT.with_borrow_mut(|kept| {
        let index = usize::try_from(token).ok()?.checked_sub(1)?;
        kept.get_mut(index)?.take()
    });
    found.ok_or_else(|| Fault {
        code: 0,
        class: FaultClass::NotFound,
        detail: "no body is kept under this token".into(),
    })
}

fn slice_from(bytes: &[u8], offset: u64) -> Result<&[u8], Fault> {
    usize::try_from(offset)
        .ok()
        .and_then(|offset| bytes.get(offset..))
        .ok_or_else(outside)
}

fn outside() -> Fault {
    Fault {
        code: 0,
        class: FaultClass::Invalid,
        detail: "the range leaves the body".into(),
    }
}
