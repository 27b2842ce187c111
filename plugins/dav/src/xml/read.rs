//! From octets to a tree. No document type, so no entities but the five and characters by number; nothing is fetched, nothing grows.

use quick_xml::{
    events::{BytesRef, BytesStart, Event},
    name::{PrefixDeclaration, ResolveResult},
    reader::NsReader,
};

use super::{Element, Name, Node};

/// Elements in elements.
const MAX_DEPTH: usize = 32;
/// Elements of a body: a multiget of some ten thousand names.
const MAX_ELEMENTS: usize = 50_000;
/// Attributes of an element.
const MAX_ATTRIBUTES: usize = 32;

/// Why a body is no XML that we read; the text names the rule or the limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Broken(pub(crate) String);

impl std::fmt::Display for Broken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

fn broken(why: impl std::fmt::Display) -> Broken {
    Broken(format!("the body is not XML: {why}"))
}

fn limit(what: &str, limit: usize) -> Broken {
    Broken(format!("the body has too many {what}: limit {limit}"))
}

/// The root element of a document.
pub(crate) fn read(octets: &[u8]) -> Result<Element, Broken> {
    let text = decoded(octets)?;
    let mut reader = NsReader::from_str(&text);
    reader.config_mut().expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root = None;
    let mut elements = 0;
    loop {
        match reader.read_event().map_err(broken)? {
            Event::Start(start) => {
                elements += 1;
                if elements > MAX_ELEMENTS {
                    return Err(limit("elements", MAX_ELEMENTS));
                }
                if open.len() >= MAX_DEPTH {
                    return Err(limit("elements in elements", MAX_DEPTH));
                }
                if root.is_some() {
                    return Err(broken("a second root element"));
                }
                open.push(element(&reader, &start)?);
            }
            Event::End(_) => {
                let closed = open.pop().ok_or_else(|| broken("an end without a start"))?;
                match open.last_mut() {
                    Some(parent) => parent.content.push(Node::Element(closed)),
                    None => root = Some(closed),
                }
            }
            Event::Text(text) => push(&mut open, &text.decode().map_err(broken)?)?,
            Event::CData(text) => push(&mut open, &text.decode().map_err(broken)?)?,
            Event::GeneralRef(reference) => push(&mut open, &character(&reference)?)?,
            Event::DocType(_) => return Err(broken("a document type is not allowed")),
            Event::Eof => break,
            Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    if !open.is_empty() {
        return Err(broken("it is cut short"));
    }
    root.ok_or_else(|| broken("no element"))
}

/// UTF-8, or UTF-16 with its mark (XML 1.0, 4.3.3).
fn decoded(octets: &[u8]) -> Result<String, Broken> {
    let wide = |octets: &[u8], of: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = octets
            .chunks_exact(2)
            .filter_map(|pair| pair.try_into().ok().map(of))
            .collect();
        String::from_utf16(&units).map_err(broken)
    };
    match octets {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8(rest.to_vec()).map_err(broken),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => String::from_utf8(octets.to_vec()).map_err(broken),
    }
}

fn push(open: &mut [Element], text: &str) -> Result<(), Broken> {
    match open.last_mut() {
        Some(element) => {
            match element.content.last_mut() {
                Some(Node::Text(before)) => before.push_str(text),
                _ => element.content.push(Node::Text(text.to_owned())),
            }
            Ok(())
        }
        None if text.trim().is_empty() => Ok(()),
        None => Err(broken("text outside of the root element")),
    }
}

fn character(reference: &BytesRef<'_>) -> Result<String, Broken> {
    if let Some(character) = reference.resolve_char_ref().map_err(broken)? {
        return Ok(character.to_string());
    }
    let name = reference.decode().map_err(broken)?;
    quick_xml::escape::resolve_xml_entity(&name)
        .map(str::to_owned)
        .ok_or_else(|| broken(format_args!("the entity {name:?} is not known")))
}

fn text(octets: &[u8]) -> Result<String, Broken> {
    String::from_utf8(octets.to_vec()).map_err(broken)
}

fn namespace(resolved: &ResolveResult<'_>) -> Result<String, Broken> {
    match resolved {
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Bound(namespace) => text(namespace.as_ref()),
        ResolveResult::Unknown(prefix) => Err(broken(format_args!(
            "the prefix {:?} is not bound",
            String::from_utf8_lossy(prefix)
        ))),
    }
}

fn element(reader: &NsReader<&[u8]>, start: &BytesStart<'_>) -> Result<Element, Broken> {
    let (resolved, local) = reader.resolve_element(start.name());
    let name = Name::owned(namespace(&resolved)?, text(local.as_ref())?);
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(broken)?;
        // `xmlns` itself; bound already.
        if attribute.key.as_namespace_binding().is_some_and(|binding| {
            matches!(
                binding,
                PrefixDeclaration::Default | PrefixDeclaration::Named(_)
            )
        }) {
            continue;
        }
        if attributes.len() >= MAX_ATTRIBUTES {
            return Err(limit("attributes on an element", MAX_ATTRIBUTES));
        }
        let (resolved, local) = reader.resolve_attribute(attribute.key);
        let name = Name::owned(namespace(&resolved)?, text(local.as_ref())?);
        let value = attribute.unescape_value().map_err(broken)?.into_owned();
        attributes.push((name, value));
    }
    Ok(Element {
        name,
        attributes,
        content: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::Writer, *};

    #[test]
    fn names_are_resolved_and_text_is_put_together() {
        let body = b"<?xml version=\"1.0\"?><!-- x --><A:a xmlns:A='DAV:' xmlns='urn:b'><b c='1&amp;2'>x&lt;<![CDATA[<y>]]>&#x41;</b></A:a>";
        let root = read(body).unwrap();
        assert!(root.name.is("DAV:", "a"));
        let b = root.child("urn:b", "b").unwrap();
        assert_eq!(
            (b.text().as_str(), b.attribute("c")),
            ("x<<y>A", Some("1&2"))
        );
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_reason() {
        for (body, reason) in [
            ("", "no element"),
            ("<a><b></a>", "b"),
            ("<a/><b/>", "second root"),
            ("<a", ""),
            ("<a>", "cut short"),
            ("x<a/>", "outside"),
            ("<p:a/>", "not bound"),
            ("<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>", "document type"),
            ("<a>&e;</a>", "not known"),
            ("<a>&#0;</a>", ""),
        ] {
            let Broken(why) = read(body.as_bytes()).unwrap_err();
            assert!(why.contains(reason), "{body}: {why}");
        }
    }

    #[test]
    fn depth_and_number_have_limits() {
        let deep = "<a>".repeat(MAX_DEPTH + 1);
        assert!(read(deep.as_bytes()).unwrap_err().0.contains("limit 32"));
        let wide = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS));
        assert!(read(wide.as_bytes()).unwrap_err().0.contains("50000"));
    }

    #[test]
    fn utf_16_with_its_mark_is_read() {
        let octets: Vec<u8> = "\u{feff}<ä/>"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(read(&octets).unwrap().name.is("", "ä"));
    }

    proptest! {
        #[test]
        fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&octets);
        }

        #[test]
        fn what_is_written_is_read_as_it_was(text in "\\PC{0,20}", value in "\\PC{0,10}", ns in "(|DAV:|urn:[a-z]{1,5})") {
            let tree = Element {
                name: Name::owned(ns.clone(), "e".into()),
                attributes: vec![(Name::owned(String::new(), "a".into()), value)],
                content: vec![Node::Element(Element { name: Name::dav("d"), ..Element::default() }), Node::Text(format!("x{text}"))],
            };
            let mut writer = Writer::document(&Name::dav("root"));
            writer.tree(&tree);
            writer.close(&Name::dav("root"));
            let root = read(writer.finish().as_bytes()).unwrap();
            prop_assert_eq!(root.children().next(), Some(&tree));
        }
    }
}
