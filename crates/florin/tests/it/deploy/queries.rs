//! The queries of dashboards and alerts against the figures of a running binary.

use std::collections::{BTreeMap, BTreeSet};

/// What PromQL itself says in our queries.
const WORDS: [&str; 12] = [
    "sum",
    "by",
    "rate",
    "increase",
    "max",
    "count",
    "histogram_quantile",
    "time",
    "le",
    "up",
    "instance",
    "job",
];

/// Names of series, each with its labels.
pub(super) type Series = BTreeMap<String, BTreeSet<String>>;

/// Of a page of `/metrics`.
pub(super) fn series(page: &str) -> Series {
    let mut found = Series::new();
    for line in page.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name = line.split(['{', ' ']).next().unwrap();
        let labels = line.split_once('{').map_or("", |(_, rest)| rest.rsplit_once('}').unwrap().0);
        let names =
            labels.split("\",").filter_map(|part| part.split_once('=')).map(|(label, _)| label.to_owned());
        found.entry(name.to_owned()).or_default().extend(names);
    }
    found
}

/// Panics where a query names a series or a label that is not there.
pub(super) fn check(query: &str, series: &Series) {
    let mut labels: BTreeSet<String> = ["instance", "job", "le"].map(str::to_owned).into();
    let mut named = 0;
    for word in words(query) {
        if let Some(known) = series.get(word) {
            labels.extend(known.iter().cloned());
            named += 1;
        }
    }
    assert!(named > 0 || query.starts_with("up{"), "no series of ours in {query}");
    for word in words(query) {
        let known = series.contains_key(word) || WORDS.contains(&word) || labels.contains(word);
        assert!(known, "{word} in {query}");
    }
}

/// The names in a query: no texts, no numbers, no lengths of time.
fn words(query: &str) -> Vec<&str> {
    let outside: Vec<&str> = query.split('"').step_by(2).collect();
    let parts =
        outside.into_iter().flat_map(|part| part.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')));
    parts.filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic())).collect()
}
