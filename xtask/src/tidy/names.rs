//! Names of files, and where tests stand.

use crate::finding::Finding;
use crate::settings::Settings;
use crate::tree::Tree;

/// Files and folders whose name says nothing, and crates with several integration binaries.
pub(crate) fn check(tree: &Tree, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        let stems = file.path.split('/').map(|part| part.split('.').next().unwrap_or_default());
        for stem in stems.filter(|stem| settings.files.banned_stems.iter().any(|banned| banned == stem)) {
            let what = format!("a file or folder named `{stem}` collects what nobody found a place for");
            findings.push(Finding::new(&file.path, 1, what, "name it for the one thing that it holds"));
        }
        if second_test_binary(&file.path) {
            let what = "a second integration binary costs a link each time the crate changes";
            findings.push(Finding::new(&file.path, 1, what, "a module of the crate's `tests/it/main.rs`"));
        }
    }
    findings
}

/// Every Rust file directly in `tests/`, and every `tests/<x>/main.rs` except `tests/it/main.rs`.
fn second_test_binary(path: &str) -> bool {
    let Some((_, inside)) = path.split_once("/tests/") else { return false };
    let of_crate = path.starts_with("crates/") || path.starts_with("providers/");
    let own_binary = match inside.split_once('/') {
        None => inside.rsplit_once('.').is_some_and(|(_, extension)| extension == "rs"),
        Some((folder, rest)) => folder != "it" && rest == "main.rs",
    };
    of_crate && own_binary && !path.contains("/src/")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use crate::settings::settings;

    fn found(path: &str) -> usize {
        check(&Tree::of(&[(path, "")]), &settings().unwrap()).len()
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        for stem in settings().unwrap().files.banned_stems {
            assert_eq!(found(&format!("crates/a/src/{stem}.rs")), 1);
            assert_eq!(found(&format!("crates/a/src/{stem}/mod.rs")), 1);
            assert_eq!(found(&format!("crates/a/src/card_{stem}.rs")), 0);
        }
    }

    #[test]
    fn one_integration_binary_is_enough() {
        assert_eq!(found("crates/a/tests/it/main.rs"), 0);
        assert_eq!(found("crates/a/tests/it/races.rs"), 0);
        assert_eq!(found("crates/a/tests/fixtures/races.sql"), 0);
        assert_eq!(found("crates/a/src/check/tests/rows.rs"), 0);
        assert_eq!(found("crates/a/tests/races.rs"), 1);
        assert_eq!(found("providers/a/tests/races/main.rs"), 1);
    }
}
