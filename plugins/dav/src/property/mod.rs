//! Properties: what is asked for, what there is, and the 207 that says so.
//!
//! Every resource is [`Described`]: it writes a property that it has and is silent about any other, which becomes a 404 of its own in
//! the answer. No property that a client can ask for makes a request fail.

pub(crate) mod acl;
mod collection;
mod common;
mod notification;
mod object;
mod principal;
mod proxy;
mod time;
mod tree;

pub(crate) use collection::{CollectionView, is_protected};
pub(crate) use common::Privilege;
pub(crate) use notification::{NotificationView, NotificationsView};
pub(crate) use object::ObjectView;
pub(crate) use principal::PrincipalView;
pub(crate) use proxy::ProxyView;
pub(crate) use time::{http_date, stamp};
pub(crate) use tree::TreeView;

use crate::answer::{Answer, Refusal};
use crate::paging::{Cursor, PAGE_OCTETS};
use crate::place::Place;
use crate::request::Request;
use crate::xml::{Element, Name, Writer, ns};

/// Properties of one request.
const MAX_PROPERTIES: usize = 512;

/// Something that has properties.
pub(crate) trait Described {
    fn place(&self) -> Place;

    /// Writes the whole element of a property; false when there is none.
    fn write(&self, name: &Name, out: &mut Writer) -> bool;

    /// What `allprop` and `propname` tell of.
    fn names(&self) -> Vec<Name>;
}

/// What is asked for (RFC 4918 section 14.20).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Asked {
    /// `allprop`, and what `include` adds.
    All(Vec<Name>),
    /// `propname`.
    Names,
    /// `prop`.
    These(Vec<Name>),
}

impl Asked {
    /// From the body of PROPFIND; none asks for all.
    pub(crate) fn of_propfind(body: Option<&Element>) -> Result<Asked, Refusal> {
        let Some(body) = body else {
            return Ok(Asked::All(Vec::new()));
        };
        if !body.name.is(ns::DAV, "propfind") {
            return Err(Refusal::new(400, "the body of PROPFIND is a DAV:propfind"));
        }
        Asked::of(body)?.ok_or_else(|| Refusal::new(400, "the body asks for no properties"))
    }

    /// From an element that holds `prop`, `allprop` or `propname`.
    pub(crate) fn of(element: &Element) -> Result<Option<Asked>, Refusal> {
        if let Some(prop) = element.child(ns::DAV, "prop") {
            return names(prop).map(Asked::These).map(Some);
        }
        if element.child(ns::DAV, "allprop").is_some() {
            let include = element.child(ns::DAV, "include");
            return include
                .map_or(Ok(Vec::new()), names)
                .map(Asked::All)
                .map(Some);
        }
        Ok(element.child(ns::DAV, "propname").map(|_| Asked::Names))
    }
}

fn names(prop: &Element) -> Result<Vec<Name>, Refusal> {
    let mut names: Vec<Name> = Vec::new();
    for child in prop.children() {
        if names.len() >= MAX_PROPERTIES {
            return Err(Refusal::new(
                400,
                format!("more than {MAX_PROPERTIES} properties in one request"),
            ));
        }
        if !names.contains(&child.name) {
            names.push(child.name.clone());
        }
    }
    Ok(names)
}

const MULTISTATUS: Name = Name::dav("multistatus");
const RESPONSE: Name = Name::dav("response");
const HREF: Name = Name::dav("href");
const STATUS: Name = Name::dav("status");
const PROPSTAT: Name = Name::dav("propstat");
const PROP: Name = Name::dav("prop");

/// A 207 that is being written.
pub(crate) struct Multistatus {
    out: Writer,
    /// Properties that there are not are left out.
    minimal: bool,
}

impl Multistatus {
    pub(crate) fn new(minimal: bool) -> Multistatus {
        Multistatus {
            out: Writer::document(&MULTISTATUS),
            minimal,
        }
    }

    /// The page of an answer that a request is at.
    pub(crate) fn page(request: &Request) -> Multistatus {
        let minimal = request.wants_minimal();
        if request.cursor.is_start() {
            Multistatus::new(minimal)
        } else {
            Multistatus::part(minimal)
        }
    }

    /// Whether a page is full.
    pub(crate) fn is_full(&self) -> bool {
        self.out.len() >= PAGE_OCTETS
    }

    /// What is there is a page, if there is a rest; the last one else.
    pub(crate) fn answer_with(self, rest: Option<Cursor>) -> Answer {
        match rest {
            None => self.answer(),
            Some(rest) => Answer::xml(207, self.out.finish()).rest(Some(rest.into())),
        }
    }

    /// Responses alone, to stand in a property.
    pub(crate) fn part(minimal: bool) -> Multistatus {
        Multistatus {
            out: Writer::part(),
            minimal,
        }
    }

    pub(crate) fn into_part(self) -> String {
        self.out.finish()
    }

    /// Octets so far.
    pub(crate) fn len(&self) -> usize {
        self.out.len()
    }

    /// What something says to what is asked.
    pub(crate) fn describe(&mut self, described: &dyn Described, asked: &Asked) {
        let mut found = Writer::part();
        let mut missing = Writer::part();
        match asked {
            Asked::These(names) => {
                for name in names {
                    if !described.write(name, &mut found) {
                        missing.empty(name);
                    }
                }
            }
            Asked::All(include) => {
                let mut names = described.names();
                names.extend(
                    include
                        .iter()
                        .filter(|name| !names.contains(name))
                        .cloned()
                        .collect::<Vec<_>>(),
                );
                for name in &names {
                    if !described.write(name, &mut found) && include.contains(name) {
                        missing.empty(name);
                    }
                }
            }
            Asked::Names => {
                for name in described.names() {
                    found.empty(&name);
                }
            }
        }
        self.open(&described.place().path());
        let nothing = missing.is_empty() || self.minimal;
        if !found.is_empty() || nothing {
            propstat(&mut self.out, 200, &found.finish(), None);
        }
        if !nothing {
            propstat(&mut self.out, 404, &missing.finish(), None);
        }
        self.out.close(&RESPONSE);
    }

    /// What became of properties that were to be changed: parts of a document by their status.
    pub(crate) fn changed(&mut self, path: &str, stats: Vec<(u16, String, Option<Refusal>)>) {
        self.open(path);
        Multistatus::propstats(&mut self.out, stats);
        self.out.close(&RESPONSE);
    }

    /// Propstats, into a 207 or into the response of MKCOL.
    pub(crate) fn propstats(out: &mut Writer, stats: Vec<(u16, String, Option<Refusal>)>) {
        for (status, props, refusal) in stats {
            propstat(out, status, &props, refusal.as_ref());
        }
    }

    /// A status of a whole resource.
    pub(crate) fn status(&mut self, path: &str, status: u16, refusal: Option<&Refusal>) {
        self.open(path);
        self.out.leaf(&STATUS, &line(status));
        if let Some(refusal) = refusal {
            refusal.write_error(&mut self.out);
        }
        self.out.close(&RESPONSE);
    }

    fn open(&mut self, path: &str) {
        self.out.open(&RESPONSE);
        self.out.leaf(&HREF, path);
    }

    /// `DAV:sync-token` (RFC 6578 section 6.4).
    pub(crate) fn sync_token(&mut self, token: &str) {
        self.out.leaf(&Name::dav("sync-token"), token);
    }

    pub(crate) fn answer(mut self) -> Answer {
        self.out.close(&MULTISTATUS);
        Answer::xml(207, self.out.finish())
    }
}

fn propstat(out: &mut Writer, status: u16, props: &str, refusal: Option<&Refusal>) {
    out.open(&PROPSTAT);
    out.open(&PROP);
    out.raw(props);
    out.close(&PROP);
    out.leaf(&STATUS, &line(status));
    if let Some(refusal) = refusal {
        refusal.write_error(out);
    }
    out.close(&PROPSTAT);
}

/// The status line in a propstat.
fn line(status: u16) -> String {
    let reason = match status {
        200 => "OK",
        201 => "Created",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        423 => "Locked",
        424 => "Failed Dependency",
        507 => "Insufficient Storage",
        _ => "Error",
    };
    format!("HTTP/1.1 {status} {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::read;

    struct Thing;

    impl Described for Thing {
        fn place(&self) -> Place {
            Place::Root
        }

        fn write(&self, name: &Name, out: &mut Writer) -> bool {
            if name.is(ns::DAV, "displayname") {
                out.leaf(name, "a thing");
                return true;
            }
            false
        }

        fn names(&self) -> Vec<Name> {
            vec![Name::dav("displayname")]
        }
    }

    fn said(asked: &Asked, minimal: bool) -> Vec<(String, Vec<String>)> {
        let mut answer = Multistatus::new(minimal);
        answer.describe(&Thing, asked);
        answer.out.close(&MULTISTATUS);
        let root = read(answer.out.finish().as_bytes()).unwrap();
        let response = root.child(ns::DAV, "response").unwrap();
        assert_eq!(response.child(ns::DAV, "href").unwrap().text(), "/dav/");
        let stat = |stat: &Element| {
            let prop = stat.child(ns::DAV, "prop").unwrap();
            let names = prop.children().map(|prop| prop.name.local.to_string());
            let status = stat.child(ns::DAV, "status").unwrap().text();
            (status, names.collect())
        };
        response.all(ns::DAV, "propstat").map(stat).collect()
    }

    fn these(names: &[&'static str]) -> Asked {
        Asked::These(names.iter().map(|name| Name::dav(name)).collect())
    }

    #[test]
    fn a_property_that_is_not_there_is_a_404_of_its_own() {
        let ok = ("HTTP/1.1 200 OK".to_owned(), vec!["displayname".to_owned()]);
        let missing = ("HTTP/1.1 404 Not Found".to_owned(), vec!["x".to_owned()]);
        let both = these(&["displayname", "x"]);
        assert_eq!(said(&both, false), [ok.clone(), missing.clone()]);
        assert_eq!(said(&both, true), std::slice::from_ref(&ok));
        assert_eq!(said(&these(&["x"]), false), [missing]);
        assert_eq!(
            said(&these(&["x"]), true),
            [("HTTP/1.1 200 OK".to_owned(), vec![])]
        );
        assert_eq!(
            said(&Asked::All(Vec::new()), false),
            std::slice::from_ref(&ok)
        );
        assert_eq!(said(&Asked::Names, false), [ok]);
    }

    #[test]
    fn a_propfind_asks_in_three_ways_or_is_refused() {
        let asked = |inner: &str| {
            let body = format!("<propfind xmlns='DAV:'>{inner}</propfind>");
            Asked::of_propfind(Some(&read(body.as_bytes()).unwrap()))
        };
        assert_eq!(asked("<prop><a/><a/></prop>"), Ok(these(&["a"])));
        assert_eq!(asked("<propname/>"), Ok(Asked::Names));
        assert_eq!(
            asked("<allprop/><include><a/></include>"),
            Ok(Asked::All(vec![Name::dav("a")]))
        );
        assert_eq!(asked("").unwrap_err().status, 400);
        assert_eq!(Asked::of_propfind(None), Ok(Asked::All(Vec::new())));
    }
}
