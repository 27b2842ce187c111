//! Between the host's words and the contract's: contexts and events on their way in, turns on their way out. A turn is
//! checked here once; what passes can be carried out as it stands.

use bytes::Bytes;
use waxwing_exmdb::{Body, FolderId};

use super::PendingEvent;
use crate::{
    bindings::waxwing::session::types as wit,
    instance::Failed,
    limits::reached,
    protocol::{Action, CloseReason, Context, Event, Framing, Reception, TlsInfo, Turn},
    state::State,
};

/// A turn, and what of it the session keeps to itself.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) turn: Turn,
    /// Id and time from now in milliseconds; 0 cancels.
    pub(super) timers: Vec<(u32, u64)>,
    /// Mailbox numbers and folders, if the set is replaced.
    pub(super) watch: Option<Vec<(u32, FolderId)>>,
    /// The next `send-body` leaves dot-stuffed.
    stuffs: bool,
}

/// The extension action that says so.
const STUFFED: u32 = 1;

/// Whatever a turn is about.
#[derive(Debug, Clone)]
pub(super) enum Occasion {
    Net(Event),
    Own(PendingEvent),
}

impl Occasion {
    /// The unconsumed input that the turn is given.
    pub(super) fn input(&self) -> Bytes {
        match self {
            Occasion::Net(Event::Input(input)) => input.clone(),
            _ => Bytes::new(),
        }
    }
}

pub(crate) fn tls(tls: &TlsInfo) -> wit::TlsInfo {
    wit::TlsInfo {
        protocol: tls.protocol.clone(),
        cipher: tls.cipher.clone(),
        server_name: tls.server_name.clone(),
        channel_binding: tls.channel_binding.clone(),
        client_identity: tls.client_identity.clone(),
    }
}

/// `encrypted` is the TLS that the stream has now.
pub(crate) fn context(
    context: &Context,
    encrypted: Option<&TlsInfo>,
    identity: String,
) -> wit::Context {
    wit::Context {
        session: context.session.to_string(),
        listener: context.listener.to_string(),
        protocol: context.protocol.to_string(),
        local_address: context.local.ip().to_string(),
        local_port: context.local.port(),
        peer_address: context.peer.ip().to_string(),
        peer_port: context.peer.port(),
        tls: encrypted.map(tls),
        tls_available: context.tls_available,
        plaintext_login: context.plaintext_login,
        host_name: context.host_name.to_string(),
        version: identity,
    }
}

/// An event for an instance; a body that comes with it gets a handle there.
pub(super) fn event(occasion: Occasion, state: &mut State) -> Result<wit::Event, Failed> {
    Ok(match occasion {
        Occasion::Net(Event::Input(input)) => wit::Event::Input(input.into()),
        Occasion::Net(Event::TlsEstablished(info)) => wit::Event::TlsEstablished(tls(&info)),
        Occasion::Net(Event::BodyReceived {
            outcome,
            body,
            size,
            detail,
        }) => wit::Event::BodyReceived(wit::Received {
            outcome: match outcome {
                Reception::Complete => wit::Reception::Complete,
                Reception::OverLimit => wit::Reception::OverLimit,
                Reception::Failed => wit::Reception::Failed,
            },
            body: body
                .map(|body| state.push(body))
                .transpose()
                .map_err(|_| Failed::limit(reached("handles", state.facts.limits.handles)))?,
            size,
            detail,
        }),
        Occasion::Net(Event::Drained) => wit::Event::Drained,
        Occasion::Net(Event::Closing(reason)) => wit::Event::Closing(match reason {
            CloseReason::Shutdown => wit::CloseReason::Shutdown,
            CloseReason::Administrator => wit::CloseReason::Administrator,
            CloseReason::Idle => wit::CloseReason::Idle,
            CloseReason::LoginTimeout => wit::CloseReason::LoginTimeout,
            CloseReason::Limit => wit::CloseReason::Limit,
        }),
        Occasion::Net(Event::Closed) => wit::Event::Closed,
        Occasion::Own(PendingEvent::Timer(id)) => wit::Event::Timer(id),
        Occasion::Own(PendingEvent::Changed(folders)) => wit::Event::Changed(
            folders
                .into_iter()
                .map(|(mailbox, folder)| wit::FolderRef {
                    mailbox,
                    folder: folder.0,
                })
                .collect(),
        ),
    })
}

/// What a turn asks for.
pub(super) fn outcome(
    turn: wit::Turn,
    offered: usize,
    state: &mut State,
) -> Result<Outcome, Failed> {
    let limits = state.facts.limits.clone();
    let consumed = turn.consumed as usize;
    if consumed > offered {
        return Err(Failed::answer(format!(
            "it consumed {consumed} octets of {offered}"
        )));
    }
    if turn.actions.len() as u64 > limits.actions_per_turn {
        return Err(Failed::limit(reached(
            "actions_per_turn",
            limits.actions_per_turn,
        )));
    }
    let mut outcome = Outcome {
        turn: Turn {
            consumed,
            actions: Vec::with_capacity(turn.actions.len()),
        },
        ..Outcome::default()
    };
    let mut receiving = false;
    for action in turn.actions {
        if receiving {
            return Err(Failed::answer(
                "receive-body is not the last action of the turn",
            ));
        }
        receiving = matches!(action, wit::Action::ReceiveBody(_));
        take(action, &mut outcome, state)?;
    }
    if outcome
        .watch
        .as_ref()
        .is_some_and(|folders| folders.len() as u64 > limits.watched_folders)
    {
        return Err(Failed::limit(reached(
            "watched_folders",
            limits.watched_folders,
        )));
    }
    Ok(outcome)
}

fn take(action: wit::Action, outcome: &mut Outcome, state: &mut State) -> Result<(), Failed> {
    let done = match action {
        wit::Action::Send(octets) => Action::Send(octets.into()),
        wit::Action::SendBody(range) => {
            let body = body_range(range.body, range.offset, range.length, state)?;
            Action::SendBody {
                body,
                offset: range.offset,
                length: range.length,
                stuffed: std::mem::take(&mut outcome.stuffs),
            }
        }
        wit::Action::ReceiveBody(receive) => Action::ReceiveBody {
            framing: match receive.framing {
                wit::Framing::Exact(octets) => Framing::Exact(octets),
                wit::Framing::DotStuffed => Framing::DotStuffed,
            },
            limit: receive.limit,
        },
        wit::Action::More => Action::More,
        wit::Action::StartTls => Action::StartTls,
        wit::Action::StartCompression => Action::StartCompression,
        wit::Action::Park => Action::Park,
        wit::Action::Close => Action::Close,
        wit::Action::SetTimer(timer) => {
            outcome.timers.push((timer.id, timer.after_ms));
            return Ok(());
        }
        wit::Action::Watch(folders) => {
            outcome.watch = Some(
                folders
                    .into_iter()
                    .map(|folder| (folder.mailbox, FolderId(folder.folder)))
                    .collect(),
            );
            return Ok(());
        }
        wit::Action::Extension(extension) => {
            // An open door: what this host does not know is no action (`waxwing:types/extensions`).
            outcome.stuffs |= extension.code == STUFFED;
            return Ok(());
        }
    };
    outcome.turn.actions.push(done);
    Ok(())
}

/// The body behind a handle that a turn gives away, if the range lies within it.
pub(crate) fn body_range(
    handle: wasmtime::component::Resource<Body>,
    offset: u64,
    length: u64,
    state: &mut State,
) -> Result<Body, Failed> {
    let body = state
        .table
        .delete(handle)
        .map_err(|error| Failed::answer(format!("send-body: {error}")))?;
    match offset.checked_add(length) {
        Some(end) if end <= body.size() => Ok(body),
        _ => Err(Failed::answer(format!(
            "send-body names octets {offset}+{length} of a body of {}",
            body.size()
        ))),
    }
}
