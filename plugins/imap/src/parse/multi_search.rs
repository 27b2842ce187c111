//! ESEARCH, the search of several mailboxes (RFC 7377).

use super::{Bad, Command, MailboxFilter, SearchRequest, cursor::Cursor};

/// A whole ESEARCH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiSearchRequest {
    /// Where; not empty.
    pub sources: Vec<MailboxFilter>,
    /// What.
    pub search: SearchRequest,
}

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Command, Bad> {
    let mut sources = vec![MailboxFilter::Selected];
    if cursor.eat_word("IN (") {
        sources = vec![MailboxFilter::parse(cursor)?];
        while !cursor.eat(b')') {
            cursor.space()?;
            // Scope options; none is defined.
            if cursor.eat_word("())") {
                break;
            }
            sources.push(MailboxFilter::parse(cursor)?);
        }
        cursor.space()?;
    }
    let search = SearchRequest::parse(cursor)?;
    if search.returns.is_some_and(|returns| returns.save) {
        return Err(Bad::new("the result of ESEARCH is not saved"));
    }
    if !search.key.lasts() {
        return Err(Bad::new(
            "message numbers and $ are of the selected mailbox; use SEARCH",
        ));
    }
    Ok(Command::MultiSearch(MultiSearchRequest { sources, search }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::MailboxName;
    use crate::parse::{Parsed, parse_command};

    fn parsed(text: &str) -> Result<MultiSearchRequest, String> {
        match parse_command(format!("a ESEARCH {text}\r\n").as_bytes()) {
            Parsed::Command { request, .. } => match request.command {
                Command::MultiSearch(request) => Ok(request),
                other => panic!("{other:?}"),
            },
            Parsed::Bad { text, .. } => Err(text),
            Parsed::Incomplete { .. } => panic!("{text}"),
        }
    }

    #[test]
    fn sources_come_first_and_may_be_several() {
        let request =
            parsed("IN (mailboxes (a \"b c\") SUBTREE d personal) RETURN (MIN) UNSEEN").unwrap();
        let names = |names: &[&str]| names.iter().map(|name| MailboxName::new(name)).collect();
        assert_eq!(
            request.sources,
            [
                MailboxFilter::Mailboxes(names(&["a", "b c"])),
                MailboxFilter::Subtree(names(&["d"])),
                MailboxFilter::Personal
            ]
        );
        assert!(request.search.returns.unwrap().min);
        assert_eq!(parsed("SEEN").unwrap().sources, [MailboxFilter::Selected]);
        assert!(parsed("IN (inboxes ()) SEEN").is_ok());
    }

    #[test]
    fn what_is_of_the_selected_mailbox_only_is_refused() {
        for wrong in [
            "IN (personal) 1:5",
            "IN (personal) UID $",
            "IN (personal) RETURN (SAVE) ALL",
            "IN () ALL",
            "IN (everything) ALL",
            "IN (mailboxes ()) ALL",
        ] {
            assert!(parsed(wrong).is_err(), "{wrong}");
        }
    }
}
