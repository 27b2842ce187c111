//! Addresses and their parts (RFC 5228 section 2.7.4, subaddress RFC 5233).

use waxwing_formats_mime::address;

use crate::script::AddressPart;

/// One that mail can be sent to.
pub(crate) fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    let plain = |c: char| !c.is_control() && !c.is_whitespace() && !"<>()[],;:\\\"".contains(c);
    !local.is_empty()
        && text.len() <= 320
        && local.chars().all(|c| plain(c) && c != '@')
        && !domain.is_empty()
        && domain.split('.').all(|label| !label.is_empty())
        && domain.chars().all(|c| plain(c) && c != '@')
}

/// All addresses of a field.
pub(super) fn of_field(field: &[u8]) -> Vec<String> {
    let text = |octets: &Option<Vec<u8>>| {
        String::from_utf8_lossy(octets.as_deref().unwrap_or_default()).into_owned()
    };
    let mailboxes = address::parse(field);
    let mailboxes = mailboxes.iter().filter(|address| address.is_mailbox());
    mailboxes
        .map(
            |address| match (text(&address.mailbox), text(&address.host)) {
                (local, domain) if domain.is_empty() => local,
                (local, domain) => format!("{local}@{domain}"),
            },
        )
        .collect()
}

/// A part of an address; none when it has no such part.
pub(super) fn part(address: &str, part: AddressPart, delimiter: Option<char>) -> Option<String> {
    if part == AddressPart::All {
        return Some(address.to_owned());
    }
    let (local, domain) = match address.rsplit_once('@') {
        Some((local, domain)) => (local, Some(domain)),
        None => (address, None),
    };
    if address.is_empty() {
        return None;
    }
    let halves = delimiter.and_then(|delimiter| local.split_once(delimiter));
    let found = match part {
        AddressPart::All | AddressPart::LocalPart => Some(local),
        AddressPart::Domain => domain,
        AddressPart::User => Some(halves.map_or(local, |(user, _)| user)),
        AddressPart::Detail => halves.map(|(_, detail)| detail),
    };
    found.map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_the_parts_of_the_rfc() {
        let parts = |address: &str| {
            [
                AddressPart::LocalPart,
                AddressPart::Domain,
                AddressPart::User,
                AddressPart::Detail,
            ]
            .map(|which| part(address, which, Some('+')).unwrap_or("none".into()))
        };
        assert_eq!(
            parts("ken+sieve@example.org"),
            ["ken+sieve", "example.org", "ken", "sieve"]
        );
        assert_eq!(
            parts("ken@example.org"),
            ["ken", "example.org", "ken", "none"]
        );
        assert_eq!(parts("ken+@example.org")[3], "");
        assert_eq!(parts(""), ["none"; 4]);
    }

    #[test]
    fn only_what_mail_can_be_sent_to_is_an_address() {
        assert!(is_address("a.b+c@example.org") && is_address("ü@example.org"));
        for wrong in [
            "",
            "a",
            "@b",
            "a@",
            "a@b..c",
            "a b@c",
            "a@b\r\nX: y",
            "<a@b>",
            "a@b@c",
        ] {
            assert!(!is_address(wrong), "{wrong:?}");
        }
    }
}
