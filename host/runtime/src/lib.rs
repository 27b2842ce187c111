//! wasmtime engine, plugin packages and versions, instances, hand-over, limits (skeleton of the shapes others build on).
#![allow(missing_docs, unused_variables, clippy::todo)]
use std::{net::SocketAddr, path::{Path, PathBuf}, sync::Arc, time::Duration};
use bytes::Bytes;
use waxwing_directory::Directory;
use waxwing_exmdb::{Body, Store};
use waxwing_transport::Delivery;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("plugin {0} is not loaded")]
    NoPlugin(String),
    #[error("{0}")]
    Package(String),
    /// Trap, time, memory or a bad answer, and no frozen state to go on from: the connection must end.
    #[error("session lost: {0}")]
    SessionLost(String),
    #[error("limit reached: {0}")]
    Limit(String),
    #[error("{0}")]
    Other(String),
}
pub type Result<T> = std::result::Result<T, Error>;

#[derive(Clone)]
pub struct Services { pub store: Store, pub directory: Directory, pub delivery: Delivery }

#[derive(Debug, Clone)]
pub struct TlsInfo { pub protocol: String, pub cipher: String, pub server_name: Option<String>, pub channel_binding: Vec<u8>, pub client_identity: Option<String> }
/// As WIT `session/types.context`, filled by net.
#[derive(Debug, Clone)]
pub struct Context { pub session: String, pub listener: String, pub protocol: String, pub local: SocketAddr, pub peer: SocketAddr, pub tls: Option<TlsInfo>, pub tls_available: bool, pub plaintext_login: bool, pub host_name: String }
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason { Shutdown, Administrator, Idle, LoginTimeout, Limit }
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reception { Complete, OverLimit, Failed }
/// What net tells a session. Timers and store changes are the session's own (see `Session::wake`).
#[derive(Debug, Clone)]
pub enum Event { Input(Bytes), TlsEstablished(TlsInfo), BodyReceived { outcome: Reception, body: Option<Body>, size: u64, detail: String }, Drained, Closing(CloseReason), Closed }
#[derive(Debug, Clone)]
pub enum Framing { Exact(u64), DotStuffed }
/// What net must do, in order. `watch` and `set-timer` never get here: the session keeps them.
#[derive(Debug, Clone)]
pub enum Action { Send(Bytes), SendBody { body: Body, offset: u64, length: u64 }, ReceiveBody { framing: Framing, limit: u64 }, More, StartTls, StartCompression, Park, Close }
#[derive(Debug, Clone, Default)]
pub struct Turn { pub consumed: usize, pub actions: Vec<Action> }

/// Why a waiting session wants attention.
#[derive(Debug)]
pub enum Wake { /// Call `turn_for` with it: a timer ran out or a watched folder changed.
    Turn(PendingEvent), /// Another version is active: call `upgrade` (only with an empty output queue).
    Upgrade, /// End it.
    Close(CloseReason) }
#[derive(Debug)]
pub struct PendingEvent(());

#[derive(Clone)]
pub struct Runtime(Arc<()>);
/// The plugin's side of one connection: a live instance, or its frozen state.
pub struct Session(());
impl Session {
    pub async fn handle(&mut self, event: Event) -> Result<Turn> { todo!() }
    /// Cancel-safe; select it beside the socket.
    pub async fn wake(&mut self) -> Wake { todo!() }
    pub async fn turn_for(&mut self, pending: PendingEvent) -> Result<Turn> { todo!() }
    /// Hands over to the newest version; whatever happens, the session goes on. A turn may come of it.
    pub async fn upgrade(&mut self) -> Result<Turn> { todo!() }
    /// Nothing to do for a while: freeze, drop the instance.
    pub async fn park(&mut self) { todo!() }
    /// The address of the authenticated principal.
    pub fn principal(&self) -> Option<String> { todo!() }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteAuth { None, Basic }
#[derive(Debug, Clone)]
pub struct Route { pub plugin: String, pub prefix: String, pub auth: RouteAuth, pub max_body: u64 }
#[derive(Debug, Clone)]
pub struct HttpRequest { pub id: String, pub method: String, pub scheme: String, pub authority: String, pub path: String, pub query: Option<String>, pub route: String, pub headers: Vec<(String, Bytes)>, pub peer: SocketAddr, pub tls: Option<TlsInfo>, pub body: Option<Body>, pub principal: Option<waxwing_directory::User> }
#[derive(Debug, Clone)]
pub enum HttpAction { Head { status: u16, headers: Vec<(String, Bytes)>, content_length: Option<u64> }, Send(Bytes), SendBody { body: Body, offset: u64, length: u64 }, Finish, Abort }
/// One request; parking and resuming happen inside `next`.
pub struct Exchange(());
impl Exchange {
    /// The next actions; `None` after finish. Call again when the output has left. Cancel-safe while parked; dropping it
    /// frees everything.
    pub async fn next(&mut self) -> Result<Option<Vec<HttpAction>>> { todo!() }
}

#[derive(Debug, Clone)]
pub struct RuntimeConfig { pub packages: PathBuf, pub cache: PathBuf, pub host_name: String /* limits, per-plugin config and grants … */ }

impl Runtime {
    pub async fn new(config: RuntimeConfig, services: Services) -> Result<Runtime> { todo!() }
    /// Opens a session with the active version of the plugin that serves `context.protocol`.
    pub async fn open(&self, context: Context) -> Result<(Session, Turn)> { todo!() }
    pub fn routes(&self) -> Arc<Vec<Route>> { todo!() }
    pub fn exchange(&self, plugin: &str, request: HttpRequest) -> Result<Exchange> { todo!() }
    /// Verifies, compiles (child process, cache), links, self-tests; staged afterwards. Returns "name version digest".
    pub async fn load(&self, package: &Path) -> Result<Loaded> { todo!() }
    pub async fn activate(&self, plugin: &str, version: Option<&str>) -> Result<Swap> { todo!() }
    pub async fn rollback(&self, plugin: &str) -> Result<Swap> { todo!() }
    pub fn status(&self) -> Vec<PluginStatus> { todo!() }
    /// Sessions end with `Closing(Shutdown)`; returns when they are gone or time is up.
    pub async fn shutdown(&self, grace: Duration) { todo!() }
}
#[derive(Debug, Clone, serde::Serialize)]
pub struct Loaded { pub plugin: String, pub version: String, pub digest: String }
#[derive(Debug, Clone, serde::Serialize)]
pub struct Swap { pub plugin: String, pub from: Option<String>, pub to: String }
#[derive(Debug, Clone, serde::Serialize)]
pub struct PluginStatus { pub plugin: String, pub version: String, pub state: String, pub digest: String, pub sessions: u64, pub frozen: u64, pub turns: u64, pub traps: u64, pub handovers: u64, pub refusals: u64 }
