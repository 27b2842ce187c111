//! What commands do, one file each. A command gets the session and the turn's output; it sends its untagged answers
//! and says how it ended, and the session adds what else happened and the tagged line.

mod acl;
pub(crate) mod append;
pub(crate) mod authenticate;
mod binary;
pub(crate) mod capability;
mod close;
mod compress;
pub(crate) mod context;
mod copy;
mod create;
mod delete;
mod enable;
mod expunge;
pub(crate) mod fetch;
mod filter;
mod id;
pub(crate) mod idle;
mod language;
mod list;
mod login;
mod logout;
mod lsub;
mod metadata;
pub(crate) mod multi_search;
mod namespace;
pub(crate) mod notify;
mod quota;
mod rename;
mod search;
mod select;
mod sort;
mod starttls;
mod status;
mod store;
mod subscribe;
mod thread;
mod uid_batches;
mod unauthenticate;
mod url;

use crate::parse::Command;
use crate::session::{Answer, Completion, Imap, Output, Refusal, Updates};

/// The state that a command is valid in (RFC 9051 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Nothing,
    NotAuthenticated,
    Authenticated,
    Selected,
}

pub(crate) fn need(command: &Command) -> Need {
    use Command as C;
    match command {
        C::Capability | C::Noop | C::Logout | C::Id(_) | C::Language(_) => Need::Nothing,
        C::StartTls | C::Login { .. } | C::Authenticate { .. } => Need::NotAuthenticated,
        C::Enable(_)
        | C::Select { .. }
        | C::Create { .. }
        | C::Delete(_)
        | C::Rename { .. }
        | C::Subscribe { .. }
        | C::List(_)
        | C::Lsub(_)
        | C::Namespace
        | C::GetQuota(_)
        | C::GetQuotaRoot(_)
        | C::SetQuota
        | C::Acl { .. }
        | C::Status { .. }
        | C::Compress
        | C::Unauthenticate
        | C::MultiSearch(_)
        | C::Notify(_)
        | C::GetMetadata { .. }
        | C::SetMetadata { .. }
        // Refused inside, where its literal is dropped.
        | C::Idle => Need::Authenticated,
        C::Append { .. } => Need::Nothing,
        C::Check
        | C::UidBatches { .. }
        | C::CancelUpdate(_)
        | C::Close
        | C::Unselect
        | C::Expunge(_)
        | C::Search { .. }
        | C::Sort { .. }
        | C::Thread { .. }
        | C::Fetch { .. }
        | C::Store { .. }
        | C::Copy { .. }
        | C::Move { .. } => Need::Selected,
    }
}

/// FETCH, STORE, SEARCH, SORT and THREAD never tell EXPUNGE: clients are in the middle of message numbers. The UID forms might, but gain
/// nothing by it.
pub(crate) fn updates_after(command: &Command) -> Updates {
    use Command as C;
    match command {
        C::Fetch { .. }
        | C::Store { .. }
        | C::Search { .. }
        | C::Sort { .. }
        | C::Thread { .. } => Updates::WithoutExpunge,
        C::Select { .. }
        | C::Close
        | C::Unselect
        | C::Logout
        | C::Unauthenticate
        | C::StartTls
        | C::Login { .. }
        | C::Authenticate { .. } => Updates::None,
        _ => Updates::All,
    }
}

pub(crate) fn run(session: &mut Imap, tag: &str, command: Command, out: &mut Output) -> Answer {
    use Command as C;
    match command {
        C::Capability => capability::run(session, out),
        C::Noop => Ok(Completion::text("NOOP completed")),
        C::Check => Ok(Completion::text("CHECK completed")),
        C::Logout => logout::run(session, tag, out),
        C::StartTls => starttls::run(session, tag, out),
        C::Login { user, password } => login::run(session, &user, &password),
        C::Authenticate { mechanism, initial } => {
            authenticate::run(session, tag, mechanism, initial.as_deref(), out)
        }
        C::Enable(names) => enable::run(session, &names, out),
        C::Id(parameters) => id::run(session, &parameters, out),
        C::Select {
            mailbox,
            read_only,
            condstore,
            resync,
        } => {
            let selection = select::Selecting {
                mailbox,
                read_only,
                condstore,
                resync,
            };
            select::run(session, tag, selection, out)
        }
        C::Namespace => namespace::run(out),
        C::Append {
            mailbox,
            replaces,
            stretch,
        } => {
            let beginning = append::Beginning {
                mailbox,
                replaces,
                stretch,
            };
            append::run(session, tag, beginning, out)
        }
        C::Close => close::run(session, true),
        C::Unselect => close::run(session, false),
        C::Idle => idle::run(session, tag, out),
        C::Language(ranges) => language::run(&ranges, out),
        C::Notify(request) => notify::run(session, request, out),
        C::MultiSearch(request) => multi_search::run(session, tag, request, out),
        C::UidBatches { size, batches } => uid_batches::run(session, tag, size, batches, out),
        C::CancelUpdate(tags) => context::cancel(session, &tags),
        C::Compress => compress::run(session, tag, out),
        C::Unauthenticate => unauthenticate::run(session),
        C::Expunge(_)
        | C::Search { .. }
        | C::Sort { .. }
        | C::Thread { .. }
        | C::Fetch { .. }
        | C::Store { .. }
        | C::Copy { .. }
        | C::Move { .. } => run_on_messages(session, tag, command, out),
        _ => run_on_mailboxes(session, command, out),
    }
}

fn run_on_mailboxes(session: &mut Imap, command: Command, out: &mut Output) -> Answer {
    use Command as C;
    match command {
        C::Create {
            mailbox,
            special_use,
        } => create::run(session, &mailbox, &special_use),
        C::Delete(mailbox) => delete::run(session, &mailbox, out),
        C::Rename { from, to } => rename::run(session, &from, &to),
        C::Subscribe { mailbox, on } => subscribe::run(session, &mailbox, on),
        C::List(request) => list::run(session, &request, out),
        C::Lsub(request) => lsub::run(session, &request, out),
        C::Status { mailbox, items } => status::run(session, &mailbox, &items, out),
        C::GetQuota(root) => quota::get(session, &root, out),
        C::GetQuotaRoot(mailbox) => quota::get_root(session, &mailbox, out),
        C::SetQuota => quota::set(),
        C::Acl { mailbox, request } => acl::run(session, &mailbox, request, out),
        C::GetMetadata { mailbox, query } => metadata::get(session, &mailbox, &query, out),
        C::SetMetadata { mailbox, values } => metadata::set(session, &mailbox, values),
        _ => Err(Refusal::Bad("This is not about mailboxes".to_owned())),
    }
}

/// RFC 9586 section 3: who enabled UIDONLY does not name messages by their numbers.
fn demand_uids(session: &Imap, command: &Command) -> Result<(), Refusal> {
    use Command as C;
    let by_number = match command {
        C::Search { uid, request } => !uid || request.key.names_numbers(),
        C::Sort { uid, request } => !uid || request.search.key.names_numbers(),
        C::Thread { uid, request } => !uid || request.search.key.names_numbers(),
        C::Fetch { uid, .. } | C::Store { uid, .. } | C::Copy { uid, .. } | C::Move { uid, .. } => {
            !uid
        }
        _ => false,
    };
    if by_number && session.state.enabled.uid_only {
        return Err(uids_required());
    }
    Ok(())
}

fn uids_required() -> Refusal {
    Refusal::Bad("[UIDREQUIRED] Message numbers are not used after ENABLE UIDONLY".to_owned())
}

fn run_on_messages(session: &mut Imap, tag: &str, command: Command, out: &mut Output) -> Answer {
    use Command as C;
    demand_uids(session, &command)?;
    let transferring = |uid, set, mailbox, moves| copy::Transferring {
        uid,
        set,
        mailbox,
        moves,
    };
    match command {
        C::Expunge(set) => expunge::run(session, set.as_ref(), out),
        C::Search { uid, request } => search::run(session, tag, uid, &request, out),
        C::Sort { uid, request } => sort::run(session, tag, uid, &request, out),
        C::Thread { uid, request } => thread::run(session, uid, &request, out),
        C::Fetch {
            uid,
            request,
            partial,
        } => {
            let wanted = fetch::Wanted {
                uid,
                request,
                partial,
            };
            fetch::run(session, tag, wanted, out)
        }
        C::Store { uid, request } => store::run(session, uid, request, out),
        C::Copy { uid, set, mailbox } => {
            copy::run(session, &transferring(uid, set, mailbox, false), out)
        }
        C::Move { uid, set, mailbox } => {
            copy::run(session, &transferring(uid, set, mailbox, true), out)
        }
        _ => Err(Refusal::Bad("This is not about messages".to_owned())),
    }
}
