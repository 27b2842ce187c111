//! `waxwing queue …`

use waxwing_transport::{QueueFilter, QueueId, QueuedMessage};

use crate::{
    Admin, Error, Result,
    protocol::{
        QueueActed, QueueAction, QueueCommand, QueuePage, QueueRecipientRow, QueueRow,
        QueueSelection, Response,
    },
};

/// Messages of a page.
const PAGE: u32 = 500;

pub(crate) async fn execute(admin: &Admin, command: QueueCommand) -> Result<Response> {
    match command {
        QueueCommand::List { filter, after } => {
            Ok(Response::Queue(page(admin, &filter, after).await?))
        }
        QueueCommand::Show { id } => {
            let message = admin.outbound.queue.message(QueueId(id)).await?;
            Ok(Response::Queued(Box::new(row(admin, message).await?)))
        }
        QueueCommand::Act { action, filter } => {
            let ids = selected(admin, &filter).await?;
            for id in &ids {
                act(admin, action, QueueId(*id)).await?;
            }
            tracing::info!(?action, messages = ids.len(), "the queue was changed");
            Ok(Response::QueueActed(QueueActed { action, ids }))
        }
    }
}

async fn act(admin: &Admin, action: QueueAction, id: QueueId) -> Result<()> {
    let queue = &admin.outbound.queue;
    match action {
        QueueAction::Retry => queue.retry(id).await?,
        QueueAction::Hold => queue.hold(id).await?,
        QueueAction::Release => queue.release(id).await?,
        QueueAction::Delete => queue.delete(id).await?,
    }
    Ok(())
}

/// A page may be empty and not the last: the next hop is no column of the queue.
async fn page(admin: &Admin, selection: &QueueSelection, after: i64) -> Result<QueuePage> {
    let found = admin
        .outbound
        .queue
        .messages(&filter(selection), QueueId(after), PAGE)
        .await?;
    let is_full = u32::try_from(found.len()) == Ok(PAGE);
    let next = found.last().map(|last| last.id.0).filter(|_| is_full);
    let mut messages = Vec::new();
    for message in found {
        let row = row(admin, message).await?;
        let goes_there = |hop: &String| row.recipients.iter().any(|to| to.next_hop == *hop);
        if selection.next_hop.as_ref().is_none_or(goes_there) {
            messages.push(row);
        }
    }
    Ok(QueuePage { messages, next })
}

/// Everybody who is named must be there: a number that is wrong is not passed over.
async fn selected(admin: &Admin, selection: &QueueSelection) -> Result<Vec<i64>> {
    let (mut ids, mut after) = (Vec::new(), Some(0));
    while let Some(from) = after {
        let page = page(admin, selection, from).await?;
        ids.extend(page.messages.iter().map(|row| row.id));
        after = page.next;
    }
    match selection.ids.iter().find(|id| !ids.contains(id)) {
        Some(missing) => Err(Error::Queue(waxwing_transport::Error::NotFound(QueueId(
            *missing,
        )))),
        None => Ok(ids),
    }
}

fn filter(selection: &QueueSelection) -> QueueFilter {
    QueueFilter {
        ids: selection.ids.iter().copied().map(QueueId).collect(),
        sender: selection.sender.clone(),
        recipient: selection.recipient.clone(),
        held: selection.held.then_some(true),
    }
}

async fn row(admin: &Admin, message: QueuedMessage) -> Result<QueueRow> {
    let mut recipients = Vec::with_capacity(message.recipients.len());
    for recipient in message.recipients {
        let next_hop = admin
            .outbound
            .next_hop(&admin.directory, &recipient.address);
        recipients.push(QueueRecipientRow {
            next_hop: next_hop.await?,
            address: recipient.address,
            due: recipient.due / 1000,
            attempts: recipient.attempts,
            tried: recipient.last.as_ref().map(|last| last.tried / 1000),
            host: recipient.last.as_ref().map(|last| last.host.clone()),
            answer: recipient.last.map(|last| last.outcome.to_string()),
        });
    }
    Ok(QueueRow {
        id: message.id.0,
        sender: message.sender,
        size: message.size,
        arrived: message.arrived / 1000,
        held: message.held,
        source: message.source,
        session: message.session,
        recipients,
    })
}

#[cfg(test)]
mod tests {
    use waxwing_exmdb::Body;
    use waxwing_transport::{Delivery, Envelope, Recipient, Submission};

    use crate::{protocol::*, testing::Fixture};

    /// Messages of anna to these addresses, each on its own.
    async fn queued(to: &[&str]) -> Fixture {
        let fixture = Fixture::with_users(&["anna@example.org"]).await;
        let admin = &fixture.admin;
        let (store, directory) = (admin.store.clone(), admin.directory.clone());
        let delivery = Delivery::new(store, directory, admin.outbound.queue.clone(), "mx".into());
        for address in to {
            let submission = Submission {
                envelope: Envelope {
                    sender: "anna@example.org".into(),
                    recipients: vec![Recipient {
                        address: (*address).into(),
                        ..Recipient::default()
                    }],
                    ..Envelope::default()
                },
                principal: admin.directory.user("anna@example.org").await.unwrap(),
                hold_until: None,
            };
            let message = Body::from_bytes("From: anna@example.org\r\n\r\n".into());
            let outcomes = delivery.submit(&submission, &message).await;
            assert_eq!(outcomes[0].code, 250, "{}", outcomes[0]);
        }
        fixture
    }

    async fn list(fixture: &Fixture, filter: QueueSelection) -> Vec<QueueRow> {
        let command = QueueCommand::List { filter, after: 0 };
        match fixture.done(Request::Queue(command)).await {
            Response::Queue(page) => page.messages,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn what_is_queued_is_found_by_its_next_hop_and_held_and_deleted() {
        let fixture = queued(&["x@example.net", "y@example.com"]).await;
        let to_net = QueueSelection {
            next_hop: Some("example.net".into()),
            ..QueueSelection::default()
        };
        let found = list(&fixture, to_net.clone()).await;
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].recipients[0].address, "x@example.net");
        for (action, held, left) in [
            (QueueAction::Hold, 1, 2),
            (QueueAction::Release, 0, 2),
            (QueueAction::Retry, 0, 2),
            (QueueAction::Delete, 0, 1),
        ] {
            let filter = to_net.clone();
            fixture
                .done(Request::Queue(QueueCommand::Act { action, filter }))
                .await;
            let all = list(&fixture, QueueSelection::default()).await;
            let count = all.iter().filter(|row| row.held).count();
            assert_eq!((count, all.len()), (held, left), "{action:?}");
        }
    }

    #[tokio::test]
    async fn a_number_that_is_not_there_stops_the_command() {
        let fixture = queued(&["x@example.net"]).await;
        let known = list(&fixture, QueueSelection::default()).await[0].id;
        let filter = QueueSelection {
            ids: vec![known, 99],
            ..QueueSelection::default()
        };
        let action = QueueAction::Delete;
        let refused = fixture
            .refused(Request::Queue(QueueCommand::Act { action, filter }))
            .await;
        assert!(refused.contains("no message 99"), "{refused}");
        assert_eq!(list(&fixture, QueueSelection::default()).await.len(), 1);
    }
}
