//! What this host offers, read back from the contract it was built with, so that a component that wants more gets a
//! message an operator can act on: which interface, which function, which versions. wasmtime's linker matches
//! versions that semver calls compatible, in both directions; what it cannot match is said here first.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::OnceLock,
};

use semver::Version;
use wasmtime::component::{Component, types::ComponentItem};
use wit_parser::decoding::{DecodedWasm, decode};

use crate::bindings::COMPONENT_TYPE;

/// `waxwing:store/views` with its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InterfaceName {
    /// Without the version.
    pub(crate) name: String,
    pub(crate) version: Option<Version>,
}

impl InterfaceName {
    pub(crate) fn parse(full: &str) -> InterfaceName {
        match full.split_once('@') {
            Some((name, version)) => InterfaceName {
                name: name.to_owned(),
                version: Version::parse(version).ok(),
            },
            None => InterfaceName {
                name: full.to_owned(),
                version: None,
            },
        }
    }

    fn package(&self) -> &str {
        self.name
            .split_once('/')
            .map_or(self.name.as_str(), |(package, _)| package)
    }
}

struct Offered {
    version: Version,
    functions: BTreeSet<String>,
}

/// Interfaces of the host by name without version.
fn offered() -> &'static BTreeMap<String, Offered> {
    static OFFERED: OnceLock<BTreeMap<String, Offered>> = OnceLock::new();
    OFFERED.get_or_init(|| {
        let Ok(DecodedWasm::WitPackage(resolve, _)) = decode(COMPONENT_TYPE) else {
            return BTreeMap::new();
        };
        let mut offered = BTreeMap::new();
        for (_, interface) in resolve.interfaces.iter() {
            let (Some(package), Some(name)) = (interface.package, interface.name.as_deref()) else {
                continue;
            };
            let Some(package) = resolve.packages.get(package) else {
                continue;
            };
            let full = format!("{}:{}/{name}", package.name.namespace, package.name.name);
            let version = package
                .name
                .version
                .clone()
                .unwrap_or(Version::new(0, 0, 0));
            offered.insert(
                full,
                Offered {
                    version,
                    functions: interface.functions.keys().cloned().collect(),
                },
            );
        }
        offered
    })
}

/// Names of the functions that an imported interface must have.
fn wanted(engine: &wasmtime::Engine, item: &ComponentItem) -> Vec<String> {
    let ComponentItem::ComponentInstance(instance) = item else {
        return Vec::new();
    };
    instance
        .exports(engine)
        .filter(|(_, export)| matches!(export.ty, ComponentItem::ComponentFunc(_)))
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// What a component imports and this host does not have, one sentence each.
pub(crate) fn missing(engine: &wasmtime::Engine, component: &Component) -> Vec<String> {
    let mut complaints = Vec::new();
    for (full, import) in component.component_type().imports(engine) {
        let name = InterfaceName::parse(full);
        if name.package().starts_with("wasi:") {
            continue;
        }
        complaints.extend(complaint(full, &name, &wanted(engine, &import.ty)));
    }
    complaints
}

fn complaint(full: &str, name: &InterfaceName, wanted: &[String]) -> Option<String> {
    let Some(offer) = offered().get(&name.name) else {
        let package = offered().iter().find(|(known, _)| {
            known
                .split_once('/')
                .is_some_and(|(p, _)| p == name.package())
        });
        return Some(match package {
            Some((_, offer)) => format!(
                "imports {full}, this host has {} {} without it",
                name.package(),
                offer.version
            ),
            None => format!("imports {full}, which this host does not know"),
        });
    };
    if let Some(version) = &name.version
        && version.major != offer.version.major
    {
        return Some(format!("imports {full}, this host has {}", offer.version));
    }
    let lacking: Vec<String> = wanted
        .iter()
        .filter(|function| !offer.functions.contains(*function))
        .map(|function| format!("`{function}`"))
        .collect();
    (!lacking.is_empty()).then(|| {
        format!(
            "imports {full} {}, this host has {}",
            lacking.join(", "),
            offer.version
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(full: &str, functions: &[&str]) -> Option<String> {
        let functions: Vec<String> = functions.iter().map(|name| (*name).to_owned()).collect();
        complaint(full, &InterfaceName::parse(full), &functions)
    }

    #[test]
    fn a_newer_function_is_named_with_both_versions() {
        let said = ask("waxwing:store/views@1.4.0", &["open", "rank"]).unwrap();
        assert_eq!(
            said,
            "imports waxwing:store/views@1.4.0 `rank`, this host has 1.0.0"
        );
    }

    #[test]
    fn an_unknown_interface_and_an_unknown_package_are_told_apart() {
        assert_eq!(
            ask("waxwing:store/search@1.4.0", &["rank"]).unwrap(),
            "imports waxwing:store/search@1.4.0, this host has waxwing:store 1.0.0 without it"
        );
        assert!(
            ask("acme:fax/modem@1.0.0", &[])
                .unwrap()
                .contains("does not know")
        );
    }

    #[test]
    fn a_compatible_minor_version_is_no_complaint_and_a_major_one_is() {
        assert_eq!(
            ask("waxwing:store/views@1.9.0", &["open", "[method]view.fetch"]),
            None
        );
        assert!(
            ask("waxwing:store/views@2.0.0", &["open"])
                .unwrap()
                .contains("this host has 1.0.0")
        );
    }
}
