//! What becomes of a message for one recipient.

use waxwing_exmdb::{Body, Error, Mailbox, MailboxGuid};

use super::walk::{Ended, Walk};
use crate::{
    Deposit, Envelope, Outcome, Question, Stage, Step,
    arrive::Incoming,
    destination::Destination,
    header::Header,
    hook::flow::{Changed, question},
};

/// Envelope, message and header.
type Message<'a> = (&'a Envelope, &'a Body, &'a Header);

impl Walk<'_> {
    pub(super) async fn recipient(&mut self, address: &str, found: Destination, told: Message<'_>) {
        let (envelope, message, header) = told;
        if let Destination::Refused(outcome) = found {
            self.tell("recipient", address, outcome.to_string());
            self.decided();
            return;
        }
        for foreign in found.foreign() {
            let answer = match foreign.address == address {
                true => "to another server, by the queue".to_owned(),
                false => format!("sent on to <{}>, by the queue", foreign.address),
            };
            self.tell("recipient", address, answer);
            self.decided();
        }
        let filing = Deposit::default();
        for guid in found.mailboxes() {
            let incoming = Incoming {
                envelope,
                recipient: address,
                message,
                header,
                filing: &filing,
            };
            if let Err(error) = self.mailbox(guid, &incoming).await {
                let outcome = Outcome::store(&error);
                self.tell("mailbox", address, outcome.to_string());
                self.decided();
            }
        }
    }

    async fn mailbox(&mut self, guid: MailboxGuid, incoming: &Incoming<'_>) -> Result<(), Error> {
        let mailbox = self.delivery.store().mailbox(guid).await?;
        let owner = mailbox.owner().await?;
        let answer = format!("the mailbox of {owner}");
        self.tell("recipient", incoming.recipient, answer);
        let Ok(changed) = self.at_mailbox(&owner, incoming).await else {
            return Ok(());
        };
        let incoming = changed.incoming(incoming.recipient);
        mailbox.demand_room(incoming.message.size()).await?;
        self.script(&mailbox, &owner, &incoming).await
    }

    async fn at_mailbox(&mut self, owner: &str, incoming: &Incoming<'_>) -> Result<Changed, Ended> {
        let mut changed = Changed::of(incoming);
        for hook in self.delivery.hooks_at(Stage::Deliver) {
            let question = Question {
                recipient: incoming.recipient.to_owned(),
                person: owner.to_owned(),
                ..question(Stage::Deliver, &changed.envelope, &changed.message, None)
            };
            let edits = self.ask(&hook, question).await?;
            if let Err(outcome) = changed.take(&hook, edits).await {
                self.tell(Stage::Deliver.name(), &hook, outcome.to_string());
                return Err(self.decided());
            }
        }
        Ok(changed)
    }

    async fn script(
        &mut self,
        mailbox: &Mailbox,
        owner: &str,
        incoming: &Incoming<'_>,
    ) -> Result<(), Error> {
        let Some((name, _)) = mailbox.active_script().await? else {
            self.tell("script", owner, "none is active");
            self.folder(owner, incoming, &Deposit::default());
            return Ok(());
        };
        let Some(steps) = self.delivery.filtered(mailbox, incoming).await else {
            self.tell(
                "script",
                owner,
                format!("{name} fails, the message is kept"),
            );
            self.folder(owner, incoming, &Deposit::default());
            return Ok(());
        };
        if steps.is_empty() {
            self.tell("script", owner, format!("{name} throws it away"));
            self.decided();
            return Ok(());
        }
        for step in &steps {
            let said = match step {
                Step::Store(_) => "stores it".to_owned(),
                Step::Redirect(post) => format!("sends it on to <{}>", post.recipient),
                Step::Reply(post) => format!("answers <{}>", post.recipient),
                Step::Refuse { text, .. } => format!("refuses it: {text}"),
                Step::Remember { .. } => continue,
            };
            self.tell("script", owner, format!("{name} {said}"));
            match step {
                Step::Store(wanted) => self.folder(owner, incoming, wanted),
                Step::Redirect(_) | Step::Refuse { .. } => {
                    self.decided();
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// As `deposit` chooses it.
    fn folder(&mut self, owner: &str, incoming: &Incoming<'_>, wanted: &Deposit) {
        let wanted = incoming.or_filing(wanted);
        let folder = match (wanted.folder, wanted.special_use) {
            (None, None) if incoming.envelope.junk => "Junk".to_owned(),
            (Some(folder), Some(special_use)) => {
                format!("{folder}, or the folder for {special_use}")
            }
            (Some(folder), None) => folder,
            (None, Some(special_use)) => format!("the folder for {special_use}"),
            (None, None) => "INBOX".to_owned(),
        };
        let flags = match wanted.flags.is_empty() {
            true => String::new(),
            false => format!(", flags {}", wanted.flags.join(" ")),
        };
        self.tell("folder", owner, format!("{folder}{flags}"));
        self.decided();
    }
}
