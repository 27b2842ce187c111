//! Requests on their way in, actions on their way out.

use waxwing_exmdb::FolderId;

use super::{HttpAction, HttpRequest};
use crate::{
    bindings::waxwing::{http::types as wit, session::types::FolderRef},
    instance::Failed,
    limits::reached,
    session::translate::{body_range, tls},
    state::State,
};

pub(super) fn folder_refs(folders: Vec<(u32, FolderId)>) -> Vec<FolderRef> {
    folders
        .into_iter()
        .map(|(mailbox, folder)| FolderRef {
            mailbox,
            folder: folder.0,
        })
        .collect()
}

/// A request for an instance; its body gets a handle there.
pub(super) fn request(
    request: HttpRequest,
    identity: String,
    state: &mut State,
) -> Result<wit::Request, Failed> {
    let body = request.body.map(|body| state.push(body)).transpose();
    Ok(wit::Request {
        id: request.id,
        method: request.method,
        scheme: request.scheme,
        authority: request.authority,
        path: request.path,
        query: request.query,
        route: request.route,
        headers: request
            .headers
            .into_iter()
            .map(|(name, value)| (name, value.to_vec()))
            .collect(),
        peer_address: request.peer.ip().to_string(),
        tls: request.tls.as_ref().map(tls),
        body: body.map_err(|_| Failed::limit(reached("handles", state.facts.limits.handles)))?,
        version: identity,
    })
}

/// What net is to do, if it is anything.
pub(super) fn action(action: wit::Action, state: &mut State) -> Result<Option<HttpAction>, Failed> {
    Ok(match action {
        wit::Action::Head(head) if !(100..=999).contains(&head.status) => {
            return Err(Failed::answer(format!("status {} is none", head.status)));
        }
        wit::Action::Head(head) => Some(HttpAction::Head {
            status: head.status,
            headers: head
                .headers
                .into_iter()
                .map(|(name, value)| (name, value.into()))
                .collect(),
            content_length: head.content_length,
        }),
        wit::Action::Send(octets) => Some(HttpAction::Send(octets.into())),
        wit::Action::SendBody(range) => {
            let body = body_range(range.body, range.offset, range.length, state)?;
            Some(HttpAction::SendBody {
                body,
                offset: range.offset,
                length: range.length,
            })
        }
        // An open door: what this host does not know is no action.
        wit::Action::Extension(_) => None,
        wit::Action::More(_) | wit::Action::Park(_) | wit::Action::Finish | wit::Action::Abort => {
            None
        }
    })
}
