//! XML as WebDAV uses it: small trees in ([`read`]), text out ([`write`]).
//!
//! A body is read whole into a tree, because conditions and filters look at it more than once, and because it is small: the
//! limits are in [`read`]. What a client may give us to keep (dead properties) goes back out of the same tree, with its
//! namespaces and attributes. Prefixes are ours; clients see names, never prefixes.

mod name;
mod read;
mod write;

pub(crate) use name::{Name, ns};
pub(crate) use read::read;
pub(crate) use write::Writer;

/// An element with its content, in the order of the document. Comments and processing instructions are left out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Element {
    pub(crate) name: Name,
    pub(crate) attributes: Vec<(Name, String)>,
    pub(crate) content: Vec<Node>,
}

/// What stands in an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    /// The elements in it.
    pub(crate) fn children(&self) -> impl Iterator<Item = &Element> {
        self.content.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// The first element of a name in it.
    pub(crate) fn child(&self, ns: &str, local: &str) -> Option<&Element> {
        self.children().find(|child| child.name.is(ns, local))
    }

    /// The elements of a name in it.
    pub(crate) fn all<'e>(
        &'e self,
        ns: &'e str,
        local: &'e str,
    ) -> impl Iterator<Item = &'e Element> {
        self.children()
            .filter(move |child| child.name.is(ns, local))
    }

    /// Its own text, without that of elements in it.
    pub(crate) fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        });
        texts.collect()
    }

    /// An attribute without a namespace.
    pub(crate) fn attribute(&self, local: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(name, _)| name.is("", local))
            .map(|(_, value)| value.as_str())
    }
}
