//! One thing that a check has found: where, what, and what to do instead.

use std::fmt;

/// A broken rule, printed as `file:line: what; instead: …`, so that editors can jump to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Path relative to the top of the checkout.
    pub(crate) path: String,
    /// Line, counted from 1; 1 as well for what concerns a whole file.
    pub(crate) line: usize,
    /// What is wrong, as a clause without a full stop.
    pub(crate) what: String,
    /// What to do in place of it.
    pub(crate) instead: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into(), instead: instead.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}; instead: {}", self.path, self.line, self.what, self.instead)
    }
}
