//! `[plugin.NAME]`: what the operator says to one plugin, and `[limits]`, what is said to all.

use std::collections::BTreeMap;

use serde_json::Value;
use toml::de::DeTable;
use waxwing_runtime::{HookKeys, Limits, LimitsRequest, Slo, SloRequest};

use super::{
    reader::{Reader, lookup},
    section::Key,
};

/// What the plugins that come with the server may use when the operator says nothing: what they are for.
const SHIPPED: &[(&str, &[&str])] = &[
    ("autoconfig", &["directory/addresses"]),
    (
        "dav",
        &[
            "directory/accounts",
            "directory/addresses",
            "store/mailboxes",
            "store/folders",
            "store/objects",
            "store/permissions",
            "scheduling/itip",
            "kv/buckets",
        ],
    ),
    ("imap", &["directory/accounts", "store", "kv"]),
    (
        "managesieve",
        &["directory/accounts", "store/mailboxes", "store/scripts"],
    ),
    (
        "pop3",
        &[
            "directory/accounts",
            "store/mailboxes",
            "store/folders",
            "store/views",
        ],
    ),
    ("sieve", &[]),
    (
        "smtp",
        &[
            "directory/accounts",
            "directory/addresses",
            "transport/delivery",
            "transport/submission",
        ],
    ),
    (
        "status",
        &["directory/accounts", "store/mailboxes", "store/folders"],
    ),
];

/// One `[plugin.NAME]` table.
#[derive(Debug, Clone, Default)]
pub(crate) struct PluginKeys {
    /// The plugin's own settings: dotted keys, JSON texts.
    pub(crate) config: BTreeMap<String, String>,
    /// What it may import; none: the default of its name.
    pub(crate) grants: Option<Vec<String>>,
    /// Its ceilings where they differ from `[limits]`.
    pub(crate) limits: LimitsRequest,
    /// How much it may fail, where its manifest is not to decide.
    pub(crate) slo: SloRequest,
    /// When it is asked in the mail flow, and what its failure means.
    pub(crate) hook: HookKeys,
}

/// What a plugin is granted when its table does not say.
pub(crate) fn default_grants(plugin: &str) -> Vec<String> {
    let shipped = SHIPPED.iter().find(|(name, _)| *name == plugin);
    shipped
        .map(|(_, grants)| grants.iter().map(|grant| (*grant).to_owned()).collect())
        .unwrap_or_default()
}

/// Names that have default grants.
pub(crate) fn shipped() -> impl Iterator<Item = &'static str> {
    SHIPPED.iter().map(|(name, _)| *name)
}

/// The keys of `[plugin.NAME]` that are values; `config`, `limits` and `slo` are tables below it.
pub(crate) fn plugin_keys() -> Vec<Key> {
    let hook = HookKeys::default();
    vec![
        Key {
            name: "grants",
            about: "What the plugin may use of what its plugin.toml names under `needs`: packages (`store`) or interfaces \
                    (`store/views`). Default: for the plugins that come with the server what they are for; for others nothing."
                .to_owned(),
            default: None,
            example: "[\"store\", \"directory/accounts\"]".to_owned(),
        },
        Key {
            name: "priority",
            about: "Of a hook in the mail flow: those with a smaller number are asked before, those with the same by their names."
                .to_owned(),
            default: Some(hook.priority.to_string()),
            example: "10".to_owned(),
        },
        Key {
            name: "on_failure",
            about: "Of a hook in the mail flow that traps, takes too long or passes a limit: `closed` (the sender is told to come \
                    again), `open` (the message goes on without it) or `previous` (the version that was active before is asked)."
                .to_owned(),
            default: Some("\"closed\"".to_owned()),
            example: "\"open\"".to_owned(),
        },
    ]
}

/// The keys of `[limits]` and `[plugin.NAME.limits]`.
pub(crate) fn limit_keys() -> Vec<Key> {
    Limits::TABLE
        .iter()
        .map(|(name, default, about)| Key {
            name,
            about: about.trim().to_owned(),
            default: Some(default.to_string()),
            example: default.to_string(),
        })
        .collect()
}

/// The keys of `[plugin.NAME.slo]`.
pub(crate) fn slo_keys() -> Vec<Key> {
    Slo::TABLE
        .iter()
        .map(|(name, default, about)| {
            let default = default.replace('_', "");
            Key {
                name,
                about: about.trim().to_owned(),
                default: Some(default.clone()),
                example: default,
            }
        })
        .collect()
}

/// Reads the table of limits under `limits`, if there is one.
pub(crate) fn read_limits(
    parent: &DeTable<'_>,
    section: &str,
    reader: &mut Reader<'_>,
) -> LimitsRequest {
    let known: Vec<&str> = Limits::TABLE.iter().map(|(name, ..)| *name).collect();
    lookup(parent, "limits")
        .and_then(|limits| reader.record(limits, section, &known))
        .unwrap_or_default()
}

fn read_slo(plugin: &DeTable<'_>, name: &str, reader: &mut Reader<'_>) -> SloRequest {
    let known: Vec<&str> = Slo::TABLE.iter().map(|(name, ..)| *name).collect();
    let Some(table) = lookup(plugin, "slo") else {
        return SloRequest::default();
    };
    let place = format!(" in [plugin.{name}.slo]");
    let slo: SloRequest = reader.record(table, &place, &known).unwrap_or_default();
    if let Err(what) = slo.check() {
        reader.problem(table.span(), format!("{what}{place}"));
    }
    slo
}

/// Reads every `[plugin.NAME]`.
pub(crate) fn read_plugins(
    plugins: &DeTable<'_>,
    reader: &mut Reader<'_>,
) -> BTreeMap<String, PluginKeys> {
    let mut all = BTreeMap::new();
    for name in plugins.keys() {
        let name: &str = name.get_ref();
        let Some(table) = reader.table(plugins, name) else {
            continue;
        };
        reader.unknown(
            table,
            &format!(" in [plugin.{name}]"),
            &[
                "config",
                "grants",
                "limits",
                "slo",
                "priority",
                "on_failure",
            ],
        );
        let mut config = BTreeMap::new();
        if let Some(Value::Object(settings)) = reader.value::<Value>(table, "config") {
            flatten("", settings, &mut config);
        }
        let grants = reader.value(table, "grants");
        let silent = HookKeys::default();
        let hook = HookKeys {
            priority: reader.value(table, "priority").unwrap_or(silent.priority),
            on_failure: reader
                .value(table, "on_failure")
                .unwrap_or(silent.on_failure),
        };
        let limits = read_limits(table, &format!(" in [plugin.{name}.limits]"), reader);
        let slo = read_slo(table, name, reader);
        all.insert(
            name.to_owned(),
            PluginKeys {
                config,
                grants,
                limits,
                slo,
                hook,
            },
        );
    }
    all
}

/// A plugin asks for `a.b`, whichever way the operator wrote it.
fn flatten(
    prefix: &str,
    settings: serde_json::Map<String, Value>,
    into: &mut BTreeMap<String, String>,
) {
    for (key, value) in settings {
        let key = if prefix.is_empty() {
            key
        } else {
            format!("{prefix}.{key}")
        };
        match value {
            Value::Object(inner) => flatten(&key, inner, into),
            value => {
                into.insert(key, value.to_string());
            }
        }
    }
}
