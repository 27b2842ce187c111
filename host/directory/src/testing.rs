//! Three-line fixtures: a directory in a temporary folder with `example.org` and users whose password is `secret`.

use std::time::Duration;

use tempfile::TempDir;

use crate::{
    Credential, Directory, DirectoryConfig, HashCost, PenaltyLimits, Resolution, Result, User,
};

/// Hashes that take no time.
pub(crate) const CHEAP: HashCost = HashCost {
    memory: 8,
    passes: 1,
    lanes: 1,
};
/// A client.
pub(crate) const PEER: &str = "192.0.2.1";
/// A client in a network without penalties.
pub(crate) const TRUSTED: &str = "127.0.0.9";

pub(crate) struct Fixture {
    pub(crate) directory: Directory,
    config: DirectoryConfig,
    folder: TempDir,
}

impl Fixture {
    pub(crate) async fn new() -> Fixture {
        Fixture::with_users(&[]).await
    }

    pub(crate) async fn with_users(users: &[&str]) -> Fixture {
        Fixture::with_cost(CHEAP, users).await
    }

    pub(crate) async fn with_cost(hash_cost: HashCost, users: &[&str]) -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let mut config = DirectoryConfig::new(folder.path().join("directory.sqlite"));
        config.default_domain = Some("example.org".into());
        config.no_penalty_from = vec!["127.0.0.0/8".into()];
        config.hash_cost = hash_cost;
        config.scram_iterations = 4_096;
        config.penalties = PenaltyLimits {
            first_delay: Duration::from_millis(1),
            max_delay: Duration::from_millis(4),
            ..PenaltyLimits::default()
        };
        let directory = Directory::open(config.clone()).await.unwrap();
        directory.add_domain("example.org").await.unwrap();
        let fixture = Fixture {
            directory,
            config,
            folder,
        };
        for user in users {
            fixture
                .add_user(&format!("{user}@example.org"))
                .await
                .unwrap();
        }
        fixture
    }

    /// The same file, opened again.
    pub(crate) async fn reopened(self) -> Fixture {
        self.reopened_with(|_| {}).await
    }

    /// The same file, opened again with another configuration.
    pub(crate) async fn reopened_with(
        mut self,
        change: impl FnOnce(&mut DirectoryConfig),
    ) -> Fixture {
        self.directory.close().await;
        change(&mut self.config);
        Fixture {
            directory: Directory::open(self.config.clone()).await.unwrap(),
            config: self.config,
            folder: self.folder,
        }
    }

    pub(crate) async fn add_user(&self, address: &str) -> Result<User> {
        let mailbox = format!("{:032x}", rand::random::<u128>());
        self.directory
            .add_user(address, "", "secret".into(), &mailbox)
            .await
    }

    pub(crate) async fn log_in(&self, peer: &str, user: &str, password: &str) -> Result<User> {
        let credential = Credential::Password {
            user: user.into(),
            password: password.into(),
            act_as: None,
        };
        self.directory
            .authenticate(peer.parse().unwrap(), credential)
            .await
    }

    /// The addresses of the users that an address reaches.
    pub(crate) async fn reached(&self, address: &str) -> Vec<String> {
        match self.directory.resolve(address).await.unwrap() {
            Resolution::Local { users, .. } => users.into_iter().map(|user| user.address).collect(),
            other => panic!("{address} is {other:?}"),
        }
    }
}
