//! What a plugin may call: what its manifest needs *and* its operator grants. A name is a package (`store`) or one of its
//! interfaces (`store/views`). Log, configuration and bodies need no grant: they reach nothing but the plugin's own
//! session, and the site is public; what a filter may ask about the mailbox it was called for needs none, because it is called for no other.

use std::collections::BTreeSet;

/// Interfaces that every plugin has.
const FREE: [&str; 5] = [
    "log/logger",
    "config/settings",
    "config/site",
    "types/bodies",
    "hook/filter-surroundings",
];

/// What can be needed and granted.
pub(crate) const KNOWN: [&str; 20] = [
    "directory",
    "directory/accounts",
    "directory/addresses",
    "kv",
    "kv/buckets",
    "scheduling",
    "scheduling/itip",
    "store",
    "store/changes",
    "store/folders",
    "store/items",
    "store/mailboxes",
    "store/names",
    "store/objects",
    "store/permissions",
    "store/scripts",
    "store/views",
    "transport",
    "transport/delivery",
    "transport/submission",
];

/// The decision for one version of a plugin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Grants {
    plugin: String,
    needs: BTreeSet<String>,
    granted: BTreeSet<String>,
}

fn covers(set: &BTreeSet<String>, short: &str) -> bool {
    set.contains(short)
        || short
            .split_once('/')
            .is_some_and(|(package, _)| set.contains(package))
}

impl Grants {
    pub(crate) fn new(plugin: &str, needs: &[String], granted: &[String]) -> Grants {
        Grants {
            plugin: plugin.to_owned(),
            needs: needs.iter().cloned().collect(),
            granted: granted.iter().cloned().collect(),
        }
    }

    /// Whether `waxwing:store/views` is real for this plugin.
    pub(crate) fn allow(&self, interface: &str) -> bool {
        self.denial(interface).is_none()
    }

    /// What is missing, in words for an operator.
    pub(crate) fn denial(&self, interface: &str) -> Option<String> {
        let short = match interface.strip_prefix("waxwing:").unwrap_or(interface) {
            // One grant for all ways to log in, and for whom to ask a mailbox of.
            "directory/scram" | "directory/sharing" => "directory/accounts",
            short => short,
        };
        if FREE.contains(&short) {
            return None;
        }
        if !covers(&self.needs, short) {
            return Some(format!(
                "`{short}` is not among the `needs` of {}'s plugin.toml",
                self.plugin
            ));
        }
        if !covers(&self.granted, short) {
            return Some(format!(
                "`{short}` is not granted: add it to `grants` under [plugin.{}]",
                self.plugin
            ));
        }
        None
    }

    /// Needs that the operator has not granted.
    pub(crate) fn ungranted(&self) -> Vec<String> {
        let part_of = |package: &str| {
            let parts: Vec<_> = KNOWN
                .iter()
                .filter(|known| known.split_once('/').is_some_and(|(p, _)| p == package))
                .collect();
            !parts.is_empty() && parts.iter().all(|part| self.granted.contains(**part))
        };
        self.needs
            .iter()
            .filter(|need| !covers(&self.granted, need) && !part_of(need))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(needs: &[&str], granted: &[&str]) -> Grants {
        let own = |names: &[&str]| {
            names
                .iter()
                .map(|name| (*name).to_owned())
                .collect::<Vec<_>>()
        };
        Grants::new("imap", &own(needs), &own(granted))
    }

    #[test]
    fn what_runs_is_what_is_needed_and_granted() {
        let grants = grants(&["store", "kv"], &["store/views", "directory"]);
        assert!(grants.allow("waxwing:store/views"));
        assert!(!grants.allow("waxwing:store/items"));
        assert!(!grants.allow("waxwing:directory/accounts"));
        assert!(grants.allow("waxwing:log/logger"));
        assert!(!grants.allow("waxwing:directory/scram"));
    }

    #[test]
    fn who_may_log_in_with_a_password_may_log_in_without_sending_it() {
        let grants = grants(&["directory/accounts"], &["directory"]);
        assert!(grants.allow("waxwing:directory/scram"));
        assert!(!grants.allow("waxwing:directory/addresses"));
    }

    #[test]
    fn a_denial_names_what_is_missing_and_where() {
        let grants = grants(&["store"], &[]);
        assert!(
            grants
                .denial("waxwing:store/views")
                .unwrap()
                .contains("[plugin.imap]")
        );
        assert!(
            grants
                .denial("waxwing:kv/buckets")
                .unwrap()
                .contains("`kv/buckets` is not among the `needs`")
        );
    }

    #[test]
    fn the_difference_to_what_is_granted_is_shown() {
        assert_eq!(
            grants(&["store", "kv", "transport"], &["kv/buckets", "transport"]).ungranted(),
            ["store"]
        );
    }
}
