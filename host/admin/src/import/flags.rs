//! IMAP flags and keywords to what the store keeps.

use waxwing_exmdb::ItemFlags;

/// RFC 9051 section 2.3.2 and the keywords of it that the store has a bit for; values as WIT `item-flags`.
const BITS: &[(&str, u32)] = &[
    ("\\seen", 1),
    ("\\answered", 2),
    ("\\flagged", 4),
    ("\\deleted", 8),
    ("\\draft", 16),
    ("$forwarded", 64),
    ("$mdnsent", 128),
];

/// Flags of any case; the rest are keywords. `\Recent` belongs to the store, other `\` flags to nobody.
pub(super) fn flags_and_keywords(words: &[String]) -> (ItemFlags, Vec<String>) {
    let (mut flags, mut keywords) = (0, Vec::new());
    for word in words {
        match BITS
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(word))
        {
            Some((_, bit)) => flags |= bit,
            None if word.starts_with('\\') || word.is_empty() || keywords.contains(word) => {}
            None => keywords.push(word.clone()),
        }
    }
    (ItemFlags(flags), keywords)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_in_any_case_and_keywords_kept() {
        let words = [
            "\\SEEN",
            "\\Recent",
            "$Forwarded",
            "work",
            "work",
            "\\Odd",
            "",
        ]
        .map(str::to_owned);
        assert_eq!(
            flags_and_keywords(&words),
            (ItemFlags(65), vec!["work".to_owned()])
        );
    }
}
