//! Every limit of the HTTP front that is not a listener's or a route's own.

use std::time::Duration;

/// Octets of a request line and its header fields (HTTP/1).
pub(super) const HEADERS: usize = 64 * 1024;
/// Header fields of a request (HTTP/1).
pub(super) const HEADER_FIELDS: usize = 128;
/// Octets of a header list, as RFC 9113 section 6.5.2 counts them.
pub(super) const HEADER_LIST: u32 = 64 * 1024;
/// Requests at a time on one HTTP/2 connection.
pub(super) const STREAMS: u32 = 128;
/// Streams that a client resets before they were answered, before the connection is closed (rapid reset).
pub(super) const RESET_STREAMS: usize = 32;
/// What a client may send ahead of the reader.
pub(super) const STREAM_WINDOW: u32 = 256 * 1024;
/// Over all streams of a connection.
pub(super) const CONNECTION_WINDOW: u32 = 1024 * 1024;
/// What is buffered for one stream.
pub(super) const SEND_BUFFER: usize = 256 * 1024;
/// A silent HTTP/2 connection is asked for a sign of life.
pub(super) const PING_EVERY: Duration = Duration::from_secs(60);
/// And closed without one.
pub(super) const PING_PATIENCE: Duration = Duration::from_secs(20);
/// From the first octet of a connection to the point where the version of HTTP is clear.
pub(super) const OPENING: Duration = Duration::from_secs(30);
/// Between two pieces of a request body.
pub(super) const BODY_PIECE: Duration = Duration::from_secs(60);
/// Of a body nobody wants, read so that the refusal is not lost in a reset.
pub(super) const UNWANTED_BODY: u64 = 1024 * 1024;
/// For that.
pub(super) const UNWANTED_TIME: Duration = Duration::from_secs(5);
/// A response body up to this size is sent with its head in one write.
pub(super) const SMALL_RESPONSE: usize = 64 * 1024;
/// A stored body is sent in chunks of this size.
pub(super) const CHUNK: u64 = 256 * 1024;
/// A client of HTTP/2 must answer before it is closed properly; one that does not is dropped after this.
pub(super) const FAREWELL: Duration = Duration::from_secs(3);
