//! From names and texts to a document. The namespaces of DAV have prefixes that the root declares; any other is declared where it
//! stands. Characters that XML does not have never leave.

use std::fmt::Write as _;

use super::{Element, Name, Node, ns};

/// The prefixes of a document's root.
const PREFIXES: [(&str, &str); 5] = [
    (ns::DAV, "D"),
    (ns::CALDAV, "C"),
    (ns::CARDDAV, "A"),
    (ns::CALENDARSERVER, "S"),
    (ns::APPLE, "I"),
];

/// A document or a part of one that is being written.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    text: String,
}

fn prefix(namespace: &str) -> Option<&'static str> {
    PREFIXES
        .iter()
        .find(|(known, _)| *known == namespace)
        .map(|(_, prefix)| *prefix)
}

impl Writer {
    /// A part of a document, within the root's prefixes.
    pub(crate) fn part() -> Writer {
        Writer::default()
    }

    /// A document, its root open.
    pub(crate) fn document(root: &Name) -> Writer {
        let mut writer = Writer {
            text: "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<".to_owned(),
        };
        writer.tag(root);
        for (namespace, prefix) in PREFIXES {
            // Writing to a String cannot fail.
            let _ = write!(writer.text, " xmlns:{prefix}=\"{namespace}\"");
        }
        writer.text.push('>');
        writer
    }

    fn tag(&mut self, name: &Name) {
        if let Some(prefix) = prefix(&name.ns) {
            self.text.push_str(prefix);
            self.text.push(':');
        } else if !name.ns.is_empty() {
            self.text.push_str("x:");
        }
        self.text.push_str(&name.local);
    }

    fn start(&mut self, name: &Name) {
        self.text.push('<');
        self.tag(name);
        if !name.ns.is_empty() && prefix(&name.ns).is_none() {
            self.text.push_str(" xmlns:x=\"");
            self.escaped(&name.ns, true);
            self.text.push('"');
        }
    }

    pub(crate) fn open(&mut self, name: &Name) {
        self.start(name);
        self.text.push('>');
    }

    /// As `open`, with attributes that have no namespace.
    pub(crate) fn open_with(&mut self, name: &Name, attributes: &[(&str, &str)]) {
        self.start(name);
        for (attribute, value) in attributes {
            self.attribute(attribute, value);
        }
        self.text.push('>');
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        self.escaped(value, true);
        self.text.push('"');
    }

    pub(crate) fn close(&mut self, name: &Name) {
        self.text.push_str("</");
        self.tag(name);
        self.text.push('>');
    }

    /// An element without content.
    pub(crate) fn empty(&mut self, name: &Name) {
        self.start(name);
        self.text.push_str("/>");
    }

    /// As `empty`, with attributes that have no namespace.
    pub(crate) fn empty_with(&mut self, name: &Name, attributes: &[(&str, &str)]) {
        self.start(name);
        for (attribute, value) in attributes {
            self.attribute(attribute, value);
        }
        self.text.push_str("/>");
    }

    /// An element with text in it.
    pub(crate) fn leaf(&mut self, name: &Name, text: &str) {
        self.open(name);
        self.escaped(text, false);
        self.close(name);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.escaped(text, false);
    }

    /// What another writer wrote as a part.
    pub(crate) fn raw(&mut self, part: &str) {
        self.text.push_str(part);
    }

    /// A tree as it was read.
    pub(crate) fn tree(&mut self, element: &Element) {
        self.start(&element.name);
        let mut foreign = 0;
        for (name, value) in &element.attributes {
            if name.ns == ns::XML {
                self.attribute(&format!("xml:{}", name.local), value);
            } else if name.ns.is_empty() {
                self.attribute(&name.local, value);
            } else {
                self.attribute(&format!("xmlns:a{foreign}"), &name.ns);
                self.attribute(&format!("a{foreign}:{}", name.local), value);
                foreign += 1;
            }
        }
        self.text.push('>');
        for node in &element.content {
            match node {
                Node::Element(element) => self.tree(element),
                Node::Text(text) => self.escaped(text, false),
            }
        }
        self.close(&element.name);
    }

    fn escaped(&mut self, text: &str, attribute: bool) {
        for character in text.chars() {
            match character {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' if attribute => self.text.push_str("&quot;"),
                // A parser would make line ends of them, or spaces.
                '\r' => self.text.push_str("&#13;"),
                '\n' | '\t' if attribute => {
                    let _ = write!(self.text, "&#{};", u32::from(character));
                }
                // XML 1.0, 2.2.
                '\n' | '\t' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                    self.text.push(character);
                }
                _ => self.text.push('\u{fffd}'),
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_does_not_have_never_leaves() {
        let mut writer = Writer::part();
        writer.leaf(&Name::dav("a"), "x\u{0}\u{b}\u{fffe}<&>\r\n");
        assert_eq!(
            writer.finish(),
            "<D:a>x\u{fffd}\u{fffd}\u{fffd}&lt;&amp;&gt;&#13;\n</D:a>"
        );
    }

    #[test]
    fn a_foreign_namespace_is_declared_where_it_stands() {
        let mut writer = Writer::part();
        writer.empty(&Name::new("urn:\"x", "a"));
        writer.empty(&Name::new("", "b"));
        assert_eq!(writer.finish(), "<x:a xmlns:x=\"urn:&quot;x\"/><b/>");
    }
}
