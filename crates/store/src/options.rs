//! How a store is opened.

use std::sync::Arc;

use kernel::{Clock, Ids, Tasks};
use uuid::Uuid;

/// What a commit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// The disk: what answered survives the loss of power.
    Full,
    /// The operating system: a loss of power may take the newest commits, and leaves the older ones
    /// whole. For what can be made again from another store.
    Normal,
    /// The operating system: what answered survives the death of the process. For the sandbox
    /// bank's store alone.
    Off,
}

/// How a store is opened. Begin with [`Options::new`].
#[derive(Clone)]
pub struct Options {
    /// What figures call it.
    pub name: &'static str,
    /// What a commit waits for.
    pub synchronous: Synchronous,
    /// The PostgreSQL schema that holds the tables.
    pub schema: String,
    /// Whether to bring an older database up to date. If not, it is refused.
    pub migrate: bool,
    /// Committers on PostgreSQL: so many batches are on their way at once. More of them make smaller
    /// batches: on two cores that are busy with requests as well, one wrote almost twice what two did.
    pub committers: usize,
    /// Connections for reads.
    pub readers: usize,
    /// The largest number of commits in one batch.
    pub batch_limit: usize,
    /// Reserves that may wait, per committer; more are answered `Overloaded`.
    pub reserve_limit: usize,
    /// This process: holds the stripes of the balances.
    pub node: Uuid,
    /// The clocks. The wall clock is the database time of SQLite, as both live on one machine.
    pub clock: Arc<dyn Clock>,
    /// Ids of batches.
    pub ids: Arc<dyn Ids>,
    /// Runs the committers of PostgreSQL.
    pub tasks: Arc<dyn Tasks>,
}

impl Options {
    /// Everything durable, migrating, with the sizes that measured best on two cores.
    pub fn new(node: Uuid, clock: Arc<dyn Clock>, ids: Arc<dyn Ids>, tasks: Arc<dyn Tasks>) -> Self {
        Self {
            name: "main",
            synchronous: Synchronous::Full,
            schema: "public".to_owned(),
            migrate: true,
            committers: committers(),
            readers: 4,
            batch_limit: 256,
            reserve_limit: 4096,
            node,
            clock,
            ids,
            tasks,
        }
    }
}

/// One for each four processors, at most four: a committer keeps one process of the database busy.
fn committers() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| (processors.get() / 4).clamp(1, 4))
}
