//! The queue as an administrator sees it: with the next hop of each recipient, which no row has, since it is the configuration's.

use waxwing_directory::{Directory, Resolution};

use crate::{
    Queue, Resolver, TransportConfig,
    hop::{Hop, Routes},
};

/// The queue, and where its messages go.
#[derive(Clone)]
pub struct Outbound {
    /// What is queued.
    pub queue: Queue,
    /// Who is asked what domains publish.
    pub resolver: Resolver,
    routes: Routes,
}

impl Outbound {
    /// With the routes of a configuration.
    pub fn new(queue: Queue, config: &TransportConfig) -> Outbound {
        Outbound {
            queue,
            resolver: Resolver::new(&config.dns),
            routes: Routes::new(config),
        }
    }

    /// A domain, a host and port, or `local`.
    ///
    /// # Errors
    /// As [`Directory::resolve`].
    pub async fn next_hop(
        &self,
        directory: &Directory,
        address: &str,
    ) -> waxwing_directory::Result<String> {
        let hop = match directory.resolve(address).await? {
            Resolution::Foreign => self.routes.hop(address),
            _ => Hop::Here,
        };
        Ok(hop.to_string())
    }
}
