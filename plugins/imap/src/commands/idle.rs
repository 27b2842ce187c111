//! IDLE (RFC 2177, RFC 9051 section 6.3.13). The session parks: the host watches the folder and wakes it.

use waxwing_sdk::stream::{Action, Timer};

use super::notify;

use crate::session::{
    AUTOLOGOUT, Answer, Completion, Imap, KEEP_ALIVE, KEEP_ALIVE_MS, Output, Pending, Refusal,
    Updates,
};

pub(super) fn run(session: &mut Imap, tag: &str, out: &mut Output) -> Answer {
    out.line("+ idling");
    session.tell_updates(Updates::All, out)?;
    session.state.pending = Pending::Idle {
        tag: tag.to_owned(),
    };
    notify::watch(session, out);
    out.then(Action::SetTimer(Timer {
        id: AUTOLOGOUT,
        after_ms: 30 * 60 * 1_000,
    }));
    out.then(Action::SetTimer(Timer {
        id: KEEP_ALIVE,
        after_ms: KEEP_ALIVE_MS,
    }));
    out.then(Action::Park);
    Ok(Completion::Later)
}

pub(crate) fn on_input(session: &mut Imap, input: &[u8], out: &mut Output) -> usize {
    let Some(end) = input.iter().position(|&byte| byte == b'\n') else {
        if input.len() > 64 {
            session.say_bye("[CLIENTBUG] Expected DONE", out);
            return input.len();
        }
        return 0;
    };
    let Pending::Idle { tag } = std::mem::replace(&mut session.state.pending, Pending::Nothing)
    else {
        return 0;
    };
    notify::watch(session, out);
    out.then(Action::SetTimer(Timer {
        id: KEEP_ALIVE,
        after_ms: 0,
    }));
    let answer = match input
        .get(..end)
        .is_some_and(|line| line.trim_ascii().eq_ignore_ascii_case(b"DONE"))
    {
        true => Ok(Completion::text("IDLE completed")),
        false => Err(Refusal::Bad("Expected DONE".to_owned())),
    };
    session.finish(&tag, answer, Updates::All, out);
    end + 1
}

/// A watched folder changed.
pub(crate) fn changed(session: &mut Imap, out: &mut Output) {
    if !matches!(session.state.pending, Pending::Idle { .. }) {
        return;
    }
    match session.tell_updates(Updates::All, out) {
        Ok(_) => out.then(Action::Park),
        Err(refusal) => session.lose_selection(None, &refusal, out),
    }
}

pub(crate) fn keep_alive(session: &Imap, out: &mut Output) {
    if matches!(session.state.pending, Pending::Idle { .. }) {
        out.line("* OK Still here");
        out.then(Action::SetTimer(Timer {
            id: KEEP_ALIVE,
            after_ms: KEEP_ALIVE_MS,
        }));
        out.then(Action::Park);
    }
}
