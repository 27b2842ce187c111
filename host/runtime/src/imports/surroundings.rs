//! `waxwing:hook/filter-surroundings`: what a filter may ask about the mailbox that its call is for. It has no handle on it. When the
//! store cannot say, the call fails, and the message is kept.

use waxwing_exmdb::Mailbox;

use super::Failure;
use crate::{bindings::waxwing::hook::filter_surroundings::Host, state::State};

impl State {
    /// Asks about the mailbox of this call; outside such a call nothing is there.
    async fn ask<T, F>(
        &mut self,
        name: &'static str,
        question: impl FnOnce(Mailbox) -> F,
    ) -> wasmtime::Result<T>
    where
        T: Default + Send + 'static,
        F: Future<Output = waxwing_exmdb::Result<T>> + Send + 'static,
    {
        let Some(mailbox) = self.host.filtered() else {
            return Ok(T::default());
        };
        let question = question(mailbox);
        self.call(name, async move { Ok(question.await?) })
            .await
            .map_err(Failure::into_trap)
    }
}

impl Host for State {
    async fn has_folder(&mut self, name: String) -> wasmtime::Result<bool> {
        self.ask("filter-surroundings.has-folder", |mailbox| async move {
            waxwing_transport::has_folder(&mailbox, &name).await
        })
        .await
    }

    async fn has_special_use(
        &mut self,
        special_use: String,
        folder: Option<String>,
    ) -> wasmtime::Result<bool> {
        self.ask(
            "filter-surroundings.has-special-use",
            |mailbox| async move {
                waxwing_transport::has_special_use(&mailbox, &special_use, folder.as_deref()).await
            },
        )
        .await
    }

    async fn script(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.ask("filter-surroundings.script", |mailbox| async move {
            mailbox.script(&name).await
        })
        .await
    }

    async fn remembers(&mut self, key: String) -> wasmtime::Result<bool> {
        self.ask("filter-surroundings.remembers", |mailbox| async move {
            mailbox.remembers(&key).await
        })
        .await
    }
}
