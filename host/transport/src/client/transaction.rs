//! One message over one connection: MAIL, RCPT, DATA, and what the host says to each of them.
//!
//! With PIPELINING, MAIL and all RCPT leave together; DATA waits for their answers, since a host that has refused everybody may still ask
//! for the message. Until the answer to the message's end nothing has been handed over, and after it everything has.

use std::time::Duration;

use async_trait::async_trait;

use super::{Broken, COMMAND, Connection, Extensions, data::Encoder, reply::Reply};
use crate::{Notify, Outcome, TlsDemand};

/// RFC 5321 sections 4.5.3.2.4 to 4.5.3.2.6.
const DATA: Duration = Duration::from_secs(120);
const BLOCK: Duration = Duration::from_secs(180);
const END: Duration = Duration::from_secs(600);

/// Where the message's octets come from, in pieces.
#[async_trait]
pub(crate) trait Octets: Send {
    /// None behind the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, String>;
}

/// What is to be handed over.
#[derive(Debug, Clone)]
pub(crate) struct Errand {
    pub(crate) sender: String,
    pub(crate) envelope_id: Option<String>,
    pub(crate) headers_only: bool,
    pub(crate) smtp_utf8: bool,
    pub(crate) eight_bit: bool,
    pub(crate) utf8_header: bool,
    pub(crate) tls_demand: TlsDemand,
    pub(crate) size: u64,
    pub(crate) recipients: Vec<ErrandRecipient>,
}

#[derive(Debug, Clone)]
pub(crate) struct ErrandRecipient {
    pub(crate) address: String,
    pub(crate) notify: Notify,
    pub(crate) original: Option<String>,
}

/// What became of one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    /// The host takes care of reports about it (RFC 3461).
    pub(crate) reports: bool,
}

impl Verdict {
    pub(crate) fn of(outcome: Outcome) -> Verdict {
        Verdict {
            outcome,
            reports: false,
        }
    }
}

impl Connection {
    /// One verdict per recipient, in their order. An error means that the connection is lost and nobody has the message; when the
    /// connection is lost after the message's end was sent, nobody knows, and it counts as not handed over: twice is better than never.
    pub(crate) async fn deliver(
        &mut self,
        errand: &Errand,
        octets: &mut dyn Octets,
    ) -> Result<Vec<Verdict>, Broken> {
        if let Some(refusal) = self.unsuited(errand) {
            return Ok(vec![Verdict::of(refusal); errand.recipients.len()]);
        }
        let (mail, recipients) = self.envelope(errand).await?;
        if !mail.is_success() {
            self.reset().await?;
            return Ok(vec![Verdict::of(mail.outcome()); errand.recipients.len()]);
        }
        if !recipients.iter().any(Reply::is_success) {
            self.reset().await?;
            return Ok(recipients
                .iter()
                .map(|reply| Verdict::of(reply.outcome()))
                .collect());
        }
        let end = self.message(octets).await?;
        let reports = self.extensions.dsn;
        Ok(recipients
            .into_iter()
            .map(|recipient| match recipient.is_success() {
                true => Verdict {
                    outcome: end.outcome(),
                    reports,
                },
                false => Verdict::of(recipient.outcome()),
            })
            .collect())
    }

    /// Why this host cannot have the message at all.
    fn unsuited(&self, errand: &Errand) -> Option<Outcome> {
        let offers = &self.extensions;
        if errand.requires_tls() && !self.keeps_tls() {
            return Some(Outcome::no_require_tls());
        }
        if errand.needs_utf8() && !offers.smtp_utf8 {
            let text = "The message needs SMTPUTF8, which the next hop does not offer";
            return Some(Outcome::routing("5.6.7", text));
        }
        if errand.eight_bit && !offers.eight_bit {
            let text = "The message needs 8BITMIME, which the next hop does not offer";
            return Some(Outcome::routing("5.6.3", text));
        }
        let limit = offers.size.filter(|limit| errand.size > *limit)?;
        let text = format!(
            "The message has {} octets, the next hop takes {limit}",
            errand.size
        );
        Some(Outcome::routing("5.3.4", &text))
    }

    async fn envelope(&mut self, errand: &Errand) -> Result<(Reply, Vec<Reply>), Broken> {
        let mail = errand.mail(&self.extensions);
        let recipients: Vec<String> = errand
            .recipients
            .iter()
            .map(|recipient| recipient.rcpt(&self.extensions))
            .collect();
        if !self.extensions.pipelining {
            let answer = self.command(&mail, COMMAND).await?;
            let mut answers = Vec::new();
            if answer.is_success() {
                for recipient in &recipients {
                    answers.push(self.command(recipient, COMMAND).await?);
                }
            }
            return Ok((answer, answers));
        }
        self.send((mail + &recipients.concat()).as_bytes(), COMMAND)
            .await?;
        let answer = self.reply(COMMAND).await?;
        let mut answers = Vec::with_capacity(recipients.len());
        for _ in &recipients {
            answers.push(self.reply(COMMAND).await?);
        }
        Ok((answer, answers))
    }

    async fn message(&mut self, octets: &mut dyn Octets) -> Result<Reply, Broken> {
        let ready = self.command("DATA\r\n", DATA).await?;
        if ready.code != 354 {
            self.reset().await?;
            return Ok(ready);
        }
        let (mut encoder, mut out) = (Encoder::default(), Vec::new());
        while let Some(piece) = octets.next().await.map_err(Broken)? {
            encoder.encode(&piece, &mut out);
            self.send(&out, BLOCK).await?;
            out.clear();
        }
        encoder.finish(&mut out);
        self.send(&out, BLOCK).await?;
        self.reply(END).await
    }

    async fn reset(&mut self) -> Result<(), Broken> {
        self.command("RSET\r\n", COMMAND).await.map(drop)
    }
}

impl Errand {
    fn requires_tls(&self) -> bool {
        self.tls_demand == TlsDemand::Required
    }

    fn needs_utf8(&self) -> bool {
        let mut recipients = self.recipients.iter();
        let plain =
            self.sender.is_ascii() && recipients.all(|recipient| recipient.address.is_ascii());
        !plain || (self.smtp_utf8 && self.utf8_header)
    }

    fn mail(&self, offers: &Extensions) -> String {
        let mut line = format!("MAIL FROM:<{}>", self.sender);
        if offers.offers_size {
            line.push_str(&format!(" SIZE={}", self.size));
        }
        if offers.eight_bit && self.eight_bit {
            line.push_str(" BODY=8BITMIME");
        }
        if self.needs_utf8() {
            line.push_str(" SMTPUTF8");
        }
        if self.requires_tls() {
            line.push_str(" REQUIRETLS");
        }
        if offers.dsn {
            if self.headers_only {
                line.push_str(" RET=HDRS");
            }
            if let Some(id) = &self.envelope_id {
                line.push_str(&format!(" ENVID={id}"));
            }
        }
        line + "\r\n"
    }
}

impl ErrandRecipient {
    fn rcpt(&self, offers: &Extensions) -> String {
        let mut line = format!("RCPT TO:<{}>", self.address);
        if offers.dsn {
            let Notify {
                never,
                success,
                failure,
                delay,
            } = self.notify;
            let words = [
                (never, "NEVER"),
                (success, "SUCCESS"),
                (failure, "FAILURE"),
                (delay, "DELAY"),
            ];
            let wanted: Vec<&str> = words
                .iter()
                .filter(|(on, _)| *on)
                .map(|(_, word)| *word)
                .collect();
            if !wanted.is_empty() {
                line.push_str(&format!(" NOTIFY={}", wanted.join(",")));
            }
            if let Some(original) = self
                .original
                .as_ref()
                .filter(|original| original.is_ascii())
            {
                line.push_str(&format!(" ORCPT={original}"));
            }
        }
        line + "\r\n"
    }
}
