//! One request: from what hyper parsed to what a plugin sees, and back.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Empty};
use hyper::{Request, body::Incoming};
use tokio::time::Instant;
use tracing::Instrument as _;
use waxwing_directory::User;
use waxwing_exmdb::Body;
use waxwing_runtime::{Error, HttpRequest, Route, RouteAuth, TlsInfo};

use super::{
    activity::Activity,
    authentication, metrics,
    refusal::Refusal,
    request_body::{self, Encoding},
    response::{Answering, ResponseBody, head_alone},
    routes,
};
use crate::{
    admission::Place,
    listener::{Listener, Visitor, new_id},
    plugin_side::Plugins,
};

const ALLOWED: HeaderValue = HeaderValue::from_static("OPTIONS, GET, HEAD, POST");

/// What came with a request beside its head.
struct Received {
    principal: Option<User>,
    body: Option<Body>,
}

/// A connection, as its requests see it.
pub(super) struct Front<P> {
    pub(super) listener: Arc<Listener<P>>,
    pub(super) visitor: Visitor,
    pub(super) tls: Option<TlsInfo>,
    pub(super) activity: Arc<Activity>,
}

impl<P: Plugins> Front<P> {
    pub(super) async fn respond(&self, request: Request<Incoming>) -> Response<ResponseBody> {
        self.listener.metrics.requests.add(1);
        let (id, started) = (new_id(), Instant::now());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let span = tracing::info_span!("request", session = %id);
        let response = match self.answer(&id, request).instrument(span.clone()).await {
            Ok(response) => response,
            Err(refusal) if method == Method::HEAD => head_alone(refusal.response(&id)),
            Err(refusal) => refusal.response(&id),
        };
        let (status, took) = (response.status().as_u16(), started.elapsed());
        span.in_scope(|| tracing::debug!(%method, path, status, ?took, "request"));
        response
    }

    async fn answer(
        &self,
        id: &str,
        request: Request<Incoming>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let busy = self.activity.begin();
        let (parts, mut incoming) = request.into_parts();
        if parts.method == Method::OPTIONS && parts.uri.path() == "*" {
            return Ok(options());
        }
        if metrics::is_asked(&self.listener.shared, &parts) {
            request_body::discard(&mut incoming).await;
            return metrics::answer(&self.listener.shared, &self.visitor, &parts).await;
        }
        let (route, place, prepared) = match self.receive(&parts, &mut incoming).await {
            Ok(received) => received,
            Err(refusal) => {
                // A client that waits for `100 Continue` has sent no body; another one is sending it.
                if !parts.headers.contains_key(header::EXPECT) {
                    request_body::discard(&mut incoming).await;
                }
                return Err(refusal);
            }
        };
        let method = parts.method.clone();
        let request = self.describe(id, &route, (parts, prepared));
        let plugins = &self.listener.shared.plugins;
        let exchange = plugins
            .exchange(&route.plugin, request)
            .map_err(unavailable)?;
        let response = Answering::new(exchange, place, busy)
            .response(&method)
            .await?;
        Ok(if method == Method::OPTIONS {
            always_answered(response)
        } else {
            response
        })
    }

    /// All that may go wrong before a plugin is asked.
    async fn receive(
        &self,
        parts: &Parts,
        incoming: &mut Incoming,
    ) -> Result<(Route, Option<Place>, Received), Refusal> {
        let route = self.admit(parts)?;
        let (principal, place) = if asks_what_is_possible(parts) {
            (None, None)
        } else {
            self.identify(&route, &parts.headers).await?
        };
        let encoding = Encoding::of(&parts.headers)?;
        let store = &self.listener.shared.store;
        let body = request_body::receive(incoming, encoding, route.max_body, store).await?;
        Ok((route, place, Received { principal, body }))
    }

    /// What can be said of a request by its first line and its authority.
    fn admit(&self, parts: &Parts) -> Result<Route, Refusal> {
        if matches!(parts.method, Method::CONNECT | Method::TRACE) {
            return Err(Refusal::Method);
        }
        if !parts.uri.path().starts_with('/') {
            return Err(Refusal::BadRequest("the target is not a path"));
        }
        let routes = self.listener.shared.plugins.routes();
        routes::find(&routes, parts.uri.path())
            .cloned()
            .ok_or(Refusal::NoRoute)
    }

    async fn identify(
        &self,
        route: &Route,
        headers: &HeaderMap,
    ) -> Result<(Option<User>, Option<Place>), Refusal> {
        if route.auth == RouteAuth::None {
            return Ok((None, None));
        }
        let Visitor {
            peer,
            config,
            unlimited,
            ..
        } = &self.visitor;
        if self.tls.is_none() && !config.allows_plaintext_login(*peer) {
            return Err(Refusal::PlaintextLogin);
        }
        let shared = &self.listener.shared;
        let user = authentication::authenticate(&shared.directory, peer.ip(), headers).await?;
        let limit = config.user_limit(*peer).filter(|_| !unlimited);
        let place = shared
            .admission
            .enter_user(&Arc::from("http"), &user.address, limit);
        if place.is_none() {
            tracing::warn!(
                user = user.address,
                limit,
                "limit max_connections_per_user reached"
            );
            return Err(Refusal::TooManyRequests);
        }
        Ok((Some(user), place))
    }

    /// A request as the plugin sees it.
    fn describe(
        &self,
        id: &str,
        route: &Route,
        (parts, received): (Parts, Received),
    ) -> HttpRequest {
        let authority = parts
            .uri
            .authority()
            .map(|authority| authority.as_str().to_owned());
        let host = || {
            parts
                .headers
                .get(header::HOST)
                .and_then(|host| host.to_str().ok())
                .map(str::to_owned)
        };
        // The answer to HEAD is that to GET without its body (RFC 9110 section 9.3.2): no plugin need know of it.
        let method = if parts.method == Method::HEAD {
            Method::GET
        } else {
            parts.method
        };
        HttpRequest {
            id: id.to_owned(),
            method: method.to_string(),
            scheme: if self.tls.is_some() { "https" } else { "http" }.to_owned(),
            authority: authority.or_else(host).unwrap_or_default(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().map(str::to_owned),
            route: route.prefix.clone(),
            headers: headers(&parts.headers),
            peer: self.visitor.peer,
            tls: self.tls.clone(),
            body: received.body,
            principal: received.principal,
        }
    }
}

/// Without credentials, and without what no longer holds for a decoded body.
fn headers(headers: &HeaderMap) -> Vec<(String, Bytes)> {
    let hidden = [
        header::AUTHORIZATION,
        header::PROXY_AUTHORIZATION,
        header::CONTENT_ENCODING,
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::EXPECT,
    ];
    let shown = headers.iter().filter(|(name, _)| !hidden.contains(name));
    shown
        .map(|(name, value)| {
            (
                name.as_str().to_owned(),
                Bytes::copy_from_slice(value.as_bytes()),
            )
        })
        .collect()
}

fn unavailable(error: Error) -> Refusal {
    tracing::error!(%error, "no exchange");
    match error {
        Error::NoPlugin(_) | Error::Limit(_) | Error::Package(_) => Refusal::PluginUnavailable,
        Error::SessionLost(_) | Error::Store(_) | Error::Directory(_) | Error::Other(_) => {
            Refusal::PluginFailed
        }
    }
}

fn options() -> Response<ResponseBody> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(header::ALLOW, ALLOWED);
    response
}

/// OPTIONS without credentials: clients ask what a server can do before they ask their user who they are, and browsers ask before
/// they send credentials (Fetch, 3.2.2). The plugin answers as to nobody.
fn asks_what_is_possible(parts: &Parts) -> bool {
    parts.method == Method::OPTIONS && !parts.headers.contains_key(header::AUTHORIZATION)
}

/// Clients probe with OPTIONS; a plugin that does not know the method still gets them an answer.
fn always_answered(response: Response<ResponseBody>) -> Response<ResponseBody> {
    if !matches!(
        response.status(),
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED
    ) {
        return response;
    }
    let mut answer = options();
    if let Some(allow) = response.headers().get(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allow.clone());
    }
    answer
}
