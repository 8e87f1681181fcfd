//! Whether one condition leaves anything to another.

use crate::rule::{BinRange, When};

/// Whether every payment that fits `later` fits `first` too.
pub(crate) fn covers(first: &When, later: &When) -> bool {
    within(&first.modes, &later.modes)
        && within(&first.methods, &later.methods)
        && within(&first.currencies, &later.currencies)
        && within(&first.countries, &later.countries)
        && within(&first.brands, &later.brands)
        && first.amount_from.is_none_or(|from| later.amount_from.is_some_and(|other| other >= from))
        && first.amount_to.is_none_or(|to| later.amount_to.is_some_and(|other| other <= to))
        && (first.bins.is_empty()
            || (!later.bins.is_empty() && later.bins.iter().all(|bin| holds(&first.bins, *bin))))
        && first.metadata.iter().all(|(name, texts)| {
            later.metadata.iter().any(|(other, others)| other == name && within(texts, others))
        })
}

/// Whether no payment can fit both.
pub(crate) fn excludes(one: &When, other: &When) -> bool {
    apart(&one.modes, &other.modes)
        || apart(&one.methods, &other.methods)
        || apart(&one.currencies, &other.currencies)
        || apart(&one.countries, &other.countries)
        || apart(&one.brands, &other.brands)
        || one.amount_from.zip(other.amount_to).is_some_and(|(from, to)| from > to)
        || other.amount_from.zip(one.amount_to).is_some_and(|(from, to)| from > to)
}

/// An empty list asks for nothing: it holds every other, and only itself holds it.
fn within<T: PartialEq>(first: &[T], later: &[T]) -> bool {
    first.is_empty() || (!later.is_empty() && later.iter().all(|one| first.contains(one)))
}

fn apart<T: PartialEq>(one: &[T], other: &[T]) -> bool {
    !one.is_empty() && !other.is_empty() && one.iter().all(|part| !other.contains(part))
}

fn holds(ranges: &[BinRange], bin: BinRange) -> bool {
    ranges.iter().any(|range| range.first <= bin.first && bin.last <= range.last)
}
