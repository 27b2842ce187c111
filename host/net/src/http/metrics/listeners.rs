//! What the listeners have done.

use super::families::{self, Page};
use crate::listener::Bound;

pub(super) fn write(page: &mut Page, listeners: &[Bound]) {
    for listener in listeners {
        let labels = [
            ("listener", listener.name.as_str()),
            ("protocol", listener.protocol.as_str()),
        ];
        let metrics = &listener.metrics;
        page.count(&families::OPEN, &labels, metrics.open.get());
        page.count(&families::ACCEPTED, &labels, metrics.accepted.get());
        page.count(&families::REFUSED, &labels, metrics.refused.get());
        page.count(&families::RECEIVED, &labels, metrics.bytes_in.get());
        page.count(&families::SENT, &labels, metrics.bytes_out.get());
        let handshakes = [
            ("ok", metrics.tls_handshakes.get()),
            ("failed", metrics.tls_failed.get()),
        ];
        for (result, count) in handshakes {
            let [listener, protocol] = labels;
            let labels = [listener, protocol, ("result", result)];
            page.count(&families::HANDSHAKES, &labels, count);
        }
        if listener.protocol == "http" {
            page.count(&families::REQUESTS, &labels, metrics.requests.get());
        }
    }
}
