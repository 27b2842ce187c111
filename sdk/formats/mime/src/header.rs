//! The fields of a header block, as they stand in the bytes (RFC 5322 section 2.2, with its obsolete forms).
//!
//! A block is what lies between the start of a message or part and its first empty line, the empty
//! line included. A field starts at a line that does not begin with white space and ends before the
//! next such line. A line without a colon (an mbox `From ` line, garbage) is kept as a field with an
//! empty name, so that joining all fields gives the block back byte for byte. Line ends are LF, with
//! or without CR before it.

/// One field of a header block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name without the colon and without white space before it; empty for a line that is no field.
    pub name: &'a [u8],
    /// What follows the colon, with its folds, without the final line end.
    pub value: &'a [u8],
    /// The whole field, its final line end included.
    pub raw: &'a [u8],
    /// Where `raw` starts in the block.
    pub offset: usize,
}

impl Field<'_> {
    /// Whether this is the field of that name; names ignore the case of ASCII letters.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The fields of a block in their order; see [`fields`].
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    block: &'a [u8],
    offset: usize,
}

/// The fields of a header block; ends at the first empty line or at the end of the bytes.
pub fn fields(block: &[u8]) -> Fields<'_> {
    Fields { block, offset: 0 }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let rest = self.block.get(self.offset..)?;
        let mut end = line_len(rest);
        let first = rest.get(..end)?;
        if first.is_empty() || is_empty_line(first) {
            return None;
        }
        while let Some(following) = rest.get(end..) {
            if !matches!(following.first(), Some(b' ' | b'\t')) {
                break;
            }
            end += line_len(following);
        }
        let raw = rest.get(..end)?;
        let offset = self.offset;
        self.offset += end;
        Some(split(raw, offset))
    }
}

/// The raw bytes of the fields with one of `names`, or with `not` of all others, in the order of the
/// block, with its empty line if it has one: HEADER.FIELDS and HEADER.FIELDS.NOT of RFC 9051 6.4.5.1.
pub fn select<N: AsRef<[u8]>>(block: &[u8], names: &[N], not: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut end = 0;
    for field in fields(block) {
        end = field.offset + field.raw.len();
        let named = !field.name.is_empty()
            && names
                .iter()
                .any(|name| field.name.eq_ignore_ascii_case(name.as_ref()));
        if named != not {
            out.extend_from_slice(field.raw);
        }
    }
    out.extend_from_slice(block.get(end..).unwrap_or_default());
    out
}

/// The first field of that name.
pub fn find<'a>(block: &'a [u8], name: &str) -> Option<Field<'a>> {
    fields(block).find(|field| field.is(name))
}

/// A field's value on one line (RFC 5322 section 2.2.3), trimmed, without the bytes that no header may
/// carry: NUL is dropped, a CR that ends no line becomes a space. The result never holds CR, LF or NUL.
pub fn unfold(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' | 0 => {}
            b'\r' if bytes.peek() == Some(&b'\n') => {}
            b'\r' => out.push(b' '),
            other => out.push(other),
        }
    }
    while matches!(out.last(), Some(b' ' | b'\t')) {
        out.pop();
    }
    let blank = out
        .iter()
        .take_while(|byte| matches!(byte, b' ' | b'\t'))
        .count();
    out.drain(..blank);
    out
}

/// Octets of the first line, its line end included.
fn line_len(bytes: &[u8]) -> usize {
    memchr::memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1)
}

/// Whether a line that [`line_len`] measured is empty.
pub(crate) fn is_empty_line(line: &[u8]) -> bool {
    matches!(line, b"\r\n" | b"\n" | b"\r")
}

fn split(raw: &[u8], offset: usize) -> Field<'_> {
    let text = raw.strip_suffix(b"\n").unwrap_or(raw);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let colon = memchr::memchr(b':', text);
    let (name, value) = colon
        .and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)))
        .unwrap_or((b"", text));
    let name = name.trim_ascii_end();
    let is_name = name.iter().all(|byte| byte.is_ascii_graphic());
    let (name, value) = if is_name && !name.is_empty() {
        (name, value)
    } else {
        (b"".as_slice(), text)
    };
    Field {
        name,
        value,
        raw,
        offset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOCK: &[u8] = b"From x@y Mon\r\nSubject: a\r\n b\r\nX-One : 1\nto:\r\n\r\nbody";

    #[test]
    fn fields_are_told_with_their_exact_bytes() {
        let names: Vec<_> = fields(BLOCK).map(|f| f.name.to_vec()).collect();
        assert_eq!(names, [&b""[..], b"Subject", b"X-One", b"to"]);
        let joined: Vec<u8> = fields(BLOCK).flat_map(|f| f.raw.to_vec()).collect();
        assert!(BLOCK.starts_with(&joined));
        assert_eq!(find(BLOCK, "SUBJECT").unwrap().value, b" a\r\n b");
    }

    #[test]
    fn header_fields_keep_order_folds_and_the_empty_line() {
        let block = b"A: 1\r\nB: 2\r\n\t3\r\na: 4\r\n\r\n";
        assert_eq!(select(block, &["b"], false), b"B: 2\r\n\t3\r\n\r\n");
        assert_eq!(select(block, &["b"], true), b"A: 1\r\na: 4\r\n\r\n");
        assert_eq!(select(b"A: 1\r\n", &["A"], false), b"A: 1\r\n");
    }

    #[test]
    fn unfolding_leaves_no_byte_that_would_break_a_line() {
        assert_eq!(unfold(b" a\r\n b\r\n\tc \r\n"), b"a b\tc");
        assert_eq!(unfold(b"a\rb\0c"), b"a bc");
    }

    #[test]
    fn a_name_with_a_space_inside_is_no_field() {
        assert_eq!(
            fields(b"From me: now\n\n").next().unwrap().name,
            b"".as_slice()
        );
    }
}
