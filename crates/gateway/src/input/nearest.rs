//! The nearest known name of an unknown one, and what of the caller's words may be quoted.

/// Longer names are neither compared nor quoted.
const QUOTED_LENGTH_MAX: usize = 64;

/// Whether a text of the caller may stand in an answer: short, and no card number in it.
pub(crate) fn is_quotable(text: &str) -> bool {
    text.len() <= QUOTED_LENGTH_MAX && !kernel::contains_card_number(text)
}

/// The known name that was probably meant.
pub(crate) fn nearest<'k>(unknown: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if !is_quotable(unknown) {
        return None;
    }
    let unknown = unknown.to_ascii_lowercase();
    let distance = |name: &&str| strsim::damerau_levenshtein(&unknown, &name.to_ascii_lowercase());
    let found = known.into_iter().min_by_key(distance)?;
    // A third of the letters may differ; beyond that a suggestion only misleads.
    let near = distance(&found) <= (found.len() / 3).max(1);
    near.then_some(found)
}

/// ` Did you mean …?`, or nothing.
pub(crate) fn suggestion(found: Option<&str>) -> String {
    found.map_or_else(String::new, |name| format!(" Did you mean `{name}`?"))
}
