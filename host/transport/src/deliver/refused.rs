//! SMTP has one answer for all recipients of a message. Where some have it and others are refused for good, that answer is 250, and
//! the sender hears of the others by a report, as from any server that relays (RFC 5321 section 6.1).
//!
//! Not a temporary answer: the sender would come again for days, with the same outcome each time. Not a refusal: those who have the
//! message have it. Most refusals are told at RCPT, where each recipient has an answer; here is what only the message shows, such as a
//! group that takes nothing from this author, or a mailbox that has become full.

use jiff::Timestamp;

use crate::{
    Delivery, Envelope, Outcome,
    header::Header,
    report::{Action, Report, Reported},
};

/// What has one answer; LMTP has one for each recipient.
const ONE_ANSWER: [&str; 2] = ["smtp", "submission"];

impl Delivery {
    /// The outcomes as they were, or, when some are of success and the others for good, all of success, once the report about those
    /// is in the queue.
    pub(crate) async fn report_refused(
        &self,
        envelope: &Envelope,
        header: &Header,
        outcomes: Vec<Outcome>,
    ) -> Vec<Outcome> {
        let is_refused = |outcome: &Outcome| !outcome.is_success();
        let is_mixed = outcomes.iter().any(Outcome::is_success)
            && outcomes.iter().any(is_refused)
            && !outcomes.iter().any(Outcome::is_temporary);
        if !is_mixed || !ONE_ANSWER.contains(&envelope.source.as_str()) {
            return outcomes;
        }
        let refused = envelope.recipients.iter().zip(&outcomes);
        let refused: Vec<Reported<'_>> = refused
            .filter(|(recipient, outcome)| is_refused(outcome) && recipient.notify.wants_failure())
            .map(|(recipient, outcome)| Reported {
                address: &recipient.address,
                original: recipient.original.as_deref(),
                action: Action::Failed,
                outcome,
                host: "",
            })
            .collect();
        // Nobody reports to the null reverse-path (RFC 5321 section 4.5.5).
        if !refused.is_empty() && !envelope.sender.is_empty() {
            let report = Report {
                sender: &envelope.sender,
                envelope_id: envelope.envelope_id.as_deref(),
                recipients: &refused,
                header,
                whole: None,
                host_name: self.host_name(),
                now: Timestamp::now(),
                arrived: Timestamp::now(),
                retried_until: None,
            };
            let report = self.signed_report(report.queued(&envelope.session)).await;
            if let Err(error) = self
                .queue()
                .add(report.envelope, report.message, None)
                .await
            {
                tracing::warn!(session = envelope.session, %error, "no report can be queued, so the sender is to come again");
                return outcomes;
            }
        }
        let told = |outcome: Outcome| match is_refused(&outcome) {
            true => {
                tracing::info!(session = envelope.session, %outcome, "refused, and told by a report");
                Outcome::told_by_report()
            }
            false => outcome,
        };
        outcomes.into_iter().map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{Fixture, envelope};

    const MESSAGE: &str = "From: a@elsewhere.test\r\nSubject: lunch\r\n\r\nat noon\r\n";
    const BOTH: [&str; 2] = ["anna@example.org", "nobody@example.org"];

    async fn codes(source: &str, sender: &str) -> (Vec<u16>, Vec<String>) {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        let mut envelope = envelope(sender, &BOTH);
        envelope.source = source.into();
        let outcomes = fixture.deliver(&envelope, MESSAGE).await;
        assert_eq!(fixture.inbox("anna@example.org").await.len(), 1);
        let codes = outcomes.iter().map(|outcome| outcome.code).collect();
        (codes, fixture.queued_reports().await)
    }

    #[tokio::test]
    async fn who_is_refused_beside_others_is_told_of_in_a_report() {
        let (codes, reports) = codes("smtp", "a@elsewhere.test").await;
        assert_eq!(codes, [250, 250]);
        let [report] = &reports[..] else {
            panic!("{} reports", reports.len())
        };
        assert!(report.contains("nobody@example.org") && report.contains("Action: failed"));
        assert!(!report.contains("Final-Recipient: rfc822; anna@example.org"));
    }

    #[tokio::test]
    async fn where_each_has_an_answer_there_is_no_report() {
        let (codes, reports) = codes("lmtp", "a@elsewhere.test").await;
        assert_eq!((codes, reports.len()), (vec![250, 550], 0));
    }

    #[tokio::test]
    async fn a_report_is_not_reported_on() {
        let (codes, reports) = codes("smtp", "").await;
        assert_eq!((codes, reports.len()), (vec![250, 250], 0));
    }
}
