//! How many packages the default binary stands on, and that each says why it is there.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::settings::Settings;
use crate::tree::Tree;

/// `printed` is what `cargo tree -e normal -p florin --prefix none` printed.
pub(crate) fn check(printed: &str, settings: &Settings) -> Option<Finding> {
    let names = printed.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    });
    let count = names.collect::<BTreeSet<_>>().len();
    let most = settings.limits.packages;
    (count > most).then(|| {
        let what = format!("`florin` stands on {count} packages, more than {most}");
        Finding::new(
            "Cargo.lock",
            1,
            what,
            "a lighter crate, fewer of its features, or fifty lines of our own",
        )
    })
}

/// Each outside dependency carries one line of reason, and members take versions from the workspace.
pub(crate) fn reasons(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.name() == "Cargo.toml") {
        let root = file.path == "Cargo.toml";
        let mut section = "";
        for (number, line) in file.lines().filter(|(_, line)| !line.trim().is_empty()) {
            if line.starts_with('[') {
                section = line.trim();
            } else if line.starts_with('#') {
                // A heading or a remark.
            } else if root && section == "[workspace.dependencies]" {
                if !line.contains("path = ") && !line.contains("# ") {
                    let instead = "one line of reason behind it, after a `#`";
                    findings.push(Finding::new(&file.path, number, "a dependency without a reason", instead));
                }
            } else if !root && section.ends_with("dependencies]") && !line.contains("workspace = true") {
                let instead = "`{ workspace = true }`, and version and reason in the workspace's manifest";
                findings.push(Finding::new(
                    &file.path,
                    number,
                    "a dependency with a version of its own",
                    instead,
                ));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use crate::settings::settings;

    fn tree_of(packages: usize) -> String {
        (0..packages).fold(String::new(), |all, n| all + &format!("crate-{n} v1.0.0\ncrate-{n} v1.0.0 (*)\n"))
    }

    #[test]
    fn the_default_binary_stands_on_400_packages_at_most() {
        let settings = settings().unwrap();
        assert_eq!(check(&tree_of(400), &settings), None);
        let what = check(&tree_of(401), &settings).unwrap().what;
        assert_eq!(what, "`florin` stands on 401 packages, more than 400");
    }

    #[test]
    fn a_dependency_says_why_it_is_there() {
        let root =
            |line: &str| format!("[workspace.dependencies]\n# Ours.\nkernel = {{ path = \"k\" }}\n{line}\n");
        let member = |line: &str| format!("[dev-dependencies]\n{line}\n[features]\nx = []\n");
        let found = |path, text: &str| reasons(&Tree::of(&[(path, text)])).len();
        assert_eq!(found("Cargo.toml", &root("toml = \"1\" # the configuration file")), 0);
        assert_eq!(found("Cargo.toml", &root("toml = \"1\"")), 1);
        assert_eq!(found("crates/a/Cargo.toml", &member("toml = { workspace = true }")), 0);
        assert_eq!(found("crates/a/Cargo.toml", &member("toml = \"1\"")), 1);
    }
}
