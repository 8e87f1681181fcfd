//! Who may depend on whom: every edge between our crates against the table in `crates.toml`.

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::finding::Finding;
use crate::settings::{Crates, Row};
use crate::tree::Tree;

/// The part of `cargo metadata --no-deps` that is read here.
#[derive(Debug, Deserialize)]
pub(crate) struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: String,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or nothing for a normal dependency.
    kind: Option<String>,
    /// Set for the crates of this workspace alone.
    path: Option<String>,
}

const TABLE: &str = "xtask/crates.toml";

/// The findings of every member's manifest.
pub(crate) fn check(metadata: &Metadata, crates: &Crates, tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let manifest = tracked_manifest(package, tree);
        let Some(own) = crates.position(&package.name) else {
            let what = format!("crate `{}` has no row in {TABLE}", package.name);
            findings.push(Finding::new(
                &manifest,
                1,
                what,
                "add its row, with what it knows and must not know",
            ));
            continue;
        };
        for dependency in &package.dependencies {
            let Some((what, instead)) = broken(crates, own, dependency) else { continue };
            let line = line_of(tree, &manifest, &dependency.name);
            findings.push(Finding::new(&manifest, line, what, instead));
        }
    }
    findings
}

/// Why this dependency is not allowed, and what to do.
fn broken(crates: &Crates, own: usize, dependency: &Dependency) -> Option<(String, String)> {
    let row = crates.rows.get(own)?;
    let dev = dependency.kind.as_deref() == Some("dev");
    if dependency.path.is_none() {
        let group = (!dev).then(|| crates.forbidden_group(row, &dependency.name)).flatten()?;
        let what = format!("`{}` must not know {group}, which `{}` brings", row.name, dependency.name);
        return Some((what, "take a port of the kernel, and let `node` hand in who implements it".into()));
    }
    let Some(target) = crates.position(&dependency.name) else {
        return Some((format!("`{}` has no row in {TABLE}", dependency.name), "add its row".into()));
    };
    let target_name = crates.rows.get(target).map_or("", |target| target.name.as_str());
    if row.must_not_know.iter().any(|name| name == target_name) {
        let what = format!("`{}` must not know `{}`", row.name, dependency.name);
        return Some((what, "a port of the kernel, or a reaction in the table of `node`".into()));
    }
    if dev {
        if target < own || target_name == "testkit" {
            return None;
        }
        let what = format!("`{}` stands below `{}` in the table", dependency.name, row.name);
        return Some((what, "move the test to the crate that knows both".into()));
    }
    if crates.known(own).contains(&target) {
        return None;
    }
    let what = format!("`{}` does not know `{}`", row.name, dependency.name);
    Some((what, format!("move the code to a crate that knows both, or argue the row in {TABLE}")))
}

impl Crates {
    /// The row of a crate: its own, or that of its prefix.
    fn position(&self, name: &str) -> Option<usize> {
        let exact = self.rows.iter().position(|row| row.name == name);
        exact.or_else(|| {
            let matches =
                |row: &Row| row.name.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix));
            self.rows.iter().position(matches)
        })
    }

    /// The rows that row `own` knows, directly or through others; always rows above its own.
    fn known(&self, own: usize) -> BTreeSet<usize> {
        let mut known = BTreeSet::new();
        let mut waiting = vec![own];
        while let Some(at) = waiting.pop() {
            let Some(row) = self.rows.get(at) else { continue };
            for name in &row.knows {
                let targets =
                    if name == "*" { (0..at).collect() } else { Vec::from_iter(self.position(name)) };
                for target in targets {
                    if target < at && known.insert(target) {
                        waiting.push(target);
                    }
                }
            }
        }
        known
    }

    /// The group of outside crates that `row` must not know and `name` belongs to.
    fn forbidden_group<'a>(&'a self, row: &'a Row, name: &str) -> Option<&'a str> {
        let holds = |group: &&String| {
            self.groups.get(*group).is_some_and(|members| members.iter().any(|member| member == name))
        };
        row.must_not_know.iter().find(holds).map(String::as_str)
    }
}

/// The manifest's path within the checkout: metadata gives the whole path of this machine.
fn tracked_manifest(package: &Package, tree: &Tree) -> String {
    let ends = |path: &str| package.manifest_path.ends_with(&format!("/{path}")) && path != "Cargo.toml";
    let tracked = tree.files.iter().map(|file| file.path.as_str()).find(|path| ends(path));
    tracked.unwrap_or("Cargo.toml").to_owned()
}

fn line_of(tree: &Tree, manifest: &str, dependency: &str) -> usize {
    let Some(file) = tree.file(manifest) else { return 1 };
    let names = |line: &str| {
        let rest = line.trim_start().strip_prefix(dependency);
        rest.is_some_and(|rest| rest.starts_with([' ', '=', '.']))
    };
    file.lines().find(|(_, line)| names(line)).map_or(1, |(number, _)| number)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use crate::settings::crates;

    /// Checks one edge of one crate; `kind` is "normal" or "dev", `ours` whether the target is a member.
    fn edge(from: &str, to: &str, kind: &str, ours: bool) -> Vec<String> {
        let kind = if kind == "normal" { "null".to_owned() } else { format!("\"{kind}\"") };
        let path = if ours { "\"/somewhere\"" } else { "null" };
        let json = format!(
            r#"{{"packages": [{{"name": "{from}", "manifest_path": "/x/crates/{from}/Cargo.toml",
               "dependencies": [{{"name": "{to}", "kind": {kind}, "path": {path}}}]}}]}}"#
        );
        let manifest = format!("crates/{from}/Cargo.toml");
        let tree = Tree::of(&[(&manifest, &format!("[package]\n[dependencies]\n{to} = 1\n"))]);
        let metadata = serde_json::from_str(&json).unwrap();
        check(&metadata, &crates().unwrap(), &tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn allowed_edges_pass() {
        for (from, to, kind, ours) in [
            ("store", "kernel", "normal", true),
            ("payments", "provider-kit", "normal", true),
            ("provider-sandbox", "kernel", "normal", true),
            ("node", "payments", "normal", true),
            ("florin", "node", "normal", true),
            ("store", "testkit", "dev", true),
            ("provider-registry", "sandbox-bank", "dev", true),
            ("payments", "provider-registry", "dev", true),
            ("store", "tokio-postgres", "normal", false),
            ("kernel", "tokio", "dev", false),
            ("simulation", "testkit", "normal", true),
        ] {
            assert_eq!(edge(from, to, kind, ours), Vec::<String>::new(), "{from} -> {to}");
        }
    }

    #[test]
    fn forbidden_edges_are_found() {
        for (from, to, kind, ours, expected) in [
            ("kernel", "store", "normal", true, "`kernel` does not know `store`"),
            ("ledger", "store", "normal", true, "`ledger` does not know `store`"),
            ("ledger", "payments", "normal", true, "`ledger` must not know `payments`"),
            ("payments", "provider-sandbox", "normal", true, "must not know `provider-sandbox`"),
            ("payments", "provider-sandbox", "dev", true, "must not know `provider-sandbox`"),
            ("payments", "provider-registry", "normal", true, "does not know `provider-registry`"),
            ("payments", "axum", "normal", false, "`payments` must not know HTTP, which `axum` brings"),
            ("kernel", "tokio", "normal", false, "must not know I/O"),
            ("gateway", "store", "normal", true, "must not know `store`"),
            ("provider-paypal", "provider-stripe", "normal", true, "must not know `provider-stripe`"),
            ("store", "testkit", "normal", true, "`store` does not know `testkit`"),
            ("store", "node", "dev", true, "stands below `store`"),
            ("xtask", "kernel", "normal", true, "`xtask` does not know `kernel`"),
            ("surprise", "kernel", "normal", true, "crate `surprise` has no row"),
        ] {
            let found = edge(from, to, kind, ours);
            assert!(found.iter().any(|line| line.contains(expected)), "{from} -> {to}: {found:?}");
        }
    }

    #[test]
    fn a_finding_names_the_line_of_the_dependency() {
        let found = edge("kernel", "store", "normal", true);
        assert!(found.iter().all(|line| line.starts_with("crates/kernel/Cargo.toml:3: ")), "{found:?}");
    }

    #[test]
    fn the_table_names_only_its_own_rows_and_groups() {
        let crates = crates().unwrap();
        for (index, row) in crates.rows.iter().enumerate() {
            for name in row.knows.iter().filter(|name| *name != "*") {
                let above = crates.rows.iter().take(index).any(|other| other.name == *name);
                assert!(above, "`{}` knows `{name}`, which is no row above it", row.name);
            }
            for name in &row.must_not_know {
                let known =
                    crates.groups.contains_key(name) || crates.rows.iter().any(|other| other.name == *name);
                assert!(known, "`{}` must not know `{name}`, which is neither row nor group", row.name);
            }
        }
    }
}
