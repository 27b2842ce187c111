//! Three-line fixtures: an administrator over a store and a directory in a temporary folder.

use std::time::Duration;

use tempfile::TempDir;
use tokio::task::JoinHandle;
use waxwing_directory::{Directory, DirectoryConfig, HashCost};
use waxwing_exmdb::{Columns, MailboxGuid, Query, Row, Selection, Store, StoreConfig};
use waxwing_transport::{Outbound, Queue, TransportConfig};

use crate::{
    Admin, Connection, DataDir, Result,
    import::Import,
    protocol::{
        DomainCommand, ImportHeader, ImportMessage, ImportStart, ImportSummary, Progress, Request,
        Response, Secret, UserCommand,
    },
    serve,
};

pub(crate) struct Fixture {
    pub(crate) admin: Admin,
    folder: TempDir,
}

impl Fixture {
    /// Without any domain.
    pub(crate) async fn empty() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let data = data(&folder);
        std::fs::create_dir(data.root()).unwrap();
        let store = Store::open(StoreConfig {
            root: data.mailboxes(),
            max_open: 8,
            index_cache: 1 << 20,
        })
        .await
        .unwrap();
        let mut config = DirectoryConfig::new(data.directory());
        config.hash_cost = HashCost {
            memory: 8,
            passes: 1,
            lanes: 1,
        };
        let directory = Directory::open(config).await.unwrap();
        let queue = Queue::open(&data.queue()).await.unwrap();
        let outbound = Outbound::new(queue, &TransportConfig::default());
        Fixture {
            admin: Admin::new(store, directory, outbound, None),
            folder,
        }
    }

    /// With `example.org`, its users, and their password `secret`.
    pub(crate) async fn with_users(users: &[&str]) -> Fixture {
        let fixture = Fixture::empty().await;
        fixture
            .done(Request::Domain(DomainCommand::Add {
                name: "example.org".into(),
            }))
            .await;
        for user in users {
            let (address, display_name) = ((*user).into(), String::new());
            fixture
                .done(Request::User(UserCommand::Add {
                    address,
                    display_name,
                    password: Secret::new("secret"),
                }))
                .await;
        }
        fixture
    }

    pub(crate) async fn done(&self, request: Request) -> Response {
        self.admin
            .execute(request, &mut |_: Progress| {})
            .await
            .unwrap()
    }

    pub(crate) async fn refused(&self, request: Request) -> String {
        self.admin
            .execute(request, &mut |_: Progress| {})
            .await
            .unwrap_err()
            .to_string()
    }

    /// Imports `(folder path with slashes, message)`.
    pub(crate) async fn import(&self, user: &str, messages: &[(&str, &str)]) -> ImportSummary {
        let mut import = Import::begin(
            &self.admin,
            ImportStart {
                user: user.into(),
                total: None,
            },
        )
        .await
        .unwrap();
        for (folder, text) in messages {
            import.message(message(folder, text)).await.unwrap();
        }
        import.finish().await.unwrap()
    }

    pub(crate) async fn guid(&self, user: &str) -> MailboxGuid {
        self.admin
            .directory
            .user(user)
            .await
            .unwrap()
            .mailbox
            .parse()
            .unwrap()
    }

    pub(crate) async fn count(&self, user: &str, path: &str) -> usize {
        self.rows(user, path).await.len()
    }

    pub(crate) async fn rows(&self, user: &str, path: &str) -> Vec<Row> {
        let mailbox = self
            .admin
            .store
            .mailbox(self.guid(user).await)
            .await
            .unwrap();
        let folders = mailbox.folders().await.unwrap();
        let mut at = None;
        for name in path.split('/') {
            let folder = folders
                .iter()
                .find(|folder| folder.parent == at && folder.name.eq_ignore_ascii_case(name));
            at = Some(folder.unwrap_or_else(|| panic!("no folder {path}")).id);
        }
        let view = mailbox.open_view(at.unwrap(), true).await.unwrap();
        let all = Selection::Positions(vec![1..=u32::MAX]);
        let query = Query {
            selection: all,
            columns: Columns::default(),
            tags: Vec::new(),
            changed_since: None,
            after: 0,
            limit: 1000,
        };
        let rows = view.fetch(query).await.unwrap().rows;
        view.close();
        rows
    }

    /// A server on the fixture's socket.
    pub(crate) fn served(&self) -> (DataDir, JoinHandle<Result<()>>) {
        let data = data(&self.folder);
        let (socket, admin) = (data.admin_socket(), self.admin.clone());
        (
            data,
            tokio::spawn(async move { serve(&socket, admin).await }),
        )
    }

    /// The server of a data directory, once it answers.
    pub(crate) async fn connected(data: &DataDir) -> Connection {
        let mut answer = None;
        for _ in 0..200 {
            if data.admin_socket().exists() {
                match Connection::to_server(data).await {
                    Ok(Some(connection)) => return connection,
                    other => answer = Some(other.err()),
                }
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no server answers: {answer:?}");
    }
}

/// Longer than a socket's path may be.
fn data(folder: &TempDir) -> DataDir {
    DataDir::new(folder.path().join("x".repeat(120)))
}

/// A message for a folder path with slashes.
pub(crate) fn message(folder: &str, text: &str) -> ImportMessage {
    let folder = folder.split('/').map(str::to_owned).collect();
    let header = ImportHeader {
        folder,
        flags: Vec::new(),
        internal_date: None,
        as_is: false,
        origin: "test".into(),
    };
    ImportMessage {
        header,
        message: text.to_owned().into(),
    }
}
