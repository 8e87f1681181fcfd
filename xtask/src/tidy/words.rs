//! Words that no file holds: unfinished work, silenced lints, and what ties the tree to one machine.

use crate::code;
use crate::finding::Finding;
use crate::settings::{Banned, Settings};
use crate::tree::{File, Tree};

/// Forbidden words in all files, and silenced lints in Rust.
pub(crate) fn check(tree: &Tree, settings: &Settings) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| !settings.files.exempt.contains(&file.path)) {
        findings.extend(matching(file, &settings.words, holds_word));
        findings.extend(matching(file, &settings.machines, holds_text));
        if file.extension() == "rs" {
            findings.extend(silenced_lints(file));
        }
    }
    findings
}

fn matching(file: &File, banned: &[Banned], holds: fn(&str, &str) -> bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in file.lines() {
        for entry in banned.iter().filter(|entry| holds(line, &entry.text)) {
            let what = format!("`{}` in a tracked file", entry.text);
            findings.push(Finding::new(&file.path, number, what, entry.instead.as_str()));
        }
    }
    findings
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The word stands alone: `mktemp -t XXXXXX` and `"XXX"`, the currency code, are not meant.
fn holds_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        let after = line.get(at + word.len()..).and_then(|after| after.chars().next());
        let quoted = before == Some('"') && after == Some('"');
        let inside = before.is_some_and(is_word) || (is_word_end(word) && after.is_some_and(is_word));
        !quoted && !inside
    })
}

fn is_word_end(word: &str) -> bool {
    word.chars().next_back().is_some_and(is_word)
}

/// Paths begin a word: `../work/` and `$DIR/work/` are relative and fine.
fn holds_text(line: &str, text: &str) -> bool {
    line.match_indices(text).any(|(at, _)| {
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|before| is_word(before) || matches!(before, '.' | '}' | '/' | '*' | '-'))
    })
}

fn silenced_lints(file: &File) -> Vec<Finding> {
    let blanked = code::blank(&file.text);
    let mut findings = Vec::new();
    for (index, line) in blanked.lines().enumerate() {
        let packed: String = line.split_whitespace().collect();
        let conditional = packed.contains("cfg_attr(") && packed.contains(",allow(");
        if packed.contains("#[allow(") || packed.contains("#![allow(") || conditional {
            let instead =
                "`#[expect(lint, reason = \"…\")]`, which ends by itself when it is no longer needed";
            findings.push(Finding::new(&file.path, index + 1, "a lint is silenced with `allow`", instead));
        }
    }
    findings
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
    fn every_banned_word_is_found_where_it_stands_alone() {
        for entry in settings().unwrap().words {
            let lines = found("docs/a.md", &format!("fine\n  // {}: later\n", entry.text));
            assert_eq!(lines.len(), 1, "{}: {lines:?}", entry.text);
            assert!(
                lines.iter().all(|line| line.starts_with("docs/a.md:2: ") && line.contains(&entry.instead))
            );
            let inside = found("a.rs", &format!("let x{0}x = my_{0}x;", entry.text));
            assert_eq!(inside, Vec::<String>::new(), "{}", entry.text);
        }
        assert_eq!(found("scripts/a", &format!("mktemp {}", "X".repeat(6))), Vec::<String>::new());
        assert_eq!(found("a.rs", &format!("(\"{}\", 2)", "X".repeat(3))), Vec::<String>::new());
    }

    #[test]
    fn every_machine_path_is_found_and_relative_ones_are_not() {
        for entry in settings().unwrap().machines {
            assert_eq!(found("a.toml", &format!("path = \"{}x\"", entry.text)).len(), 1, "{}", entry.text);
            assert_eq!(found("Cargo.lock", &entry.text), Vec::<String>::new());
        }
        let relative =
            settings().unwrap().machines.into_iter().find(|entry| entry.text.starts_with('/')).unwrap();
        assert_eq!(found("a.md", &format!("..{}x", relative.text)), Vec::<String>::new());
    }

    #[test]
    fn a_silenced_lint_is_found_in_code_alone() {
        for text in ["#[allow(dead_code)]", "#![ allow(clippy::all) ]", "#[cfg_attr(test, allow(dead_code))]"]
        {
            assert_eq!(found("a.rs", &format!("\n{text}\nfn a() {{}}")).len(), 1, "{text}");
        }
        for text in
            ["// never `#[allow(x)]`", "let s = \"#[allow(x)]\";", "#[expect(dead_code, reason = \"x\")]"]
        {
            assert_eq!(found("a.rs", text), Vec::<String>::new(), "{text}");
        }
    }
}
