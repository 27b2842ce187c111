//! What the front answers by itself, without or instead of a plugin.

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{self, HeaderName},
};
use http_body_util::{BodyExt, Full};

use super::response::ResponseBody;

const REALM: &str = "Basic realm=\"waxwing\", charset=\"UTF-8\"";
const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");

/// An answer of the host's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    NoRoute,
    /// What of the request does not make sense.
    BadRequest(&'static str),
    Method,
    Unauthorized,
    /// A password would cross a connection that is not encrypted.
    PlaintextLogin,
    /// Failed log-ins.
    TooManyFailures,
    /// `max_connections_per_user`.
    TooManyRequests,
    /// With the limit.
    BodyTooLarge(u64),
    Encoding,
    BodyTimeout,
    /// The spool does not take it.
    Storage,
    DirectoryUnavailable,
    PluginUnavailable,
    PluginFailed,
    /// `[metrics] allow_from`.
    MetricsAddress,
    /// Through a proxy, behind which anybody may stand.
    MetricsForwarded,
    MetricsMethod,
    Metrics,
}

impl Refusal {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Refusal::NoRoute => StatusCode::NOT_FOUND,
            Refusal::BadRequest(_) => StatusCode::BAD_REQUEST,
            Refusal::Method | Refusal::MetricsMethod => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::Unauthorized => StatusCode::UNAUTHORIZED,
            Refusal::PlaintextLogin | Refusal::MetricsAddress | Refusal::MetricsForwarded => {
                StatusCode::FORBIDDEN
            }
            Refusal::TooManyFailures | Refusal::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Refusal::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Refusal::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Refusal::Storage => StatusCode::INSUFFICIENT_STORAGE,
            Refusal::DirectoryUnavailable | Refusal::PluginUnavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Refusal::PluginFailed | Refusal::Metrics => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn text(&self) -> String {
        match self {
            Refusal::NoRoute => "nothing is served here".to_owned(),
            Refusal::BadRequest(reason) => (*reason).to_owned(),
            Refusal::Method | Refusal::MetricsMethod => "this method is not served".to_owned(),
            Refusal::Unauthorized => "log in with a user name and a password".to_owned(),
            Refusal::PlaintextLogin => {
                "log in over TLS: plaintext_login does not allow it here".to_owned()
            }
            Refusal::TooManyFailures => "too many failed log-ins, try again later".to_owned(),
            Refusal::TooManyRequests => {
                "too many requests at a time: max_connections_per_user".to_owned()
            }
            Refusal::BodyTooLarge(limit) => {
                format!("the request body is larger than {limit} octets")
            }
            Refusal::Encoding => "content-encoding may be gzip, deflate or identity".to_owned(),
            Refusal::BodyTimeout => "the request body did not come in time".to_owned(),
            Refusal::Storage => "the request body cannot be stored".to_owned(),
            Refusal::DirectoryUnavailable => "log-ins are not possible at the moment".to_owned(),
            Refusal::PluginUnavailable => "the plugin for this path is not running".to_owned(),
            Refusal::PluginFailed => "the plugin for this path failed".to_owned(),
            Refusal::MetricsAddress => {
                "metrics are not for this address: [metrics] allow_from".to_owned()
            }
            Refusal::MetricsForwarded => {
                "metrics are not served through a proxy: ask the server itself".to_owned()
            }
            Refusal::Metrics => "the metrics cannot be written".to_owned(),
        }
    }

    /// With the request's id, by which the log can be searched.
    pub(super) fn response(&self, id: &str) -> Response<ResponseBody> {
        let text = format!("{} (request {id})\n", self.text());
        let mut response = Response::new(
            Full::new(Bytes::from(text))
                .map_err(|never| match never {})
                .boxed_unsync(),
        );
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        if let Ok(id) = HeaderValue::from_str(id) {
            headers.insert(REQUEST_ID, id);
        }
        match self {
            Refusal::Unauthorized => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(REALM));
            }
            Refusal::Method => {
                headers.insert(
                    header::ALLOW,
                    HeaderValue::from_static("OPTIONS, GET, HEAD, POST"),
                );
            }
            Refusal::MetricsMethod => {
                headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
            }
            Refusal::Encoding => {
                // RFC 7694.
                headers.insert(
                    header::ACCEPT_ENCODING,
                    HeaderValue::from_static("gzip, deflate"),
                );
            }
            Refusal::TooManyFailures | Refusal::TooManyRequests | Refusal::PluginUnavailable => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
            }
            _ => {}
        }
        response
    }
}
