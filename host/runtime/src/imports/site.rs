//! `waxwing:config/site`: what programs of people find at this server, as the configuration has it now.

use crate::{
    bindings::waxwing::config::site::{Host, Service},
    state::State,
};

impl Host for State {
    async fn host_name(&mut self) -> wasmtime::Result<String> {
        Ok(self.services.site.load().host_name.clone())
    }

    async fn services(&mut self) -> wasmtime::Result<Vec<Service>> {
        let site = self.services.site.load();
        let services = site.services.iter();
        Ok(services
            .map(|(name, port)| Service {
                name: (*name).to_owned(),
                port: *port,
            })
            .collect())
    }
}
