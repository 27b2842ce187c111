//! Small durable state of a plugin, kept in a mailbox and gone with it. A plugin sees only its own keys.

use crate::fault::Fault;
use crate::store::Mailbox;

/// The value under a key.
///
/// # Errors
/// What the host answers.
pub fn get(mailbox: &Mailbox, key: &str) -> Result<Option<Vec<u8>>, Fault> {
    crate::bindings::waxwing::kv::buckets::get(mailbox, key)
}

/// Durable when it returns. Keys up to 512 octets, values up to 64 KiB.
///
/// # Errors
/// What the host answers; `limit` for too long a key or value.
pub fn put(mailbox: &Mailbox, key: &str, value: &[u8]) -> Result<(), Fault> {
    crate::bindings::waxwing::kv::buckets::put(mailbox, key, value)
}

/// Removes a key, if it is there.
///
/// # Errors
/// What the host answers.
pub fn delete(mailbox: &Mailbox, key: &str) -> Result<(), Fault> {
    crate::bindings::waxwing::kv::buckets::delete(mailbox, key)
}

/// At most `limit` keys with this prefix, in order, from behind `after`.
///
/// # Errors
/// What the host answers.
pub fn list_keys(
    mailbox: &Mailbox,
    prefix: &str,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<String>, Fault> {
    crate::bindings::waxwing::kv::buckets::list_keys(mailbox, prefix, after, limit)
}
