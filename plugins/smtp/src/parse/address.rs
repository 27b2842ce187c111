//! RFC 5321 4.1.2 paths, with RFC 6531's UTF-8.

/// A reverse-path or forward-path without its brackets and without a source route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// `local@domain` as given; empty for `<>`; without a domain only for `postmaster`.
    pub address: String,
    /// Whether it can only be written with SMTPUTF8.
    pub utf8: bool,
}

/// Takes `<path>` from the front of `input` and returns it with what follows.
///
/// # Errors
/// What is wrong, in words for the reply.
pub fn parse_path(input: &[u8]) -> Result<(Path, &[u8]), &'static str> {
    let inner = input
        .strip_prefix(b"<")
        .ok_or("an address stands in angle brackets")?;
    let end = closing_bracket(inner).ok_or("the closing bracket is missing")?;
    let (inside, rest) = inner
        .split_at_checked(end)
        .ok_or("the closing bracket is missing")?;
    let rest = rest.get(1..).unwrap_or_default();
    if inside.len() > 254 {
        return Err("an address has at most 254 octets");
    }
    let text = std::str::from_utf8(inside).map_err(|_| "an address is ASCII or UTF-8")?;
    if text.is_empty() {
        return Ok((
            Path {
                address: String::new(),
                utf8: false,
            },
            rest,
        ));
    }
    let mailbox = without_route(text)?;
    check_mailbox(mailbox)?;
    Ok((
        Path {
            address: mailbox.to_owned(),
            utf8: !mailbox.is_ascii(),
        },
        rest,
    ))
}

/// The `>` that ends the path: not one inside a quoted local part.
fn closing_bracket(inner: &[u8]) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in inner.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'>' if !quoted => return Some(at),
            _ => {}
        }
    }
    None
}

/// RFC 5321 4.1.1.3: a source route is accepted and ignored.
fn without_route(text: &str) -> Result<&str, &'static str> {
    if !text.starts_with('@') {
        return Ok(text);
    }
    text.split_once(':')
        .map(|(_, mailbox)| mailbox)
        .ok_or("a source route ends with a colon")
}

fn check_mailbox(mailbox: &str) -> Result<(), &'static str> {
    if mailbox.eq_ignore_ascii_case("postmaster") {
        return Ok(());
    }
    let (local, domain) = mailbox.rsplit_once('@').ok_or("an address has a domain")?;
    if let Some(quoted) = local.strip_prefix('"') {
        check_quoted(
            quoted
                .strip_suffix('"')
                .ok_or("the closing quote is missing")?,
        )?;
    } else if !local
        .split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
    {
        return Err("the local part is no dot-string");
    }
    check_domain(domain)
}

fn check_quoted(inside: &str) -> Result<(), &'static str> {
    let mut characters = inside.chars();
    while let Some(character) = characters.next() {
        let taken = if character == '\\' {
            characters.next()
        } else {
            Some(character).filter(|c| *c != '"')
        };
        if taken.is_none_or(char::is_control) {
            return Err("the quoted local part is malformed");
        }
    }
    Ok(())
}

fn check_domain(domain: &str) -> Result<(), &'static str> {
    if let Some(literal) = domain.strip_prefix('[') {
        let inside = literal
            .strip_suffix(']')
            .ok_or("the address literal is not closed")?;
        let valid = !inside.is_empty()
            && inside
                .chars()
                .all(|c| c.is_ascii_graphic() && !matches!(c, '[' | ']' | '\\'));
        return if valid {
            Ok(())
        } else {
            Err("the address literal is malformed")
        };
    }
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| {
                c.is_ascii_alphanumeric()
                    || c == '-'
                    || c == '_'
                    || (!c.is_ascii() && !c.is_control())
            })
    };
    // A trailing dot is no part of the grammar, but of what people type.
    if domain.trim_end_matches('.').split('.').all(label) {
        Ok(())
    } else {
        Err("the domain is malformed")
    }
}

fn is_atext(character: char) -> bool {
    character.is_ascii_alphanumeric()
        || "!#$%&'*+-/=?^_`{|}~".contains(character)
        || (!character.is_ascii() && !character.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Result<String, &'static str> {
        parse_path(text.as_bytes()).map(|(path, _)| path.address)
    }

    #[test]
    fn ordinary_and_odd_addresses_are_taken_as_they_are() {
        for given in [
            "a@b.test",
            "a.b+c@d-e.test",
            "\"a b>\\\"\"@c.test",
            "a@[127.0.0.1]",
            "a@[IPv6:::1]",
            "ä@grüße.test",
            "Postmaster",
        ] {
            assert_eq!(address(&format!("<{given}>")), Ok(given.to_owned()));
        }
        assert_eq!(address("<>"), Ok(String::new()));
    }

    #[test]
    fn a_source_route_is_ignored() {
        assert_eq!(
            address("<@one.test,@two.test:a@b.test>"),
            Ok("a@b.test".to_owned())
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for given in [
            "a@b.test",
            "<a@b.test",
            "<a>",
            "<@b.test>",
            "<a@>",
            "<.a@b>",
            "<a..b@c>",
            "<a b@c>",
            "<\"a@b>",
            "<a@-b>",
            "<a@b..c>",
            "<a@[>",
            "<a\u{1}@b>",
        ] {
            assert!(address(given).is_err(), "{given}");
        }
    }

    #[test]
    fn utf8_is_noticed_and_what_follows_is_given_back() {
        let (path, rest) = parse_path("<ä@b.test> SIZE=1".as_bytes()).unwrap();
        assert!(path.utf8);
        assert_eq!(rest, b" SIZE=1");
    }
}
