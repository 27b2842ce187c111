//! What comes of the hooks' answers.

use std::sync::Arc;

use waxwing_exmdb::{Body, MailboxGuid};

use super::{BODY, EDITS, Edit, HookFailure, Hooks, Question, Refusal, Stage, Verdict};
use crate::{
    Delivery, Deposit, Envelope, Outcome,
    arrive::Incoming,
    edits::Edits,
    header::Header,
    passed::{Passed, plain},
    quarantine::Held,
    report_values::one_line,
};

/// Where the way of a message ends.
#[derive(Debug)]
pub(crate) enum Stop {
    Answer(Outcome),
    /// Why it is kept apart.
    Quarantine(String),
}

/// What a hook says of a message that goes on.
pub(crate) struct Wanted {
    pub(crate) hook: Arc<str>,
    pub(crate) edits: Vec<Edit>,
}

/// What hooks want of a message before anybody has looked into it.
#[derive(Default)]
pub(crate) struct Early(pub(crate) Vec<Wanted>);

/// A message on its way into one mailbox, as hooks have changed it.
pub(crate) struct Changed {
    pub(crate) envelope: Envelope,
    pub(crate) message: Body,
    pub(crate) header: Header,
    pub(crate) filing: Deposit,
}

impl Delivery {
    /// From now on hooks are asked.
    pub fn ask_hooks(&self, hooks: Arc<dyn Hooks>) {
        // The first ones stay: there is one runtime.
        let _ = self.hooks_slot().set(hooks);
    }

    /// The stages `connect` and `envelope`; an error is the answer for all recipients.
    pub(crate) async fn hooks_before(
        &self,
        envelope: &Envelope,
        message: &Body,
        principal: Option<&str>,
    ) -> Result<Early, Outcome> {
        let mut early = Vec::new();
        for stage in [Stage::Connect, Stage::Envelope] {
            for hook in self.hooks_at(stage) {
                let question = question(stage, envelope, message, principal);
                match self.answer_of(&hook, question).await {
                    Ok(edits) => early.push(Wanted { hook, edits }),
                    Err(Stop::Answer(outcome)) => return Err(outcome),
                    Err(Stop::Quarantine(reason)) => {
                        let passed = Passed::new(envelope.clone(), message.clone());
                        let held = Held::whole(&hook, stage, &reason, &passed, principal);
                        return Err(self.keep_apart(held, message).await);
                    }
                }
            }
        }
        Ok(Early(early))
    }

    /// What hooks have wanted before is done.
    pub(crate) async fn with_early(
        &self,
        passed: &mut Passed,
        early: Early,
    ) -> Result<(), Outcome> {
        for wanted in early.0 {
            self.change(passed, wanted).await?;
        }
        Ok(())
    }

    /// The stage `message-in`, or `message-out` for who is logged in; an error is the answer for all recipients.
    pub(crate) async fn through_hooks(
        &self,
        passed: &mut Passed,
        principal: Option<&str>,
    ) -> Result<(), Outcome> {
        let stage = match principal {
            Some(_) => Stage::MessageOut,
            None => Stage::MessageIn,
        };
        for hook in self.hooks_at(stage) {
            let question = question(stage, &passed.envelope, &passed.message, principal);
            match self.answer_of(&hook, question).await {
                Ok(edits) => self.change(passed, Wanted { hook, edits }).await?,
                Err(Stop::Answer(outcome)) => return Err(outcome),
                Err(Stop::Quarantine(reason)) => {
                    let held = Held::whole(&hook, stage, &reason, passed, principal);
                    return Err(self.keep_apart(held, &passed.message).await);
                }
            }
        }
        Ok(())
    }

    /// The stage `deliver` for one mailbox; none when nobody wants a change, and an error is the answer for this mailbox.
    pub(crate) async fn hooks_at_mailbox(
        &self,
        guid: MailboxGuid,
        incoming: &Incoming<'_>,
    ) -> Result<Option<Changed>, Outcome> {
        let hooks = self.hooks_at(Stage::Deliver);
        if hooks.is_empty() || incoming.envelope.released {
            return Ok(None);
        }
        let owner = async { self.store().mailbox(guid).await?.owner().await };
        let owner = owner.await.map_err(|error| Outcome::store(&error))?;
        let mut changed = Changed::of(incoming);
        for hook in hooks {
            let question = Question {
                recipient: incoming.recipient.to_owned(),
                person: owner.clone(),
                ..question(Stage::Deliver, &changed.envelope, &changed.message, None)
            };
            match self.answer_of(&hook, question).await {
                Ok(edits) => changed.take(&hook, edits).await?,
                Err(Stop::Answer(outcome)) => return Err(outcome),
                Err(Stop::Quarantine(reason)) => {
                    let envelope = &changed.envelope;
                    let held = Held::of_mailbox(&hook, &reason, envelope, incoming.recipient, guid);
                    return Err(self.keep_apart(held, &changed.message).await);
                }
            }
        }
        Ok(Some(changed))
    }

    pub(crate) fn hooks_at(&self, stage: Stage) -> Vec<Arc<str>> {
        let hooks = self.hooks_slot().get();
        hooks.map(|hooks| hooks.at(stage)).unwrap_or_default()
    }

    /// The edits of a hook that lets the message go on.
    async fn answer_of(&self, hook: &Arc<str>, question: Question) -> Result<Vec<Edit>, Stop> {
        let (session, stage) = (question.envelope.session.clone(), question.stage.name());
        let Some(hooks) = self.hooks_slot().get() else {
            return Ok(Vec::new());
        };
        let answer = hooks.ask(hook, question).await;
        if let Err(failure) = &answer {
            tracing::error!(session, %hook, stage, reason = failure.reason, passes = failure.passes, "a hook failed");
        }
        let weighed = weigh(answer);
        match &weighed {
            Ok(edits) if edits.is_empty() => {
                tracing::debug!(session, %hook, stage, "a hook lets the message pass");
            }
            Ok(edits) => {
                tracing::info!(session, %hook, stage, edits = edits.len(), "a hook changes the message");
            }
            Err(Stop::Answer(outcome)) => {
                tracing::info!(session, %hook, stage, %outcome, "a hook stops the message");
            }
            Err(Stop::Quarantine(reason)) => {
                tracing::info!(session, %hook, stage, reason, "a hook keeps the message apart");
            }
        }
        weighed
    }

    pub(crate) async fn change(&self, passed: &mut Passed, wanted: Wanted) -> Result<(), Outcome> {
        if wanted.edits.is_empty() {
            return Ok(());
        }
        let header = Header::to_change(&passed.message).await?;
        let mut edits = Edits::new(&header, &passed.message);
        for edit in wanted.edits {
            match edit {
                Edit::SetSender(address) => passed.set_sender(&address),
                Edit::AddRecipient(address) => passed.add_recipient(&address),
                Edit::RemoveRecipient(address) => passed.remove_recipient(&address),
                Edit::FileInto(_) | Edit::AddFlag(_) => {
                    let (session, hook) = (&passed.envelope.session, &wanted.hook);
                    tracing::warn!(session, %hook, ?edit, "only on-deliver can do that, it is left out");
                }
                edit => of_message(edit, &mut edits)?,
            }
        }
        passed.message = edits.message(&passed.message);
        Ok(())
    }

    /// Into the quarantine; the sender hears that the message was taken, once it is on disk.
    async fn keep_apart(&self, held: Held, message: &Body) -> Outcome {
        let session = held.session.clone();
        let Some(quarantine) = self.quarantine() else {
            tracing::error!(session, "there is no quarantine");
            return Outcome::filter_unavailable();
        };
        match quarantine.add(held, message).await {
            Ok(id) => {
                tracing::info!(session, %id, "in quarantine");
                Outcome::discarded()
            }
            Err(error) => {
                tracing::error!(session, %error, "not put into quarantine");
                Outcome::no_quarantine(&error)
            }
        }
    }
}

impl Changed {
    pub(crate) fn of(incoming: &Incoming<'_>) -> Changed {
        Changed {
            envelope: incoming.envelope.clone(),
            message: incoming.message.clone(),
            header: incoming.header.clone(),
            filing: Deposit::default(),
        }
    }

    /// As it goes on, for the recipient that led there.
    pub(crate) fn incoming<'a>(&'a self, recipient: &'a str) -> Incoming<'a> {
        Incoming {
            envelope: &self.envelope,
            recipient,
            message: &self.message,
            header: &self.header,
            filing: &self.filing,
        }
    }

    pub(crate) async fn take(&mut self, hook: &Arc<str>, wanted: Vec<Edit>) -> Result<(), Outcome> {
        if wanted.is_empty() {
            return Ok(());
        }
        self.header.demand_whole()?;
        let mut edits = Edits::new(&self.header, &self.message);
        for edit in wanted {
            match edit {
                Edit::SetSender(address) if !address.contains(char::is_control) => {
                    self.envelope.sender = plain(&address);
                }
                Edit::FileInto(folder) => {
                    self.filing.folder = Some(folder);
                    self.filing.create = true;
                }
                Edit::AddFlag(flag) => self.filing.flags.push(flag),
                Edit::SetSender(_) | Edit::AddRecipient(_) | Edit::RemoveRecipient(_) => {
                    let session = &self.envelope.session;
                    tracing::warn!(session, %hook, ?edit, "on-deliver cannot do that, it is left out");
                }
                edit => of_message(edit, &mut edits)?,
            }
        }
        self.message = edits.message(&self.message);
        let header = Header::read(&self.message).await;
        self.header = header.map_err(|error| Outcome::store(&error))?;
        Ok(())
    }
}

/// What an answer means.
pub(crate) fn weigh(answer: Result<Verdict, HookFailure>) -> Result<Vec<Edit>, Stop> {
    Err(match answer {
        Ok(Verdict::Accept) => return Ok(Vec::new()),
        Ok(Verdict::Modify(edits)) if edits.len() > EDITS => {
            tracing::error!(
                edits = edits.len(),
                limit = EDITS,
                "a hook wants too many edits"
            );
            Stop::Answer(Outcome::filter_unavailable())
        }
        Ok(Verdict::Modify(edits)) => return Ok(edits),
        Ok(Verdict::Quarantine(reason)) => Stop::Quarantine(one_line(&reason)),
        Ok(Verdict::Reject(refusal)) => Stop::Answer(refusal.outcome(5)),
        Ok(Verdict::Defer(refusal)) => Stop::Answer(refusal.outcome(4)),
        Ok(Verdict::Discard) => Stop::Answer(Outcome::discarded()),
        Err(failure) if failure.passes => return Ok(Vec::new()),
        Err(_) => Stop::Answer(Outcome::filter_unavailable()),
    })
}

/// A change of fields or body.
fn of_message(edit: Edit, edits: &mut Edits) -> Result<(), Outcome> {
    match edit {
        Edit::AddHeader { name, value } => edits.insert(usize::MAX, &name, value.as_bytes()),
        Edit::InsertHeader { name, value } => edits.insert(0, &name, value.as_bytes()),
        Edit::RemoveHeader { name, occurrence } => edits.change(occurrence, &name, b""),
        Edit::ReplaceBody(body) if body.size() > BODY => {
            tracing::error!(
                octets = body.size(),
                limit = BODY,
                "the body of a hook is too long"
            );
            return Err(Outcome::filter_unavailable());
        }
        Edit::ReplaceBody(body) => edits.replace_body(body),
        _ => {}
    }
    Ok(())
}

/// What any stage is told but `deliver`, which knows more.
pub(crate) fn question(
    stage: Stage,
    envelope: &Envelope,
    message: &Body,
    principal: Option<&str>,
) -> Question {
    let first = envelope.recipients.first();
    let first = first.map_or("", |recipient| recipient.address.as_str());
    Question {
        stage,
        envelope: envelope.clone(),
        principal: principal.map(str::to_owned),
        message: message.clone(),
        recipient: String::new(),
        person: principal.unwrap_or(first).to_owned(),
    }
}

impl Refusal {
    /// Of a class: 4 or 5.
    fn outcome(&self, class: u16) -> Outcome {
        Outcome::hook_reply(class, self.code, &self.enhanced, &self.text)
    }
}
