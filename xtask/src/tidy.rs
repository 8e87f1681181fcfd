//! Style is a test: what a reader of this tree may rely on, checked. Each rule is one small file.

mod edges;
mod heads;
mod links;
mod migrations;
mod names;
mod packages;
mod sizes;
mod words;

use std::path::Path;

use crate::finding::Finding;
use crate::settings;
use crate::tree::{Tree, cargo};

/// Everything that breaks a rule in the checkout at `top`, sorted by place.
pub(crate) fn run(top: &Path) -> Result<Vec<Finding>, String> {
    let settings = settings::settings()?;
    let tree = Tree::read(top)?;
    let metadata = cargo(top, &["metadata", "--no-deps", "--format-version", "1"])?;
    let metadata = serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = cargo(top, &["tree", "--edges", "normal", "--package", "florin", "--prefix", "none"])?;
    let mut findings = edges::check(&metadata, &settings::crates()?, &tree);
    findings.extend(packages::check(&packages, &settings));
    findings.extend(packages::reasons(&tree));
    findings.extend(sizes::check(&tree, &settings));
    findings.extend(words::check(&tree, &settings));
    findings.extend(names::check(&tree, &settings));
    findings.extend(heads::check(&tree, &settings));
    findings.extend(migrations::check(&tree));
    findings.extend(links::check(&tree));
    findings.sort();
    Ok(findings)
}
