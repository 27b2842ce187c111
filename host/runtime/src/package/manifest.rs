//! `plugin.toml`: who a plugin is, what it serves and what it needs.
//!
//! ```toml
//! name = "imap"
//! version = "1.2.0"
//! world = "stream-plugin"          # or plain-stream-plugin, http-plugin, mail-flow-hook, store-event-hook, delivery-filter-hook
//! description = "IMAP4rev2 (RFC 9051)"
//! protocols = ["imap"]             # stream plugins: what listeners may ask for
//! stages = ["on-message-in"]       # mail-flow hooks: on-connect, on-envelope, on-message-in, on-message-out, on-deliver
//! needs = ["store", "directory/accounts"]
//!
//! [handoff]                        # frozen formats, for worlds with `handoff`
//! writes = 2
//! accepts = [1, 2]
//!
//! [limits]                         # asks, up to the operator's ceiling
//! memory = 33554432
//!
//! [slo]                            # when the version is taken back by itself
//! max_failures = 5
//!
//! [[route]]                        # HTTP plugins
//! prefix = "/status"
//! auth = "none"                    # or "basic"
//! max_body = 65536
//! ```
//!
//! An unknown key is an error that proposes the nearest known one: a typo must not silently turn a limit off.

use semver::Version;
use serde::{Deserialize, Deserializer, de::Error as _};
use waxwing_transport::Stage;

use crate::{
    limits::{Limits, LimitsRequest},
    slo::{Slo, SloRequest},
};

/// What is wrong with a manifest, for its author.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ManifestError(String);

type Result<T> = std::result::Result<T, ManifestError>;

/// Names are at most this long.
const NAME: usize = 64;
/// Formats a version may accept, protocols it may serve, routes it may have.
const ENTRIES: usize = 64;
/// What a route's body may be when the manifest does not say, in octets.
const BODY: u64 = 1 << 20;

/// The world a component was built for; see `wit/worlds.wit`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum World {
    /// A protocol over one connection, with hand-over.
    StreamPlugin,
    /// The same without hand-over.
    PlainStreamPlugin,
    /// Requests and responses.
    HttpPlugin,
    /// Filters in the mail flow.
    MailFlowHook,
    /// Told of commits.
    StoreEventHook,
    /// People's own filters at delivery.
    DeliveryFilterHook,
}

impl World {
    /// Whether it speaks over a connection.
    #[must_use]
    pub fn is_stream(self) -> bool {
        matches!(self, World::StreamPlugin | World::PlainStreamPlugin)
    }
}

/// How a route authenticates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RouteAuth {
    /// Everybody may ask.
    None,
    /// RFC 7617, checked by the host.
    Basic,
}

/// A `[[route]]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RouteEntry {
    /// Paths that begin with it, case ignored.
    pub prefix: String,
    /// Who may ask.
    #[serde(default = "no_authentication")]
    pub auth: RouteAuth,
    /// Octets of a request's body.
    #[serde(default = "default_body")]
    pub max_body: u64,
}

fn no_authentication() -> RouteAuth {
    RouteAuth::None
}

fn default_body() -> u64 {
    BODY
}

/// `[handoff]`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Handoff {
    /// The format that `freeze` writes.
    pub writes: u32,
    /// Formats that `thaw` reads.
    pub accepts: Vec<u32>,
}

/// A manifest that cannot be wrong in shape.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Manifest {
    /// Lower-case letters, digits and hyphens.
    pub name: String,
    /// Semantic version.
    pub version: Version,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// What it is.
    pub world: World,
    /// Protocols it serves.
    #[serde(default)]
    pub protocols: Vec<String>,
    /// Routes it serves.
    #[serde(default, rename = "route")]
    pub routes: Vec<RouteEntry>,
    /// Stages of the mail flow at which it is asked.
    #[serde(default, deserialize_with = "stages")]
    pub stages: Vec<Stage>,
    /// Interfaces it calls.
    #[serde(default)]
    pub needs: Vec<String>,
    /// Limits it asks for.
    #[serde(default)]
    pub limits: LimitsRequest,
    /// Frozen formats.
    #[serde(default)]
    pub handoff: Option<Handoff>,
    /// How much it may fail.
    #[serde(default)]
    pub slo: SloRequest,
}

/// By their names.
fn stages<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Vec<Stage>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    let stage = |name: String| {
        let found = Stage::ALL.into_iter().find(|stage| stage.name() == name);
        found.ok_or_else(|| {
            let known = Stage::ALL.map(Stage::name);
            let nearest = proposal(&name, &known);
            D::Error::custom(format!("stages: there is no `{}`{nearest}", shown(&name)))
        })
    };
    names.into_iter().map(stage).collect()
}

/// Reads a manifest.
///
/// # Errors
/// What is wrong, with the key; for an unknown key the nearest known one.
pub fn parse(text: &str) -> Result<Manifest> {
    let table: toml::Table = text
        .parse()
        .map_err(|error: toml::de::Error| ManifestError(error.to_string().trim_end().to_owned()))?;
    known_keys(&table)?;
    let manifest: Manifest = table
        .try_into()
        .map_err(|error: toml::de::Error| ManifestError(error.to_string().trim_end().to_owned()))?;
    check(&manifest)?;
    Ok(manifest)
}

const TOP: [&str; 11] = [
    "name",
    "version",
    "description",
    "world",
    "protocols",
    "stages",
    "route",
    "needs",
    "limits",
    "handoff",
    "slo",
];

fn known_keys(table: &toml::Table) -> Result<()> {
    let limits: Vec<&str> = Limits::TABLE.iter().map(|(key, ..)| *key).collect();
    let slo: Vec<&str> = Slo::TABLE.iter().map(|(key, ..)| *key).collect();
    expect_known("", table, &TOP)?;
    for (section, known) in [
        ("limits", limits.as_slice()),
        ("slo", slo.as_slice()),
        ("handoff", &["writes", "accepts"]),
    ] {
        if let Some(toml::Value::Table(inner)) = table.get(section) {
            expect_known(section, inner, known)?;
        }
    }
    if let Some(toml::Value::Array(routes)) = table.get("route") {
        for route in routes.iter().filter_map(toml::Value::as_table) {
            expect_known("route", route, &["prefix", "auth", "max_body"])?;
        }
    }
    Ok(())
}

fn expect_known(section: &str, table: &toml::Table, known: &[&str]) -> Result<()> {
    let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) else {
        return Ok(());
    };
    let place = if section.is_empty() {
        String::new()
    } else {
        format!(" in [{section}]")
    };
    Err(ManifestError(format!(
        "unknown key `{}`{place}{}",
        shown(key),
        proposal(key, known)
    )))
}

/// `; did you mean …?`, if something is near.
fn proposal(given: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|candidate| (strsim::jaro_winkler(given, candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.7)
        .max_by(|one, other| one.0.total_cmp(&other.0));
    nearest.map_or_else(String::new, |(_, candidate)| {
        format!("; did you mean `{candidate}`?")
    })
}

/// Someone else's text in a message: short and on one line.
fn shown(text: &str) -> String {
    text.chars()
        .take(NAME)
        .flat_map(char::escape_debug)
        .collect()
}

fn is_name(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= NAME
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(inner)
}

fn check(manifest: &Manifest) -> Result<()> {
    let wrong = |message: String| Err(ManifestError(message));
    if !is_name(&manifest.name) {
        return wrong(format!(
            "name `{}`: 1 to {NAME} of a-z, 0-9 and hyphens, a letter first",
            shown(&manifest.name)
        ));
    }
    if manifest.protocols.len() > ENTRIES
        || manifest.routes.len() > ENTRIES
        || manifest.needs.len() > ENTRIES
    {
        return wrong(format!("at most {ENTRIES} protocols, routes and needs"));
    }
    if let Some(protocol) = manifest
        .protocols
        .iter()
        .find(|protocol| !is_name(protocol))
    {
        return wrong(format!(
            "protocol `{}`: 1 to {NAME} of a-z, 0-9 and hyphens",
            shown(protocol)
        ));
    }
    if manifest.world.is_stream() == manifest.protocols.is_empty() {
        return wrong("`protocols` belongs to stream plugins, which must name at least one".into());
    }
    if (manifest.world == World::HttpPlugin) == manifest.routes.is_empty() {
        return wrong("`[[route]]` belongs to http plugins, which must have at least one".into());
    }
    if (manifest.world == World::MailFlowHook) == manifest.stages.is_empty() {
        return wrong(
            "`stages` belongs to mail-flow hooks, which must name at least one: on-connect, on-envelope, on-message-in, on-message-out, on-deliver".into(),
        );
    }
    for need in &manifest.needs {
        if !super::grants::KNOWN.contains(&need.as_str()) {
            return wrong(format!(
                "needs `{}`, which does not exist{}",
                shown(need),
                proposal(need, &super::grants::KNOWN)
            ));
        }
    }
    if let Err(what) = manifest.slo.check() {
        return wrong(format!("slo: {what}"));
    }
    check_handoff(manifest)?;
    manifest.routes.iter().try_for_each(check_route)
}

fn check_handoff(manifest: &Manifest) -> Result<()> {
    match (&manifest.handoff, manifest.world) {
        (None, World::StreamPlugin) => Err(ManifestError(
            "a stream-plugin names its frozen formats under [handoff]".into(),
        )),
        (Some(_), world) if world != World::StreamPlugin => Err(ManifestError(
            "[handoff] belongs to the world stream-plugin".into(),
        )),
        (Some(handoff), _) if handoff.accepts.len() > ENTRIES => {
            Err(ManifestError(format!("handoff: at most {ENTRIES} formats")))
        }
        (Some(handoff), _) if !handoff.accepts.contains(&handoff.writes) => {
            Err(ManifestError(format!(
                "handoff: writes format {} but does not accept it",
                handoff.writes
            )))
        }
        _ => Ok(()),
    }
}

fn check_route(route: &RouteEntry) -> Result<()> {
    let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '%');
    if !route.prefix.starts_with('/')
        || route.prefix.len() > 256
        || !route.prefix.chars().all(plain)
    {
        return Err(ManifestError(format!(
            "route `{}`: a path that begins with a slash",
            shown(&route.prefix)
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const IMAP: &str = r#"
        name = "imap"
        version = "1.2.0"
        world = "stream-plugin"
        protocols = ["imap"]
        needs = ["store", "directory/accounts"]
        handoff = { writes = 2, accepts = [1, 2] }
        limits = { memory = 1024 }
    "#;

    fn complaint(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_whole_manifest_is_read() {
        let manifest = parse(IMAP).unwrap();
        assert_eq!(
            (manifest.name.as_str(), manifest.limits.memory),
            ("imap", Some(1024))
        );
        assert_eq!(manifest.handoff.unwrap().accepts, [1, 2]);
    }

    #[test]
    fn a_route_is_open_and_small_unless_it_says_otherwise() {
        let manifest = parse(
            "name='status'\nversion='1.0.0'\nworld='http-plugin'\n[[route]]\nprefix='/status'",
        )
        .unwrap();
        assert_eq!(
            manifest.routes,
            [RouteEntry {
                prefix: "/status".into(),
                auth: RouteAuth::None,
                max_body: BODY
            }]
        );
    }

    #[test]
    fn an_unknown_key_proposes_the_nearest_known_one() {
        assert_eq!(
            complaint(&IMAP.replace("protocols", "protocol")),
            "unknown key `protocol`; did you mean `protocols`?"
        );
        assert!(
            complaint(&IMAP.replace("memory", "memmory"))
                .contains("in [limits]; did you mean `memory`?")
        );
        assert!(
            complaint(&IMAP.replace("\"store\"", "\"sotre\"")).contains("did you mean `store`?")
        );
    }

    #[test]
    fn how_much_a_version_may_fail_is_read_and_checked() {
        let with = |slo: &str| IMAP.to_owned() + slo;
        let manifest = parse(&with("[slo]\nmax_failures = 2\nmax_failure_percent = 5")).unwrap();
        assert_eq!(
            (manifest.slo.max_failures, manifest.slo.max_failure_percent),
            (Some(2), Some(5.0))
        );
        assert!(
            complaint(&with("[slo]\nmax_failure = 2"))
                .contains("in [slo]; did you mean `max_failures`?")
        );
        assert_eq!(
            complaint(&with("[slo]\nwindow_seconds = 0")),
            "slo: window_seconds = 0: 1 to 86400"
        );
    }

    #[test]
    fn a_hook_names_its_stages() {
        let hook = "name='h'\nversion='1.0.0'\nworld='mail-flow-hook'\n";
        let manifest = parse(&format!("{hook}stages=['on-deliver', 'on-connect']")).unwrap();
        assert_eq!(manifest.stages, [Stage::Deliver, Stage::Connect]);
        assert!(complaint(hook).contains("must name at least one"));
        let wrong = complaint(&format!("{hook}stages=['on-message']"));
        assert!(wrong.contains("did you mean `on-message-in`?"), "{wrong}");
        assert!(
            complaint(&IMAP.replace("needs", "stages = ['on-connect']\nneeds"))
                .contains("mail-flow")
        );
    }

    #[test]
    fn a_contradiction_is_named() {
        assert!(complaint(&IMAP.replace("[1, 2]", "[1]")).contains("does not accept it"));
        assert!(complaint(&IMAP.replace("handoff =", "description = '' #")).contains("[handoff]"));
        assert!(complaint(&IMAP.replace("\"imap\"]", "]")).contains("protocol"));
        assert!(complaint(&IMAP.replace("name = \"imap\"", "name = \"../imap\"")).contains("name"));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn no_change_of_one_character_panics(at in 0usize..300, with in any::<char>()) {
            let mut chars: Vec<char> = IMAP.chars().collect();
            if let Some(slot) = chars.get_mut(at) { *slot = with; }
            let _ = parse(&chars.into_iter().collect::<String>());
        }
    }
}
