//! The contracts in `wit/` are compatible with every released one: what was built against a release still runs.
//!
//! A release is a copy of `wit/` under `wit/released/VERSION/`, made when that version is published and never changed. Each of
//! its worlds is compared with the world of the same name now. A plugin built against the release imports what the host then
//! offered, so the present world must offer at least that, with the same types, and must not call more exports.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test stops where its own files are not as it left them"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use wit_component::semver_check;
use wit_parser::{Resolve, WorldId};

fn contracts() -> PathBuf {
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("../wit")
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    folder
}

/// Copies a contract and changes its text on the way.
fn copy(from: &Path, to: &Path, change: &dyn Fn(&str) -> String) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "released" {
            copy(&path, &to.join(&name), change);
        } else if path.extension().is_some_and(|extension| extension == "wit") {
            fs::write(to.join(&name), change(&fs::read_to_string(&path).unwrap())).unwrap();
        }
    }
}

/// `@1.2.0` becomes `@9001.2.0`: two packages of one version cannot be compared. The check itself ignores versions.
fn marked(text: &str) -> String {
    let mut pieces = text.split('@');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |out, piece| {
        let mark = if piece.starts_with(|c: char| c.is_ascii_digit()) {
            "900"
        } else {
            ""
        };
        out + "@" + mark + piece
    })
}

fn worlds(resolve: &Resolve, package: wit_parser::PackageId) -> Vec<(String, WorldId)> {
    resolve.packages[package]
        .worlds
        .iter()
        .map(|(name, id)| (name.clone(), *id))
        .collect()
}

/// Compares every world of the released contract with the present one.
fn compatible(released: &Path, present: &Path) -> Result<usize> {
    let scratch = folder(&format!(
        "marked-{}",
        released.file_name().unwrap().to_string_lossy()
    ));
    copy(released, &scratch, &marked);
    let mut resolve = Resolve::default();
    let (old, _) = resolve.push_dir(&scratch)?;
    let (new, _) = resolve.push_dir(present)?;
    let present = worlds(&resolve, new);
    let released = worlds(&resolve, old);
    for (name, old) in &released {
        let (_, new) = present
            .iter()
            .find(|(now, _)| now == name)
            .with_context(|| format!("world {name} is gone"))?;
        semver_check(resolve.clone(), *old, *new).with_context(|| format!("world {name}"))?;
    }
    Ok(released.len())
}

/// The released contract against itself with one change.
fn with_change(name: &str, change: &dyn Fn(&str) -> String) -> Result<usize> {
    let changed = folder(name);
    copy(&contracts(), &changed, change);
    let same = folder(&format!("{name}-released"));
    copy(&contracts(), &same, &str::to_owned);
    compatible(&same, &changed)
}

#[test]
fn the_contracts_are_compatible_with_every_release() {
    let mut releases = 0;
    for release in fs::read_dir(contracts().join("released"))
        .unwrap()
        .map(Result::unwrap)
    {
        let compared = compatible(&release.path(), &contracts()).unwrap_or_else(|error| {
            panic!(
                "not compatible with {}: {error:?}",
                release.path().display()
            )
        });
        assert!(compared > 0);
        releases += 1;
    }
    assert!(
        releases > 0,
        "there is no released contract to compare with"
    );
}

#[test]
fn a_new_function_is_compatible() {
    let grown = |text: &str| {
        text.replace(
            "interface addresses {",
            "interface addresses {\n    grown: func() -> u32;\n",
        )
    };
    assert!(with_change("grown", &grown).unwrap() > 0);
}

#[test]
fn a_changed_record_is_not() {
    let changed = |text: &str| {
        text.replace(
            "interface logger {",
            "interface logger {\n    gone: func();\n",
        )
    };
    assert!(with_change("more-functions", &changed).is_ok());
    let taken = |text: &str| text.replace("import waxwing:kv/buckets@1.0.0;\n", "");
    assert!(with_change("taken-away", &taken).is_err());
    let retyped = |text: &str| {
        text.replace(
            "entries: func() -> list<tuple<string, string>>",
            "entries: func() -> list<string>",
        )
    };
    assert!(with_change("retyped", &retyped).is_err());
}
