//! The runtime: plugins in their sandbox.
//!
//! A plugin is a WebAssembly component that is a state machine: an event comes in, a turn of actions goes out, and
//! between two turns its whole state is in its memory or in a byte string that it wrote itself. Everything here
//! follows from that:
//!
//! - `engine`, `limits`, `meter`, `memory`, `long_turns`: what an instance may use, and how it is measured, stopped and kept
//!   from starving others;
//! - `site`: what plugins may tell programs of people about this server;
//! - `slo`: how much a version may fail;
//! - `package`, `compile`, `contract`, `linker`, `wasi`: from a package on disk to something that can be instantiated,
//!   with nothing in reach that was not granted;
//! - `plugins`: versions, which of them serves whom, and what survives a restart;
//! - `report`: what an administrator is told;
//! - `session`, `exchange`: one connection or request; crash recovery, hand-over and parking;
//! - `filter`: people's own filters at delivery; `hooks`: the operator's, in the mail flow;
//! - `sharing`: permissions, and what the directory knows of them;
//! - `imports`, `host_side`, `state`, `aside`: the host's side of the contracts.
//!
//! `net` drives sessions and exchanges and knows nothing of WebAssembly; the store, the directory and the mail flow
//! are given in as `Services` and know nothing of plugins.

mod aside;
mod bindings;
mod compile;
mod contract;
mod engine;
mod exchange;
mod filter;
mod hooks;
mod host_side;
mod imports;
mod instance;
mod limits;
mod linker;
mod locks;
mod long_turns;
mod memory;
mod meter;
pub mod package;
mod plugins;
mod protocol;
mod report;
mod runtime;
mod session;
pub mod sharing;
mod site;
mod slo;
mod state;
mod wasi;

pub use compile::{CompileLimits, Compiler, compile_child_main};
pub use engine::EngineConfig;
pub use exchange::{Exchange, HttpAction, HttpRequest, Route};
pub use hooks::{HookKeys, OnFailure};
pub use limits::{Limits, LimitsRequest};
pub use package::manifest::RouteAuth;
pub use plugins::Audience;
pub use protocol::{Action, CloseReason, Context, Event, Framing, Reception, TlsInfo, Turn};
pub use report::{CanaryStart, Loaded, PluginStatus, Swap, Usage};
pub use runtime::{PluginConfig, Runtime, RuntimeConfig};
pub use session::{PendingEvent, Session, SessionFailure, SessionStatus, Wake};
pub use site::{CurrentSite, Site};
pub use slo::{Slo, SloRequest};

/// What the runtime fails with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing of that name is active.
    #[error("no plugin {0} is active")]
    NoPlugin(String),
    /// A package or version is not what it should be; for its author or operator.
    #[error("{0}")]
    Package(String),
    /// Trap, time, memory or a bad answer, and no frozen state to go on from: the connection must end.
    #[error("session lost: {0}")]
    SessionLost(String),
    /// A limit of the host, named.
    #[error("limit reached: {0}")]
    Limit(String),
    /// A mailbox says no.
    #[error(transparent)]
    Store(#[from] waxwing_exmdb::Error),
    /// The directory says no.
    #[error(transparent)]
    Directory(#[from] waxwing_directory::Error),
    /// The machine failed us.
    #[error("{0}")]
    Other(String),
}

/// What the runtime answers.
pub type Result<T> = std::result::Result<T, Error>;

/// What the imports are served by.
#[derive(Clone)]
pub struct Services {
    /// Mailboxes.
    pub store: waxwing_exmdb::Store,
    /// Who somebody is.
    pub directory: waxwing_directory::Directory,
    /// The mail flow.
    pub delivery: waxwing_transport::Delivery,
    /// What can be found here.
    pub site: CurrentSite,
}
