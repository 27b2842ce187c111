//! What an IMAP URL of the own mailbox stands for (RFC 5092), for CATENATE.

use waxwing_sdk::accounts;
use waxwing_sdk::bodies::Body;
use waxwing_sdk::store::views;

use super::fetch::part;
use crate::names::MailboxName;
use crate::parse::ImapUrl;
use crate::session::{Imap, Refusal};

/// Why a URL gives nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Nothing {
    /// The URL is wrong, or what it names is not there.
    BadUrl(&'static str),
    /// The store cannot tell now.
    Refused(Refusal),
}

impl<E: Into<Refusal>> From<E> for Nothing {
    fn from(error: E) -> Self {
        Nothing::Refused(error.into())
    }
}

/// Whether the user of this session is meant, on this server.
fn is_own(session: &Imap, server: &(Option<String>, String)) -> bool {
    let (user, host) = server;
    let own = accounts::current().map(|principal| principal.address());
    let named = user.as_ref().is_none_or(|user| {
        own.as_ref()
            .is_some_and(|own| own.eq_ignore_ascii_case(user))
    });
    named && host.eq_ignore_ascii_case(&session.context.host_name)
}

/// The octets that a URL names, in the mailbox of the session.
pub(super) fn open(session: &mut Imap, url: &ImapUrl) -> Result<Body, Nothing> {
    if !url
        .server
        .as_ref()
        .is_none_or(|server| is_own(session, server))
    {
        return Err(Nothing::BadUrl("It is of another server or user"));
    }
    let (mailbox, folder) = match &url.mailbox {
        Some(name) => {
            let name = MailboxName::new(name);
            let account = session.account_of(&name)?;
            let node = account
                .tree
                .selectable(&name)
                .ok_or(Nothing::BadUrl("There is no such mailbox"))?;
            let validity = node.folder.uid_validity;
            if url.uid_validity.is_some_and(|wanted| wanted != validity) {
                return Err(Nothing::BadUrl("The mailbox has another UIDVALIDITY"));
            }
            (account.mailbox, node.folder.id)
        }
        None => {
            let selected = session.state.selected.as_ref();
            let none = Nothing::BadUrl("It names no mailbox");
            let folder = selected.ok_or(none)?.folder;
            (session.selected_mailbox()?, folder)
        }
    };
    let view = views::open(&mailbox, folder, true)?;
    let wanted = part::Wanted {
        uid: url.uid,
        section: &url.section,
        partial: url.partial,
    };
    let opened = part::open(&view, &wanted);
    view.close();
    opened?.ok_or(Nothing::BadUrl("There is no such message or part"))
}
