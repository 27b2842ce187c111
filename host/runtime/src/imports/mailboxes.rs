//! `waxwing:store/mailboxes`: the capability itself.

use wasmtime::component::Resource;

use super::Result;
use crate::{
    bindings::waxwing::store::mailboxes::{Host, HostMailbox},
    host_side::OpenMailbox,
    state::State,
};

impl Host for State {}

impl HostMailbox for State {
    async fn number(&mut self, mailbox: Resource<OpenMailbox>) -> wasmtime::Result<u32> {
        Ok(self.table.get(&mailbox)?.number)
    }

    async fn guid(&mut self, mailbox: Resource<OpenMailbox>) -> wasmtime::Result<String> {
        Ok(self.table.get(&mailbox)?.mailbox.guid().to_string())
    }

    async fn address(&mut self, mailbox: Resource<OpenMailbox>) -> wasmtime::Result<String> {
        Ok(self.table.get(&mailbox)?.address.to_string())
    }

    async fn keywords(&mut self, mailbox: Resource<OpenMailbox>) -> Result<Vec<String>> {
        let mailbox = self.get(&mailbox)?.mailbox;
        self.call(
            "mailbox.keywords",
            async move { Ok(mailbox.keywords().await?) },
        )
        .await
    }

    async fn drop(&mut self, mailbox: Resource<OpenMailbox>) -> wasmtime::Result<()> {
        self.table.delete(mailbox)?;
        Ok(())
    }
}
