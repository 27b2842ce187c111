//! What filters change in a message: fields and the body. The octets of fields that nobody touches stay as they are.

use bytes::{Bytes, BytesMut};
use waxwing_exmdb::Body;

use super::protocol::Change;
use crate::header::{Header, fields};

/// Fields that filters may leave behind in one message.
const MAX_FIELDS: usize = 2_000;

/// A message as it is being changed.
pub(super) struct Edits {
    fields: Vec<Bytes>,
    rest: Body,
    body: Option<BytesMut>,
    changed: bool,
}

impl Edits {
    pub(super) fn new(header: &Header, message: &Body) -> Edits {
        let length = header.octets().len() as u64;
        let rest = message.slice(length, message.size().saturating_sub(length));
        Edits {
            fields: fields(header.octets())
                .map(Bytes::copy_from_slice)
                .collect(),
            rest,
            body: None,
            changed: false,
        }
    }

    /// Whether it was a change of the message.
    pub(super) fn apply(&mut self, change: &Change) -> bool {
        match change {
            Change::Append { name, value } => self.insert(usize::MAX, name, value),
            Change::Insert { at, name, value } => {
                self.insert(usize::try_from(*at).unwrap_or(usize::MAX), name, value);
            }
            Change::Replace {
                number,
                name,
                value,
            } => self.change(*number, name, value),
            Change::Body(piece) => {
                let body = self.body.get_or_insert_default();
                body.extend_from_slice(piece);
            }
            _ => return false,
        }
        self.changed = true;
        true
    }

    /// The message as it is now.
    pub(super) fn message(self, original: &Body) -> Body {
        if !self.changed {
            return original.clone();
        }
        let header = Body::from_bytes(self.fields.concat().into());
        let rest = match self.body {
            Some(body) => {
                let empty_line = Body::from_bytes(Bytes::from_static(b"\r\n"));
                Body::concat(vec![empty_line, Body::from_bytes(body.freeze())])
            }
            None => self.rest,
        };
        Body::concat(vec![header, rest])
    }

    fn insert(&mut self, at: usize, name: &str, value: &[u8]) {
        if self.fields.len() < MAX_FIELDS
            && let Some(field) = field(name, value)
        {
            self.fields.insert(at.min(self.fields.len()), field);
        }
    }

    fn change(&mut self, number: u32, name: &str, value: &[u8]) {
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
    let lines = value.split(|octet| *octet == b'\n');
    let mut lines = lines
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.trim_ascii().is_empty());
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
    use super::*;

    async fn edited(changes: &[Change]) -> String {
        let message = Body::from_bytes("A: 1\r\nB: 2\r\n x\r\nA: 3\r\n\r\nbody\r\n".into());
        let header = Header::read(&message).await.unwrap();
        let mut edits = Edits::new(&header, &message);
        for change in changes {
            assert!(edits.apply(change));
        }
        let message = edits.message(&message);
        String::from_utf8(message.read(0, usize::MAX).await.unwrap().to_vec()).unwrap()
    }

    fn change(number: u32, name: &str, value: &str) -> Change {
        Change::Replace {
            number,
            name: name.into(),
            value: value.into(),
        }
    }

    #[tokio::test]
    async fn fields_are_added_changed_and_taken_out_by_name_and_number() {
        let add = |value: &str| Change::Append {
            name: "C".into(),
            value: value.into(),
        };
        let insert = Change::Insert {
            at: 0,
            name: "Z".into(),
            value: b"first".to_vec(),
        };
        for (changes, expected) in [
            (
                vec![add("4\n\t5\nD: 6")],
                "A: 1\r\nB: 2\r\n x\r\nA: 3\r\nC: 4\r\n\t5\r\n\tD: 6\r\n\r\nbody\r\n",
            ),
            (
                vec![insert],
                "Z: first\r\nA: 1\r\nB: 2\r\n x\r\nA: 3\r\n\r\nbody\r\n",
            ),
            (
                vec![change(2, "a", ""), change(1, "B", "new")],
                "A: 1\r\nB: new\r\n\r\nbody\r\n",
            ),
            (
                vec![change(3, "A", "4")],
                "A: 1\r\nB: 2\r\n x\r\nA: 3\r\nA: 4\r\n\r\nbody\r\n",
            ),
            (
                vec![change(1, "Q", ""), change(1, "E vil", "x")],
                "A: 1\r\nB: 2\r\n x\r\nA: 3\r\n\r\nbody\r\n",
            ),
            (
                vec![Change::Body("new ".into()), Change::Body("text\r\n".into())],
                "A: 1\r\nB: 2\r\n x\r\nA: 3\r\n\r\nnew text\r\n",
            ),
        ] {
            assert_eq!(edited(&changes).await, expected);
        }
    }
}
