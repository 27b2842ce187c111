//! Folders of a mailbox by their names from the root.

use waxwing_exmdb::{Folder, Mailbox, Result};

/// All folders, parents first, with their names from the root.
pub(crate) async fn paths(mailbox: &Mailbox) -> Result<Vec<(Folder, Vec<String>)>> {
    let mut paths: Vec<(Folder, Vec<String>)> = Vec::new();
    for folder in mailbox.folders().await? {
        let parent = paths
            .iter()
            .find(|(other, _)| Some(other.id) == folder.parent);
        let mut path = parent.map(|(_, path)| path.clone()).unwrap_or_default();
        path.push(folder.name.clone());
        paths.push((folder, path));
    }
    Ok(paths)
}

/// The path of a folder below the one that was asked for, which keeps its last name.
pub(crate) fn below<'p>(path: &'p [String], only: Option<&[String]>) -> Option<&'p [String]> {
    let Some((last, parents)) = only.and_then(<[String]>::split_last) else {
        return Some(path);
    };
    let same = |(one, other): (&String, &String)| one == other || is_inbox(one) && is_inbox(other);
    let rest = path.get(parents.len()..)?;
    let is_below = path.iter().zip(parents).all(same) && same((rest.first()?, last));
    is_below.then_some(rest)
}

/// What an operator is told who asked for a folder that is not there.
pub(crate) fn no_such(paths: &[(Folder, Vec<String>)], only: Option<&[String]>) -> String {
    let names: Vec<_> = paths.iter().map(|(_, path)| path.join("/")).collect();
    format!(
        "there is no folder {}; there are {}",
        only.unwrap_or_default().join("/"),
        names.join(", ")
    )
}

fn is_inbox(name: &str) -> bool {
    name.eq_ignore_ascii_case("INBOX")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_asked_for_comes_with_those_below_it_and_without_those_above() {
        let path = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        let asked =
            |of: &str, only: &str| below(&path(of), Some(&path(only))).map(|rest| rest.join("/"));
        assert_eq!(asked("A/B", "A/B").as_deref(), Some("B"));
        assert_eq!(asked("A/B/C", "A/B").as_deref(), Some("B/C"));
        assert_eq!(asked("inbox/x", "INBOX").as_deref(), Some("inbox/x"));
        assert_eq!(asked("A", "A/B"), None);
        assert_eq!(asked("X/B", "A/B"), None);
        assert_eq!(below(&path("A/B"), None), Some(&path("A/B")[..]));
    }
}
