//! HTML as plain text, crude enough for search and for a preview: tags go, block tags break lines,
//! scripts and styles are left out, character references are resolved, white space is collapsed.
//! One pass, no tree.

/// The text of a document.
pub fn to_text(html: &str) -> String {
    let mut out = Text::default();
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        let (plain, special) = rest.split_at(at);
        out.push(plain);
        rest = if special.starts_with('<') {
            markup(special, &mut out)
        } else {
            reference(special, &mut out)
        };
    }
    out.push(rest);
    out.text.truncate(out.text.trim_end().len());
    out.text
}

#[derive(Default)]
struct Text {
    text: String,
    space: bool,
    line: bool,
    /// A quote in some tag never closed: from there on quotes mean nothing, or every tag would be
    /// searched to the end of the document.
    quotes_broken: bool,
}

impl Text {
    fn push(&mut self, text: &str) {
        text.chars().for_each(|character| self.put(character));
    }

    fn put(&mut self, character: char) {
        if character.is_ascii_whitespace() || character == '\u{a0}' {
            self.space = true;
            return;
        }
        if (self.space || self.line) && !self.text.is_empty() {
            self.text.push(if self.line { '\n' } else { ' ' });
        }
        (self.space, self.line) = (false, false);
        self.text.push(character);
    }
}

/// Takes a comment, or a tag and, for scripts and styles, what it encloses. A `<` that opens
/// no tag is text.
fn markup<'a>(html: &'a str, out: &mut Text) -> &'a str {
    if let Some(comment) = html.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    let after = html.get(1..).unwrap_or_default();
    if !after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?')) {
        out.put('<');
        return after;
    }
    let (tag, rest) = tag(after, out);
    let is_end = |c: char| !c.is_ascii_alphanumeric();
    let closing = tag.starts_with('/');
    let name = tag.trim_start_matches('/').split(is_end).next();
    let name = name.unwrap_or_default().to_ascii_lowercase();
    match name.as_str() {
        "script" | "style" | "title" if !closing => return skip_element(&name, rest),
        "b" | "i" | "u" | "a" | "em" | "strong" | "span" | "font" | "sub" | "sup" | "small"
        | "big" | "code" | "wbr" | "img" => {}
        "td" | "th" => out.space = true,
        _ => out.line = true,
    }
    rest
}

/// The inside of a tag and what follows its `>`; a `>` in quotes does not end it.
fn tag<'a>(after: &'a str, out: &mut Text) -> (&'a str, &'a str) {
    let mut quote = None;
    let mut end = None;
    if !out.quotes_broken {
        end = after.bytes().position(|byte| {
            match (byte, quote) {
                (b'"' | b'\'', None) => quote = Some(byte),
                (_, Some(open)) if open == byte => quote = None,
                _ => {}
            }
            byte == b'>' && quote.is_none()
        });
        out.quotes_broken = end.is_none();
    }
    let end = end.or_else(|| after.find('>'));
    end.and_then(|at| Some((after.get(..at)?, after.get(at + 1..)?)))
        .unwrap_or((after, ""))
}

fn skip_element<'a>(name: &str, html: &'a str) -> &'a str {
    let mut rest = html;
    while let Some(at) = rest.find("</") {
        let closing = rest.get(at + 2..).unwrap_or_default();
        let start = closing.get(..name.len()).unwrap_or_default();
        if start.eq_ignore_ascii_case(name) {
            return closing.split_once('>').map_or("", |(_, rest)| rest);
        }
        rest = closing;
    }
    ""
}

/// Takes a character reference; an unknown one is text.
fn reference<'a>(html: &'a str, out: &mut Text) -> &'a str {
    let after = html.get(1..).unwrap_or_default();
    let name = |c: char| c.is_ascii_alphanumeric() || c == '#';
    let len = after
        .bytes()
        .take(10)
        .take_while(|byte| name(char::from(*byte)))
        .count();
    let (name, rest) = after.split_at_checked(len).unwrap_or(("", after));
    match character(name) {
        Some(character) => {
            out.put(character);
            rest.strip_prefix(';').unwrap_or(rest)
        }
        None => {
            out.put('&');
            after
        }
    }
}

fn character(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let hex = number.strip_prefix(['x', 'X']);
        let code = match hex {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?).filter(|character| *character != '\0');
    }
    let latin = LATIN.iter().position(|known| *known == name);
    let latin = latin.and_then(|at| char::from_u32(0xA0 + u32::try_from(at).ok()?));
    let other = || OTHERS.iter().find(|(known, _)| *known == name);
    latin.or_else(|| other().map(|(_, character)| *character))
}

/// Names of U+00A0 to U+00FF.
#[rustfmt::skip]
const LATIN: [&str; 96] = [
    "nbsp", "iexcl", "cent", "pound", "curren", "yen", "brvbar", "sect", "uml", "copy", "ordf", "laquo",
    "not", "shy", "reg", "macr", "deg", "plusmn", "sup2", "sup3", "acute", "micro", "para", "middot",
    "cedil", "sup1", "ordm", "raquo", "frac14", "frac12", "frac34", "iquest", "Agrave", "Aacute", "Acirc",
    "Atilde", "Auml", "Aring", "AElig", "Ccedil", "Egrave", "Eacute", "Ecirc", "Euml", "Igrave", "Iacute",
    "Icirc", "Iuml", "ETH", "Ntilde", "Ograve", "Oacute", "Ocirc", "Otilde", "Ouml", "times", "Oslash",
    "Ugrave", "Uacute", "Ucirc", "Uuml", "Yacute", "THORN", "szlig", "agrave", "aacute", "acirc", "atilde",
    "auml", "aring", "aelig", "ccedil", "egrave", "eacute", "ecirc", "euml", "igrave", "iacute", "icirc",
    "iuml", "eth", "ntilde", "ograve", "oacute", "ocirc", "otilde", "ouml", "divide", "oslash", "ugrave",
    "uacute", "ucirc", "uuml", "yacute", "thorn", "yuml",
];

#[rustfmt::skip]
const OTHERS: [(&str, char); 39] = [
    ("amp", '&'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("apos", '\''), ("euro", '\u{20ac}'),
    ("ndash", '\u{2013}'), ("mdash", '\u{2014}'), ("lsquo", '\u{2018}'), ("rsquo", '\u{2019}'),
    ("sbquo", '\u{201a}'), ("ldquo", '\u{201c}'), ("rdquo", '\u{201d}'), ("bdquo", '\u{201e}'),
    ("bull", '\u{2022}'), ("hellip", '\u{2026}'), ("trade", '\u{2122}'), ("larr", '\u{2190}'),
    ("uarr", '\u{2191}'), ("rarr", '\u{2192}'), ("darr", '\u{2193}'), ("harr", '\u{2194}'),
    ("lsaquo", '\u{2039}'), ("rsaquo", '\u{203a}'), ("dagger", '\u{2020}'), ("Dagger", '\u{2021}'),
    ("permil", '\u{2030}'), ("prime", '\u{2032}'), ("OElig", '\u{152}'), ("oelig", '\u{153}'),
    ("Scaron", '\u{160}'), ("scaron", '\u{161}'), ("Yuml", '\u{178}'), ("fnof", '\u{192}'),
    ("ensp", ' '), ("emsp", ' '), ("thinsp", ' '), ("zwj", '\u{200d}'), ("zwnj", '\u{200c}'),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn documents_become_their_text() {
        let table = [
            ("<p>Hello <b>wor</b>ld</p><p>x", "Hello world\nx"),
            ("a<script>if (a<b) {}</script>b<STYLE>x</style >c", "abc"),
            ("<!-- a > b -->x<br>y", "x\ny"),
            (
                "&lt;&auml;&#x41;&#66;&nbsp;&bogus;&amp",
                "<\u{e4}AB &bogus;&",
            ),
            ("a < b & c", "a < b & c"),
            ("<img alt='>'>x <a href=\"unclosed>y", "x y"),
            ("<td>1</td><td>2</td>", "1 2"),
            ("<p", ""),
            ("&#0;&#xFFFFFFFFF;", "&#0;&#xFFFFFFFFF;"),
        ];
        for (html, expected) in table {
            assert_eq!(to_text(html), expected, "{html}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(html in "[<>&;#/a-c\"'! \u{e4}-]{0,60}") {
            let _ = to_text(&html);
        }
    }
}
