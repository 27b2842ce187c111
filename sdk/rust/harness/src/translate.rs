//! Between the SDK's words for events and actions and the runtime's.

use bytes::Bytes;
use waxwing_exmdb::Body;
use waxwing_runtime as host;
use waxwing_sdk::bodies;
use waxwing_sdk::stream::{self as sdk, Turn};

/// The most of a body that is read at once.
const CHUNK: usize = 256 * 1024;

pub(crate) fn tls(tls: &sdk::TlsInfo) -> host::TlsInfo {
    host::TlsInfo {
        protocol: tls.protocol.clone(),
        cipher: tls.cipher.clone(),
        server_name: tls.server_name.clone(),
        channel_binding: tls.channel_binding.clone(),
        client_identity: tls.client_identity.clone(),
    }
}

fn reason(reason: sdk::CloseReason) -> host::CloseReason {
    match reason {
        sdk::CloseReason::Shutdown => host::CloseReason::Shutdown,
        sdk::CloseReason::Administrator => host::CloseReason::Administrator,
        sdk::CloseReason::Idle => host::CloseReason::Idle,
        sdk::CloseReason::LoginTimeout => host::CloseReason::LoginTimeout,
        sdk::CloseReason::Limit => host::CloseReason::Limit,
    }
}

/// An event for the runtime; none for those that the runtime finds itself.
pub(crate) fn event(event: sdk::Event) -> Option<host::Event> {
    Some(match event {
        sdk::Event::Input(octets) => host::Event::Input(Bytes::from(octets)),
        sdk::Event::TlsEstablished(info) => host::Event::TlsEstablished(tls(&info)),
        sdk::Event::BodyReceived(received) => host::Event::BodyReceived {
            outcome: match received.outcome {
                sdk::Reception::Complete => host::Reception::Complete,
                sdk::Reception::OverLimit => host::Reception::OverLimit,
                sdk::Reception::Failed => host::Reception::Failed,
            },
            body: received
                .body
                .map(|body| Body::from_bytes(Bytes::copy_from_slice(body.bytes()))),
            size: received.size,
            detail: received.detail,
        },
        sdk::Event::Drained => host::Event::Drained,
        sdk::Event::Closing(why) => host::Event::Closing(reason(why)),
        sdk::Event::Closed => host::Event::Closed,
        sdk::Event::Timer(_) | sdk::Event::Changed(_) | sdk::Event::Extension(_) => return None,
    })
}

/// What the component wants, bodies read whole.
pub(crate) async fn turn(turn: host::Turn) -> crate::Result<Turn> {
    let mut written = Turn::new().consumed(turn.consumed);
    for action in turn.actions {
        written = match action {
            host::Action::Send(octets) => written.send(octets),
            host::Action::SendBody {
                body,
                offset,
                length,
                stuffed,
            } => match (stuffed, read(&body.slice(offset, length)).await?) {
                (true, body) => written.send_stuffed(body, 0, length),
                (false, body) => written.send_body(body),
            },
            host::Action::ReceiveBody {
                framing: host::Framing::Exact(octets),
                limit,
            } => written.receive_exact(octets, limit),
            host::Action::ReceiveBody {
                framing: host::Framing::DotStuffed,
                limit,
            } => written.receive_dot_stuffed(limit),
            host::Action::More => written.more(),
            host::Action::StartTls => written.start_tls(),
            host::Action::StartCompression => written.start_compression(),
            host::Action::Park => written.park(),
            host::Action::Close => written.close(),
        };
    }
    Ok(written)
}

async fn read(body: &Body) -> crate::Result<bodies::Body> {
    Ok(bodies::Body::of(&octets(body).await?))
}

/// All octets of a body.
pub(crate) async fn octets(body: &Body) -> crate::Result<Vec<u8>> {
    let mut all = Vec::new();
    while (all.len() as u64) < body.size() {
        let chunk = body.read(all.len() as u64, CHUNK).await?;
        if chunk.is_empty() {
            break;
        }
        all.extend_from_slice(&chunk);
    }
    Ok(all)
}
