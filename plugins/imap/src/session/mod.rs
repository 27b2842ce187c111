//! A session: what lasts between two turns, and how events reach commands.
//!
//! One command is carried out per turn; when more input waits, the turn asks for another (`more`). So a trap
//! costs exactly the command that trapped: those before it were answered, those behind it are still in the input.
//!
//! All that lasts is in [`state::State`]. The handles in `Live` are found again from it when they are missing, so that waking
//! a parked session costs nothing that the event does not need.

mod accounts;
mod answer;
mod events;
mod live;
mod output;
mod recovery;
mod state;
mod updates;

pub(crate) use accounts::Account;
pub(crate) use answer::{Answer, Completion, Refusal};
pub(crate) use live::{RowStyle, Targets, fetch_row, row_flags, row_start};
pub(crate) use output::Output;
pub(crate) use state::{
    Enabled, Fetching, Kept, LeftOut, MultiSearching, Pending, Put, Putting, Selected, Stage,
    ToldMailbox,
};
pub(crate) use updates::Updates;

use live::Live;
use state::State;
use waxwing_sdk::frozen::Frozen as _;
use waxwing_sdk::stream::{
    Action, Cause, Context, Event, Handoff, Snapshot, StreamPlugin, Timer, Turn,
};

use crate::commands;

/// Ends a session that says nothing. RFC 9051 section 5.4: not before 30 minutes.
pub(crate) const AUTOLOGOUT: u32 = 1;
const AUTOLOGOUT_MS: u64 = 30 * 60 * 1_000;
/// A line now and then in IDLE, so that no NAT forgets the connection.
pub(crate) const KEEP_ALIVE: u32 = 2;
pub(crate) const KEEP_ALIVE_MS: u64 = 4 * 60 * 1_000;

/// An IMAP session.
pub struct Imap {
    pub(crate) state: State,
    pub(crate) context: Context,
    live: Live,
}

impl Imap {
    fn new(state: State, context: &Context) -> Self {
        Imap {
            state,
            context: context.clone(),
            live: Live::default(),
        }
    }

    /// Sends the tagged line of a command that has ended.
    pub(crate) fn conclude(&mut self, tag: &str, answer: Answer, out: &mut Output) {
        #[cfg(feature = "fault-injection")]
        crate::faults::at_end(tag);
        match answer {
            Ok(Completion::Later) => return,
            Ok(Completion::Done(text)) => {
                self.state.refused = 0;
                out.line(&format!("{tag} OK {text}"));
            }
            Err(Refusal::No(text)) => out.line(&format!("{tag} NO {text}")),
            Err(Refusal::Bad(text)) => self.refuse(Some(tag), &text, out),
        }
        if self.state.stage == Stage::Authenticated {
            out.then(Action::SetTimer(Timer {
                id: AUTOLOGOUT,
                after_ms: AUTOLOGOUT_MS,
            }));
        }
    }

    /// BAD, and BYE when there were too many.
    pub(crate) fn refuse(&mut self, tag: Option<&str>, text: &str, out: &mut Output) {
        out.line(&format!("{} BAD {text}", tag.unwrap_or("*")));
        waxwing_sdk::debug!("a command was refused", reason = text);
        self.count_refusal(out);
    }

    /// One more command that was none.
    pub(crate) fn count_refusal(&mut self, out: &mut Output) {
        let most = if self.state.stage == Stage::Authenticated {
            50
        } else {
            10
        };
        self.state.refused += 1;
        if self.state.refused >= most {
            waxwing_sdk::info!("limit reached: bad commands in a row", limit = most);
            self.say_bye("[CLIENTBUG] Too many bad commands", out);
        }
    }

    /// BYE; the connection ends.
    pub(crate) fn say_bye(&mut self, text: &str, out: &mut Output) {
        out.line(&format!("* BYE {text}"));
        self.state.stage = Stage::Logout;
        self.state.pending = Pending::Nothing;
        out.then(Action::Close);
    }

    /// Back to before the log-in; what the connection is stays.
    pub(crate) fn forget_account(&mut self) {
        let compressed = self.state.compressed;
        self.state = State {
            compressed,
            ..State::new()
        };
        self.live = Live::default();
    }

    /// Leaves the selected mailbox, if there is one.
    pub(crate) fn deselect(&mut self) -> bool {
        if self.state.selected.is_none() {
            return false;
        }
        if let Ok(view) = self.view() {
            view.close();
        }
        self.live.view = None;
        self.live.away = None;
        self.state.selected = None;
        self.state.attention.account = None;
        self.state.attention.kept.clear();
        self.state.attention.modseq = 0;
        self.state.attention.uid_next = 0;
        true
    }
}

impl StreamPlugin for Imap {
    fn start(context: &Context) -> (Self, Turn) {
        let session = Imap::new(State::new(), context);
        let mut out = Output::default();
        let capabilities = commands::capability::list(&session);
        let Context {
            host_name, version, ..
        } = context;
        out.line(&format!(
            "* OK [CAPABILITY {capabilities}] {host_name} Waxwing {version} ready"
        ));
        (session, out.into_turn(0))
    }

    fn handle(&mut self, event: Event) -> Turn {
        self.on(event)
    }
}

impl Handoff for Imap {
    fn freeze(&self) -> Result<Snapshot, String> {
        let mut state = self.state.clone();
        if let Pending::Put(putting) = &mut state.pending {
            let tokens = putting.messages.iter_mut().flat_map(|put| &mut put.tokens);
            for (token, body) in tokens.zip(&self.live.bodies) {
                *token = body.keep();
            }
        }
        state.folded().to_snapshot()
    }

    fn thaw(snapshot: Snapshot, context: &Context, cause: Cause) -> Result<(Self, Turn), String> {
        let mut session = Imap::new(State::from_snapshot(&snapshot)?.unfolded(), context);
        session.resume_bodies()?;
        #[cfg(feature = "fault-injection")]
        if session.state.stage == Stage::Authenticated
            && let Some(answer) = crate::faults::in_thaw(&context.version)
        {
            return answer.map(|turn| (session, turn));
        }
        let turn = match cause {
            Cause::Wake => Turn::new(),
            Cause::Upgrade => {
                // Found out now, while the old version could still go on.
                session.check_handles()?;
                Turn::new()
            }
            Cause::Crash(crash) => session.recover(&crash),
        };
        Ok((session, turn))
    }
}

#[cfg(test)]
mod formats;
#[cfg(test)]
mod tests;
