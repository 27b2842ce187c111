//! One file per noun.

pub(crate) mod aliases;
pub(crate) mod app_passwords;
mod backup;
pub(crate) mod dkim;
pub(crate) mod domains;
mod folder_paths;
pub(crate) mod folders;
pub(crate) mod groups;
pub(crate) mod mailboxes;
pub(crate) mod plugins;
pub(crate) mod queue;
pub(crate) mod quotas;
mod restore;
mod restore_into;
pub(crate) mod sessions;
pub(crate) mod shares;
pub(crate) mod transport;
pub(crate) mod users;
