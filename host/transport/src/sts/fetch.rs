//! Gets a policy: HTTPS to `mta-sts.DOMAIN`, whose certificate must be good for that name (RFC 8461 section 3.3). No redirect is followed,
//! and nothing larger than [`LARGEST`] is read.

use std::{net::SocketAddr, pin::pin, time::Duration};

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{
    Request, Response, StatusCode, body::Bytes, body::Incoming, client::conn::http1, header,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, time::timeout};

use crate::{
    client::tls::{Proof, TlsClient},
    hop::dns::Dns,
    resolver::Answer,
};

/// RFC 8461 section 3.3 suggests 64 kB.
const LARGEST: usize = 64 * 1024;
/// For all of it, which delivery waits for.
const PATIENCE: Duration = Duration::from_secs(30);
/// Addresses that are tried.
const ADDRESSES: usize = 3;

/// The text of a domain's policy.
///
/// # Errors
/// Why there is none to be had now.
pub(super) async fn policy(
    dns: &dyn Dns,
    tls: &TlsClient,
    port: u16,
    domain: &str,
) -> Result<String, String> {
    timeout(PATIENCE, get(dns, tls, port, &format!("mta-sts.{domain}")))
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} seconds", PATIENCE.as_secs())))
}

async fn get(dns: &dyn Dns, tls: &TlsClient, port: u16, host: &str) -> Result<String, String> {
    let addresses = match dns.addresses(host).await {
        Answer::Found(addresses) => addresses,
        Answer::NoRecords | Answer::NoDomain => return Err(format!("{host} has no address")),
        Answer::Failed(why) => return Err(format!("{host} could not be looked up: {why}")),
    };
    let mut last = String::new();
    for address in addresses.into_iter().take(ADDRESSES) {
        match TcpStream::connect(SocketAddr::new(address, port)).await {
            Ok(socket) => return ask(tls, host, socket).await,
            Err(error) => last = format!("{host} ({address}): {error}"),
        }
    }
    Err(last)
}

async fn ask(tls: &TlsClient, host: &str, socket: TcpStream) -> Result<String, String> {
    let wire = tls
        .connect(host, Box::new(socket), Proof::Public)
        .await
        .map_err(|error| format!("{host}: TLS failed: {error}"))?;
    let broken = |error: hyper::Error| format!("{host}: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(wire)).await.map_err(broken)?;
    let request = Request::get("/.well-known/mta-sts.txt")
        .header(header::HOST, host)
        .header(header::ACCEPT, "text/plain")
        .body(Empty::<Bytes>::new())
        .map_err(|error| error.to_string())?;
    let answer = async {
        let answer = sender.send_request(request).await.map_err(broken)?;
        text(answer).await.map_err(|why| format!("{host}: {why}"))
    };
    let mut answer = pin!(answer);
    // The connection is driven here, so that nothing of it outlives the question. When it ends, what came is still to be read.
    tokio::select! {
        biased;
        answer = &mut answer => answer,
        _ = connection => answer.await,
    }
}

async fn text(answer: Response<Incoming>) -> Result<String, String> {
    if answer.status() != StatusCode::OK {
        return Err(format!("it answered {}", answer.status()));
    }
    let kind = answer.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("text/plain") {
        return Err(format!("it is {kind:?}, not text/plain"));
    }
    let content = Limited::new(answer.into_body(), LARGEST).collect().await;
    let content = content.map_err(|error| error.to_string())?.to_bytes();
    String::from_utf8(content.to_vec()).map_err(|_| "it is not text".to_owned())
}
