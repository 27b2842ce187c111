//! One file per noun.

pub(crate) mod aliases;
pub(crate) mod app_passwords;
pub(crate) mod domains;
pub(crate) mod groups;
pub(crate) mod mailboxes;
pub(crate) mod plugins;
pub(crate) mod users;
