//! Change keys and predecessor lists ([MS-OXCFXICS] 2.2.2.2, 2.2.2.3). What a client gave is kept as given; for changes of the
//! store's own they are made from the mailbox's guid and the change number.

use crate::MailboxGuid;

/// XID: a namespace guid and a local id; here 6 octets of counter, most significant first.
pub(super) fn change_key(mailbox: MailboxGuid, cn: u64) -> Vec<u8> {
    let [_, _, counter @ ..] = cn.to_be_bytes();
    [&mailbox.0[..], &counter[..]].concat()
}

/// The list with `key` as the newest of its namespace. A list that cannot be read is begun anew.
pub(super) fn with_change(list: &[u8], key: &[u8]) -> Vec<u8> {
    let mut entries: Vec<&[u8]> = parse(list).unwrap_or_default();
    entries.retain(|entry| entry.get(..16) != key.get(..16));
    entries.push(key);
    // Sorted by namespace, so that equal sets are equal bytes.
    entries.sort_unstable();
    let sized = entries
        .iter()
        .filter_map(|entry| Some((u8::try_from(entry.len()).ok()?, entry)));
    sized
        .flat_map(|(length, entry)| std::iter::once(length).chain(entry.iter().copied()))
        .collect()
}

fn parse(mut list: &[u8]) -> Option<Vec<&[u8]>> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = list.split_first() {
        let (entry, rest) = rest.split_at_checked(usize::from(*length))?;
        entries.push(entry);
        list = rest;
    }
    Some(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_change_replaces_the_older_of_its_namespace_only() {
        let (ours, theirs) = (MailboxGuid([1; 16]), MailboxGuid([9; 16]));
        let list = with_change(&[], &change_key(ours, 5));
        let list = with_change(&list, &change_key(theirs, 7));
        let list = with_change(&list, &change_key(ours, 6));
        assert_eq!(list.len(), 2 * 23);
        assert_eq!(
            parse(&list).unwrap(),
            [&change_key(ours, 6)[..], &change_key(theirs, 7)[..]]
        );
        assert_eq!(with_change(b"\xffbroken", &change_key(ours, 1)).len(), 23);
    }
}
