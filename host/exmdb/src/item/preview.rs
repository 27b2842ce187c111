//! The beginning of what a person would read of a message (RFC 8970): made when it is asked for, of the first octets of its first text
//! part. It is not stored: few clients ask for it, and each once for a message.

use std::collections::HashMap;

use waxwing_formats_mime::{Part, PartKind, Structure, text};

use super::load;
use crate::{Error, ItemId, Result, mailbox::Reader};

/// Octets that are read of the part: that of HTML often begins with style sheets.
const READ: usize = 32 * 1024;
/// RFC 8970 section 3.1 recommends 200 characters and allows 256.
const CHARACTERS: usize = 200;

/// Of those items that are messages and can be read.
pub(super) async fn of_items(
    reader: &mut Reader,
    items: &[ItemId],
) -> Result<HashMap<ItemId, String>> {
    let structures = load::structures(reader, items).await?;
    let bodies = load::bodies(reader, items).await?;
    let mut previews = HashMap::with_capacity(bodies.len());
    for (item, body) in bodies {
        let structure = structures.get(&item).map(|bytes| Structure::decode(bytes));
        let Some(structure) = structure.flatten() else {
            continue;
        };
        let preview = async {
            let Some(part) = first_text(&structure.root) else {
                return Ok(String::new());
            };
            let length = usize::try_from(part.body.1).map_or(READ, |length| length.min(READ));
            let raw = body?.read(part.body.0, length).await?;
            Ok(shortened(&text::of_content(part, &raw).unwrap_or_default()))
        };
        match preview.await {
            Ok(preview) => drop(previews.insert(item, preview)),
            // One message without its file must not hide the others.
            Err(error @ (Error::Corrupt(_) | Error::Io(_))) => {
                let error = error.of(reader.core().guid);
                tracing::error!(%error, "a message is shown without its preview");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(previews)
}

/// The first text that is no attachment.
fn first_text(part: &Part) -> Option<&Part> {
    match &part.kind {
        PartKind::Leaf => {
            let attached = part
                .disposition
                .as_ref()
                .is_some_and(|(disposition, _)| disposition == b"ATTACHMENT");
            (part.media_type == b"TEXT" && !attached).then_some(part)
        }
        PartKind::Multipart(parts) => parts.iter().find_map(first_text),
        PartKind::Message(_) => None,
    }
}

fn shortened(text: &str) -> String {
    let mut out = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        if !word.is_empty() && !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
        if out.len() >= CHARACTERS * 4 {
            break;
        }
    }
    out.chars().take(CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preview(mail: &str) -> String {
        let structure = Structure::parse(mail.as_bytes());
        let part = first_text(&structure.root).unwrap();
        let (offset, length) = (part.body.0 as usize, part.body.1 as usize);
        let raw = &mail.as_bytes()[offset..offset + length];
        shortened(&text::of_content(part, raw).unwrap())
    }

    #[test]
    fn white_space_is_one_space_and_the_end_is_cut() {
        assert_eq!(preview("A: b\r\n\r\n  one\r\n\r\n\ttwo \r\n"), "one two");
        let long = format!("A: b\r\n\r\n{}", "ü ".repeat(400));
        assert_eq!(preview(&long).chars().count(), CHARACTERS);
    }

    #[test]
    fn the_first_text_that_is_no_attachment_is_read() {
        let mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n\
            --b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nno\r\n\
            --b\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>Gr=C3=BC=C3=9Fe</p>\r\n--b--\r\n";
        assert_eq!(preview(mail), "Grüße");
    }
}
