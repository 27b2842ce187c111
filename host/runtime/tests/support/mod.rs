//! Three-line fixtures: a runtime in a temporary folder, packages of the probe guest, and a client that speaks lines.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "tests; each file uses its part"
)]

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    sync::Mutex,
};

use tempfile::TempDir;
use waxwing_directory::{Directory, DirectoryConfig, HashCost};
use waxwing_exmdb::{MailboxGuid, Store, StoreConfig};
use waxwing_runtime::{
    Action, Context, CurrentSite, EngineConfig, Error, Event, PluginStatus, Runtime, RuntimeConfig,
    Services, Session, Turn,
};
use waxwing_transport::{Delivery, Queue};

/// The probe guest's component.
pub fn probe() -> &'static Path {
    guest("probe")
}

/// A guest's component, built once per run of a test binary.
pub fn guest(name: &'static str) -> &'static Path {
    static BUILT: Mutex<BTreeMap<&str, &Path>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap();
    built.entry(name).or_insert_with(|| {
        let source = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap())
            .join("tests/guests")
            .join(name);
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
        let built = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--locked",
                "--release",
                "--target",
                "wasm32-wasip2",
                "--manifest-path",
            ])
            .arg(source.join("Cargo.toml"))
            .env("CARGO_TARGET_DIR", &target)
            .env_remove("RUSTFLAGS")
            .status()
            .expect("cargo runs");
        assert!(built.success(), "the guest {name} does not build");
        let component = target.join(format!("wasm32-wasip2/release/{name}.wasm"));
        Box::leak(component.into_boxed_path())
    })
}

/// A runtime with its folders.
pub struct Host {
    pub runtime: Runtime,
    pub folder: TempDir,
    config: RuntimeConfig,
    services: Services,
}

impl Host {
    pub async fn new() -> Host {
        Host::with(|_| {}).await
    }

    pub async fn with(change: impl FnOnce(&mut RuntimeConfig)) -> Host {
        let folder = tempfile::tempdir().unwrap();
        let services = services(folder.path()).await;
        let mut config = RuntimeConfig::new(
            folder.path().join("packages"),
            machine_code(),
            "mail.test".into(),
        );
        config.engine = EngineConfig {
            live_instances: 32,
            ..EngineConfig::default()
        };
        let probe = config.plugins.entry("probe".into()).or_default();
        probe.grants = vec!["directory/accounts".into(), "store".into()];
        probe.settings.insert("motto".into(), "\"semper\"".into());
        change(&mut config);
        let runtime = Runtime::new(config.clone(), services.clone())
            .await
            .unwrap();
        Host {
            runtime,
            folder,
            config,
            services,
        }
    }

    /// The same host after a restart.
    pub async fn restart(self) -> Host {
        let Host {
            runtime,
            folder,
            config,
            services,
        } = self;
        drop(runtime);
        let runtime = Runtime::new(config.clone(), services.clone())
            .await
            .unwrap();
        Host {
            runtime,
            folder,
            config,
            services,
        }
    }

    /// A user of example.org whose password is `secret`.
    pub async fn user(&self, name: &str) {
        let Services {
            store, directory, ..
        } = &self.services;
        let _ = directory.add_domain("example.org").await;
        let address = format!("{name}@example.org");
        let guid = MailboxGuid::random();
        store.create(guid, &address).await.unwrap();
        directory
            .add_user(&address, name, "secret".into(), &guid.to_string())
            .await
            .unwrap();
    }

    /// Packs the probe as a version.
    pub fn pack(&self, version: &str) -> PathBuf {
        self.pack_as(&stream_manifest(version))
    }

    pub fn pack_as(&self, manifest: &str) -> PathBuf {
        self.pack_component(manifest, &std::fs::read(probe()).unwrap())
    }

    pub fn pack_component(&self, manifest: &str, component: &[u8]) -> PathBuf {
        let place = tempfile::tempdir_in(self.folder.path()).unwrap().keep();
        std::fs::write(place.join("plugin.toml"), manifest).unwrap();
        std::fs::write(place.join("plugin.wasm"), component).unwrap();
        place
    }

    /// Loads and activates the probe as a version.
    pub async fn run(&self, version: &str) {
        self.run_as(&stream_manifest(version)).await;
    }

    pub async fn run_as(&self, manifest: &str) {
        let loaded = self.runtime.load(&self.pack_as(manifest)).await.unwrap();
        self.runtime
            .activate("probe", Some(&loaded.version))
            .await
            .unwrap();
    }

    pub async fn open(&self) -> Client {
        self.try_open().await.unwrap()
    }

    pub async fn try_open(&self) -> Result<Client, Error> {
        let (session, turn) = self.runtime.open(context()).await?;
        Ok(Client {
            session,
            input: Vec::new(),
            greeting: sent(&turn),
        })
    }

    pub fn status(&self, version: &str) -> PluginStatus {
        self.runtime
            .status()
            .into_iter()
            .find(|status| status.version == version)
            .unwrap()
    }
}

pub fn stream_manifest(version: &str) -> String {
    format!(
        "name = 'probe'\nversion = '{version}'\nworld = 'stream-plugin'\nprotocols = ['probe']\nneeds = ['directory/accounts', 'store']\n\
         handoff = {{ writes = 1, accepts = [1] }}\n"
    )
}

/// Shared by all tests: compiling the probe is most of their time.
fn machine_code() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("machine-code")
}

async fn services(folder: &Path) -> Services {
    let store = Store::open(StoreConfig {
        root: folder.join("mailboxes"),
        max_open: 4,
        index_cache: 1 << 20,
    })
    .await
    .unwrap();
    let mut config = DirectoryConfig::new(folder.join("directory.sqlite"));
    config.hash_cost = HashCost {
        memory: 8,
        passes: 1,
        lanes: 1,
    };
    let directory = Directory::open(config).await.unwrap();
    let queue = Queue::open(&folder.join("queue.sqlite")).await.unwrap();
    let delivery = Delivery::new(store.clone(), directory.clone(), queue, "mail.test".into());
    Services {
        store,
        directory,
        delivery,
        site: CurrentSite::default(),
    }
}

pub fn context() -> Context {
    Context {
        session: "s1".into(),
        listener: "probe".into(),
        protocol: "probe".into(),
        local: SocketAddr::from(([127, 0, 0, 1], 1143)),
        peer: SocketAddr::from(([192, 0, 2, 1], 40_000)),
        tls: None,
        tls_available: true,
        plaintext_login: true,
        host_name: "mail.test".into(),
    }
}

pub fn sent(turn: &Turn) -> String {
    let mut text = Vec::new();
    for action in &turn.actions {
        if let Action::Send(octets) = action {
            text.extend_from_slice(octets);
        }
    }
    String::from_utf8(text).unwrap()
}

/// Speaks lines to a session and keeps what it does not consume, as net does.
pub struct Client {
    pub session: Session,
    pub input: Vec<u8>,
    pub greeting: String,
}

impl Client {
    /// One command and its answer.
    pub async fn say(&mut self, line: &str) -> String {
        self.try_say(line).await.unwrap()
    }

    pub async fn try_say(&mut self, line: &str) -> Result<String, Error> {
        Ok(sent(&self.turn(line).await?).trim_end().to_owned())
    }

    pub async fn turn(&mut self, line: &str) -> Result<Turn, Error> {
        self.input.extend_from_slice(line.as_bytes());
        self.input.push(b'\n');
        let turn = self
            .session
            .handle(Event::Input(self.input.clone().into()))
            .await?;
        self.input.drain(..turn.consumed);
        Ok(turn)
    }
}
