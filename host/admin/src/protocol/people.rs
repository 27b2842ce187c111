//! Commands and rows about domains, users, aliases, groups and app passwords.

use std::fmt;

use serde::{Deserialize, Serialize};
use waxwing_directory::Posting;

/// A password on its way between CLI and server: never in a log line or a `{:?}`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes the characters.
    pub fn new(characters: impl Into<String>) -> Secret {
        Secret(characters.into())
    }

    /// The characters themselves.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// `waxwing domain …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DomainCommand {
    /// Adds a domain.
    Add {
        /// As people write it; IDNA and lower case are the directory's work.
        name: String,
    },
    /// All domains.
    List,
    /// Says who gets mail to addresses that do not exist.
    CatchAll {
        /// The domain.
        domain: String,
        /// Who; none: nobody, it is refused.
        address: Option<String>,
    },
    /// Says whose mailbox holds the public folders of a domain.
    Public {
        /// The domain.
        domain: String,
        /// A user, who is made if need be; none: there are no public folders.
        account: Option<String>,
    },
    /// `waxwing domain dkim …`
    Dkim {
        /// The domain.
        domain: String,
        /// What to do.
        command: super::DkimCommand,
    },
    /// What a domain publishes in DNS.
    Dns {
        /// The domain.
        domain: String,
        /// Asks DNS what is there.
        check: bool,
    },
    /// Removes a domain; refused while users, aliases or groups are in it, unless `with_users`.
    Remove {
        /// The domain.
        name: String,
        /// Its users, aliases and groups go with it.
        with_users: bool,
        /// Their mailboxes stay on disk.
        keep_mail: bool,
    },
}

/// `waxwing user …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserCommand {
    /// Adds a user and creates the mailbox.
    Add {
        /// `local@domain`, or `local` of the default domain.
        address: String,
        /// Empty: the local part.
        display_name: String,
        /// The first password.
        password: Secret,
    },
    /// Adds users and creates their mailboxes; those that are there already stay as they are.
    Import {
        /// Some hundred at a time, so that it can be told how far it is.
        users: Vec<ImportedUser>,
    },
    /// The users of a domain, or all.
    List {
        /// Only this one's.
        domain: Option<String>,
    },
    /// Sets a new password.
    Passwd {
        /// Whose.
        address: String,
        /// The new one.
        password: Secret,
    },
    /// Removes a user, and the mailbox unless `keep_mail`. The CLI asks for confirmation first.
    Remove {
        /// Who.
        address: String,
        /// The mailbox stays on disk, and is listed without an owner.
        keep_mail: bool,
    },
    /// Lets a user log in, or no more; mail arrives either way.
    Enable {
        /// Who.
        address: String,
        /// May log in.
        on: bool,
    },
    /// Makes a user a room or equipment that answers invitations, or a person again.
    Resource {
        /// Who.
        address: String,
        /// `room` or `equipment`; none: a person.
        kind: Option<String>,
        /// `if-free`, `accept`, `decline` or `by-hand`.
        answers: String,
    },
    /// Switches a feature (a capability such as `imap.idle`) off or on again.
    Feature {
        /// Who.
        address: String,
        /// The plugin's name for it.
        feature: String,
        /// Whether it is on.
        on: bool,
    },
}

/// `waxwing alias …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AliasCommand {
    /// Adds an alias.
    Add {
        /// The alias.
        address: String,
        /// The local address that it stands for.
        target: String,
    },
    /// The aliases of a domain, or all.
    List {
        /// Only this one's.
        domain: Option<String>,
    },
    /// Removes an alias.
    Remove {
        /// The alias.
        address: String,
    },
}

/// `waxwing group …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupCommand {
    /// Adds an empty group, or one with members.
    Add {
        /// The group.
        address: String,
        /// Users, aliases, groups, and addresses elsewhere.
        members: Vec<String>,
    },
    /// The groups of a domain, or all.
    List {
        /// Only this one's.
        domain: Option<String>,
    },
    /// Removes a group; its members stay.
    Remove {
        /// The group.
        address: String,
    },
    /// Adds members.
    AddMembers {
        /// The group.
        address: String,
        /// Local addresses.
        members: Vec<String>,
    },
    /// Changes who may write to it.
    Posting {
        /// The group.
        address: String,
        /// None: as before.
        who: Option<Posting>,
        /// Senders that may from now on, whoever they are.
        allow: Vec<String>,
        /// Senders that may no more.
        disallow: Vec<String>,
    },
    /// Takes members out.
    RemoveMembers {
        /// The group.
        address: String,
        /// As `group list` shows them.
        members: Vec<String>,
    },
}

/// `waxwing app-password …`
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppPasswordCommand {
    /// Makes one; it is shown once, in [`super::Response::AppPasswordAdded`].
    Add {
        /// Whose.
        user: String,
        /// What it is for: `phone`.
        name: String,
    },
    /// The names of a user's app passwords.
    List {
        /// Whose.
        user: String,
    },
    /// Revokes one at once.
    Remove {
        /// Whose.
        user: String,
        /// Its name.
        name: String,
    },
}

/// A line of `domain list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainRow {
    /// In the form that DNS knows (A-labels).
    pub name: String,
    /// Users in it.
    pub users: u32,
    /// Who gets mail to addresses that do not exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catch_all: Option<String>,
}

/// A line of `user list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRow {
    /// The primary address.
    pub address: String,
    /// For people.
    pub display_name: String,
    /// 32 hex digits: the mailbox's identity for ever.
    pub mailbox: String,
    /// May log in.
    pub enabled: bool,
    /// Features an administrator switched off.
    pub features_off: Vec<String>,
}

/// Who was removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedUser {
    /// The primary address that was.
    pub address: String,
    /// 32 hex digits.
    pub mailbox: String,
    /// Whether the mailbox is still on disk.
    pub mail_kept: bool,
}

/// A line of `alias list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasRow {
    /// The alias.
    pub address: String,
    /// What it stands for.
    pub target: String,
}

/// A line of `group list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRow {
    /// The group.
    pub address: String,
    /// Its direct members.
    pub members: Vec<String>,
    /// Who may write to it.
    pub posting: Posting,
    /// Who may beside those.
    pub senders: Vec<String>,
}

/// A line of `app-password list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppPasswordRow {
    /// What it is for.
    pub name: String,
    /// Seconds since 1970.
    pub created: i64,
    /// Seconds since 1970, to the minute; none: never.
    pub last_used: Option<i64>,
}

/// A line of `user add --from`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImportedUser {
    /// Its number in the file, for [`UserProblem`].
    pub line: u64,
    /// `local@domain`, or `local` of the default domain.
    pub address: String,
    /// Empty: the local part.
    pub display_name: String,
    /// A PHC string of argon2id; none: nobody can log in before a password is set.
    pub hash: Option<Secret>,
}

/// What `user add --from` did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsersImported {
    /// Users added.
    pub added: u64,
    /// Users that were there already.
    pub present: u64,
    /// Those that could not be added.
    pub problems: Vec<UserProblem>,
}

/// A user who could not be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserProblem {
    /// The line of the file.
    pub line: u64,
    /// Who.
    pub address: String,
    /// Why not.
    pub reason: String,
}
