//! The configuration: one TOML file, read once at start and again at SIGHUP.
//!
//! A file is read whole before anything is done with it, and everything that is wrong is told at once, with line and
//! column: an unknown key is an error, because a misspelt limit that silently does nothing is worse than a server that
//! does not start. Paths are relative to the file, so that a server means the same from wherever it is started.
//!
//! What a key means stands in [`sections`], [`listener`] and [`plugin`]; `waxwing config show --defaults` prints it all.

mod check;
mod listener;
mod plugin;
mod reader;
mod section;
mod sections;
mod show;

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use toml::de::DeTable;
use waxwing_admin::DataDir;
use waxwing_net::{CertificateFiles, ListenerConfig};
use waxwing_runtime::LimitsRequest;
use waxwing_transport::TransportConfig;

pub(crate) use plugin::{PluginKeys, default_grants, shipped};
use reader::{Problem, Reader};
use section::Section;
pub(crate) use sections::{
    AuthenticationKeys, DirectoryKeys, DnsKeys, Log, LogFormat, MetricsKeys, Network, NetworkKeys,
    RuntimeKeys, StoreKeys, TransportKeys,
};
pub(crate) use show::{annotated, effective};

/// Looked for in this order when no `--config` is given.
const PLACES: &[&str] = &["waxwing.toml", "/etc/waxwing/waxwing.toml"];

/// Keys and tables that may stand at the top of the file.
const TOP_LEVEL: &[&str] = &[
    "data_dir",
    "host_name",
    "default_domain",
    "listener",
    "tls",
    "limits",
    "log",
    "directory",
    "store",
    "network",
    "metrics",
    "dns",
    "transport",
    "authentication",
    "runtime",
    "plugin",
];

/// All that an operator has said, and defaults for the rest.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// None: no file, all defaults.
    pub(crate) file: Option<PathBuf>,
    /// Absolute, or relative to the working directory.
    pub(crate) data_dir: PathBuf,
    pub(crate) host_name: String,
    pub(crate) default_domain: Option<String>,
    pub(crate) listeners: Vec<ListenerConfig>,
    pub(crate) certificates: Vec<CertificateFiles>,
    pub(crate) limits: LimitsRequest,
    pub(crate) log: Log,
    pub(crate) directory: DirectoryKeys,
    pub(crate) store: StoreKeys,
    pub(crate) network: NetworkKeys,
    pub(crate) metrics: MetricsKeys,
    pub(crate) dns: DnsKeys,
    pub(crate) transport: TransportKeys,
    pub(crate) authentication: AuthenticationKeys,
    pub(crate) runtime: RuntimeKeys,
    pub(crate) plugins: BTreeMap<String, PluginKeys>,
}

/// Why there is no configuration. Its text is for the operator and names every problem.
#[derive(Debug)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    Unreadable {
        file: PathBuf,
        reason: std::io::Error,
    },
    /// What is in it is wrong.
    Problems {
        file: PathBuf,
        problems: Vec<Problem>,
    },
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// One line for each problem.
    pub(crate) fn lines(&self) -> Vec<String> {
        match self {
            ConfigError::Unreadable { .. } => vec![self.to_string()],
            ConfigError::Problems { file, problems } => problems
                .iter()
                .map(|problem| format!("{}:{problem}", file.display()))
                .collect(),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigError::Unreadable { file, reason } => {
                write!(f, "cannot read {}: {reason}", file.display())
            }
            ConfigError::Problems { .. } => f.write_str(&self.lines().join("\n")),
        }
    }
}

impl Config {
    /// Reads `file`, or the first that exists of `<data>/waxwing.toml`, `./waxwing.toml`, `/etc/waxwing/waxwing.toml`;
    /// `data` wins over the file's `data_dir`. Without any file everything has its default.
    pub(crate) fn load(file: Option<&Path>, data: Option<&Path>) -> Result<Config, ConfigError> {
        let file = file.map(Path::to_owned).or_else(|| find(data));
        let mut config = match &file {
            Some(file) => Config::read(file)?,
            None => Config::parse("", Path::new("")).map_err(|problems| ConfigError::Problems {
                file: PathBuf::from("defaults"),
                problems,
            })?,
        };
        if let Some(data) = data {
            config.data_dir = data.to_owned();
        }
        Ok(config)
    }

    fn read(file: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|reason| ConfigError::Unreadable {
            file: file.to_owned(),
            reason,
        })?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let mut config =
            Config::parse(&text, folder).map_err(|problems| ConfigError::Problems {
                file: file.to_owned(),
                problems,
            })?;
        config.file = Some(file.to_owned());
        Ok(config)
    }

    /// Parses a text whose relative paths start in `folder`.
    fn parse(text: &str, folder: &Path) -> Result<Config, Vec<Problem>> {
        let mut reader = Reader::new(text);
        let (root, errors) = DeTable::parse_recoverable(text);
        for error in &errors {
            reader.problem(
                error.span().unwrap_or(0..0),
                error.message().trim_end().replace('\n', "; "),
            );
        }
        let root = root.get_ref();
        reader.unknown(root, "", TOP_LEVEL);
        let top = sections::Top::read(root, &mut reader);
        let config = Config {
            file: None,
            data_dir: folder.join(top.data_dir),
            host_name: top.host_name,
            default_domain: top.default_domain,
            listeners: listener::read_listeners(root, &mut reader),
            certificates: read_tls(root, folder, &mut reader),
            limits: plugin::read_limits(root, " in [limits]", &mut reader),
            log: read_section(root, "log", &mut reader),
            directory: read_section(root, "directory", &mut reader),
            store: read_section(root, "store", &mut reader),
            network: read_section(root, "network", &mut reader),
            metrics: read_section(root, "metrics", &mut reader),
            dns: read_section(root, "dns", &mut reader),
            transport: read_transport(root, folder, &mut reader),
            authentication: read_section(root, "authentication", &mut reader),
            runtime: read_section(root, "runtime", &mut reader),
            plugins: match reader.table(root, "plugin") {
                Some(plugins) => plugin::read_plugins(plugins, &mut reader),
                None => BTreeMap::new(),
            },
        };
        let problems = reader.into_problems();
        if problems.is_empty() {
            Ok(config)
        } else {
            Err(problems)
        }
    }

    /// For the transport.
    pub(crate) fn transport(&self) -> anyhow::Result<TransportConfig> {
        self.transport.transport(&self.dns)
    }

    /// Where things are.
    pub(crate) fn data(&self) -> DataDir {
        DataDir::new(&self.data_dir)
    }
}

fn find(data: Option<&Path>) -> Option<PathBuf> {
    data.map(|data| data.join("waxwing.toml"))
        .into_iter()
        .chain(PLACES.iter().map(PathBuf::from))
        .find(|place| place.exists())
}

fn read_section<S: Section + Default>(
    root: &DeTable<'_>,
    name: &str,
    reader: &mut Reader<'_>,
) -> S {
    let Some(table) = reader.table(root, name) else {
        return S::default();
    };
    let keys = S::keys();
    let known: Vec<&str> = keys.iter().map(|key| key.name).collect();
    reader.unknown(table, &format!(" in [{name}]"), &known);
    S::read(table, reader)
}

fn read_transport(root: &DeTable<'_>, folder: &Path, reader: &mut Reader<'_>) -> TransportKeys {
    let mut keys: TransportKeys = read_section(root, "transport", reader);
    for file in [&mut keys.ca_file, &mut keys.relay_password_file]
        .into_iter()
        .flatten()
    {
        *file = folder.join(&*file);
    }
    if let Some(table) = reader.table(root, "transport")
        && let Err(what) = keys.check()
    {
        let at = table.keys().next().map(|key| key.span());
        reader.problem(at.unwrap_or_default(), format!("{what} in [transport]"));
    }
    keys
}

fn read_tls(root: &DeTable<'_>, folder: &Path, reader: &mut Reader<'_>) -> Vec<CertificateFiles> {
    let Some(tls) = reader.table(root, "tls") else {
        return Vec::new();
    };
    reader.unknown(tls, " in [tls]", &["certificates"]);
    let mut certificates = listener::read_certificates(tls, reader);
    for files in &mut certificates {
        files.certificate = folder.join(&files.certificate);
        files.key = folder.join(&files.key);
    }
    certificates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let problems = Config::parse(text, Path::new("")).unwrap_err();
        problems.iter().map(Problem::to_string).collect()
    }

    #[test]
    fn an_empty_file_is_all_defaults() {
        let config = Config::parse("", Path::new("/etc/waxwing")).unwrap();
        assert_eq!(config.data_dir, Path::new("/etc/waxwing/data"));
        assert_eq!(config.log.format, LogFormat::Text);
        assert!(config.listeners.is_empty());
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place_and_its_neighbour() {
        assert_eq!(
            problems("data_dir = \"x\"\nhost_nam = \"mx.example.test\"\n"),
            ["2:1: unknown key `host_nam`; did you mean `host_name`?"]
        );
    }

    #[test]
    fn all_problems_are_told_not_only_the_first() {
        let told = problems(
            "[store]\nmax_opn = 3\nindex_cache = \"big\"\n[[listener]]\nname = \"a\"\nprotocol = \"imap\"\nadress = \"x\"\n\
             [log]\nformat = \"xml\"\n[plugin.imap]\nlimit = 3\n",
        );
        assert!(
            told.iter()
                .any(|p| p.starts_with("2:1: unknown key `max_opn` in [store]")),
            "{told:?}"
        );
        assert!(
            told.iter()
                .any(|p| p.starts_with("3:15: `index_cache`: invalid type")),
            "{told:?}"
        );
        assert!(
            told.iter()
                .any(|p| p.contains("`adress` in [[listener]]; did you mean `address`")),
            "{told:?}"
        );
        assert!(
            told.iter().any(|p| p.contains("missing field `address`")),
            "{told:?}"
        );
        assert!(
            told.iter()
                .any(|p| p.contains("`format`: unknown variant `xml`")),
            "{told:?}"
        );
        assert!(
            told.iter().any(|p| p.contains("did you mean `limits`")),
            "{told:?}"
        );
    }

    #[test]
    fn a_syntax_error_does_not_hide_the_rest() {
        let told = problems("host_name = \nlog_level = 3\n");
        assert!(told.iter().any(|p| p.starts_with("1:")), "{told:?}");
        assert!(told.iter().any(|p| p.contains("log_level")), "{told:?}");
    }

    #[test]
    fn settings_of_a_plugin_are_named_by_dotted_keys() {
        let config = Config::parse(
            "[plugin.smtp.config]\nsize = 5\n[plugin.smtp.config.dsn]\non = true\n",
            Path::new(""),
        )
        .unwrap();
        let keys: Vec<&str> = config.plugins["smtp"]
            .config
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(keys, ["dsn.on", "size"]);
    }

    #[test]
    fn how_much_a_version_may_fail_is_checked_like_everything_else() {
        let config = Config::parse("[plugin.imap.slo]\nmax_failures = 0\n", Path::new("")).unwrap();
        assert_eq!(config.plugins["imap"].slo.max_failures, Some(0));
        assert_eq!(
            problems("[plugin.imap.slo]\nmax_failure = 0\nwindow_seconds = 0\n"),
            [
                "1:1: window_seconds = 0: 1 to 86400 in [plugin.imap.slo]",
                "2:1: unknown key `max_failure` in [plugin.imap.slo]; did you mean `max_failures`?",
            ]
        );
    }

    #[test]
    fn routes_are_tables_of_their_own_and_a_password_needs_a_user() {
        let config = Config::parse(
            "[transport]\nretry_seconds = [1, 2]\n[[transport.route]]\ndomain = \"example.net\"\nnext_hop = \"127.0.0.1:2525\"\n",
            Path::new(""),
        )
        .unwrap();
        let transport = config.transport().unwrap();
        assert_eq!(transport.routes[0].next_hop.to_string(), "127.0.0.1:2525");
        assert_eq!(transport.retry.len(), 2);
        assert_eq!(
            problems("[transport]\nrelay_password_file = \"x\"\nretry_seconds = []\n"),
            [
                "2:1: relay_user and relay_password_file belong together, with a relay_host in [transport]"
            ]
        );
        assert!(
            problems("[[transport.route]]\ndomain = \"a.example\"\nnext_hop = \"mx:smtp\"\n")[0]
                .contains("not a host and port")
        );
    }

    #[test]
    fn one_address_is_a_network_too() {
        let config = Config::parse(
            "[directory]\nno_penalty_from = [\"::1\", \"10.0.0.0/8\"]\n",
            Path::new(""),
        )
        .unwrap();
        assert_eq!(config.directory.no_penalty_from[0].0.to_string(), "::1/128");
        assert!(
            problems("[directory]\nno_penalty_from = [\"here\"]\n")[0].contains("not a network")
        );
    }
}
