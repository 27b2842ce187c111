//! IMAP flags and keywords to what the store keeps, and back.

use waxwing_exmdb::ItemFlags;

/// RFC 9051 section 2.3.2 and the keywords of it that the store has a bit for; values as WIT `item-flags`.
const BITS: &[(&str, u32)] = &[
    ("\\Seen", ItemFlags::SEEN),
    ("\\Answered", ItemFlags::ANSWERED),
    ("\\Flagged", ItemFlags::FLAGGED),
    ("\\Deleted", ItemFlags::DELETED),
    ("\\Draft", ItemFlags::DRAFT),
    ("$Forwarded", ItemFlags::FORWARDED),
    ("$MDNSent", ItemFlags::MDN_SENT),
];

/// Flags of any case; the rest are keywords. `\Recent` belongs to the store, other `\` flags to nobody.
pub(crate) fn flags_and_keywords(words: &[String]) -> (ItemFlags, Vec<String>) {
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

/// Flags and numbers of keywords in words.
pub(crate) fn words(flags: ItemFlags, keywords: &[u16], names: &[String]) -> Vec<String> {
    let set = BITS.iter().filter(|(_, bit)| flags.has(*bit));
    let named = keywords
        .iter()
        .filter_map(|number| names.get(usize::from(*number)).cloned());
    set.map(|(name, _)| (*name).to_owned())
        .chain(named)
        .collect()
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

    #[test]
    fn words_are_read_back_as_what_they_were_made_from() {
        let names = ["work".to_owned(), "home".to_owned()];
        let flags = ItemFlags(1 | 2 | 4 | 8 | 16 | 64 | 128);
        let words = words(flags, &[1], &names);
        assert_eq!(words.len(), 8);
        assert_eq!(flags_and_keywords(&words), (flags, vec!["home".to_owned()]));
    }
}
