use crate::{Component, Error, Limits, Line, Parameter, Result};
use std::borrow::Cow;

/// Iterative, so that no nesting can exhaust a stack; the limits bound everything else.
pub(crate) fn components(octets: &[u8], limits: &Limits) -> Result<Vec<Component>> {
    if octets.len() > limits.size {
        return Err(limit(0, "size", limits.size));
    }
    let mut open: Vec<Component> = Vec::new();
    let mut done = Vec::new();
    let (mut lines, mut begun) = (0, 0);
    let mut source = Unfolding::of(octets);
    while let Some((at, octets)) = source.next() {
        if octets.len() > limits.line {
            return Err(limit(at, "line", limits.line));
        }
        let text = std::str::from_utf8(&octets).map_err(|_| Error::Encoding { line: at })?;
        if text.trim().is_empty() {
            continue;
        }
        // A bare CR would end the line for some readers and not for others.
        let text = if text.contains('\r') {
            Cow::Owned(text.replace('\r', ""))
        } else {
            Cow::Borrowed(text)
        };
        lines += 1;
        if lines > limits.lines {
            return Err(limit(at, "lines", limits.lines));
        }
        let line = line(&text, at, limits)?;
        if line.is("BEGIN") {
            begun += 1;
            if begun > limits.components {
                return Err(limit(at, "components", limits.components));
            }
            if open.len() >= limits.depth {
                return Err(limit(at, "depth", limits.depth));
            }
            open.push(Component::new(component_name(&line, at)?));
        } else if line.is("END") {
            let ended = end(&mut open, &line, at)?;
            match open.last_mut() {
                Some(outer) => outer.components.push(ended),
                None => done.push(ended),
            }
        } else {
            let inner = open
                .last_mut()
                .ok_or(syntax(at, "a property outside of any component"))?;
            inner.lines.push(line);
        }
    }
    if let Some(left) = open.pop() {
        return Err(Error::Nesting {
            line: source.line,
            expected: left.name,
            found: "the end of the text".to_owned(),
        });
    }
    if done.is_empty() {
        return Err(Error::Empty);
    }
    Ok(done)
}

fn component_name(line: &Line, at: usize) -> Result<String> {
    let name = line.value.trim();
    if is_name(name) {
        return Ok(name.to_owned());
    }
    Err(syntax(
        at,
        "the name of a component has a character that may not stand in it",
    ))
}

fn end(open: &mut Vec<Component>, line: &Line, at: usize) -> Result<Component> {
    let found = line.value.trim();
    match open.pop() {
        Some(component) if component.is(found) => Ok(component),
        Some(component) => Err(Error::Nesting {
            line: at,
            expected: component.name,
            found: format!("END:{}", shown(found)),
        }),
        None => Err(syntax(at, "END without BEGIN")),
    }
}

/// Enough of a text to be found by its author.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

fn limit(line: usize, name: &'static str, most: usize) -> Error {
    Error::Limit { line, name, most }
}

fn syntax(line: usize, what: &'static str) -> Error {
    Error::Syntax { line, what }
}

/// RFC 5545 section 3.1 `iana-token`, and the underscore, which is common.
fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
}

/// Unfolded lines with the number of their first one. A line that was not folded is not copied.
struct Unfolding<'a> {
    rest: &'a [u8],
    line: usize,
    line_end: u8,
}

impl<'a> Unfolding<'a> {
    fn of(octets: &'a [u8]) -> Self {
        Unfolding {
            rest: octets.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(octets),
            line: 0,
            line_end: if memchr::memchr(b'\n', octets).is_some() {
                b'\n'
            } else {
                b'\r'
            },
        }
    }

    /// A file without any LF, as old systems wrote them, has CR in their place.
    fn physical(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.line += 1;
        let end = memchr::memchr(self.line_end, self.rest);
        let (line, rest) = match end {
            Some(end) => (self.rest.get(..end)?, self.rest.get(end + 1..)?),
            None => (self.rest, [].as_slice()),
        };
        self.rest = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    fn next(&mut self) -> Option<(usize, Cow<'a, [u8]>)> {
        let mut line = Cow::Borrowed(self.physical()?);
        let at = self.line;
        while let Some(b' ' | b'\t') = self.rest.first() {
            let more = self.physical()?;
            line.to_mut()
                .extend_from_slice(more.get(1..).unwrap_or_default());
        }
        Some((at, line))
    }
}

fn line(text: &str, at: usize, limits: &Limits) -> Result<Line> {
    let end = text
        .find([':', ';'])
        .ok_or(syntax(at, "a line without a colon"))?;
    let (full, mut rest) = text.split_at(end);
    let (group, name) = match full.rsplit_once('.') {
        Some((group, name)) => (Some(group), name),
        None => (None, full),
    };
    let name = name.trim();
    let proper_group = group.is_none_or(|group| group.split('.').all(is_name));
    if !is_name(name) || !proper_group {
        return Err(syntax(
            at,
            "the name of a property has a character that may not stand in it",
        ));
    }
    let mut parameters = Vec::new();
    while let Some(after) = rest.strip_prefix(';') {
        if parameters.len() >= limits.parameters {
            return Err(limit(at, "parameters", limits.parameters));
        }
        let (parameter, after) = parameter(after, at, limits)?;
        // `NAME;:value` is seen in the wild.
        if !parameter.name.is_empty() {
            parameters.push(parameter);
        }
        rest = after;
    }
    let value = rest
        .strip_prefix(':')
        .ok_or(syntax(at, "a line without a colon"))?;
    if value.contains('\0') {
        return Err(syntax(at, "a NUL in a value"));
    }
    Ok(Line {
        group: group.map(str::to_owned),
        name: name.to_owned(),
        parameters,
        value: value.to_owned(),
    })
}

fn parameter<'a>(text: &'a str, at: usize, limits: &Limits) -> Result<(Parameter, &'a str)> {
    let end = text
        .find(['=', ';', ':'])
        .ok_or(syntax(at, "a line without a colon"))?;
    let (name, mut rest) = text.split_at(end);
    let name = name.trim();
    if !(is_name(name) || name.is_empty() && !rest.starts_with('=')) {
        return Err(syntax(
            at,
            "the name of a parameter has a character that may not stand in it",
        ));
    }
    let mut values = Vec::new();
    let mut separator = '=';
    while let Some(after) = rest.strip_prefix(separator) {
        if values.len() >= limits.parameters {
            return Err(limit(at, "parameters", limits.parameters));
        }
        let (value, after) = parameter_value(after, at)?;
        values.push(value);
        rest = after;
        separator = ',';
    }
    let name = name.to_owned();
    Ok((Parameter { name, values }, rest))
}

/// A value in quotes or without. Quotes that begin or end within a value, which is wrong and common, quote nonetheless, and so does a
/// backslash before a separator, which iOS writes into `X-TITLE`.
fn parameter_value(text: &str, at: usize) -> Result<(String, &str)> {
    let mut quoted = false;
    let mut escaped = false;
    for (end, character) in text.char_indices() {
        let separates = !quoted && !std::mem::replace(&mut escaped, character == '\\' && !quoted);
        match character {
            '"' => quoted = !quoted,
            ',' | ';' if !separates => {}
            ',' | ';' | ':' if !quoted => {
                let (value, rest) = text.split_at(end);
                return Ok((decode(value), rest));
            }
            '\0' => return Err(syntax(at, "a NUL in a parameter")),
            _ => {}
        }
    }
    Err(syntax(
        at,
        if quoted {
            "a quote that does not end"
        } else {
            "a line without a colon"
        },
    ))
}

/// Takes the quotes off and decodes RFC 6868.
fn decode(value: &str) -> String {
    if !value.contains(['"', '^']) {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len());
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        let plain = match (character, characters.peek()) {
            ('"', _) => continue,
            ('^', Some('^')) => '^',
            ('^', Some('n')) => '\n',
            ('^', Some('\'')) => '"',
            (other, _) => {
                out.push(other);
                continue;
            }
        };
        out.push(plain);
        characters.next();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(text: &str) -> Result<Component> {
        let all = components(text.as_bytes(), &Limits::default())?;
        assert_eq!(all.len(), 1);
        Ok(all[0].clone())
    }

    fn body(text: &str) -> Result<Line> {
        Ok(one(&format!("BEGIN:V\r\n{text}\r\nEND:V\r\n"))?.lines[0].clone())
    }

    #[test]
    fn folded_lines_are_one_even_within_a_character() {
        let octets = b"BEGIN:V\nSUMMARY:Gr\xC3\n \xBC\r\n\t\xC3\x9Fe\nEND:V";
        let all = components(octets, &Limits::default()).unwrap();
        assert_eq!(all[0].value("summary"), Some("Grüße"));
    }

    #[test]
    fn parameters_are_unquoted_and_decoded() {
        let line =
            body("item1.ATTENDEE;CN=\"Doe; J: ^'x^'\";ROLE=A,\"B,C\";HOME:mailto:a@b").unwrap();
        assert_eq!(line.group.as_deref(), Some("item1"));
        assert_eq!(line.parameter("cn"), Some("Doe; J: \"x\""));
        assert_eq!(
            line.parameter_values("ROLE").collect::<Vec<_>>(),
            ["A", "B,C"]
        );
        assert_eq!(
            line.parameters[2],
            Parameter {
                name: "HOME".into(),
                values: vec![]
            }
        );
        assert_eq!(line.value, "mailto:a@b");
    }

    #[test]
    fn what_clients_write_besides_the_grammar_is_read() {
        let line = body("X-LOCATION;X-TITLE=Main St 1\\; 4041 Linz;X-R=1:geo:1,2").unwrap();
        assert_eq!(line.parameter("X-TITLE"), Some("Main St 1\\; 4041 Linz"));
        assert_eq!(line.parameter("X-R"), Some("1"));
        assert_eq!(
            one("BEGIN:V\rX:1\r 2\rEND:V\r").unwrap().value("X"),
            Some("12")
        );
    }

    #[test]
    fn a_broken_line_names_its_number() {
        let broken = |text: &str| body(text).unwrap_err();
        assert_eq!(broken("SUMMARY"), syntax(2, "a line without a colon"));
        assert_eq!(broken("X;CN=\"a:b"), syntax(2, "a quote that does not end"));
        assert!(matches!(
            broken("SUM MARY:x"),
            Error::Syntax { line: 2, .. }
        ));
        assert!(matches!(
            one("BEGIN:A\nEND:B\n"),
            Err(Error::Nesting { line: 2, .. })
        ));
        assert!(matches!(
            one("BEGIN:A\nBEGIN:B\nEND:B\n"),
            Err(Error::Nesting { .. })
        ));
        assert_eq!(one("\n\n"), Err(Error::Empty));
        assert_eq!(
            one("X:1\n"),
            Err(syntax(1, "a property outside of any component"))
        );
        assert_eq!(
            components(b"BEGIN:V\nX:\xFF\nEND:V\n", &Limits::default()),
            Err(Error::Encoding { line: 2 })
        );
    }

    #[test]
    fn every_limit_is_named_in_its_error() {
        let text = "BEGIN:A\nX;P=1,2:1\nBEGIN:B\nEND:B\nBEGIN:B\nEND:B\nEND:A\n";
        let with = |change: fn(&mut Limits)| {
            let mut limits = Limits::default();
            change(&mut limits);
            match components(text.as_bytes(), &limits) {
                Err(Error::Limit { name, .. }) => name,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(with(|limits| limits.size = 10), "size");
        assert_eq!(with(|limits| limits.line = 5), "line");
        assert_eq!(with(|limits| limits.lines = 3), "lines");
        assert_eq!(with(|limits| limits.parameters = 1), "parameters");
        assert_eq!(with(|limits| limits.depth = 1), "depth");
        assert_eq!(with(|limits| limits.components = 2), "components");
    }

    proptest! {
        #[test]
        fn what_can_be_read_is_written_so_that_it_reads_the_same(
            lines in prop::collection::vec("(([a-c]\\.)?[A-C]{1,3}(;[A-C]{1,2}(=(\"[^\"\\pC]{0,9}\"|[^\"\\pC;:,]{0,9}))?){0,3}:\\PC{0,90}|BEGIN:X|END:X)", 0..9)
        ) {
            let text = format!("BEGIN:V\n{}\nEND:V\n", lines.join("\n"));
            if let Ok(component) = one(&text) {
                prop_assert_eq!(one(&component.to_text()), Ok(component));
            }
        }

        #[test]
        fn no_octets_make_it_panic(octets in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = components(&octets, &Limits::default());
            let mut text = b"BEGIN:V\n".to_vec();
            text.extend(octets);
            let _ = components(&text, &Limits::default());
        }
    }
}
