//! Plays transcripts against a plugin as it runs in production: its component, in wasm, in a real runtime.
//!
//! A [`House`] is a Waxwing without listeners: runtime, store and directory in a temporary directory, with the domain
//! `waxwing.test` and the users [`USERS`]. A [`Component`] is built by cargo when it is asked for, in release like the ones that
//! operators load. The transcripts are those of `waxwing_sdk::testing`; hand-overs drop the instance and thaw its
//! frozen state in a fresh one.
//!
//! ```no_run
//! use waxwing_sdk_harness::{Component, House};
//!
//! let house = House::new()?;
//! house.load(&Component::build("waxwing-example-hello", "examples/hello/plugin.toml")?)?;
//! house.check("hello", "S: ...\nC: Ada\nS: hello Ada (1)");
//! # Ok::<(), waxwing_sdk_harness::Error>(())
//! ```
//!
//! The same store answers plugin code that runs natively ([`House::answer_natively`]), so that both can be measured.
//!
//! What it cannot play: `!timer` (a real runtime has a real clock) and `!crash` (a component traps when it does). Those steps
//! are answered natively.

mod component;
mod house;
mod http;
mod native;
mod session;
mod translate;

pub use component::Component;
pub use house::{House, PASSWORD, USERS, connection};
pub use http::Response;
pub use session::InWasm;

/// Why a component could not be tested.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Cargo could not build it; its messages are on standard error.
    #[error("{0} could not be built")]
    Build(String),
    /// Files.
    #[error("{0}: {1}")]
    File(std::path::PathBuf, std::io::Error),
    /// The runtime refused the package, or lost a session.
    #[error(transparent)]
    Runtime(#[from] waxwing_runtime::Error),
    /// The directory refused a user.
    #[error(transparent)]
    Directory(#[from] waxwing_directory::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] waxwing_exmdb::Error),
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] waxwing_transport::Error),
    /// Nothing more came in time.
    #[error("nothing came within {0:?}")]
    Late(std::time::Duration),
}

/// Of this crate.
pub type Result<T> = std::result::Result<T, Error>;
