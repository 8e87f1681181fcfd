//! What a run leaves behind: a readable trace, marks of what was reached, and what was violated.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;

/// The log of one run.
#[derive(Default)]
pub(crate) struct Log {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    lines: Option<Vec<String>>,
    marks: BTreeMap<String, u64>,
    violations: Vec<String>,
}

/// The most violations that a run tells of: the first ones say most.
const VIOLATIONS_MAX: usize = 5;

impl Log {
    /// An empty log, which keeps a trace if asked.
    pub(crate) fn new(traced: bool) -> Self {
        let inner = Inner { lines: traced.then(Vec::new), ..Inner::default() };
        Self { inner: Mutex::new(inner) }
    }

    /// Adds a line to the trace, if one is kept.
    pub(crate) fn line(&self, now: Duration, text: impl FnOnce() -> String) {
        let mut inner = self.inner.lock();
        if let Some(lines) = &mut inner.lines {
            lines.push(format!("{:>12.6}  {}", Seconds(now), text()));
        }
    }

    /// Counts that something was reached.
    pub(crate) fn mark(&self, what: &str) {
        let mut inner = self.inner.lock();
        match inner.marks.get_mut(what) {
            Some(count) => *count += 1,
            None => {
                inner.marks.insert(what.to_owned(), 1);
            }
        }
    }

    /// Notes that something was not true that must be.
    pub(crate) fn violation(&self, now: Duration, text: impl Into<String>) {
        let text = text.into();
        self.line(now, || format!("VIOLATION  {text}"));
        let mut inner = self.inner.lock();
        if inner.violations.len() < VIOLATIONS_MAX {
            inner.violations.push(format!("at {:.6} s: {text}", Seconds(now)));
        }
    }

    /// Whether anything was violated.
    pub(crate) fn is_violated(&self) -> bool {
        !self.inner.lock().violations.is_empty()
    }

    /// Everything, and leaves nothing.
    pub(crate) fn take(&self) -> (Vec<String>, BTreeMap<String, u64>, Vec<String>) {
        let mut inner = self.inner.lock();
        (
            inner.lines.take().unwrap_or_default(),
            std::mem::take(&mut inner.marks),
            std::mem::take(&mut inner.violations),
        )
    }
}

/// Seconds with the digits that are asked for, without floats.
struct Seconds(Duration);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = format!("{}.{:06}", self.0.as_secs(), self.0.subsec_micros());
        f.pad_integral(true, "", &text)
    }
}
