//! RFC 5322 and MIME as a mail store and IMAP see them: bytes in, bytes out, no clock and no I/O.
//!
//! - [`structure`]: what FETCH needs of a message, made once at delivery: envelope, body structure and
//!   the exact byte range of every section, with a compact encoding.
//! - [`header`]: the fields of a header block, as they stand in the bytes.
//! - [`address`]: RFC 5322 address lists in the shape of an IMAP envelope.
//! - [`parameter`]: the parameters of Content-Type and Content-Disposition, RFC 2231 included.
//! - [`date`]: the Date field. [`transfer`]: base64 and quoted-printable. [`textual`]: messages without NUL.
//!
//! With the feature `convert`, which the host turns on and a plugin that only renders does without:
//!
//! - [`word`], [`charset`], [`text`], [`html`]: everything readable as UTF-8.
//! - [`mapi`]: a mail as MAPI properties, recipients and attachments.
//! - [`summary`]: the columns a store keeps. [`subject`], [`class`]: base subjects, message classes.
//!
//! Everything here is total: hostile or broken bytes give a result that is useful, never an error and
//! never a panic, and every structure has a bound that stands beside its code. A general parser
//! (mail-parser) is not used, because it decodes what IMAP must show undecoded and does not keep the
//! ranges that BODY\[1.MIME\] and partial fetches are cut from.

pub mod address;
mod cursor;
pub mod date;
pub mod header;
pub mod parameter;
pub mod structure;
pub mod textual;
pub mod transfer;

#[cfg(feature = "convert")]
pub mod charset;
#[cfg(feature = "convert")]
pub mod class;
#[cfg(feature = "convert")]
pub mod html;
#[cfg(feature = "convert")]
pub mod mapi;
#[cfg(feature = "convert")]
pub mod subject;
#[cfg(feature = "convert")]
pub mod summary;
#[cfg(feature = "convert")]
pub mod text;
#[cfg(feature = "convert")]
pub mod word;

pub use address::Address;
pub use date::Date;
pub use structure::{Envelope, Part, PartKind, SectionPart, Structure};
#[cfg(feature = "convert")]
pub use summary::{Importance, Summary};
