//! Every bound of this crate. The name of the one that was reached is in the error.

/// Octets of a script.
pub const MAX_SCRIPT: usize = 128 * 1024;
/// Blocks, tests and lists within one another.
pub const MAX_NESTING: u32 = 32;
/// Actions of one evaluation; RFC 5228 section 2.10.4 leaves it to us.
pub const MAX_ACTIONS: usize = 32;
/// Redirects of one evaluation.
pub const MAX_REDIRECTS: usize = 4;
/// Variables of one script (RFC 5229 section 3 asks for 128).
pub const MAX_VARIABLES: usize = 128;
/// Octets of a variable; longer values are cut (RFC 5229 section 3 asks for 4,000 characters).
pub const MAX_VALUE: usize = 16 * 1024;
/// Flags of one message or variable.
pub const MAX_FLAGS: usize = 64;
/// Commands and tests of one evaluation, those of included scripts too.
pub const MAX_INSTRUCTIONS: u32 = 20_000;
/// Octets that are compared in one evaluation: the length of each text for each key, and of a pattern or an expression as often as it may
/// have to look at each of them.
pub const MAX_WORK: u64 = 32 * 1024 * 1024;
/// Scripts included within one another.
pub const MAX_INCLUDE_DEPTH: usize = 10;
/// Scripts included in one evaluation.
pub const MAX_INCLUDES: usize = 32;
/// Header fields added in one evaluation.
pub const MAX_ADDED_FIELDS: usize = 64;
/// Octets of a compiled regular expression.
pub const MAX_REGEX: usize = 256 * 1024;
/// Octets of a message that `body` looks at.
pub const MAX_MESSAGE: usize = 4 * 1024 * 1024;
