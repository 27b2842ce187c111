//! Where things are, and paths to and from it.
//!
//! ```text
//! /dav/                                     the root
//! /dav/principals/                          all principals
//! /dav/principals/ann%40a.example/          a principal; `calendar-proxy-read/` and `calendar-proxy-write/` below it are its delegates
//! /dav/notifications/ann%40a.example/       what she is told of shares
//! /dav/calendars/ann%40a.example/           the home of her calendars; `addressbooks` that of her address books
//! /dav/calendars/ann%40a.example/work/      a collection
//! /dav/calendars/ann%40a.example/work/1.ics an object
//! ```
//!
//! Collections end in a slash in every path that we write, and clients may leave it out. A path is written in one way only, because
//! clients compare: everything but letters, digits and `-._~` is encoded.

use std::fmt::Write as _;

use crate::sharing::access::Access;

/// The prefix of all paths; the route of `plugin.toml`.
pub(crate) const ROOT: &str = "/dav/";
/// Octets of a segment, decoded.
const MAX_SEGMENT: usize = 512;

/// What a home holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Shelf {
    /// CalDAV.
    Calendars,
    /// CardDAV.
    AddressBooks,
}

impl Shelf {
    fn segment(self) -> &'static str {
        match self {
            Shelf::Calendars => "calendars",
            Shelf::AddressBooks => "addressbooks",
        }
    }
}

/// The groups of delegates that every principal has (caldav-proxy).
const PROXIES: [(Access, &str); 2] = [
    (Access::Read, "calendar-proxy-read"),
    (Access::ReadWrite, "calendar-proxy-write"),
];

/// A collection by its names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct CollectionPlace {
    pub(crate) shelf: Shelf,
    /// The address of whose home it is in.
    pub(crate) owner: String,
    pub(crate) name: String,
}

/// A place that may be.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Root,
    Principals,
    Principal(String),
    /// The delegates of a principal.
    Proxy(String, Access),
    /// The notifications of somebody.
    Notifications(String),
    Notification(String, String),
    /// All homes of a kind: nothing is listed there.
    Homes(Shelf),
    Home(Shelf, String),
    Collection(CollectionPlace),
    Object(CollectionPlace, String),
}

impl Place {
    /// The place of a path; none when there can be nothing.
    pub(crate) fn of(path: &str) -> Option<Place> {
        let prefix = ROOT.trim_end_matches('/');
        let (start, rest) = path.split_at_checked(prefix.len())?;
        if !start.eq_ignore_ascii_case(prefix) || !(rest.is_empty() || rest.starts_with('/')) {
            return None;
        }
        let ends_in_slash = rest.ends_with('/');
        let segments: Vec<String> = rest
            .split('/')
            .filter(|segment| !segment.is_empty())
            .map(decode)
            .collect::<Option<_>>()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let shelf = |name: &str| {
            [Shelf::Calendars, Shelf::AddressBooks]
                .into_iter()
                .find(|shelf| shelf.segment() == name)
        };
        match segments.as_slice() {
            [] => Some(Place::Root),
            ["principals"] => Some(Place::Principals),
            ["principals", address, group] => {
                let (access, _) = PROXIES.into_iter().find(|(_, name)| name == group)?;
                Some(Place::Proxy(address.to_lowercase(), access))
            }
            ["notifications", owner] => Some(Place::Notifications(owner.to_lowercase())),
            ["notifications", owner, name] if !ends_in_slash => Some(Place::Notification(
                owner.to_lowercase(),
                (*name).to_owned(),
            )),
            ["principals", address] => Some(Place::Principal(address.to_lowercase())),
            [kind] => Some(Place::Homes(shelf(kind)?)),
            [kind, owner] => Some(Place::Home(shelf(kind)?, owner.to_lowercase())),
            [kind, owner, name, object @ ..] => {
                let collection = CollectionPlace {
                    shelf: shelf(kind)?,
                    owner: owner.to_lowercase(),
                    name: (*name).to_owned(),
                };
                match object {
                    [] => Some(Place::Collection(collection)),
                    [name] if !ends_in_slash => Some(Place::Object(collection, (*name).to_owned())),
                    _ => None,
                }
            }
        }
    }

    /// The place of an href or a Destination: a path, or a URL of which scheme and authority are put aside.
    pub(crate) fn of_href(href: &str) -> Option<Place> {
        let href = href.trim();
        let path = match href.split_once("://") {
            Some((scheme, rest))
                if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") =>
            {
                let slash = rest.find('/')?;
                rest.get(slash..)?
            }
            Some(_) => return None,
            None => href,
        };
        let end = path.find(['?', '#']).unwrap_or(path.len());
        Place::of(path.get(..end)?)
    }

    /// Its path.
    pub(crate) fn path(&self) -> String {
        let mut path = ROOT.to_owned();
        let mut push = |segment: &str, slash: bool| {
            encode(segment, &mut path);
            if slash {
                path.push('/');
            }
        };
        match self {
            Place::Root => {}
            Place::Principals => push("principals", true),
            Place::Principal(address) => {
                push("principals", true);
                push(address, true);
            }
            Place::Proxy(address, access) => {
                push("principals", true);
                push(address, true);
                let name = PROXIES.iter().find(|(known, _)| known == access);
                push(name.map_or("", |(_, name)| name), true);
            }
            Place::Notifications(owner) => {
                push("notifications", true);
                push(owner, true);
            }
            Place::Notification(owner, name) => {
                push("notifications", true);
                push(owner, true);
                push(name, false);
            }
            Place::Homes(shelf) => push(shelf.segment(), true),
            Place::Home(shelf, owner) => {
                push(shelf.segment(), true);
                push(owner, true);
            }
            Place::Collection(place) | Place::Object(place, _) => {
                push(place.shelf.segment(), true);
                push(&place.owner, true);
                push(&place.name, true);
            }
        }
        if let Place::Object(_, name) = self {
            encode(name, &mut path);
        }
        path
    }
}

/// A segment, decoded; none when it is no text, or one that no path of ours can have.
fn decode(segment: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((octet, after)) = rest.split_first() {
        if *octet != b'%' {
            octets.push(*octet);
            rest = after;
            continue;
        }
        let (digits, after) = after.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        octets.push(u8::from_str_radix(digits, 16).ok()?);
        rest = after;
    }
    let text = String::from_utf8(octets).ok()?;
    let possible = text.len() <= MAX_SEGMENT
        && !text.contains(|c: char| c == '/' || c.is_control())
        && !matches!(text.as_str(), "." | "..");
    possible.then_some(text)
}

fn encode(segment: &str, path: &mut String) {
    for octet in segment.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            path.push(char::from(octet));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(path, "%{octet:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn work() -> CollectionPlace {
        CollectionPlace {
            shelf: Shelf::Calendars,
            owner: "ann@a.example".into(),
            name: "Work & Co".into(),
        }
    }

    #[test]
    fn a_path_is_written_in_one_way_and_read_in_several() {
        let path = "/dav/calendars/ann%40a.example/Work%20%26%20Co/";
        assert_eq!(Place::Collection(work()).path(), path);
        for same in [
            path,
            "/dav/calendars/ann@a.example/Work%20&%20Co",
            "/DAV/calendars/Ann%40A.example/Work%20%26%20Co/",
            "/dav//calendars/ann%40a.example/Work%20%26%20Co//",
        ] {
            assert_eq!(Place::of(same), Some(Place::Collection(work())), "{same}");
        }
        let object = Place::Object(work(), "ü 1.ics".into());
        assert_eq!(object.path(), format!("{path}%C3%BC%201.ics"));
        assert_eq!(Place::of("/dav"), Some(Place::Root));
        for place in [
            Place::Proxy("a@b".into(), Access::ReadWrite),
            Place::Notifications("a@b".into()),
            Place::Notification("a@b".into(), "1.xml".into()),
        ] {
            assert_eq!(Place::of(&place.path()), Some(place));
        }
    }

    #[test]
    fn an_href_may_be_a_url() {
        let principal = Some(Place::Principal("a@b".into()));
        for href in [
            "/dav/principals/a@b/",
            " https://x.test:8443/dav/principals/a%40b ",
            "HTTP://x/dav/principals/a@b?x",
        ] {
            assert_eq!(Place::of_href(href), principal, "{href}");
        }
        assert_eq!(Place::of_href("mailto:a@b"), None);
        assert_eq!(Place::of_href("ftp://x/dav/"), None);
    }

    #[test]
    fn where_nothing_can_be_there_is_no_place() {
        for path in [
            "/",
            "/davx/",
            "/dav/other/",
            "/dav/principals/a@b/friends/",
            "/dav/calendars/a/b/c/",
            "/dav/calendars/a/b/c/d",
            "/dav/calendars/a/b/%2F",
            "/dav/calendars/a/b/%zz",
            "/dav/calendars/a/b/%ff",
            "/dav/calendars/a/../b",
        ] {
            assert_eq!(Place::of(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn every_object_has_a_path_that_leads_to_it(name in "[^/\\p{Cc}]{1,30}") {
            prop_assume!(name != "." && name != "..");
            let place = Place::Object(work(), name);
            prop_assert_eq!(Place::of(&place.path()), Some(place));
        }

        #[test]
        fn any_path_is_read_or_refused(path in "(/dav)?[%/a-z0-9@.é]{0,60}") {
            let _ = Place::of(&path);
            let _ = Place::of_href(&path);
        }
    }
}
