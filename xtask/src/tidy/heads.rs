//! Every crate says at its top what the room is for.

use crate::finding::Finding;
use crate::settings::Settings;
use crate::tree::{File, Tree};

/// Crate roots without a head, or with one too short to say anything.
pub(crate) fn check(tree: &Tree, settings: &Settings) -> Vec<Finding> {
    let roots = tree.files.iter().filter(|file| is_root(tree, &file.path));
    roots
        .filter_map(|file| {
            let words = head_words(file);
            let least = settings.limits.head_words;
            let what = match words {
                0 => "the crate has no head".to_owned(),
                few if few < least => format!("the crate's head has {few} words, fewer than {least}"),
                _ => return None,
            };
            let instead =
                "some lines of `//!` on top: what lives here, what it must not know, where to begin";
            Some(Finding::new(&file.path, 1, what, instead))
        })
        .collect()
}

/// `lib.rs` or `main.rs` beside a manifest. A binary beside a library is introduced by the library.
fn is_root(tree: &Tree, path: &str) -> bool {
    let Some((folder, name)) = path.rsplit_once("/src/") else { return false };
    let has = |path: String| tree.file(&path).is_some();
    has(format!("{folder}/Cargo.toml"))
        && (name == "lib.rs" || (name == "main.rs" && !has(format!("{folder}/src/lib.rs"))))
}

/// Words in the `//!` lines that the file begins with.
fn head_words(file: &File) -> usize {
    let head = file.text.lines().map_while(|line| line.strip_prefix("//!"));
    head.map(|line| line.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count())
        .sum()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;
    use crate::settings::settings;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files), &settings().unwrap()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_head_of_some_lines_passes() {
        let head = "//! The words that all crates speak.\n//!\n".to_owned()
            + &"//! five words in this line\n".repeat(4);
        assert_eq!(
            found(&[("crates/a/Cargo.toml", ""), ("crates/a/src/lib.rs", &head)]),
            Vec::<String>::new()
        );
        let both = [("a/Cargo.toml", ""), ("a/src/lib.rs", head.as_str()), ("a/src/main.rs", "fn main() {}")];
        assert_eq!(found(&both), Vec::<String>::new());
    }

    #[test]
    fn a_missing_or_empty_head_is_found() {
        for text in ["", "mod a;\n//! too late", "//! The crate.\n", "//!\n//! ---\n"] {
            let found = found(&[("crates/a/Cargo.toml", ""), ("crates/a/src/lib.rs", text)]);
            assert_eq!(found.len(), 1, "{text:?}");
        }
        assert_eq!(found(&[("a/Cargo.toml", ""), ("a/src/main.rs", "fn main() {}")]).len(), 1);
    }
}
