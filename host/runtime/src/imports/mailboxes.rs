//! `waxwing:store/mailboxes`: the capability itself.

use wasmtime::component::Resource;

use super::{Failure, Result};
use crate::{
    bindings::waxwing::store::mailboxes::{Host, HostMailbox, Quota},
    host_side::OpenMailbox,
    locks::LockName,
    state::State,
};

/// Octets.
const LOCK_NAME: usize = 64;

impl State {
    fn lock_name(&self, mailbox: &Resource<OpenMailbox>, name: String) -> Result<LockName> {
        Ok(LockName {
            mailbox: self.get(mailbox)?.mailbox.guid(),
            plugin: self.host.identity.plugin.clone(),
            name,
        })
    }
}

impl Host for State {
    async fn quota_of(&mut self, mailbox: Resource<OpenMailbox>) -> Result<Quota> {
        let mailbox = self.get(&mailbox)?.mailbox;
        self.call("mailbox.quota", async move {
            let (holding, quota) = (mailbox.holding().await?, mailbox.quota());
            Ok(Quota {
                storage_used: holding.storage,
                storage_limit: quota.storage,
                messages_used: holding.messages,
                messages_limit: quota.messages,
            })
        })
        .await
    }
}

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

    /// The name is short, and a lock is taken from memory: no task is needed.
    async fn lock(&mut self, mailbox: Resource<OpenMailbox>, name: String) -> Result<()> {
        self.count_call("mailbox.lock")?;
        if name.is_empty() || name.len() > LOCK_NAME {
            return Err(Failure::invalid(format!(
                "the name of a lock has 1 to {LOCK_NAME} octets"
            )));
        }
        let name = self.lock_name(&mailbox, name)?;
        let turn = self.host.turn();
        match self.host.lock(name, turn, &self.facts.limits) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Failure::conflict("another session has the lock")),
            Err(limit) => Err(Failure::limit(limit)),
        }
    }

    async fn unlock(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        name: String,
    ) -> wasmtime::Result<()> {
        let name = self.lock_name(&mailbox, name).map_err(Failure::into_trap)?;
        self.host.unlock(&name);
        Ok(())
    }

    async fn drop(&mut self, mailbox: Resource<OpenMailbox>) -> wasmtime::Result<()> {
        self.table.delete(mailbox)?;
        Ok(())
    }
}
