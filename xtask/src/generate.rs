//! `gen-docs`: the pages of the documentation that the binary writes of itself, so that they cannot say
//! something else than it does. Tests of `node` and `florin` hold the pages in the tree against it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::finding::Finding;

/// Pages, by the word that `florin reference` knows them by.
const PAGES: [(&str, &str); 3] = [
    ("configuration", "docs/configuration.md"),
    ("names", "docs/coming-from-the-source.md"),
    ("cli", "docs/cli.md"),
];

/// Writes all pages below `top`; answers with nothing, or with why not.
pub(crate) fn run(top: &Path) -> Result<Vec<Finding>, String> {
    for (page, path) in PAGES {
        let arguments = ["run", "--quiet", "--package", "florin", "--", "reference", page];
        let output = Command::new(env!("CARGO")).args(arguments).current_dir(top).output();
        let output = output.map_err(|error| format!("cargo cannot be run: {error}"))?;
        if !output.status.success() {
            return Err(format!("{path}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        fs::write(top.join(path), &output.stdout).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(Vec::new())
}
