//! MAPI property values, packed bags, restrictions and sort orders (skeleton of the shapes others build on).
#![allow(missing_docs)]
use serde::{Deserialize, Serialize};

/// MS-OXCDATA 2.9: id << 16 | type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PropertyTag(pub u32);
/// As WIT `store/types.value`, case by case.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Null, Boolean(bool), Int16(i16), Int32(i32), Int64(i64), Float32(f32), Float64(f64), Currency(i64), AppTime(f64), Time(u64),
    Text(String), Binary(Vec<u8>), Guid([u8; 16]), MultiInt16(Vec<i16>), MultiInt32(Vec<i32>), MultiInt64(Vec<i64>), MultiTime(Vec<u64>),
    MultiText(Vec<String>), MultiBinary(Vec<Vec<u8>>), MultiGuid(Vec<[u8; 16]>),
}
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Property { pub tag: PropertyTag, pub value: Value }
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relation { Less, LessOrEqual, Greater, GreaterOrEqual, Equal, NotEqual }
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MatchMode { Full, Prefix, Substring }
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextScope { Body, Whole }
/// As WIT `restriction-node`, as a tree.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Restriction {
    Always(bool), All(Vec<Restriction>), Any(Vec<Restriction>), Not(Box<Restriction>),
    Property { tag: PropertyTag, relation: Relation, value: Value },
    Content { tag: PropertyTag, mode: MatchMode, ignore_case: bool, value: Value },
    Bitmask { tag: PropertyTag, mask: u32, any_set: bool },
    Exists(PropertyTag),
    Size { tag: PropertyTag, relation: Relation, size: u32 },
    Compare { left: PropertyTag, relation: Relation, right: PropertyTag },
    Sub { tag: PropertyTag, node: Box<Restriction> },
    Header { name: String, contains: String },
    Text { scope: TextScope, contains: String },
    Flags { mask: u32, all_set: bool },
    Keyword(String),
    Uids(Vec<(u32, u32)>),
    Positions(Vec<(u32, u32)>),
}
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SortKey { pub tag: PropertyTag, pub descending: bool }

/// Columns of the store that MAPI has no tag for (ids 0x67F0..=0x67FF).
pub mod columns {
    use super::PropertyTag;
    /// IMAP UID (Int32).
    pub const UID: PropertyTag = PropertyTag(0x67F0_0003);
    /// max(cn, read_cn, flag_cn) (Int64).
    pub const MODSEQ: PropertyTag = PropertyTag(0x67F1_0014);
    /// INTERNALDATE, seconds since 1970 (Int64).
    pub const INTERNAL_DATE: PropertyTag = PropertyTag(0x67F2_0014);
    /// INTERNALDATE as days since 1970, UTC (Int32).
    pub const INTERNAL_DAY: PropertyTag = PropertyTag(0x67F3_0003);
    /// Day of the Date: header as written, its zone disregarded (RFC 9051 6.4.4), days since 1970 (Int32).
    pub const SENT_DAY: PropertyTag = PropertyTag(0x67F4_0003);
    /// Date: header as an instant, seconds since 1970 (Int64); INTERNALDATE when absent.
    pub const SENT_DATE: PropertyTag = PropertyTag(0x67F5_0014);
    /// Octets of the RFC 5322 form (Int64).
    pub const SIZE: PropertyTag = PropertyTag(0x67F6_0014);
    /// SAVEDATE, seconds since 1970 (Int64).
    pub const SAVE_DATE: PropertyTag = PropertyTag(0x67F7_0014);
    /// RFC 5256 base subject (Text), and first mailbox of From/To/Cc (Text).
    pub const BASE_SUBJECT: PropertyTag = PropertyTag(0x67F8_001F);
    pub const FIRST_FROM: PropertyTag = PropertyTag(0x67F9_001F);
    pub const FIRST_TO: PropertyTag = PropertyTag(0x67FA_001F);
    pub const FIRST_CC: PropertyTag = PropertyTag(0x67FB_001F);
}
