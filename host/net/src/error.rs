//! Why the network room cannot start or change. Troubles of a single connection are logged, not returned.

use std::{io, net::SocketAddr, path::PathBuf};

/// All of these come from the configuration or the machine, never from a peer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port is taken, privileged, or the address is not of this machine.
    #[error(
        "listener \"{name}\" cannot listen on {address}: {hint}. Change `address` in the [[listener]] table \
         with name = \"{name}\" ({source})"
    )]
    Listen {
        /// The listener's name.
        name: String,
        /// What it was to listen on.
        address: SocketAddr,
        /// What to do about it.
        hint: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Two listeners share a name, or ask for something that does not exist.
    #[error("listener \"{name}\": {reason}")]
    Listener {
        /// The listener's name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// A certificate or key file cannot be read or used.
    #[error("{}: {reason}", path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The local authority cannot make a certificate.
    #[error("cannot make a certificate: {0}")]
    Authority(#[from] rcgen::Error),
    /// The TLS library refuses a setting.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

/// Of this crate.
pub type Result<T> = std::result::Result<T, Error>;
