//! Why a connection ended: what the plugin and the peer are told, and the log.

use std::{fmt, io};

use waxwing_runtime::CloseReason;

/// The end of a conversation.
#[derive(Debug)]
pub(crate) enum Ending {
    /// The peer will send no more, and has been answered.
    PeerClosed,
    /// The plugin said `close`.
    PluginClosed,
    /// The plugin was told `closing` and has said its goodbye.
    Goodbye(CloseReason),
    /// Neither end could be waited for: the server stops now.
    Killed,
    /// The socket failed under us.
    Io(io::Error),
    Tls(String),
    /// A stored body could not be read while it was sent.
    Body(String),
    /// A turn that breaks the contract.
    PluginFault(&'static str),
    /// The plugin failed and has no state to go on from.
    SessionLost(String),
}

impl Ending {
    /// Whether the plugin must be told `closed`.
    pub(crate) fn peer_is_gone(&self) -> bool {
        match self {
            Ending::PeerClosed | Ending::Io(_) | Ending::Tls(_) | Ending::Body(_) => true,
            Ending::PluginClosed
            | Ending::Goodbye(_)
            | Ending::Killed
            | Ending::PluginFault(_)
            | Ending::SessionLost(_) => false,
        }
    }

    /// Whether the stream is in a state to be closed properly. A body that broke off is not: the peer must
    /// not take it for whole.
    pub(crate) fn is_orderly(&self) -> bool {
        match self {
            Ending::PeerClosed
            | Ending::PluginClosed
            | Ending::Goodbye(_)
            | Ending::SessionLost(_) => true,
            Ending::Killed
            | Ending::Io(_)
            | Ending::Tls(_)
            | Ending::Body(_)
            | Ending::PluginFault(_) => false,
        }
    }

    /// Whether an operator should hear of it.
    pub(crate) fn is_a_defect(&self) -> bool {
        matches!(
            self,
            Ending::Body(_) | Ending::PluginFault(_) | Ending::SessionLost(_)
        )
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::PeerClosed => f.write_str("peer closed"),
            Ending::PluginClosed => f.write_str("closed"),
            Ending::Goodbye(CloseReason::Shutdown) => f.write_str("server stops"),
            Ending::Goodbye(CloseReason::Administrator) => f.write_str("ended by an administrator"),
            Ending::Goodbye(CloseReason::Idle) => f.write_str("idle_timeout"),
            Ending::Goodbye(CloseReason::LoginTimeout) => f.write_str("login_timeout"),
            Ending::Goodbye(CloseReason::Limit) => f.write_str("limit reached"),
            Ending::Killed => f.write_str("server stopped"),
            Ending::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                f.write_str("write_timeout")
            }
            Ending::Io(error) => write!(f, "connection lost: {error}"),
            Ending::Tls(error) => write!(f, "TLS: {error}"),
            Ending::Body(error) => write!(f, "a body could not be sent: {error}"),
            Ending::PluginFault(fault) => write!(f, "the plugin broke the contract: {fault}"),
            Ending::SessionLost(error) => write!(f, "the plugin failed: {error}"),
        }
    }
}

impl From<io::Error> for Ending {
    fn from(error: io::Error) -> Ending {
        Ending::Io(error)
    }
}

impl From<waxwing_runtime::Error> for Ending {
    fn from(error: waxwing_runtime::Error) -> Ending {
        Ending::SessionLost(error.to_string())
    }
}
