//! What the plugins have done, by version. A number that was loaded with another component or manifest stands there twice, told
//! apart by its digest in `waxwing_plugin_info` only; its counts are added up.

use std::collections::BTreeMap;

use waxwing_runtime::{PluginStatus, Usage};

use super::families::{self, Family, Page};

/// A metric, and how it is read.
type Column = (&'static Family, Read);
type Read = fn(&PluginStatus) -> f64;

const COLUMNS: &[Column] = &[
    (&families::TURNS, |version| version.turns as f64),
    (&families::CPU, |version| version.cpu.as_secs_f64()),
    (&families::HOST_CALLS, |version| version.host_calls as f64),
    (&families::MEMORY, |version| version.memory as f64),
    (&families::TRAPS, |version| version.traps as f64),
    (&families::TIMEOUTS, |version| version.timeouts as f64),
    (&families::LIMITS, |version| version.limits as f64),
    (&families::RECOVERIES, |version| version.recoveries as f64),
    (&families::LOST, |version| version.lost as f64),
    (&families::HANDOVERS, |version| version.handovers as f64),
    (&families::REFUSALS, |version| version.refusals as f64),
];

pub(super) fn write(page: &mut Page, versions: &[PluginStatus], usage: Usage) {
    let mut numbers: BTreeMap<(&str, &str), Vec<&PluginStatus>> = BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for version in versions {
        let key = (version.plugin.as_str(), version.version.as_str());
        numbers.entry(key).or_default().push(version);
        let labels = [
            ("plugin", key.0),
            ("version", key.1),
            ("state", version.state.as_str()),
            ("digest", version.digest.as_str()),
        ];
        if seen.insert(labels) {
            page.count(&families::PLUGIN, &labels, 1);
        }
    }
    for ((plugin, number), versions) in numbers {
        let labels = [("plugin", plugin), ("version", number)];
        let sum = |read: Read| versions.iter().map(|one| read(one)).sum();
        let states: [(&str, Read); 2] = [
            ("live", |one| one.sessions.saturating_sub(one.frozen) as f64),
            ("frozen", |one| one.frozen as f64),
        ];
        for (state, read) in states {
            let [plugin, version] = labels;
            page.add(
                &families::SESSIONS,
                &[plugin, version, ("state", state)],
                sum(read),
            );
        }
        for (family, read) in COLUMNS {
            page.add(family, &labels, sum(*read));
        }
    }
    page.count(&families::INSTANCES, &[], usage.live_instances);
    page.count(&families::MAX_INSTANCES, &[], usage.live_instances_limit);
    page.count(&families::ALL_MEMORY, &[], usage.memory);
    page.count(&families::MAX_ALL_MEMORY, &[], usage.memory_limit);
}
