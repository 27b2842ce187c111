//! `/metrics`: the running server in numbers, in the text format of Prometheus (version 0.0.4, which every scraper reads).
//!
//! It is answered here and by no plugin, because a plugin may be what is broken, and because this is the one room below the
//! binary that knows listeners, plugins, directory and store. Nothing is kept for it: each scrape reads the counters that
//! the rooms write anyway, so a server that nobody watches pays nothing, and one with a hundred thousand connections answers as
//! fast as one with ten. No label has a client's, a user's or a mailbox's name: their number is not ours to bound.
//!
//! Who may read it is an address in `[metrics] allow_from`; on an address of its own it is had by a listener of its own.
//! A request that came through an HTTP proxy is refused, since its address is the proxy's and would let everybody in
//! through a proxy on this machine. The PROXY protocol is no such trouble: it is read before.

mod families;
mod listeners;
mod people;
mod plugins;
pub(crate) mod process;
mod queue;
mod store;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, header, request::Parts};
use http_body_util::{BodyExt, Full};
use prometheus::{Encoder as _, TextEncoder};

use waxwing_transport::QueueMetrics;

use self::families::Page;
use super::{refusal::Refusal, response::ResponseBody};
use crate::{
    listener::{Bound, Shared, Visitor},
    plugin_side::Plugins,
};

const PATH: &str = "/metrics";
const CONTENT_TYPE: HeaderValue =
    HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// Whether a request is for this page, which an empty `allow_from` switches off.
pub(super) fn is_asked<P>(shared: &Shared<P>, parts: &Parts) -> bool {
    parts.uri.path() == PATH && !shared.metrics_from.load().is_empty()
}

/// The page, or why it is not for this client.
pub(super) async fn answer<P: Plugins>(
    shared: &Shared<P>,
    visitor: &Visitor,
    parts: &Parts,
) -> Result<Response<ResponseBody>, Refusal> {
    let address = visitor.peer.ip().to_canonical();
    let allowed = shared.metrics_from.load();
    if !allowed.iter().any(|network| network.contains(&address)) {
        tracing::info!(peer = %visitor.peer, "metrics refused: not in [metrics] allow_from");
        return Err(Refusal::MetricsAddress);
    }
    if is_forwarded(&parts.headers) {
        tracing::info!(peer = %visitor.peer, "metrics refused: the request came through a proxy");
        return Err(Refusal::MetricsForwarded);
    }
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return Err(Refusal::MetricsMethod);
    }
    let text = text(shared).await?;
    let mut response = Response::new(
        Full::new(Bytes::from(text))
            .map_err(|never| match never {})
            .boxed_unsync(),
    );
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, CONTENT_TYPE);
    Ok(response)
}

/// RFC 7239, and what was written before it.
fn is_forwarded(headers: &HeaderMap) -> bool {
    [
        header::FORWARDED,
        header::VIA,
        HeaderName::from_static("x-forwarded-for"),
        HeaderName::from_static("x-real-ip"),
    ]
    .iter()
    .any(|name| headers.contains_key(name))
}

async fn text<P: Plugins>(shared: &Shared<P>) -> Result<Vec<u8>, Refusal> {
    let (own, store, directory) = (
        shared.plugins.clone(),
        shared.store.clone(),
        shared.directory.clone(),
    );
    let queue = match shared.courier.get() {
        Some(courier) => courier.metrics().await,
        None => QueueMetrics::default(),
    };
    let bound: Vec<Bound> = shared.bound.load().to_vec();
    // Counting the descriptors reads a directory of as many entries.
    let written = tokio::task::spawn_blocking(move || {
        let mut page = Page::default();
        process::write(&mut page)?;
        listeners::write(&mut page, &bound);
        plugins::write(&mut page, &own.status(), own.usage());
        store::write(&mut page, store.metrics());
        queue::write(&mut page, queue);
        people::write(&mut page, directory.logins());
        let mut text = Vec::new();
        TextEncoder::new()
            .encode(&page.into_families(), &mut text)
            .map_err(|error| error.to_string())?;
        Ok::<_, String>(text)
    });
    let failed = match written.await {
        Ok(Ok(text)) => return Ok(text),
        Ok(Err(error)) => error,
        Err(error) => error.to_string(),
    };
    tracing::error!(error = failed, "the metrics cannot be written");
    Err(Refusal::Metrics)
}

#[cfg(test)]
mod tests {
    use super::families::ALL;

    /// Name, type and meaning of each row of the guide's table.
    fn documented() -> Vec<[String; 2]> {
        let guide = include_str!("../../../../../docs/operator-guide.md");
        let rows = guide
            .lines()
            .filter(|line| line.starts_with("| `waxwing_") || line.starts_with("| `process_"));
        rows.map(|row| {
            let mut cells = row.trim_matches('|').split('|').map(str::trim);
            let mut cell = || cells.next().unwrap_or_default().replace('`', "");
            [cell(), cell()]
        })
        .collect()
    }

    #[test]
    fn the_operators_guide_has_every_metric_with_its_type_and_no_other() {
        let written: Vec<[String; 2]> = ALL
            .iter()
            .map(|family| [family.name.to_owned(), family.kind().to_owned()])
            .collect();
        assert_eq!(documented(), written);
    }

    #[test]
    fn names_follow_the_conventions_of_prometheus() {
        for family in ALL {
            let name = family.name;
            assert_eq!(
                name.ends_with("_total"),
                family.kind() == "counter",
                "{name}"
            );
            assert!(
                !name.contains("millis") && !name.contains("octets"),
                "{name}"
            );
            assert!(family.help.ends_with('.'), "{name}");
        }
    }
}
