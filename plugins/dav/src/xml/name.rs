//! Names of elements: a namespace and a local part.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Namespaces that clients of ours use.
pub(crate) mod ns {
    pub(crate) const DAV: &str = "DAV:";
    /// RFC 4791.
    pub(crate) const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
    /// RFC 6352.
    pub(crate) const CARDDAV: &str = "urn:ietf:params:xml:ns:carddav";
    /// Apple's extensions of the server.
    pub(crate) const CALENDARSERVER: &str = "http://calendarserver.org/ns/";
    /// Apple's properties of calendars.
    pub(crate) const APPLE: &str = "http://apple.com/ns/ical/";
    pub(crate) const XML: &str = "http://www.w3.org/XML/1998/namespace";
}

/// A namespace and a local part.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub(crate) struct Name {
    pub(crate) ns: Cow<'static, str>,
    pub(crate) local: Cow<'static, str>,
}

impl Name {
    pub(crate) const fn new(ns: &'static str, local: &'static str) -> Name {
        Name {
            ns: Cow::Borrowed(ns),
            local: Cow::Borrowed(local),
        }
    }

    pub(crate) const fn dav(local: &'static str) -> Name {
        Name::new(ns::DAV, local)
    }

    pub(crate) const fn caldav(local: &'static str) -> Name {
        Name::new(ns::CALDAV, local)
    }

    pub(crate) const fn carddav(local: &'static str) -> Name {
        Name::new(ns::CARDDAV, local)
    }

    pub(crate) const fn calendarserver(local: &'static str) -> Name {
        Name::new(ns::CALENDARSERVER, local)
    }

    pub(crate) const fn owned(ns: String, local: String) -> Name {
        Name {
            ns: Cow::Owned(ns),
            local: Cow::Owned(local),
        }
    }

    pub(crate) fn is(&self, ns: &str, local: &str) -> bool {
        self.ns == ns && self.local == local
    }
}
