//! `waxwing user resource`.

use clap::Args;
use waxwing_admin::protocol::UserCommand;

#[derive(Debug, Args)]
pub(crate) struct Resource {
    /// Who.
    address: String,
    /// What it is.
    #[arg(long, value_parser = ["room", "equipment", "person"])]
    kind: String,
    /// How it answers invitations.
    #[arg(long, default_value = "if-free", value_parser = ["if-free", "accept", "decline", "by-hand"])]
    answers: String,
}

impl Resource {
    pub(super) fn command(self) -> UserCommand {
        UserCommand::Resource {
            address: self.address,
            kind: Some(self.kind).filter(|kind| kind != "person"),
            answers: self.answers,
        }
    }
}
