//! The pages of the documentation that providers write themselves, from the tables that they work by.

use std::path::PathBuf;

use provider_kit::page;

#[test]
fn the_pages_of_providers_are_what_their_tables_say() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/providers"));
    for provider in provider_registry::all().iter() {
        let Some(guide) = provider.guide() else { continue };
        let path = folder.join(format!("{}.md", provider.profile().id));
        let said = page(provider.profile(), guide);
        if std::env::var_os("FLORIN_REGENERATE").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &said).unwrap();
        }
        let in_tree = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(in_tree == said, "{} is stale: run `cargo xtask gen-docs`", path.display());
    }
}

/// A table that is looked through by its words says each word once, in order.
#[test]
fn the_decline_tables_of_pages_of_providers_are_in_order() {
    for provider in provider_registry::all().iter() {
        let Some(guide) = provider.guide() else { continue };
        let words: Vec<&str> = guide.declines.iter().map(|row| row.word).collect();
        let mut sorted = words.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(words, sorted, "{}", provider.profile().id);
    }
}
