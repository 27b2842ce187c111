//! Who may do what in whose folders.

use serde::{Deserialize, Serialize};

/// `waxwing share …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShareCommand {
    /// What accounts share.
    List {
        /// Only what this account shares; none: all.
        account: Option<String>,
        /// Only what somebody has, by themselves, by a group or as one of everybody.
        with: Option<String>,
    },
    /// Gives rights in a folder, in the place of those that the member had.
    Grant {
        /// Whose folder.
        account: String,
        /// Its path, as IMAP names it.
        folder: String,
        /// A user, an alias, a group, or `anyone`.
        member: String,
        /// A level, as `waxwing_exmdb::Rights::LEVELS` names them.
        level: String,
        /// And in all folders below it.
        below: bool,
    },
    /// Takes an entry away.
    Revoke {
        /// Whose folder.
        account: String,
        /// Its path; none: of all folders.
        folder: Option<String>,
        /// Who.
        member: String,
    },
}

/// `waxwing folder …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FolderCommand {
    /// The folders of an account.
    List {
        /// Whose.
        account: String,
    },
    /// Makes a folder, and those above it that are missing.
    Create {
        /// Whose.
        account: String,
        /// Its path.
        folder: String,
        /// PidTagContainerClass; empty: for mail.
        class: String,
    },
    /// Removes a folder with what is in it.
    Delete {
        /// Whose.
        account: String,
        /// Its path.
        folder: String,
    },
}

/// One entry of the permissions of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareRow {
    /// Whose folder.
    pub account: String,
    /// Its path.
    pub folder: String,
    /// Who has the rights; `anyone`: everybody who is logged in.
    pub member: String,
    /// The level that they are; none: they are no level.
    pub level: Option<String>,
    /// PidTagMemberRights (MS-OXCPERM 2.2.7).
    pub rights: u32,
}

/// A folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderRow {
    /// Its path.
    pub folder: String,
    /// PidTagContainerClass.
    pub class: String,
    /// Items in it.
    pub items: u32,
    /// Their octets.
    pub size: u64,
}
