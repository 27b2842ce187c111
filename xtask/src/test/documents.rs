//! References in the documents lead somewhere: relative links in every Markdown file, and the places that
//! `docs/standards.md` names in its last column.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};

use crate::run::workspace;

/// Folders that hold no documents of ours.
const ELSEWHERE: &[&str] = &["target", "data", "node_modules", ".git", "fuzz"];

/// Fails with every reference that leads nowhere.
pub(super) fn check() -> Result<()> {
    let mut files = Vec::new();
    markdown(workspace(), &mut files)?;
    let mut broken = Vec::new();
    for file in &files {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let folder = file.parent().unwrap_or(workspace());
        broken.extend(
            links(&text)
                .into_iter()
                .filter(|link| !folder.join(link).exists())
                .map(|link| (file, link)),
        );
        if file.ends_with("docs/standards.md") {
            broken.extend(
                places(&text)
                    .into_iter()
                    .filter(|place| !workspace().join(place).exists())
                    .map(|place| (file, place)),
            );
        }
    }
    if !broken.is_empty() {
        let lines: Vec<String> = broken
            .iter()
            .map(|(file, link)| format!("  {}: {link}", file.display()))
            .collect();
        bail!("references that lead nowhere:\n{}", lines.join("\n"));
    }
    println!("{} documents, every reference leads somewhere", files.len());
    Ok(())
}

fn markdown(folder: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)
        .with_context(|| folder.display().to_string())?
        .flatten()
    {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() && !ELSEWHERE.contains(&name.as_str()) && !name.starts_with('.') {
            markdown(&path, files)?;
        } else if name.ends_with(".md") {
            files.push(path);
        }
    }
    Ok(())
}

/// Targets of relative links, without their fragments.
fn links(text: &str) -> Vec<String> {
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')').map(|(target, _)| target));
    targets
        .filter(|target| {
            !target.contains("://")
                && !target.starts_with(['#', '<'])
                && !target.starts_with("mailto:")
        })
        .map(|target| target.split('#').next().unwrap_or_default().to_owned())
        .filter(|target| !target.is_empty())
        .collect()
}

/// What stands between backticks in the last column of every table.
fn places(text: &str) -> Vec<String> {
    let rows = text
        .lines()
        .filter(|line| line.starts_with('|') && line.ends_with('|'));
    rows.filter_map(|row| row.trim_end_matches('|').rsplit('|').next())
        .flat_map(|cell| {
            cell.split('`')
                .skip(1)
                .step_by(2)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_links_are_found_and_others_left_alone() {
        let text = "[a](docs/a.md#part) [b](https://example.org) [c](#here) [d](b.md)";
        assert_eq!(links(text), ["docs/a.md", "b.md"]);
    }

    #[test]
    fn places_stand_in_the_last_column() {
        let text = "| RFC 1 | `x` | yes | `plugins/imap/src`, `host/net` |\n|---|---|---|---|\n";
        assert_eq!(places(text), ["plugins/imap/src", "host/net"]);
    }
}
