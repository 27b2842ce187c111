//! Copies of what is submitted, in the Sent folder of whoever submits it, for clients that keep none: where the operator asks for it
//! (`[transport] save_sent`) and the user's feature `submission.save-sent` is not switched off.
//!
//! The copy is what was handed in, before signatures and filters, seen, and stored before the client hears that its message was taken.
//! It is a courtesy: when it cannot be stored the message has left all the same, and the log says so. A client that stores a
//! copy itself makes a second one, which no server can tell from a wish; that is why this is off where nothing is said.

use waxwing_exmdb::{Body, Error, ItemFlags, MailboxGuid, NewMail};

use crate::{Delivery, Deposit, Submission, deposit::destination};

/// Of a user, among those that can be switched off.
const FEATURE: &str = "submission.save-sent";

impl Delivery {
    /// Once somebody has the message.
    pub(crate) async fn keep_sent(&self, submission: &Submission, message: &Body) {
        let user = &submission.principal;
        if !self.options().save_sent || user.features_off.iter().any(|off| off == FEATURE) {
            return;
        }
        if let Err(error) = self.store_sent(&user.mailbox, message).await {
            let session = &submission.envelope.session;
            tracing::warn!(session, user = user.address, %error, "no copy of a message that was sent is kept");
        }
    }

    async fn store_sent(&self, mailbox: &str, message: &Body) -> Result<(), Error> {
        let guid: MailboxGuid = mailbox
            .parse()
            .map_err(|_| Error::NotFound(format!("the mailbox {mailbox}")))?;
        let mailbox = self.store().mailbox(guid).await?;
        let sent = Deposit {
            folder: Some("Sent".to_owned()),
            special_use: Some("\\Sent".to_owned()),
            create: true,
            ..Deposit::default()
        };
        let folder = destination(&mailbox, &sent).await?;
        let copy = NewMail {
            message: message.clone(),
            flags: ItemFlags(ItemFlags::SEEN),
            keywords: Vec::new(),
            internal_date: None,
        };
        mailbox.append(folder, vec![copy]).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        DeliveryOptions,
        testing::{Fixture, envelope},
    };

    const MESSAGE: &str = "From: anna@example.org\r\nSubject: x\r\n\r\nhello\r\n";

    async fn fixture(save_sent: bool) -> Fixture {
        let fixture = Fixture::with_users(&["anna@example.org", "bob@example.org"]).await;
        fixture.delivery.configure(DeliveryOptions {
            save_sent,
            ..DeliveryOptions::default()
        });
        fixture
    }

    async fn send(fixture: &Fixture, to: &str) -> usize {
        let anna = "anna@example.org";
        fixture.submit(anna, &envelope(anna, &[to]), MESSAGE).await;
        fixture.folder(anna, "Sent").await.len()
    }

    #[tokio::test]
    async fn what_was_taken_is_kept_where_it_is_asked_for() {
        let fixture = fixture(true).await;
        assert_eq!(send(&fixture, "nobody@example.org").await, 0);
        assert_eq!(send(&fixture, "bob@example.org").await, 1);
        assert_eq!(fixture.folder("anna@example.org", "Sent").await[0], MESSAGE);
        let directory = &fixture.directory;
        let off = directory.set_feature("anna@example.org", super::FEATURE, false);
        off.await.unwrap();
        assert_eq!(send(&fixture, "bob@example.org").await, 1);
    }

    #[tokio::test]
    async fn nothing_is_kept_where_nothing_is_said() {
        assert_eq!(send(&fixture(false).await, "bob@example.org").await, 0);
    }
}
