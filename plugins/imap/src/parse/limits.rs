//! Every limit of the command grammar.

/// Octets of a line without its end. RFC 7162 section 4 asks for at least 8,192; libraries that list every UID of a large
/// mailbox send as much as other servers take, which is 64 KiB.
pub const LINE: usize = 64_000;
/// Octets of a literal outside APPEND.
pub const LITERAL: u64 = 64_000;
/// Octets of a command with all its literals, its APPEND messages aside. The host keeps at most 65,536 octets of unconsumed
/// input, so that a refusal must come before.
pub const COMMAND: usize = 65_000;
/// Octets of a tag.
pub const TAG: usize = 128;
/// Search keys inside search keys.
pub const SEARCH_DEPTH: usize = 50;
/// Search keys of a command; the store takes 1,024 nodes.
pub const SEARCH_KEYS: usize = 500;
/// Items of a FETCH.
pub const FETCH_ITEMS: usize = 200;
/// Numbers in a section, as in `1.2.3`.
pub const SECTION_DEPTH: usize = 100;
/// Octets of a keyword.
pub const KEYWORD: usize = 255;
/// Keywords in one command.
pub const KEYWORDS: usize = 128;
/// Patterns of a LIST.
pub const LIST_PATTERNS: usize = 100;
/// Octets of a mailbox name, in UTF-8.
pub const MAILBOX_NAME: usize = 1_000;
