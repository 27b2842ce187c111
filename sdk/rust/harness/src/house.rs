//! A Waxwing without listeners.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use secrecy::SecretString;
use tempfile::TempDir;
use waxwing_directory::{Directory, DirectoryConfig};
use waxwing_exmdb::{Body, ItemFlags, MailboxGuid, NewMail, Role, Store, StoreConfig};
use waxwing_runtime::package::manifest;
use waxwing_runtime::{Context, CurrentSite, PluginConfig, Runtime, RuntimeConfig, Services};
use waxwing_sdk::testing::{Manner, Script};
use waxwing_transport::{Delivery, Queue};

use crate::component::{Component, cache};
use crate::session::InWasm;
use crate::{Error, Result};

/// Who has a mailbox.
pub const USERS: [&str; 2] = ["ada@waxwing.test", "grace@waxwing.test"];
/// The password of all users.
pub const PASSWORD: &str = "a password of tests";

/// See the crate's documentation.
pub struct House {
    pub(crate) tokio: tokio::runtime::Runtime,
    services: Services,
    runtime: Mutex<Option<Runtime>>,
    directory: TempDir,
}

impl House {
    /// Moves in: an empty store, the domain and its users.
    ///
    /// # Errors
    /// From store and directory.
    pub fn new() -> Result<House> {
        House::on(&mut tokio::runtime::Builder::new_multi_thread())
    }

    /// As [`House::new`], with everything on the thread that waits. On a server a session and the calls it makes share a worker, which
    /// a thread that only waits for workers would hide.
    ///
    /// # Errors
    /// As [`House::new`].
    pub fn on_one_thread() -> Result<House> {
        House::on(&mut tokio::runtime::Builder::new_current_thread())
    }

    fn on(tokio: &mut tokio::runtime::Builder) -> Result<House> {
        let tokio = tokio
            .enable_all()
            .build()
            .map_err(|error| Error::File("tokio".into(), error))?;
        let directory = tempfile::tempdir()
            .map_err(|error| Error::File("a temporary directory".into(), error))?;
        let services = tokio.block_on(services(directory.path()))?;
        Ok(House {
            tokio,
            services,
            runtime: Mutex::new(None),
            directory,
        })
    }

    /// Loads and activates a plugin with everything granted that it needs. One plugin a house.
    ///
    /// # Errors
    /// What the runtime has against the package.
    pub fn load(&self, component: &Component) -> Result<()> {
        self.load_with(component, &[])
    }

    /// As [`House::load`], with settings: dotted keys and JSON texts.
    ///
    /// # Errors
    /// As [`House::load`].
    pub fn load_with(&self, component: &Component, settings: &[(&str, &str)]) -> Result<()> {
        let own = |text: &str| text.to_owned();
        let settings = settings
            .iter()
            .map(|(key, value)| (own(key), own(value)))
            .collect();
        self.load_as(
            component,
            PluginConfig {
                settings,
                ..PluginConfig::default()
            },
        )
    }

    /// As [`House::load`], under an operator's settings and limits; the grants are added.
    ///
    /// # Errors
    /// As [`House::load`].
    pub fn load_as(&self, component: &Component, mut plugin: PluginConfig) -> Result<()> {
        let package = self.directory.path().join("package");
        std::fs::create_dir_all(&package).map_err(|error| Error::File(package.clone(), error))?;
        component.package(&package)?;
        let text = std::fs::read_to_string(&component.manifest)
            .map_err(|error| Error::File(component.manifest.clone(), error))?;
        let manifest = manifest::parse(&text)
            .map_err(|error| waxwing_runtime::Error::Package(error.to_string()))?;
        plugin.grants.clone_from(&manifest.needs);
        let mut config = RuntimeConfig::new(
            self.directory.path().join("packages"),
            cache()?,
            "mx.test".into(),
        );
        config.plugins = BTreeMap::from([(manifest.name.clone(), plugin)]);
        let runtime = self.tokio.block_on(async {
            let runtime = Runtime::new(config, self.services.clone()).await?;
            runtime.load(&package).await?;
            runtime.activate(&manifest.name, None).await?;
            Ok::<Runtime, Error>(runtime)
        })?;
        self.runtime
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .replace(runtime);
        Ok(())
    }

    /// The runtime, once a plugin was loaded.
    ///
    /// # Errors
    /// Before that.
    pub fn runtime(&self) -> Result<Runtime> {
        let runtime = self
            .runtime
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        runtime.ok_or_else(|| waxwing_runtime::Error::NoPlugin("any".into()).into())
    }

    /// Store, directory and mail flow, to prepare and to look.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// Puts small messages that are seen into a user's inbox; each has its number as subject and text.
    ///
    /// # Errors
    /// From store and directory.
    pub fn fill(&self, user: &str, count: u32) -> Result<()> {
        let mail = |number: u32| NewMail {
            message: Body::from_bytes(format!("Subject: {number}\r\n\r\n{number}\r\n").into()),
            flags: ItemFlags(ItemFlags::SEEN),
            keywords: Vec::new(),
            internal_date: Some(0),
        };
        self.wait_for(async {
            let guid = self.services.directory.user(user).await?.mailbox;
            let guid = guid.parse::<MailboxGuid>()?;
            let mailbox = self.services.store.mailbox(guid).await?;
            let inbox = mailbox.folder_by_role(Role::Inbox).await?;
            mailbox
                .append(inbox.id, (1..=count).map(mail).collect())
                .await?;
            Ok(())
        })
    }

    /// Runs a future of the host to its end.
    pub fn wait_for<F: Future>(&self, future: F) -> F::Output {
        self.tokio.block_on(future)
    }

    /// Plays a transcript in all manners over a connection of this protocol.
    ///
    /// # Panics
    /// When what the component does differs from the transcript; the message shows the line.
    #[track_caller]
    #[allow(clippy::panic, reason = "a test harness speaks by panicking")]
    pub fn check(&self, protocol: &str, transcript: &str) {
        let context = waxwing_sdk::stream::Context {
            protocol: protocol.to_owned(),
            ..waxwing_sdk::testing::context()
        };
        for manner in Manner::ALL {
            let played = Script::parse(transcript)
                .and_then(|script| script.play(&mut InWasm::new(self), &context, manner));
            if let Err(mismatch) = played {
                panic!("{manner}: {mismatch}");
            }
        }
    }
}

async fn services(root: &Path) -> Result<Services> {
    let store = Store::open(StoreConfig {
        max_open: 16,
        index_cache: 16 << 20,
        root: root.join("mail"),
    })
    .await?;
    let directory = Directory::open(DirectoryConfig::new(root.join("directory.sqlite"))).await?;
    directory.add_domain("waxwing.test").await?;
    for user in USERS {
        let guid = MailboxGuid::random();
        store.create(guid, user).await?;
        directory
            .add_user(user, "", SecretString::from(PASSWORD), &guid.to_string())
            .await?;
    }
    let queue = Queue::open(&root.join("queue.sqlite")).await?;
    let delivery = Delivery::new(store.clone(), directory.clone(), queue, "mx.test".into());
    Ok(Services {
        store,
        directory,
        delivery,
        site: CurrentSite::default(),
    })
}

/// A connection as `net` would present it.
#[must_use]
pub fn connection(context: &waxwing_sdk::stream::Context) -> Context {
    let place = |address: &str, port: u16| {
        SocketAddr::new(address.parse().unwrap_or(Ipv4Addr::LOCALHOST.into()), port)
    };
    Context {
        session: context.session.as_str().into(),
        listener: context.listener.as_str().into(),
        protocol: context.protocol.as_str().into(),
        local: place(&context.local_address, context.local_port),
        peer: place(&context.peer_address, context.peer_port),
        tls: context
            .tls
            .as_ref()
            .map(|tls| crate::translate::tls(tls).into()),
        tls_available: context.tls_available,
        plaintext_login: context.plaintext_login,
        host_name: context.host_name.as_str().into(),
    }
}
