//! `waxwing:kv/buckets`: small durable state of a plugin in a mailbox. The owner of a key is the plugin's name, which
//! the guest cannot choose.

use wasmtime::component::Resource;

use super::{Failure, Result};
use crate::{bindings::waxwing::kv::buckets::Host, host_side::OpenMailbox, state::State};

const KEY: usize = 512;
const VALUE: usize = 64 << 10;
const PAGE: u32 = 1_000;

fn checked(key: String) -> Result<String> {
    if key.is_empty() || key.len() > KEY {
        return Err(Failure::invalid(format!("a key has 1 to {KEY} octets")));
    }
    Ok(key)
}

impl Host for State {
    async fn get(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        key: String,
    ) -> Result<Option<Vec<u8>>> {
        let (mailbox, owner, key) = (
            State::get(self, &mailbox)?.mailbox,
            self.facts.plugin.clone(),
            checked(key)?,
        );
        self.call("buckets.get", async move {
            Ok(mailbox.kv_get(&owner, &key).await?)
        })
        .await
    }

    async fn put(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        key: String,
        value: Vec<u8>,
    ) -> Result<()> {
        if value.len() > VALUE {
            return Err(Failure::limit(format!(
                "a value has at most {VALUE} octets"
            )));
        }
        let (mailbox, owner, key) = (
            State::get(self, &mailbox)?.mailbox,
            self.facts.plugin.clone(),
            checked(key)?,
        );
        self.call("buckets.put", async move {
            Ok(mailbox.kv_put(&owner, &key, &value).await?)
        })
        .await
    }

    async fn delete(&mut self, mailbox: Resource<OpenMailbox>, key: String) -> Result<()> {
        let (mailbox, owner, key) = (
            State::get(self, &mailbox)?.mailbox,
            self.facts.plugin.clone(),
            checked(key)?,
        );
        self.call("buckets.delete", async move {
            Ok(mailbox.kv_delete(&owner, &key).await?)
        })
        .await
    }

    async fn list_keys(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) -> Result<Vec<String>> {
        let (mailbox, owner) = (
            State::get(self, &mailbox)?.mailbox,
            self.facts.plugin.clone(),
        );
        self.call("buckets.list-keys", async move {
            Ok(mailbox
                .kv_list(&owner, &prefix, after.as_deref(), limit.min(PAGE))
                .await?)
        })
        .await
    }
}
