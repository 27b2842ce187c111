//! Protocols over HTTP: the same turns.
//!
//! The host parses, limits and authenticates a request and hands it over; the plugin answers with a list of actions:
//! a head, what to send, and `finish`. Instead of finishing it may **park**: the instance is dropped, and a fresh one gets
//! the ticket when a watched folder changes or time runs out. The ticket is the request's whole remaining state, so a parked
//! response survives an upgrade of the plugin.

pub use crate::bindings::http::waxwing::http::types::{Action, Head, Park, Request, Wake};
pub use crate::stream::{FolderRef, TlsInfo};

/// A protocol over HTTP. An instance serves one request, or one stretch of a parked one.
pub trait HttpPlugin: 'static {
    /// A request: the first actions of its response.
    fn handle(request: Request) -> Vec<Action>;

    /// A request that was parked or asked for more goes on.
    fn resume(ticket: Vec<u8>, wake: Wake) -> Vec<Action>;
}

impl Head {
    /// A response head without a length (a stream).
    #[must_use]
    pub fn new(status: u16) -> Head {
        Head {
            status,
            headers: Vec::new(),
            content_length: None,
        }
    }

    /// Adds a header field.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Head {
        self.headers
            .push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// Says how many octets follow.
    #[must_use]
    pub fn length(mut self, octets: u64) -> Head {
        self.content_length = Some(octets);
        self
    }
}

/// A whole response of one piece.
#[must_use]
pub fn respond(status: u16, content_type: &str, content: impl AsRef<[u8]>) -> Vec<Action> {
    let content = content.as_ref();
    let head = Head::new(status)
        .header("content-type", content_type)
        .length(content.len() as u64);
    vec![
        Action::Head(head),
        Action::Send(content.to_vec()),
        Action::Finish,
    ]
}

/// Makes a component of a type that is [`HttpPlugin`].
///
/// Outside a host (native builds, tests) it only checks that the type is one.
#[macro_export]
macro_rules! http_plugin {
    ($plugin:ty) => {
        const _: fn() = || {
            fn is_an_http_plugin<T: $crate::http::HttpPlugin>() {}
            is_an_http_plugin::<$plugin>();
        };
        $crate::__export_http!($plugin);
    };
}

#[cfg(not(in_host))]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_http {
    ($plugin:ty) => {};
}

#[cfg(in_host)]
#[doc(hidden)]
#[macro_export]
macro_rules! __export_http {
    ($plugin:ty) => {
        const _: () = {
            struct Component;
            impl $crate::bindings::http::exports::waxwing::http::handler::Guest for Component {
                fn handle(request: $crate::http::Request) -> Vec<$crate::http::Action> {
                    <$plugin as $crate::http::HttpPlugin>::handle(request)
                }
                fn resume(ticket: Vec<u8>, wake: $crate::http::Wake) -> Vec<$crate::http::Action> {
                    <$plugin as $crate::http::HttpPlugin>::resume(ticket, wake)
                }
            }
    $crate::bindings::http::export!(Component with_types_in $crate::bindings::http);
        };
    };
}
