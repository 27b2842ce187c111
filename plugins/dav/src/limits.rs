//! Limits that clients are told of, or that answers are held to.

/// Octets of an object (`max-resource-size`). Its tree, its text and the answer with it must find room in an instance's memory.
pub(crate) const MAX_OBJECT: u64 = 4 * 1024 * 1024;
/// Lines of an object.
pub(crate) const MAX_LINES: usize = 50_000;
/// Octets of an answer: what one turn may hand to the host, less the rest of the answer.
pub(crate) const MAX_ANSWER: usize = 12 * 1024 * 1024;
/// Instances of one object in an answer that expands, and of all in one free-busy time.
pub(crate) const MAX_INSTANCES: usize = 10_000;
/// How far ahead of a range that was asked for the index reaches then.
pub(crate) const FURTHER: i64 = 366 * 86_400;
/// Changes or members in one page of a synchronisation.
pub(crate) const MAX_PAGE: u32 = 10_000;
