//! Object ids (RFC 8474): of mailboxes and of messages.

/// `F`, the store's identity, and the folder's number in it: the same under every name.
pub fn mailbox(guid: &str, folder: u64) -> String {
    format!("F{guid}-{folder:x}")
}

/// `M` and the digest of the message: the same for all its copies.
pub fn email(digest: &[u8]) -> String {
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    digits.fold("M".to_owned(), |id, digits| id + &digits)
}

/// `I` and the number of an item that did not come as a message: it has no digest.
pub fn item(item: u64) -> String {
    format!("I{item:x}")
}

/// The digest that an id of a message holds.
pub fn digest_of(email: &str) -> Option<Vec<u8>> {
    let digits = email.strip_prefix('M')?.as_bytes();
    let (pairs, rest) = digits.as_chunks::<2>();
    let byte = |pair: &[u8; 2]| {
        let text = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(text, 16).ok()
    };
    pairs
        .iter()
        .map(byte)
        .collect::<Option<Vec<u8>>>()
        .filter(|digest| rest.is_empty() && !digest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_id_names_its_digest_and_nothing_else_does() {
        assert_eq!(email(&[0, 255]), "M00ff");
        assert_eq!(digest_of("M00ff"), Some(vec![0, 255]));
        for wrong in ["M", "M0", "00ff", "M0g", "Mü"] {
            assert_eq!(digest_of(wrong), None, "{wrong}");
        }
    }
}
