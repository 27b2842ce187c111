//! `waxwing:store/scripts`: the scripts that filter the mail of a mailbox. They decide what becomes of somebody's mail, so no right in
//! a folder gives them away: only the owner has them.

use wasmtime::component::Resource;
use waxwing_exmdb::{Actor, Mailbox};

use super::{Failure, Result};
use crate::{
    bindings::waxwing::store::scripts::{Host, Script},
    host_side::OpenMailbox,
    state::State,
};

impl State {
    fn own(&self, handle: &Resource<OpenMailbox>) -> Result<Mailbox> {
        let open = self.get(handle)?;
        if open.actor != Actor::Owner {
            return Err(Failure::denied(
                "only the owner has the scripts of a mailbox",
            ));
        }
        Ok(open.mailbox)
    }
}

impl Host for State {
    async fn list_scripts(&mut self, mailbox: Resource<OpenMailbox>) -> Result<Vec<Script>> {
        let mailbox = self.own(&mailbox)?;
        self.call("scripts.list-scripts", async move {
            let scripts = mailbox.scripts().await?.into_iter();
            let script = scripts.map(|script| Script {
                name: script.name,
                active: script.active,
            });
            Ok(script.collect())
        })
        .await
    }

    async fn read(&mut self, mailbox: Resource<OpenMailbox>, name: String) -> Result<String> {
        let mailbox = self.own(&mailbox)?;
        self.call("scripts.read", async move {
            let script = mailbox.script(&name).await?;
            script.ok_or_else(|| Failure::not_found(format!("the script {name:?}")))
        })
        .await
    }

    async fn has_space(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        name: String,
        octets: u64,
    ) -> Result<()> {
        let mailbox = self.own(&mailbox)?;
        self.call("scripts.has-space", async move {
            Ok(mailbox.has_script_space(&name, octets).await?)
        })
        .await
    }

    async fn put(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        name: String,
        script: String,
    ) -> Result<()> {
        let mailbox = self.own(&mailbox)?;
        self.call("scripts.put", async move {
            Ok(mailbox.put_script(&name, &script).await?)
        })
        .await
    }

    async fn activate(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        name: Option<String>,
    ) -> Result<()> {
        let mailbox = self.own(&mailbox)?;
        self.call("scripts.activate", async move {
            Ok(mailbox.activate_script(name.as_deref()).await?)
        })
        .await
    }

    async fn delete(&mut self, mailbox: Resource<OpenMailbox>, name: String) -> Result<()> {
        let mailbox = self.own(&mailbox)?;
        self.call("scripts.delete", async move {
            Ok(mailbox.delete_script(&name).await?)
        })
        .await
    }

    async fn rename(
        &mut self,
        mailbox: Resource<OpenMailbox>,
        name: String,
        to: String,
    ) -> Result<()> {
        let mailbox = self.own(&mailbox)?;
        self.call("scripts.rename", async move {
            Ok(mailbox.rename_script(&name, &to).await?)
        })
        .await
    }
}
