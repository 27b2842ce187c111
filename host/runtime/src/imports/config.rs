//! `waxwing:config/settings`: the plugin's own `[plugin.NAME.config]` table, as JSON texts under dotted keys.

use crate::{bindings::waxwing::config::settings::Host, state::State};

impl Host for State {
    async fn get(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.facts.settings.get(&key).cloned())
    }

    async fn entries(&mut self) -> wasmtime::Result<Vec<(String, String)>> {
        Ok(self
            .facts
            .settings
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect())
    }
}
