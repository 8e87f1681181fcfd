//! Every page can be reached from the README, and every link between pages leads somewhere.

use std::collections::BTreeSet;

use crate::finding::Finding;
use crate::markdown;
use crate::tree::{File, Tree};

/// Pages that no chain of links from the README leads to, and links to files that are not there.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let pages: Vec<&File> = tree.files.iter().filter(|file| markdown::is_page(&file.path)).collect();
    let mut findings = Vec::new();
    for page in &pages {
        for (line, target) in markdown::links(page) {
            let folder = format!("{target}/");
            if !tree.files.iter().any(|file| file.path == target || file.path.starts_with(&folder)) {
                let what = format!("a link to `{target}`, which is not there");
                findings.push(Finding::new(
                    &page.path,
                    line,
                    what,
                    "the path of a tracked file, from this page",
                ));
            }
        }
    }
    let reached = reached(tree);
    for page in pages.iter().filter(|page| !reached.contains(page.path.as_str())) {
        let what = "no chain of links from README.md leads to this page";
        findings.push(Finding::new(
            &page.path,
            1,
            what,
            "link it from the page where a reader would look for it",
        ));
    }
    findings
}

fn reached(tree: &Tree) -> BTreeSet<&str> {
    let mut reached = BTreeSet::new();
    let mut waiting: Vec<&File> = tree.file("README.md").into_iter().collect();
    while let Some(page) = waiting.pop() {
        if reached.insert(page.path.as_str()) {
            let targets = markdown::links(page);
            waiting.extend(targets.iter().filter_map(|(_, target)| tree.file(target)));
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn pages_that_can_be_reached_pass() {
        let found = found(&[
            (
                "README.md",
                "See [how](docs/how.md#part), [web](https://example.com), [part](#part), [code](src).",
            ),
            ("docs/how.md", "Back: [top](../README.md). Next: [deep](howto/deep.md \"title\")."),
            ("docs/howto/deep.md", "```sh\necho [not](a-link.md)\n```\n`[nor](this.md)`"),
            ("src/a.rs", ""),
            ("crates/a/notes.md", "not a page of the documentation"),
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn an_island_and_a_dead_link_are_found() {
        let found = found(&[
            ("README.md", "\n[gone](docs/gone.md)"),
            ("docs/a.md", "[b](b.md)"),
            ("docs/b.md", "[a](a.md)"),
        ]);
        assert!(
            found.iter().any(|line| line.starts_with("README.md:2: a link to `docs/gone.md`")),
            "{found:?}"
        );
        assert!(found.iter().any(|line| line.starts_with("docs/a.md:1: no chain")), "{found:?}");
        assert!(found.iter().any(|line| line.starts_with("docs/b.md:1: no chain")), "{found:?}");
    }
}
