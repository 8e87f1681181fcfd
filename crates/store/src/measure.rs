//! Figures of one store: what its commits came to, and how its batches do. Each handle is found once,
//! as a commit is counted thousands of times a second.

use std::time::Duration;

use kernel::Outcome;
use metrics::{Counter, Gauge, Histogram};

pub(crate) struct Measures {
    committed: Counter,
    lost: Counter,
    refused: Counter,
    not_committed: Counter,
    shed: Counter,
    shed_total: Counter,
    batches: Counter,
    batch_commits: Histogram,
    duration: Histogram,
    queue: Gauge,
}

impl Measures {
    /// Of the store of this name.
    pub(crate) fn new(store: &'static str) -> Self {
        let commits = "store_commits_total";
        let outcome = |word: &'static str| metrics::counter!(commits, "store" => store, "outcome" => word);
        Self {
            committed: outcome("committed"),
            lost: outcome("lost"),
            refused: outcome("refused"),
            not_committed: outcome("not_committed"),
            shed: outcome("shed"),
            shed_total: metrics::counter!("store_shed_total", "store" => store),
            batches: metrics::counter!("store_batches_total", "store" => store),
            batch_commits: metrics::histogram!("store_batch_commits", "store" => store),
            duration: metrics::histogram!("store_commit_duration_seconds", "store" => store),
            queue: metrics::gauge!("store_queue_commits", "store" => store),
        }
    }

    /// What became of one commit.
    pub(crate) fn answered(&self, outcome: &Outcome) {
        match outcome {
            Outcome::Committed { .. } => self.committed.increment(1),
            // Somebody else was faster, or it was a repeat: the caller decides again.
            Outcome::Conflict | Outcome::Duplicate(_) | Outcome::Overdrawn(_) => self.lost.increment(1),
            Outcome::Refused(_) => self.refused.increment(1),
            Outcome::NotCommitted(_) | Outcome::StorageFull | Outcome::Indeterminate => {
                self.not_committed.increment(1);
            }
            Outcome::Overloaded => {
                self.shed.increment(1);
                self.shed_total.increment(1);
            }
        }
    }

    /// One batch, from its choice to the answer of the disk.
    pub(crate) fn batch(&self, commits: usize, waiting: usize, took: Duration) {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        self.batches.increment(1);
        self.batch_commits.record(count(commits));
        self.duration.record(took);
        self.queue.set(count(waiting));
    }
}
