//! How long a file, a function and a line may be.

use crate::code;
use crate::finding::Finding;
use crate::settings::Settings;
use crate::tree::{File, Tree};

/// Files, functions and lines over the limits.
pub(crate) fn check(tree: &Tree, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.files {
        if settings.files.exempt.contains(&file.path) {
            continue;
        }
        let extension = file.extension();
        if settings.files.measured.iter().any(|measured| measured == extension) {
            findings.extend(file_length(file, settings.limits.file_lines));
        }
        if settings.files.narrow.iter().any(|narrow| narrow == extension) {
            findings.extend(line_lengths(file, settings.limits.line_characters));
        }
        if extension == "rs" {
            findings.extend(function_lengths(file, settings.limits.function_lines));
        }
    }
    findings
}

fn file_length(file: &File, most: usize) -> Option<Finding> {
    let lines = file.lines().count();
    (lines > most).then(|| {
        let what = format!("the file has {lines} lines, more than {most}");
        Finding::new(&file.path, most + 1, what, "two files, each one thought")
    })
}

/// A line with a URL may be longer: breaking it would break the link.
fn line_lengths(file: &File, most: usize) -> impl Iterator<Item = Finding> {
    file.lines().filter(|(_, line)| !line.contains("://")).filter_map(move |(number, line)| {
        let characters = line.chars().count();
        let what = format!("the line has {characters} characters, more than {most}");
        (characters > most).then(|| Finding::new(&file.path, number, what, "break it, or name a part of it"))
    })
}

fn function_lengths(file: &File, most: usize) -> Vec<Finding> {
    let long = code::functions(&code::blank(&file.text)).into_iter().filter(|function| function.lines > most);
    long.map(|function| {
        let what = format!("`fn {}` has {} lines, more than {most}", function.name, function.lines);
        Finding::new(&file.path, function.line, what, "functions that each do one step, named for it")
    })
    .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use crate::settings::settings;

    fn found(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)]), &settings().unwrap()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_file_may_have_600_lines_and_not_601() {
        assert_eq!(found("crates/a/src/a.rs", &"\n".repeat(600)), Vec::<String>::new());
        let long = found("crates/a/src/a.rs", &"\n".repeat(601));
        assert!(
            long.iter().any(|line| line.starts_with("crates/a/src/a.rs:601: the file has 601")),
            "{long:?}"
        );
        assert_eq!(found("Cargo.lock", &"\n".repeat(5000)), Vec::<String>::new());
        assert_eq!(found("docs/long.md", &"\n".repeat(5000)), Vec::<String>::new());
    }

    #[test]
    fn a_function_may_have_70_lines_and_not_71() {
        let function = |lines: usize| format!("\nfn long() {{{}}}\n", "\n".repeat(lines - 1));
        assert_eq!(found("a.rs", &function(70)), Vec::<String>::new());
        let long = found("a.rs", &function(71));
        assert!(long.iter().any(|line| line.starts_with("a.rs:2: `fn long` has 71 lines")), "{long:?}");
    }

    #[test]
    fn a_line_may_have_110_characters_and_not_111() {
        assert_eq!(found("a.rs", &"é".repeat(110)), Vec::<String>::new());
        assert_eq!(found("scripts/a", &format!("#!/bin/sh\n{}", "x".repeat(111))).len(), 1);
        assert_eq!(found("a.sql", &"x".repeat(111)).len(), 1);
        assert_eq!(
            found("a.rs", &format!("// https://example.com/{}", "x".repeat(111))),
            Vec::<String>::new()
        );
        assert_eq!(found("docs/a.md", &"x".repeat(300)), Vec::<String>::new());
    }
}
