//! What the CLI and a running server say to each other.
//!
//! One exchange is one connection to `<data>/admin.sock`. Every frame is a line of JSON. The client sends one
//! [`Request`]; the server answers with any number of [`Reply::Progress`] and then exactly one [`Reply::Done`] or
//! [`Reply::Failed`]. After [`Request::Import`] the client goes on sending [`ImportFrame`]s: a `message` frame is followed
//! by exactly `size` raw octets (mail is not JSON; base64 would cost a third more and a copy), `end` closes the list.
//! After [`Request::Export`] the server sends messages the same way, as [`Reply::Export`].
//!
//! The same types are what [`crate::Admin`] executes without a socket, so a command means the same whether the server
//! runs or not. They are not a published contract: client and server are one binary, and a request that the server
//! cannot read is answered with `Failed` and the parser's reason.

mod backups;
mod domains;
mod export;
mod import;
mod mailboxes;
mod people;
mod plugins;
mod queue;
mod quotas;
mod sessions;
mod shares;
mod transport;

pub use backups::{
    BackedUpMailbox, BackupProgress, BackupScope, BackupStart, BackupSummary, RestoreProgress,
    RestoreScope, RestoreStart, RestoreSummary, RestoreWay, RestoredRow,
};
pub use domains::{DkimCommand, DkimKeyRow, DkimKeys, DnsRecordRow, DnsState};
pub use export::{ExportFolder, ExportFrame, ExportHeader, ExportItem, ExportStart, ExportSummary};
pub use import::{
    ImportFrame, ImportHeader, ImportMessage, ImportProblem, ImportProgress, ImportStart,
    ImportSummary,
};
pub use mailboxes::{CheckedMailbox, Finding, MailboxCommand, MailboxRow};
pub use people::{
    AliasCommand, AliasRow, AppPasswordCommand, AppPasswordRow, DomainCommand, DomainRow,
    GroupCommand, GroupRow, ImportedUser, RemovedUser, Secret, UserCommand, UserProblem, UserRow,
    UsersImported,
};
pub use plugins::{
    CanaryAudience, PluginCanary, PluginCommand, PluginLoaded, PluginRow, PluginSwap,
};
pub use queue::{
    QueueActed, QueueAction, QueueCommand, QueuePage, QueueRecipientRow, QueueRow, QueueSelection,
};
pub use quotas::{Limit, Limits, LimitsChange, QuotaCommand, QuotaRow};
pub use sessions::{
    SessionCommand, SessionFailure, SessionFilter, SessionPage, SessionRow, SessionTls,
    SessionsKilled,
};
pub use shares::{FolderCommand, FolderRow, ShareCommand, ShareRow};
pub use transport::{
    ExplainStart, ExplainedRow, QuarantineCommand, QuarantinePage, QuarantineRow,
    QuarantinedMessage, ReleasedRow, ReleasedTo, TransportCommand,
};

use serde::{Deserialize, Serialize};

/// One administrator's command, by noun.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Request {
    /// `waxwing domain …`
    Domain(DomainCommand),
    /// `waxwing user …`
    User(UserCommand),
    /// `waxwing alias …`
    Alias(AliasCommand),
    /// `waxwing group …`
    Group(GroupCommand),
    /// `waxwing app-password …`
    AppPassword(AppPasswordCommand),
    /// `waxwing mailbox …`
    Mailbox(MailboxCommand),
    /// `waxwing plugin …`
    Plugin(PluginCommand),
    /// `waxwing session …`
    Session(SessionCommand),
    /// `waxwing queue …`
    Queue(QueueCommand),
    /// `waxwing transport …`
    Transport(TransportCommand),
    /// `waxwing quota …`
    Quota(QuotaCommand),
    /// `waxwing share …`
    Share(ShareCommand),
    /// `waxwing folder …`
    Folder(FolderCommand),
    /// `waxwing import …`; [`ImportFrame`]s follow.
    Import(ImportStart),
    /// `waxwing mailbox export …`; [`ExportFrame`]s are the answer's beginning.
    Export(ExportStart),
}

impl Request {
    /// Whether it ends when the administrator goes away, because running it again goes on with it. Others come to their end.
    pub(crate) fn may_be_broken_off(&self) -> bool {
        matches!(self, Request::Mailbox(MailboxCommand::Backup(_)))
    }
}

/// The answer to a command that succeeded. Lists are what `--json` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Response {
    /// Nothing to show but that it is done, as a sentence: `added domain example.org`.
    Done(String),
    /// `domain list`
    Domains(Vec<DomainRow>),
    /// `domain dkim`
    DkimKeys(DkimKeys),
    /// `domain dns`
    DnsRecords(Vec<DnsRecordRow>),
    /// `user list`
    Users(Vec<UserRow>),
    /// `user add`
    UserAdded(UserRow),
    /// `user add --from`
    UsersImported(UsersImported),
    /// `user remove`, `domain remove`: who went, and whether the mail went too.
    UsersRemoved(Vec<RemovedUser>),
    /// `alias list`
    Aliases(Vec<AliasRow>),
    /// `group list`
    Groups(Vec<GroupRow>),
    /// `app-password list`
    AppPasswords(Vec<AppPasswordRow>),
    /// `app-password add`: the only time that the password is shown.
    AppPasswordAdded {
        /// Whose.
        user: String,
        /// Its name.
        name: String,
        /// The password itself.
        password: Secret,
    },
    /// `quota list`
    Quotas(Vec<QuotaRow>),
    /// `share list`
    Shares(Vec<ShareRow>),
    /// `folder list`
    Folders(Vec<FolderRow>),
    /// `mailbox list` and `mailbox size`
    Mailboxes(Vec<MailboxRow>),
    /// `mailbox check`
    Checked(Vec<CheckedMailbox>),
    /// `mailbox backup`
    BackedUp(BackupSummary),
    /// `mailbox restore`
    Restored(RestoreSummary),
    /// `plugin list` and `plugin status`
    Plugins(Vec<PluginRow>),
    /// `plugin load`
    PluginLoaded(PluginLoaded),
    /// `plugin activate`, `plugin rollback` and `plugin canary --stop`
    PluginSwapped(PluginSwap),
    /// `plugin canary`
    PluginCanary(PluginCanary),
    /// `session list`, a page of it
    Sessions(SessionPage),
    /// `session show`
    Session(Box<SessionRow>),
    /// `session kill`
    SessionsKilled(SessionsKilled),
    /// `queue list`, a page of it
    Queue(QueuePage),
    /// `queue show`
    Queued(Box<QueueRow>),
    /// `queue retry`, `hold`, `release`, `delete`
    QueueActed(QueueActed),
    /// `transport quarantine list`, a page of it
    Quarantine(QuarantinePage),
    /// `transport quarantine show`
    Quarantined(Box<QuarantinedMessage>),
    /// `transport quarantine release`
    Released(Vec<ReleasedRow>),
    /// `transport explain`
    Explained(Vec<ExplainedRow>),
    /// `import`
    Imported(ImportSummary),
    /// `mailbox export`
    Exported(ExportSummary),
}

/// How far a long command is. Not every command tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Progress {
    /// `mailbox check`: this many of so many mailboxes are done.
    Mailboxes {
        /// Mailboxes checked.
        done: u64,
        /// Mailboxes to check.
        total: u64,
    },
    /// `mailbox backup`
    Backup(BackupProgress),
    /// `mailbox restore`
    Restore(RestoreProgress),
    /// `import`: the counts so far; what they count is durable.
    Import(ImportProgress),
}

/// One line from the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reply {
    /// More follows.
    Progress(Progress),
    /// Something of an export; raw octets follow a message.
    Export(ExportFrame),
    /// The last line of an exchange that succeeded.
    Done(Response),
    /// The last line of an exchange that failed: a sentence for the operator.
    Failed(String),
}
