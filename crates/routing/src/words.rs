//! The words of rules: what a condition may say.

use kernel::Brand;

/// Card schemes, as the API writes them.
pub(crate) const BRANDS: [(&str, Brand); 9] = [
    ("visa", Brand::Visa),
    ("mastercard", Brand::Mastercard),
    ("amex", Brand::Amex),
    ("discover", Brand::Discover),
    ("diners", Brand::Diners),
    ("jcb", Brand::Jcb),
    ("unionpay", Brand::Unionpay),
    ("rupay", Brand::Rupay),
    ("maestro", Brand::Maestro),
];

/// The known word that an unknown one was most likely meant to be.
pub(crate) fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |word: &&&str| strsim::damerau_levenshtein(unknown, word);
    known.iter().min_by_key(distance).filter(|word| distance(word) <= 2).copied()
}
