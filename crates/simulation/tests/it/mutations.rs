//! The table of mutations still fits the tree. `cargo xtask simulate --mutations` runs it.

use std::collections::BTreeSet;
use std::path::Path;

use simulation::mutations::mutations;

#[test]
fn each_mutation_applies_once() {
    let top = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let all = mutations().unwrap();
    assert!(all.len() >= 20, "{} rules are switched off", all.len());
    let mut names = BTreeSet::new();
    for mutation in &all {
        let text = std::fs::read_to_string(top.join(&mutation.file)).unwrap();
        let found = text.matches(&mutation.from).count();
        assert_eq!(found, 1, "{}: its text is {found} times in {}", mutation.name, mutation.file);
        assert_ne!(mutation.from, mutation.to, "{} changes nothing", mutation.name);
        assert!(names.insert(&mutation.name), "{} is there twice", mutation.name);
    }
}
