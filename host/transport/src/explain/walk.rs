//! The steps up to the recipients.

use std::sync::Arc;

use waxwing_exmdb::Body;
use waxwing_formats_mime::header as mime;

use super::{Explain, Explained};
use crate::{
    Delivery, Edit, HookFailure, Outcome, Question, Stage, Submission, Verdict,
    destination::{Destination, Poster, Relaying},
    header::Header,
    hook::{
        Early,
        flow::{Stop, Wanted, question, weigh},
    },
    passed::Passed,
    report_values::one_line,
};

/// What our results are written under.
const RESULTS: &str = "Authentication-Results";

/// What has been told so far.
pub(super) struct Walk<'a> {
    pub(super) delivery: &'a Delivery,
    asked: &'a Explain,
    pub(super) steps: Vec<Explained>,
}

/// The message goes no further.
pub(super) struct Ended;

impl<'a> Walk<'a> {
    pub(super) fn new(delivery: &'a Delivery, asked: &'a Explain) -> Walk<'a> {
        Walk {
            delivery,
            asked,
            steps: Vec::new(),
        }
    }

    pub(super) fn tell(&mut self, step: &str, who: &str, answer: impl Into<String>) {
        self.steps.push(Explained {
            step: step.to_owned(),
            who: one_line(who),
            answer: one_line(&answer.into()),
            decides: false,
        });
    }

    /// The step that was told last is the one.
    pub(super) fn decided(&mut self) -> Ended {
        if let Some(last) = self.steps.last_mut() {
            last.decides = true;
        }
        Ended
    }

    /// An answer that ends it.
    fn refused(&mut self, step: &str, who: &str, outcome: &Outcome) -> Ended {
        self.tell(step, who, outcome.to_string());
        self.decided()
    }

    pub(super) async fn whole(&mut self) {
        // Where it ends has been told.
        if let Ok(passed) = self.filtered().await {
            self.carried(passed).await;
        }
    }

    fn principal(&self) -> Option<&'a str> {
        let principal = self.asked.principal.as_ref();
        principal.map(|user| user.address.as_str())
    }

    async fn filtered(&mut self) -> Result<Passed, Ended> {
        let asked = self.asked;
        let mut author = None;
        if let Some(user) = &asked.principal {
            let submission = Submission {
                envelope: asked.envelope.clone(),
                principal: user.clone(),
                hold_until: None,
            };
            let names = self.delivery.check_names(&submission, &asked.message);
            match names.await {
                Ok(authors) => author = authors.into_iter().next(),
                Err(outcome) => return Err(self.refused("identity", &user.address, &outcome)),
            }
            self.tell("identity", &user.address, "may write under these names");
        }
        let early = self.early().await?;
        let mut passed = self.authenticated().await?;
        let changed = self.delivery.with_early(&mut passed, early).await;
        changed.map_err(|outcome| self.refused("hooks", "", &outcome))?;
        let passed = self.through_milters(passed).await?;
        let mut passed = self.through_hooks(passed).await?;
        if author.is_some() {
            passed.message = self.signed(author.as_ref(), &passed.message).await?;
        }
        Ok(passed)
    }

    async fn early(&mut self) -> Result<Early, Ended> {
        let (mut early, asked) = (Early::default(), self.asked);
        for stage in [Stage::Connect, Stage::Envelope] {
            for hook in self.delivery.hooks_at(stage) {
                let question = question(stage, &asked.envelope, &asked.message, self.principal());
                let edits = self.ask(&hook, question).await?;
                early.0.push(Wanted { hook, edits });
            }
        }
        Ok(early)
    }

    /// Asks a hook and tells what it says.
    pub(super) async fn ask(
        &mut self,
        hook: &Arc<str>,
        question: Question,
    ) -> Result<Vec<Edit>, Ended> {
        let stage = question.stage.name();
        let Some(hooks) = self.delivery.hooks_slot().get() else {
            return Ok(Vec::new());
        };
        let answer = hooks.ask(hook, question).await;
        let said = spoken(&answer);
        match weigh(answer) {
            Ok(edits) => {
                self.tell(stage, hook, said);
                Ok(edits)
            }
            Err(Stop::Quarantine(_)) => {
                self.tell(stage, hook, said);
                Err(self.decided())
            }
            Err(Stop::Answer(outcome)) => {
                self.tell(stage, hook, format!("{said}: {outcome}"));
                Err(self.decided())
            }
        }
    }

    async fn authenticated(&mut self) -> Result<Passed, Ended> {
        let (envelope, message) = (&self.asked.envelope, &self.asked.message);
        let as_it_is = || Passed::new(envelope.clone(), message.clone());
        if !self.delivery.is_authenticated(envelope) || self.asked.principal.is_some() {
            self.tell("authentication", "", "not for this connection");
            return Ok(as_it_is());
        }
        if self.asked.offline {
            self.tell("authentication", "", "not asked");
            return Ok(as_it_is());
        }
        match self.delivery.authenticated(envelope, message).await {
            Ok(checked) => {
                let (envelope, message) =
                    checked.unwrap_or_else(|| (envelope.clone(), message.clone()));
                let found = results(&message).await;
                self.tell("authentication", "", found);
                if envelope.junk {
                    self.tell("authentication", "", "belongs into Junk");
                }
                Ok(Passed::new(envelope, message))
            }
            Err(outcome) => Err(self.refused("authentication", "", &outcome)),
        }
    }

    async fn through_milters(&mut self, mut passed: Passed) -> Result<Passed, Ended> {
        let delivery = self.delivery;
        for milter in &delivery.options().milters {
            let address = milter.address.to_string();
            if !milter.sources.contains(&passed.envelope.source) {
                self.tell("milter", &address, "not for this kind of mail");
                continue;
            }
            if self.asked.offline {
                self.tell("milter", &address, "not asked");
                continue;
            }
            let before = (passed.envelope.clone(), passed.message.size());
            let asked = delivery.pass(milter, &mut passed, self.principal());
            if let Err(outcome) = asked.await {
                return Err(self.refused("milter", &address, &outcome));
            }
            let is_same = before == (passed.envelope.clone(), passed.message.size());
            let answer = match is_same {
                true => "lets it pass",
                false => "changes it",
            };
            self.tell("milter", &address, answer);
        }
        Ok(passed)
    }

    async fn through_hooks(&mut self, mut passed: Passed) -> Result<Passed, Ended> {
        let stage = match self.principal() {
            Some(_) => Stage::MessageOut,
            None => Stage::MessageIn,
        };
        for hook in self.delivery.hooks_at(stage) {
            let question = question(stage, &passed.envelope, &passed.message, self.principal());
            let edits = self.ask(&hook, question).await?;
            let changed = self.delivery.change(&mut passed, Wanted { hook, edits });
            changed
                .await
                .map_err(|outcome| self.refused("hooks", "", &outcome))?;
        }
        Ok(passed)
    }

    async fn signed(&mut self, author: Option<&String>, message: &Body) -> Result<Body, Ended> {
        let domain = author.and_then(|author| author.rsplit_once('@'));
        let domain = domain.map_or("", |(_, domain)| domain);
        match self.delivery.signed(author, message).await {
            Ok(signed) => {
                let answer = match signed.size() > message.size() {
                    true => "signed",
                    false => "no key, not signed",
                };
                self.tell("signature", domain, answer);
                Ok(signed)
            }
            Err(outcome) => Err(self.refused("signature", domain, &outcome)),
        }
    }

    /// As `carry_on` and `carry` do.
    async fn carried(&mut self, passed: Passed) {
        let mut envelope = passed.envelope;
        let relaying = match self.principal() {
            Some(_) => Relaying::Allowed,
            None => Relaying::AllowedAfter(envelope.recipients.len()),
        };
        let decided = passed.decided.iter().flatten();
        let gone: Vec<String> = decided.map(ToString::to_string).collect();
        for outcome in gone {
            self.tell("recipient", "", format!("taken out by a filter: {outcome}"));
        }
        envelope.recipients.extend(passed.added);
        let header = match self.delivery.admit(&envelope, &passed.message).await {
            Ok(header) => header,
            Err(outcome) => {
                self.refused("admission", "", &outcome);
                return;
            }
        };
        for (number, recipient) in envelope.recipients.iter().enumerate() {
            let found = Destination::of(
                self.delivery.directory(),
                recipient,
                relaying.of(number),
                Poster::of(&envelope),
            );
            let found = found.await.unless_it_came_back(recipient, &header);
            let message = (&envelope, &passed.message, &header);
            self.recipient(&recipient.address, found, message).await;
        }
    }
}

/// Our own results, which stand before everything else.
async fn results(message: &Body) -> String {
    let header = Header::read(message).await.unwrap_or_default();
    let ours = mime::fields(header.octets()).find(|field| field.is(RESULTS));
    let unfolded = ours.map(|field| mime::unfold(field.value));
    let text = unfolded.map(|value| String::from_utf8_lossy(&value).into_owned());
    let text = text.unwrap_or_else(|| "no results".to_owned());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An answer for people.
fn spoken(answer: &Result<Verdict, HookFailure>) -> String {
    match answer {
        Ok(Verdict::Accept) => "lets it pass".to_owned(),
        Ok(Verdict::Modify(edits)) => {
            let edits: Vec<String> = edits.iter().map(spoken_edit).collect();
            format!("changes it: {}", edits.join(", "))
        }
        Ok(Verdict::Quarantine(reason)) => format!("into quarantine: {reason}"),
        Ok(Verdict::Reject(_)) => "refuses it".to_owned(),
        Ok(Verdict::Defer(_)) => "puts it off".to_owned(),
        Ok(Verdict::Discard) => "throws it away".to_owned(),
        Err(failure) => format!("fails ({})", failure.reason),
    }
}

fn spoken_edit(edit: &Edit) -> String {
    match edit {
        Edit::AddHeader { name, value } => format!("adds {name}: {value}"),
        Edit::InsertHeader { name, value } => format!("puts {name}: {value} first"),
        Edit::RemoveHeader { name, occurrence } => format!("takes out {name} {occurrence}"),
        Edit::ReplaceBody(body) => format!("a body of {} octets", body.size()),
        Edit::SetSender(address) => format!("sender <{address}>"),
        Edit::AddRecipient(address) => format!("also to <{address}>"),
        Edit::RemoveRecipient(address) => format!("not to <{address}>"),
        Edit::FileInto(folder) => format!("into {folder}"),
        Edit::AddFlag(flag) => format!("flag {flag}"),
    }
}
