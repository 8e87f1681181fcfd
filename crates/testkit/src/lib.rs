//! Stand-ins for tests: a clock that moves when it is told to, ids and randomness from a seed, tasks
//! on the test's own runtime, a store that a test stands before, and a network that loses what it carries.
//!
//! For dev-dependencies alone. Nothing here fakes a feature: a test composes the real crates over
//! these ports, so that time, ids and randomness are the only things that are not real.

mod certificates;
mod clock;
mod database;
mod ports;
mod proxy;
mod through;

pub use certificates::{Authority, Issued};
pub use clock::ManualClock;
pub use database::{Database, URL_VARIABLE};
pub use ports::{CountedIds, RuntimeTasks, SeededRandom};
pub use proxy::{Fault, Proxy};
pub use through::{Between, Through};
