//! What the host keeps for a session or a request outside its instance: who is logged in, which mailboxes and
//! views are open under which number, which locks it has, bodies kept for the next thaw. It outlives every instance, so it
//! survives a crash, a hand-over and parking; the plugin's frozen state names its parts by number.
//!
//! It changes in turns (`begin_turn`): a turn that completes is committed, one that fails is rolled back, so that what the host
//! keeps is always as old as the plugin's frozen state. A view that the failed turn has closed is open again, one that it
//! has opened is gone, whom it has logged in is not logged in, and what it was told of a view will be told again.
//!
//! A new version is tried on a copy (`trial`): if its `thaw` fails, the copy is thrown away and the old version's
//! session stands as it was.
//!
//! It is much of what an idle client costs, so the span of its log lines exists only while something runs (`HostSide::rest`).

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use waxwing_directory::{ScramExchange, User};
use waxwing_exmdb::{Actor, Body, Mailbox, MailboxGuid, View};

use crate::{
    limits::{Limits, reached},
    locks::{Lock, LockName, Locks},
    meter::Bucket,
    protocol::TlsInfo,
};

/// A mailbox that a session has opened, and its number there.
#[derive(Clone)]
#[allow(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct OpenMailbox {
    pub(crate) number: u32,
    pub(crate) address: Arc<str>,
    pub(crate) actor: Actor,
    pub(crate) mailbox: Mailbox,
}

/// What never changes while a session lives.
pub(crate) struct Identity {
    pub(crate) id: Arc<str>,
    pub(crate) plugin: Arc<str>,
    pub(crate) peer: SocketAddr,
    /// Of a stream: what its listener speaks.
    pub(crate) protocol: Option<Arc<str>>,
    /// Whether a password may be taken on an unencrypted stream.
    pub(crate) plaintext_login: bool,
    /// Makes the span of its log lines, with the fields `session`, `plugin`, `peer`, of a stream `protocol` and, once known, `principal`.
    open_span: OpenSpan,
    span: Mutex<Option<tracing::Span>>,
    rates: Mutex<Rates>,
}

/// Given `session`, `plugin` and `peer`.
pub(crate) type OpenSpan = fn(&Identity) -> tracing::Span;

struct Rates {
    turns: Bucket,
    calls: Bucket,
    lines: Bucket,
    lines_dropped: u64,
}

#[derive(Default, Clone)]
struct Held {
    tls: Option<Arc<TlsInfo>>,
    principal: Option<Arc<User>>,
    mailboxes: Vec<OpenMailbox>,
    views: HashMap<u64, View>,
    locks: Vec<Arc<Lock>>,
    /// Between the two messages of a client. A turn that fails does not bring it back: its client begins again.
    scram: Option<Arc<ScramExchange>>,
    /// Of the last freeze.
    kept: HashMap<u64, Body>,
    /// Kept since the turn began.
    keeping: HashMap<u64, Body>,
    /// What the thaw that runs may resume.
    offered: HashMap<u64, Body>,
    next_token: u64,
    /// Counts turns and roll-backs; a call that outlives its turn leaves nothing behind.
    turn: u64,
    /// Whether a turn runs that is neither committed nor rolled back.
    in_turn: bool,
    /// What the turn that runs has found, once it changes any of it.
    before: Option<Box<Before>>,
}

/// What a failed turn gives back.
#[derive(Clone)]
struct Before {
    principal: Option<Arc<User>>,
    mailboxes: Vec<OpenMailbox>,
    views: HashMap<u64, View>,
    locks: Vec<Arc<Lock>>,
}

impl Held {
    /// To be called before `principal`, `mailboxes`, `views` or `locks` change.
    fn changing(&mut self) {
        if self.in_turn && self.before.is_none() {
            self.before = Some(Box::new(Before {
                principal: self.principal.clone(),
                mailboxes: self.mailboxes.clone(),
                views: self.views.clone(),
                locks: self.locks.clone(),
            }));
        }
    }

    /// Lets go of a view; it is closed when nothing can bring it back.
    fn let_go(&mut self, view: &View) {
        let before = self.before.as_ref();
        if before.is_none_or(|before| !before.views.contains_key(&view.id().0)) {
            view.close();
        }
    }
}

/// The turn in which a host call was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TurnNumber(u64);

/// See the module comment.
pub(crate) struct HostSide {
    pub(crate) identity: Arc<Identity>,
    locks: Arc<Locks>,
    held: Mutex<Held>,
    /// Whose mail the one call of a filter is about.
    filtered: Option<Mailbox>,
}

/// Whether a log line may be written, and how many were dropped before it.
pub(crate) enum Line {
    Write { dropped: u64 },
    Drop,
}

impl Identity {
    pub(crate) fn new(
        id: Arc<str>,
        plugin: Arc<str>,
        peer: SocketAddr,
        open_span: OpenSpan,
        limits: &Limits,
    ) -> Self {
        Identity {
            id,
            plugin,
            peer,
            protocol: None,
            plaintext_login: false,
            open_span,
            span: Mutex::default(),
            rates: Mutex::new(Rates {
                turns: Bucket::new(limits.turns_per_second),
                calls: Bucket::new(limits.host_calls_per_second),
                lines: Bucket::new(limits.log_lines_per_second),
                lines_dropped: 0,
            }),
        }
    }

    fn rates(&self) -> MutexGuard<'_, Rates> {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same, of a stream.
    pub(crate) fn speaking(self, protocol: Arc<str>) -> Self {
        Identity {
            protocol: Some(protocol),
            ..self
        }
    }

    /// The same, on a stream where a password may be taken although it is not encrypted.
    pub(crate) fn with_plaintext_login(self, allowed: bool) -> Self {
        Identity {
            plaintext_login: allowed,
            ..self
        }
    }

    /// How long the next turn has to wait, if at all.
    pub(crate) fn take_turn(&self) -> Result<(), std::time::Duration> {
        self.rates().turns.take(Instant::now())
    }

    pub(crate) fn take_call(&self) -> bool {
        self.rates().calls.take(Instant::now()).is_ok()
    }

    pub(crate) fn take_line(&self) -> Line {
        let mut rates = self.rates();
        if rates.lines.take(Instant::now()).is_err() {
            rates.lines_dropped += 1;
            return Line::Drop;
        }
        Line::Write {
            dropped: std::mem::take(&mut rates.lines_dropped),
        }
    }
}

impl HostSide {
    pub(crate) fn new(
        identity: Identity,
        locks: Arc<Locks>,
        tls: Option<Arc<TlsInfo>>,
        principal: Option<User>,
    ) -> Self {
        HostSide {
            identity: Arc::new(identity),
            locks,
            held: Mutex::new(Held {
                tls,
                principal: principal.map(Arc::new),
                next_token: 1,
                ..Held::default()
            }),
            filtered: None,
        }
    }

    /// For a filter, which is called about one mailbox.
    pub(crate) fn filtering(self, mailbox: Mailbox) -> Self {
        HostSide {
            filtered: Some(mailbox),
            ..self
        }
    }

    pub(crate) fn filtered(&self) -> Option<Mailbox> {
        self.filtered.clone()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy for a version that may fail.
    pub(crate) fn trial(&self) -> HostSide {
        HostSide {
            identity: self.identity.clone(),
            locks: self.locks.clone(),
            held: Mutex::new(self.held().clone()),
            filtered: self.filtered.clone(),
        }
    }

    /// Ends the session: its views are closed, everything is let go.
    pub(crate) fn close(&self) {
        let mut held = self.held();
        let ended = std::mem::take(&mut *held);
        held.turn = ended.turn + 1;
        drop(held);
        let before = ended.before.iter().flat_map(|before| before.views.values());
        ended.views.values().chain(before).for_each(View::close);
    }

    /// The span of its log lines.
    pub(crate) fn span(&self) -> tracing::Span {
        let identity = &self.identity;
        let mut kept = identity.span.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get_or_insert_with(|| {
            let span = (identity.open_span)(identity);
            if let Some(principal) = &self.held().principal {
                span.record("principal", principal.address.as_str());
            }
            span
        })
        .clone()
    }

    /// Nothing runs for a while: the span is given up, and made again at need.
    pub(crate) fn rest(&self) {
        *self
            .identity
            .span
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn tls(&self) -> Option<Arc<TlsInfo>> {
        self.held().tls.clone()
    }

    pub(crate) fn set_tls(&self, tls: TlsInfo) {
        self.held().tls = Some(Arc::new(tls));
    }

    pub(crate) fn principal(&self) -> Option<Arc<User>> {
        self.held().principal.clone()
    }

    /// Binds the session to somebody. What another principal had opened is closed.
    pub(crate) fn bind(&self, user: Arc<User>) {
        let changed = self
            .held()
            .principal
            .as_ref()
            .is_some_and(|bound| bound.address != user.address);
        if changed {
            self.forget();
        }
        self.span().record("principal", user.address.as_str());
        let mut held = self.held();
        held.changing();
        held.principal = Some(user);
    }

    pub(crate) fn forget(&self) {
        let mut held = self.held();
        held.changing();
        held.principal = None;
        held.mailboxes.clear();
        held.locks.clear();
        held.scram = None;
        for view in std::mem::take(&mut held.views).values() {
            held.let_go(view);
        }
    }

    /// Gives an opened mailbox its number; the same mailbox opened again keeps it.
    pub(crate) fn number_mailbox(
        &self,
        address: Arc<str>,
        actor: Actor,
        mailbox: Mailbox,
        limits: &Limits,
    ) -> Result<OpenMailbox, String> {
        let mut held = self.held();
        if let Some(open) = held
            .mailboxes
            .iter()
            .find(|open| open.mailbox.guid() == mailbox.guid() && open.actor == actor)
        {
            return Ok(open.clone());
        }
        if held.mailboxes.len() as u64 >= limits.mailboxes {
            return Err(reached("mailboxes", limits.mailboxes));
        }
        let number = u32::try_from(held.mailboxes.len()).unwrap_or(u32::MAX - 1) + 1;
        let open = OpenMailbox {
            number,
            address,
            actor,
            mailbox,
        };
        held.changing();
        held.mailboxes.reserve_exact(1);
        held.mailboxes.push(open.clone());
        Ok(open)
    }

    pub(crate) fn mailbox(&self, number: u32) -> Option<OpenMailbox> {
        self.held()
            .mailboxes
            .iter()
            .find(|open| open.number == number)
            .cloned()
    }

    /// The numbers under which this session has opened a mailbox.
    pub(crate) fn numbers(&self, guid: MailboxGuid) -> Vec<u32> {
        self.held()
            .mailboxes
            .iter()
            .filter(|open| open.mailbox.guid() == guid)
            .map(|open| open.number)
            .collect()
    }

    pub(crate) fn set_scram(&self, exchange: ScramExchange) {
        self.held().scram = Some(Arc::new(exchange));
    }

    pub(crate) fn take_scram(&self) -> Option<Arc<ScramExchange>> {
        self.held().scram.take()
    }

    /// Takes a lock; `false` when another session has it.
    pub(crate) fn lock(
        &self,
        name: LockName,
        turn: TurnNumber,
        limits: &Limits,
    ) -> Result<bool, String> {
        let mut held = self.held();
        if held.locks.iter().any(|lock| lock.is(&name)) {
            return Ok(true);
        }
        if held.turn != turn.0 {
            return Err("the turn that asked for the lock is over".to_owned());
        }
        if held.locks.len() as u64 >= limits.locks {
            return Err(reached("locks", limits.locks));
        }
        let Some(lock) = self.locks.take(name) else {
            return Ok(false);
        };
        held.changing();
        held.locks.push(Arc::new(lock));
        Ok(true)
    }

    pub(crate) fn unlock(&self, name: &LockName) {
        let mut held = self.held();
        held.changing();
        held.locks.retain(|lock| !lock.is(name));
    }

    /// Keeps a view that was opened in a turn; without a place for it, or when that turn is over, it is closed.
    pub(crate) fn add_view(
        &self,
        view: &View,
        turn: TurnNumber,
        limits: &Limits,
    ) -> Result<(), String> {
        let mut held = self.held();
        let refusal = if held.turn != turn.0 {
            "the turn that opened the view is over".to_owned()
        } else if held.views.len() as u64 >= limits.views {
            reached("views", limits.views)
        } else {
            held.changing();
            view.mark();
            held.views.insert(view.id().0, view.clone());
            return Ok(());
        };
        view.close();
        Err(refusal)
    }

    /// Only views that this session opened can be named by it.
    pub(crate) fn view(&self, id: u64) -> Option<View> {
        self.held().views.get(&id).cloned()
    }

    pub(crate) fn close_view(&self, view: &View) {
        let mut held = self.held();
        held.changing();
        held.views.remove(&view.id().0);
        held.let_go(view);
    }

    pub(crate) fn turn(&self) -> TurnNumber {
        TurnNumber(self.held().turn)
    }

    /// A turn begins. It ends with `commit` or `roll_back`.
    pub(crate) fn begin_turn(&self) {
        let mut held = self.held();
        held.keeping.clear();
        held.before = None;
        held.in_turn = true;
        held.turn += 1;
        held.views.values().for_each(View::mark);
    }

    /// As `begin_turn`; the turn may resume what was kept.
    pub(crate) fn begin_thaw(&self) {
        self.begin_turn();
        let mut held = self.held();
        held.offered = held.kept.clone();
    }

    /// The turn is complete. What was kept since it began is what the next thaw may resume.
    pub(crate) fn commit(&self) {
        let mut held = self.held();
        held.kept = std::mem::take(&mut held.keeping);
        held.offered.clear();
        held.in_turn = false;
        let before = held.before.take();
        let gone = before.iter().flat_map(|before| before.views.values());
        gone.filter(|view| !held.views.contains_key(&view.id().0))
            .for_each(View::close);
        held.views.values().for_each(View::commit);
    }

    /// The turn failed, or was given up: everything is as it was when it began. Without a turn nothing happens.
    pub(crate) fn roll_back(&self) {
        let mut held = self.held();
        if !std::mem::take(&mut held.in_turn) {
            return;
        }
        held.turn += 1;
        held.keeping.clear();
        held.offered.clear();
        if let Some(before) = held.before.take() {
            let opened = held.views.values();
            opened
                .filter(|view| !before.views.contains_key(&view.id().0))
                .for_each(View::close);
            held.principal = before.principal;
            held.mailboxes = before.mailboxes;
            held.views = before.views;
            held.locks = before.locks;
        }
        held.views.values().for_each(View::roll_back);
    }

    pub(crate) fn keep(&self, body: Body, limits: &Limits) -> Result<u64, String> {
        let mut held = self.held();
        if held.keeping.len() as u64 >= limits.kept_bodies {
            return Err(reached("kept_bodies", limits.kept_bodies));
        }
        let token = held.next_token;
        held.next_token += 1;
        held.keeping.insert(token, body);
        Ok(token)
    }

    pub(crate) fn resume(&self, token: u64) -> Option<Body> {
        self.held().offered.remove(&token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LimitsRequest;

    fn host_side(locks: &Arc<Locks>) -> HostSide {
        let peer = SocketAddr::from(([192, 0, 2, 1], 1));
        let span: OpenSpan = |_| tracing::Span::none();
        let identity = Identity::new("s1".into(), "pop3".into(), peer, span, &Limits::default());
        HostSide::new(identity, locks.clone(), None, None)
    }

    #[test]
    fn a_lock_goes_back_with_the_turn_that_failed_and_with_the_session() {
        let (locks, limits) = (Arc::default(), Limits::default());
        let (first, second) = (host_side(&locks), host_side(&locks));
        let name = LockName {
            mailbox: MailboxGuid([7; 16]),
            plugin: "pop3".into(),
            name: "maildrop".into(),
        };
        let lock = |host: &HostSide| host.lock(name.clone(), host.turn(), &limits).unwrap();
        first.begin_turn();
        assert!(lock(&first) && lock(&first) && !lock(&second));
        first.roll_back();
        assert!(lock(&second));
        second.begin_turn();
        second.unlock(&name);
        assert!(!lock(&first), "the turn may yet fail");
        second.roll_back();
        assert!(!lock(&first));
        let trial = second.trial();
        second.close();
        assert!(!lock(&first), "the copy has it too");
        drop(trial);
        assert!(lock(&first));
    }

    #[test]
    fn log_lines_over_the_limit_are_dropped_and_counted() {
        let limits = Limits::default().with(&LimitsRequest {
            log_lines_per_second: Some(5),
            ..LimitsRequest::default()
        });
        let peer = SocketAddr::from(([192, 0, 2, 1], 1));
        let identity = Identity::new(
            "s1".into(),
            "probe".into(),
            peer,
            |_| tracing::Span::none(),
            &limits,
        );
        let written = (0..50).filter(|_| matches!(identity.take_line(), Line::Write { .. }));
        assert!((5..10).contains(&written.count()));
        std::thread::sleep(std::time::Duration::from_millis(250));
        assert!(matches!(identity.take_line(), Line::Write { dropped } if dropped >= 40));
    }
}
