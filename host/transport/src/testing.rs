//! Three-line fixtures: a store and a directory in a temporary folder, users of `example.org`, and what is in their inbox.

use bytes::Bytes;
use tempfile::TempDir;
use waxwing_directory::{Directory, DirectoryConfig, HashCost};
use waxwing_exmdb::{
    Body, Columns, FolderId, Mailbox, MailboxGuid, Query, Role, Selection, Store, StoreConfig,
};

use crate::{Delivery, Envelope, Notify, Outcome, Queue, Recipient, Submission};

pub(crate) struct Fixture {
    pub(crate) delivery: Delivery,
    pub(crate) directory: Directory,
    pub(crate) store: Store,
    pub(crate) queue: Queue,
    _folder: TempDir,
}

impl Fixture {
    pub(crate) async fn with_users(users: &[&str]) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let mut config = DirectoryConfig::new(folder.path().join("directory.sqlite"));
        config.hash_cost = HashCost {
            memory: 8,
            passes: 1,
            lanes: 1,
        };
        let directory = Directory::open(config).await.unwrap();
        directory.add_domain("example.org").await.unwrap();
        let root = folder.path().join("mailboxes");
        let store = Store::open(StoreConfig {
            root,
            max_open: 8,
            index_cache: 1 << 20,
        })
        .await
        .unwrap();
        let queue = Queue::open(&folder.path().join("queue.sqlite"))
            .await
            .unwrap();
        let name = "mx.example.org".to_owned();
        let delivery = Delivery::new(store.clone(), directory.clone(), queue.clone(), name);
        let fixture = Fixture {
            delivery,
            directory,
            store,
            queue,
            _folder: folder,
        };
        for user in users {
            let guid = MailboxGuid::random();
            fixture.store.create(guid, user).await.unwrap();
            fixture
                .directory
                .add_user(user, "", "secret".into(), &guid.to_string())
                .await
                .unwrap();
        }
        fixture
    }

    pub(crate) async fn deliver(&self, envelope: &Envelope, message: &str) -> Vec<Outcome> {
        let (delivery, envelope) = (self.delivery.clone(), envelope.clone());
        let message = Body::from_bytes(message.to_owned().into());
        tokio::spawn(async move { delivery.deliver(&envelope, &message).await })
            .await
            .unwrap()
    }

    /// By somebody who is logged in.
    pub(crate) async fn submit(
        &self,
        user: &str,
        envelope: &Envelope,
        message: &str,
    ) -> Vec<Outcome> {
        let submission = Submission {
            envelope: envelope.clone(),
            principal: self.directory.user(user).await.unwrap(),
            hold_until: None,
        };
        let message = Body::from_bytes(message.to_owned().into());
        self.delivery.submit(&submission, &message).await
    }

    /// The reports that wait in the queue.
    pub(crate) async fn queued_reports(&self) -> Vec<String> {
        let all = crate::QueueFilter::default();
        let queued = self.queue.messages(&all, crate::QueueId(0), 100).await;
        let mut reports = Vec::new();
        for message in queued.unwrap() {
            assert!(message.sender.is_empty());
            let body = self
                .queue
                .body(message.id, self.store.spool())
                .await
                .unwrap();
            let octets = body.read(0, usize::MAX).await.unwrap();
            reports.push(String::from_utf8(octets.to_vec()).unwrap());
        }
        reports
    }

    /// Waits until a user's inbox holds so many messages.
    pub(crate) async fn inbox_of(&self, user: &str, count: usize) -> Vec<Bytes> {
        for _ in 0..1_000 {
            let inbox = self.inbox(user).await;
            if inbox.len() >= count {
                return inbox;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        panic!("{user} has no {count} messages");
    }

    /// The messages in a user's inbox, in order of arrival.
    pub(crate) async fn inbox(&self, user: &str) -> Vec<Bytes> {
        let mailbox = self.mailbox(user).await;
        let inbox = mailbox.folder_by_role(Role::Inbox).await.unwrap();
        messages(&mailbox, inbox.id).await
    }

    /// The messages in a folder below the root.
    pub(crate) async fn folder(&self, user: &str, name: &str) -> Vec<Bytes> {
        let mailbox = self.mailbox(user).await;
        let folders = mailbox.folders().await.unwrap();
        match folders.iter().find(|folder| folder.name == name) {
            Some(folder) => messages(&mailbox, folder.id).await,
            None => Vec::new(),
        }
    }

    pub(crate) async fn mailbox(&self, user: &str) -> Mailbox {
        self.store.mailbox(self.guid(user).await).await.unwrap()
    }

    /// As the file of a mailbox that cannot be reached for a while.
    pub(crate) async fn without_mailbox(&self, user: &str) {
        self.store.remove(self.guid(user).await).await.unwrap();
    }

    pub(crate) async fn with_mailbox_again(&self, user: &str) {
        self.store
            .create(self.guid(user).await, user)
            .await
            .unwrap();
    }

    async fn guid(&self, user: &str) -> MailboxGuid {
        self.directory
            .user(user)
            .await
            .unwrap()
            .mailbox
            .parse()
            .unwrap()
    }
}

async fn messages(mailbox: &Mailbox, folder: FolderId) -> Vec<Bytes> {
    let view = mailbox.open_view(folder, true).await.unwrap();
    let all = Selection::Positions(vec![1..=u32::MAX]);
    let query = Query {
        selection: all,
        columns: Columns::default(),
        tags: Vec::new(),
        changed_since: None,
        after: 0,
        limit: 1000,
    };
    let items: Vec<_> = view
        .fetch(query)
        .await
        .unwrap()
        .rows
        .iter()
        .map(|row| row.item)
        .collect();
    let mut messages = Vec::new();
    for body in view.open_bodies(&items).await {
        let body = body.unwrap();
        messages.push(
            body.read(0, usize::try_from(body.size()).unwrap())
                .await
                .unwrap(),
        );
    }
    view.close();
    messages
}

/// `from` to `to`, without wishes.
pub(crate) fn envelope(from: &str, to: &[&str]) -> Envelope {
    Envelope {
        sender: from.into(),
        recipients: to
            .iter()
            .map(|address| Recipient {
                address: (*address).into(),
                ..Recipient::default()
            })
            .collect(),
        source: "smtp".into(),
        ..Envelope::default()
    }
}

/// The same with NOTIFY=SUCCESS for everybody.
pub(crate) fn notifying(mut envelope: Envelope) -> Envelope {
    for recipient in &mut envelope.recipients {
        recipient.notify = Notify {
            success: true,
            ..Notify::default()
        };
    }
    envelope
}
