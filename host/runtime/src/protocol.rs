//! What `net` and the runtime say to one another about a stream connection: the host's own form of
//! `waxwing:session/types`. Timers and watches are missing on purpose: the session keeps those itself and `net`
//! learns of them by `Session::wake`.

use std::{net::SocketAddr, sync::Arc};

use bytes::Bytes;
use waxwing_exmdb::Body;

/// What is known of a TLS session.
#[derive(Debug, Clone)]
pub struct TlsInfo {
    /// `TLSv1.2`, `TLSv1.3`.
    pub protocol: String,
    /// The suite's IANA name.
    pub cipher: String,
    /// SNI.
    pub server_name: Option<String>,
    /// RFC 9266 tls-exporter.
    pub channel_binding: Vec<u8>,
    /// The verified subject of a client certificate.
    pub client_identity: Option<String>,
}

/// A connection, as `net` presents it. What many connections have in common is shared between them.
#[derive(Debug, Clone)]
pub struct Context {
    /// One id through net, plugin and store, in every log line.
    pub session: Arc<str>,
    /// The listener's configured name.
    pub listener: Arc<str>,
    /// What the plugin must speak (`imap`, `lmtp`, …).
    pub protocol: Arc<str>,
    /// Where the client connected to.
    pub local: SocketAddr,
    /// The client, behind a trusted proxy the real one.
    pub peer: SocketAddr,
    /// Present when the stream is encrypted.
    pub tls: Option<Arc<TlsInfo>>,
    /// Whether `start-tls` would work.
    pub tls_available: bool,
    /// Whether passwords may be taken without TLS.
    pub plaintext_login: bool,
    /// The name to greet with.
    pub host_name: Arc<str>,
}

/// Why the host ends a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The server stops.
    Shutdown,
    /// An administrator ended the session.
    Administrator,
    /// Nothing was heard for too long.
    Idle,
    /// No log-in in time.
    LoginTimeout,
    /// A limit of the host.
    Limit,
}

/// How a `receive-body` ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reception {
    /// All of it is there.
    Complete,
    /// It passed the limit and was dropped, read to its end.
    OverLimit,
    /// The host could not keep it; read to its end.
    Failed,
}

/// What net tells a session.
#[derive(Debug, Clone)]
pub enum Event {
    /// All input that is not consumed yet.
    Input(Bytes),
    /// The handshake after `StartTls` is done.
    TlsEstablished(TlsInfo),
    /// The end of a `ReceiveBody`.
    BodyReceived {
        /// How it ended.
        outcome: Reception,
        /// Present when complete.
        body: Option<Body>,
        /// Octets seen.
        size: u64,
        /// For logs.
        detail: String,
    },
    /// The output of a turn that asked for `More` has left.
    Drained,
    /// Say goodbye; the connection ends when the turn's output has left.
    Closing(CloseReason),
    /// The peer is gone.
    Closed,
}

/// How the end of a body is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Framing {
    /// So many octets.
    Exact(u64),
    /// Up to CRLF.CRLF, dots unstuffed (RFC 5321 4.5.2).
    DotStuffed,
}

/// What net must do, in order.
#[derive(Debug, Clone)]
pub enum Action {
    /// Write these octets.
    Send(Bytes),
    /// Write a range of a body, which lies within it.
    SendBody {
        /// The body.
        body: Body,
        /// First octet.
        offset: u64,
        /// Octets.
        length: u64,
        /// Whether it leaves dot-stuffed (RFC 5321 4.5.2), and with CRLF at its end.
        stuffed: bool,
    },
    /// The following input becomes a body; last of a turn.
    ReceiveBody {
        /// How its end is known.
        framing: Framing,
        /// Octets beyond this are counted and dropped.
        limit: u64,
    },
    /// Send `Drained` once the output has left; input waits.
    More,
    /// Start TLS after the output has left; buffered plaintext is dropped.
    StartTls,
    /// RFC 4978 DEFLATE both ways after the output has left.
    StartCompression,
    /// The session has nothing to do until an event: `Session::park` is worth it.
    Park,
    /// End the connection after the output has left.
    Close,
}

/// What came of an event.
#[derive(Debug, Clone, Default)]
pub struct Turn {
    /// Octets of the input given that are done with.
    pub consumed: usize,
    /// In order.
    pub actions: Vec<Action>,
}
