//! `waxwing:directory/scram`: a plugin relays what client and directory say to each other. The exchange stays with the session, and
//! so do the octets it is bound to: what a plugin says of the stream's TLS is not asked.

use wasmtime::component::Resource;
use waxwing_directory::Channel;

use super::{Failure, Result, accounts::Principal};
use crate::{
    bindings::waxwing::directory::scram::{Host, Proved},
    state::State,
};

const PLAIN: &str = "SCRAM-SHA-256";
const PLUS: &str = "SCRAM-SHA-256-PLUS";

impl State {
    fn exporter(&self) -> Vec<u8> {
        let tls = self.host.tls();
        tls.map_or_else(Vec::new, |tls| tls.channel_binding.clone())
    }
}

impl Host for State {
    async fn mechanisms(&mut self) -> wasmtime::Result<Vec<String>> {
        if !self.services.directory.has_scram() {
            return Ok(Vec::new());
        }
        let names = match self.exporter().is_empty() {
            true => vec![PLAIN],
            false => vec![PLUS, PLAIN],
        };
        Ok(names.into_iter().map(str::to_owned).collect())
    }

    async fn begin(&mut self, mechanism: String, message: String) -> Result<String> {
        let channel = Channel {
            exporter: self.exporter(),
            plus: match mechanism.as_str() {
                PLUS => true,
                PLAIN => false,
                _ => return Err(Failure::unsupported(format!("mechanism {mechanism:?}"))),
            },
        };
        let directory = self.services.directory.clone();
        let (exchange, answer) = self
            .call("scram.begin", async move {
                Ok(directory.scram_first(&message, &channel).await?)
            })
            .await?;
        self.host.set_scram(exchange);
        Ok(answer)
    }

    async fn finish(&mut self, message: String) -> Result<Proved> {
        let exchange = self
            .host
            .take_scram()
            .ok_or_else(|| Failure::invalid("no exchange of SCRAM has begun"))?;
        let (directory, peer) = (
            self.services.directory.clone(),
            self.host.identity.peer.ip(),
        );
        let (user, message) = self
            .call("scram.finish", async move {
                Ok(directory.scram_final(peer, &exchange, &message).await?)
            })
            .await?;
        let user = std::sync::Arc::new(user);
        self.host.bind(user.clone());
        let principal: Resource<Principal> = self.push(Principal(user))?;
        Ok(Proved { message, principal })
    }
}
