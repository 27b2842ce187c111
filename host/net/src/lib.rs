//! The network room: every socket and every TLS session of the server.
//!
//! It owns listeners, certificates, the PROXY protocol, the limits on connections, the pumps that carry bytes
//! between a socket and a plugin's turns, and the HTTP front. It knows no protocol: what is said on a connection
//! is a plugin's business, and this room only keeps the contracts of `waxwing:session` and `waxwing:http`.
//!
//! The way of a connection: `listener` accepts it, `proxy_protocol` and `admission` say who it is and whether
//! there is room, `tls` encrypts it, then `pump` (or `http`) runs it to its end over a `transport`.
//!
//! Start with [`Server::start`]; [`NetConfig`] is what it needs to know.

mod admission;
mod config;
mod descriptors;
mod error;
mod http;
mod listener;
mod metrics;
mod plugin_side;
mod proxy_protocol;
mod pump;
mod refusal;
mod server;
mod tls;
mod transport;

pub use config::{CertificateFiles, ListenerConfig, NetConfig, PlaintextLogin, TlsConfig, TlsMode};
pub use error::{Error, Result};
pub use listener::Bound;
pub use metrics::{Counter, ListenerMetrics};
pub use plugin_side::{Attention, HttpExchange, Plugins, StreamSession};
pub use server::Server;
