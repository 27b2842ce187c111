//! What filters change in a message: fields and the body. The octets of fields that nobody touches stay as they are.

use bytes::{Bytes, BytesMut};
use waxwing_exmdb::Body;

use crate::header::{Header, fields};

/// Fields that filters may leave behind in one message.
const MAX_FIELDS: usize = 2_000;

/// A message as it is being changed.
pub(crate) struct Edits {
    fields: Vec<Bytes>,
    rest: Body,
    /// In place of what it had, one after the other.
    body: Option<Vec<Body>>,
    changed: bool,
}

impl Edits {
    pub(crate) fn new(header: &Header, message: &Body) -> Edits {
        let length = header.octets().len() as u64;
        let rest = message.slice(length, message.size().saturating_sub(length));
        let mut fields: Vec<Bytes> = fields(header.octets())
            .map(Bytes::copy_from_slice)
            .collect();
        // Of a message that ends within its last field.
        if let Some(last) = fields.last_mut().filter(|last| !last.ends_with(b"\n")) {
            *last = [&last[..], b"\r\n"].concat().into();
        }
        Edits {
            fields,
            rest,
            body: None,
            changed: false,
        }
    }

    /// The message as it is now.
    pub(crate) fn message(self, original: &Body) -> Body {
        if !self.changed {
            return original.clone();
        }
        let header = Body::from_bytes(self.fields.concat().into());
        let rest = match self.body {
            Some(mut body) => {
                body.insert(0, Body::from_bytes(Bytes::from_static(b"\r\n")));
                Body::concat(body)
            }
            None => self.rest,
        };
        Body::concat(vec![header, rest])
    }

    /// More of a new body.
    pub(crate) fn append_body(&mut self, piece: Body) {
        self.changed = true;
        self.body.get_or_insert_default().push(piece);
    }

    /// A new body, whatever there was before.
    pub(crate) fn replace_body(&mut self, body: Body) {
        self.changed = true;
        self.body = Some(vec![body]);
    }

    /// A field before the one of that number, or behind all.
    pub(crate) fn insert(&mut self, at: usize, name: &str, value: &[u8]) {
        self.changed = true;
        if self.fields.len() < MAX_FIELDS
            && let Some(field) = field(name, value)
        {
            self.fields.insert(at.min(self.fields.len()), field);
        }
    }

    /// Another value for the field of a name and number (from 1) among those of this name; without a value it goes.
    pub(crate) fn change(&mut self, number: u32, name: &str, value: &[u8]) {
        self.changed = true;
        let named = |(at, field): (usize, &Bytes)| is_named(field, name).then_some(at);
        let places = self.fields.iter().enumerate().filter_map(named);
        let nth = usize::try_from(number.max(1) - 1).unwrap_or(usize::MAX);
        match ({ places }.nth(nth), value.is_empty()) {
            (Some(at), true) => drop(self.fields.remove(at)),
            (Some(at), false) => {
                if let (Some(place), Some(field)) = (self.fields.get_mut(at), field(name, value)) {
                    *place = field;
                }
            }
            (None, true) => {}
            (None, false) => self.insert(usize::MAX, name, value),
        }
    }
}

fn is_named(field: &[u8], name: &str) -> bool {
    let colon = field.iter().position(|octet| *octet == b':');
    let found = colon.and_then(|colon| field.get(..colon));
    found.is_some_and(|found| found.trim_ascii().eq_ignore_ascii_case(name.as_bytes()))
}

/// With its line end; filters write LF where a field is folded. None for what would be no field.
fn field(name: &str, value: &[u8]) -> Option<Bytes> {
    let is_name = |octet: u8| octet.is_ascii_graphic() && octet != b':';
    if name.is_empty() || !name.bytes().all(is_name) {
        return None;
    }
    let mut field = BytesMut::from(name.as_bytes());
    field.extend_from_slice(b":");
    if !value.starts_with(b" ") && !value.starts_with(b"\t") {
        field.extend_from_slice(b" ");
    }
    // A CR that stands alone would become a line end on the way to the next server.
    let lines = value.split(|octet| matches!(octet, b'\r' | b'\n'));
    let mut lines = lines.filter(|line| !line.trim_ascii().is_empty());
    field.extend_from_slice(lines.next().unwrap_or_default());
    for line in lines {
        field.extend_from_slice(b"\r\n");
        // A line that begins with a letter would be a field of its own.
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            field.extend_from_slice(b"\t");
        }
        field.extend_from_slice(line);
    }
    field.extend_from_slice(b"\r\n");
    Some(field.freeze())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn edited(edit: impl FnOnce(&mut Edits)) -> String {
        let message = Body::from_bytes("A: 1\r\nB: 2\r\n x\r\nA: 3\r\n\r\nbody\r\n".into());
        let header = Header::read(&message).await.unwrap();
        let mut edits = Edits::new(&header, &message);
        edit(&mut edits);
        let message = edits.message(&message);
        String::from_utf8(message.read(0, usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    fn body(text: &'static str) -> Body {
        Body::from_bytes(Bytes::from_static(text.as_bytes()))
    }

    #[tokio::test]
    async fn fields_are_added_changed_and_taken_out_by_name_and_number() {
        const LAST: usize = usize::MAX;
        let edited = [
            edited(|edits| edits.insert(LAST, "C", b"4\n\t5\nD: 6")).await,
            edited(|edits| edits.insert(0, "Z", b"first")).await,
            edited(|edits| {
                edits.change(2, "a", b"");
                edits.change(1, "B", b"new");
            })
            .await,
            edited(|edits| edits.change(3, "A", b"4")).await,
            edited(|edits| {
                edits.change(1, "Q", b"");
                edits.change(1, "E vil", b"x");
            })
            .await,
        ];
        let expected = [
            "A: 1\r\nB: 2\r\n x\r\nA: 3\r\nC: 4\r\n\t5\r\n\tD: 6\r\n\r\nbody\r\n",
            "Z: first\r\nA: 1\r\nB: 2\r\n x\r\nA: 3\r\n\r\nbody\r\n",
            "A: 1\r\nB: new\r\n\r\nbody\r\n",
            "A: 1\r\nB: 2\r\n x\r\nA: 3\r\nA: 4\r\n\r\nbody\r\n",
            "A: 1\r\nB: 2\r\n x\r\nA: 3\r\n\r\nbody\r\n",
        ];
        assert_eq!(edited, expected);
    }

    #[tokio::test]
    async fn a_new_body_comes_in_pieces_or_whole() {
        let fields = "A: 1\r\nB: 2\r\n x\r\nA: 3\r\n\r\n";
        let in_pieces = edited(|edits| {
            edits.append_body(body("new "));
            edits.append_body(body("text\r\n"));
        });
        assert_eq!(in_pieces.await, format!("{fields}new text\r\n"));
        let whole = edited(|edits| {
            edits.append_body(body("no"));
            edits.replace_body(body("text\r\n"));
        });
        assert_eq!(whole.await, format!("{fields}text\r\n"));
    }

    proptest! {
        #[test]
        fn no_value_becomes_a_field_of_its_own(name in ".{0,12}", value in "[ -~\\r\\n\\t:é]{0,60}") {
            let edited = futures_util::FutureExt::now_or_never(edited(|edits| {
                edits.insert(1, &name, value.as_bytes());
                edits.change(1, "B", value.as_bytes());
            }));
            let edited = edited.unwrap();
            let (header, body) = edited.split_once("\r\n\r\n").unwrap();
            prop_assert_eq!(body, "body\r\n");
            let names = header.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
            let names: Vec<_> = names.map(|line| line.split(':').next().unwrap()).collect();
            let own = ["A", "B", "A"];
            let kept = names.iter().filter(|found| own.contains(found)).count();
            prop_assert!((2..=4).contains(&kept) && names.len() <= 4, "{:?}", names);
            prop_assert!(!header.replace("\r\n", "").contains(['\r', '\n']));
        }
    }
}
