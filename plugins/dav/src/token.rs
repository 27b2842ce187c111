//! Sync tokens: a URI that names the mailbox, the folder and the change number up to which a client knows it (RFC 6578 section 3.2).
//! A mailbox that was restored has another guid or other numbers, so a token of another life is never taken for one of this.

use std::fmt;
use std::str::FromStr;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) guid: String,
    pub(crate) folder: u64,
    pub(crate) number: u64,
}

impl fmt::Display for Token {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "data:,{}/{}/{}", self.guid, self.folder, self.number)
    }
}

impl FromStr for Token {
    type Err = ();

    fn from_str(text: &str) -> Result<Token, ()> {
        let mut parts = text.strip_prefix("data:,").ok_or(())?.split('/');
        let guid = parts.next().ok_or(())?.to_owned();
        let mut number = || parts.next().and_then(|part| part.parse().ok()).ok_or(());
        let token = Token {
            guid,
            folder: number()?,
            number: number()?,
        };
        parts.next().is_none().then_some(token).ok_or(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_survives_its_text_form_and_others_are_none() {
        let token = Token {
            guid: "07".repeat(16),
            folder: 9,
            number: 77,
        };
        assert_eq!(token.to_string().parse(), Ok(token));
        for other in [
            "",
            "data:,",
            "data:,a/1",
            "data:,a/1/2/3",
            "data:,a/x/2",
            "http://x/1",
        ] {
            assert_eq!(other.parse::<Token>(), Err(()), "{other}");
        }
    }
}
