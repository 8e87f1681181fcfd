//! `gen-docs`: what the documentation says of the binary, written by the binary itself and by the tests
//! that hold the tree against it, so that it cannot say something else.

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

/// Packages and tests that write what they compare, when the environment asks for it.
const TESTS: [(&str, &str); 3] =
    [("gateway", "openapi"), ("sandbox-bank", "page_of_test_cards"), ("provider-registry", "pages")];
const WRITES: &str = "FLORIN_REGENERATE";

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
    for (package, tests) in TESTS {
        let arguments = ["test", "--quiet", "--package", package, tests];
        // Whether they pass now is the business of the next test run: here they write.
        let ran = Command::new(env!("CARGO")).args(arguments).env(WRITES, "1").current_dir(top).output();
        ran.map_err(|error| format!("cargo cannot be run: {error}"))?;
    }
    Ok(Vec::new())
}
