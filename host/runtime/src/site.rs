//! What programs of people find at this server, by its configuration. It changes when that is read again; who asks sees
//! the newest.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

/// What is told.
#[derive(Debug, Clone, Default)]
pub struct Site {
    /// The name to connect to.
    pub host_name: String,
    /// Registered names such as `imaps` with their ports (RFC 6186, RFC 8314, RFC 5804, RFC 6764), sorted, each at most once.
    pub services: Vec<(&'static str, u16)>,
}

/// One for all who tell it.
#[derive(Debug, Clone, Default)]
pub struct CurrentSite(Arc<ArcSwap<Site>>);

impl CurrentSite {
    /// Begins with this.
    #[must_use]
    pub fn new(site: Site) -> CurrentSite {
        CurrentSite(Arc::new(ArcSwap::from_pointee(site)))
    }

    /// What is told now.
    #[must_use]
    pub fn load(&self) -> Guard<Arc<Site>> {
        self.0.load()
    }

    /// Tells this from now on.
    pub fn change(&self, site: Site) {
        self.0.store(Arc::new(site));
    }
}
