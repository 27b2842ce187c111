//! From a plugin's actions to a response.
//!
//! Up to the head everything can still become an error page; after it, a failure breaks the response off. A small
//! response that is whole after the first turn is sent with its length, in one write with its head. Anything else is
//! pulled, chunk by chunk, as the client takes it.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, Empty, Full, StreamBody, combinators::UnsyncBoxBody};
use tracing::Instrument as _;
use waxwing_exmdb::Body;
use waxwing_runtime::HttpAction;

use super::{activity::Busy, limits, refusal::Refusal};
use crate::{admission::Place, plugin_side::HttpExchange};

/// Why a response broke off; hyper only needs to know that it did.
pub(super) type BrokenOff = Box<dyn std::error::Error + Send + Sync>;
pub(super) type ResponseBody = UnsyncBoxBody<Bytes, BrokenOff>;

/// An exchange, what it has asked for and not got yet, and what it holds while it lasts.
pub(super) struct Answering<E> {
    exchange: E,
    actions: VecDeque<HttpAction>,
    /// The part of a stored body that is being sent.
    body: Option<(Body, u64, u64)>,
    _place: Option<Place>,
    _busy: Busy,
}

struct Head {
    status: StatusCode,
    headers: Vec<(String, Bytes)>,
    content_length: Option<u64>,
}

/// The answer to HEAD: what GET would get, without its body (RFC 9110 section 9.3.2). Over HTTP/2 hyper leaves that to us, and
/// clients take octets behind such a head for an error.
pub(super) fn head_alone(mut response: Response<ResponseBody>) -> Response<ResponseBody> {
    if let Some(length) = response.body().size_hint().exact() {
        response
            .headers_mut()
            .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response.map(|_| Empty::new().map_err(|never| match never {}).boxed_unsync())
}

impl<E: HttpExchange> Answering<E> {
    pub(super) fn new(exchange: E, place: Option<Place>, busy: Busy) -> Answering<E> {
        Answering {
            exchange,
            actions: VecDeque::new(),
            body: None,
            _place: place,
            _busy: busy,
        }
    }

    /// Runs the exchange to its head and makes a response of it.
    pub(super) async fn response(
        mut self,
        method: &Method,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let head = self.head().await?;
        let mut response =
            Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
        *response.status_mut() = head.status;
        for (name, value) in &head.headers {
            if let Some((name, value)) = allowed(name, value) {
                response.headers_mut().append(name, value);
            }
        }
        // RFC 9110 section 8.6.
        let bodiless = head.status.is_informational()
            || matches!(
                head.status,
                StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
            );
        let whole = if bodiless { None } else { self.whole().await };
        let length = head
            .content_length
            .or(whole.as_ref().map(|bytes| bytes.len() as u64));
        if let Some(length) = length.filter(|_| !bodiless) {
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        if method != Method::HEAD && !bodiless {
            *response.body_mut() = match whole {
                Some(bytes) => Full::new(bytes)
                    .map_err(|never| match never {})
                    .boxed_unsync(),
                None => self.stream(),
            };
        }
        Ok(response)
    }

    async fn head(&mut self) -> Result<Head, Refusal> {
        loop {
            match self.actions.pop_front() {
                Some(HttpAction::Head {
                    status,
                    headers,
                    content_length,
                }) => {
                    let status = StatusCode::from_u16(status)
                        .ok()
                        .filter(|status| !status.is_informational());
                    return match status {
                        Some(status) => Ok(Head {
                            status,
                            headers,
                            content_length,
                        }),
                        None => Err(failed("a status that does not exist")),
                    };
                }
                Some(_) => return Err(failed("an action before the head")),
                None => match self.exchange.next().await {
                    Ok(Some(actions)) => self.actions.extend(actions),
                    Ok(None) => return Err(failed("no head")),
                    Err(error) => return Err(failed(&error.to_string())),
                },
            }
        }
    }

    /// The body, when all of it is at hand and small.
    async fn whole(&mut self) -> Option<Bytes> {
        let finished = matches!(self.actions.back(), Some(HttpAction::Finish));
        let mut size = 0;
        for action in &self.actions {
            size += match action {
                HttpAction::Send(bytes) => bytes.len() as u64,
                HttpAction::SendBody { length, .. } => *length,
                HttpAction::Finish => 0,
                HttpAction::Head { .. } | HttpAction::Abort => return None,
            };
        }
        if !finished || size > limits::SMALL_RESPONSE as u64 {
            return None;
        }
        let mut whole = BytesMut::new();
        for action in &self.actions {
            match action {
                HttpAction::Send(bytes) => whole.extend_from_slice(bytes),
                HttpAction::SendBody {
                    body,
                    offset,
                    length,
                } => {
                    let bytes = body
                        .read(*offset, usize::try_from(*length).ok()?)
                        .await
                        .ok()?;
                    whole.extend_from_slice(&bytes);
                }
                _ => {}
            }
        }
        (whole.len() as u64 == size).then(|| whole.freeze())
    }

    fn stream(self) -> ResponseBody {
        // The rest is asked for by the connection, and belongs to the request all the same.
        let span = tracing::Span::current();
        let frames = stream::try_unfold(self, move |mut answering| {
            let next = async move {
                match answering.next_chunk().await {
                    Ok(chunk) => Ok(chunk.map(|chunk| (Frame::data(chunk), answering))),
                    Err(error) => {
                        tracing::warn!(error, "response broken off");
                        Err(BrokenOff::from(error))
                    }
                }
            };
            next.instrument(span.clone())
        });
        StreamBody::new(frames).boxed_unsync()
    }

    async fn next_chunk(&mut self) -> Result<Option<Bytes>, String> {
        loop {
            if let Some(chunk) = self.next_of_body().await? {
                return Ok(Some(chunk));
            }
            match self.actions.pop_front() {
                Some(HttpAction::Send(bytes)) if bytes.is_empty() => {}
                Some(HttpAction::Send(bytes)) => return Ok(Some(bytes)),
                Some(HttpAction::SendBody {
                    body,
                    offset,
                    length,
                }) => self.body = Some((body, offset, length)),
                Some(HttpAction::Finish) => return Ok(None),
                Some(HttpAction::Abort) => return Err("the plugin aborted it".to_owned()),
                Some(HttpAction::Head { .. }) => {
                    return Err("the plugin sent a second head".to_owned());
                }
                None => match self
                    .exchange
                    .next()
                    .await
                    .map_err(|error| error.to_string())?
                {
                    Some(actions) => self.actions.extend(actions),
                    None => return Ok(None),
                },
            }
        }
    }

    async fn next_of_body(&mut self) -> Result<Option<Bytes>, String> {
        let Some((body, offset, length)) = &mut self.body else {
            return Ok(None);
        };
        let wanted = usize::try_from((*length).min(limits::CHUNK)).unwrap_or(0);
        if wanted == 0 {
            self.body = None;
            return Ok(None);
        }
        let chunk = body
            .read(*offset, wanted)
            .await
            .map_err(|error| error.to_string())?;
        if chunk.is_empty() {
            return Err("a body is shorter than the plugin said".to_owned());
        }
        *offset += chunk.len() as u64;
        *length -= chunk.len() as u64;
        Ok(Some(chunk))
    }
}

fn failed(reason: &str) -> Refusal {
    tracing::error!(reason, "the plugin failed before the head of a response");
    Refusal::PluginFailed
}

/// A header of a plugin's, unless it belongs to the connection and so to hyper.
fn allowed(name: &str, value: &Bytes) -> Option<(HeaderName, HeaderValue)> {
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .ok()
        .zip(HeaderValue::from_maybe_shared(value.clone()).ok());
    let Some((name, value)) = parsed else {
        tracing::warn!(name, "a header of the plugin is malformed and left out");
        return None;
    };
    let of_connection = [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        header::TE,
        header::TRAILER,
        HeaderName::from_static("keep-alive"),
    ];
    (!of_connection.contains(&name)).then_some((name, value))
}
