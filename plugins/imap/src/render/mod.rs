//! Answers, as bytes: pure functions that append to a buffer.
//!
//! Strings are quoted where they can be and literals where not (RFC 9051 section 4.3): 8-bit text is quoted only after
//! UTF8=ACCEPT. No function here can write CR or LF outside a literal.

pub mod body_structure;
pub mod date;
pub mod envelope;
pub mod flags;
mod number;
pub mod object_id;
pub mod spans;
pub mod text;

pub use number::decimal;
