//! The port that counts.

use std::time::Duration;

use kernel::{BoxFuture, Monotonic};

use crate::{Rate, Subject};

/// What a limiter says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it may be done now. If not, nothing was counted.
    pub allowed: bool,
    /// The rate's count.
    pub limit: u32,
    /// How many more are allowed at once.
    pub remaining: u32,
    /// After how long one more is allowed; zero if one is.
    pub retry_after: Duration,
    /// After how long all of them are allowed again.
    pub reset_after: Duration,
}

/// Counts. Methods may run at the same time from any task; each is atomic per subject.
///
/// Never fails: a limiter that cannot count (its shared counters are out of reach) allows, for a limit
/// protects and is no reason to turn payments away.
pub trait Limiter: Send + Sync + 'static {
    /// Counts one, unless the rate is used up.
    fn take<'a>(&'a self, subject: Subject<'a>, rate: Rate, now: Monotonic) -> BoxFuture<'a, Verdict>;

    /// What [`Limiter::take`] would say, counting nothing.
    fn look<'a>(&'a self, subject: Subject<'a>, rate: Rate, now: Monotonic) -> BoxFuture<'a, Verdict>;
}
