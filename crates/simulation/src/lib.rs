//! The deterministic simulator: the gateway as [`node`] composes it, below HTTP, under every fault that
//! networks, databases, processes, clocks and banks have, on one thread.
//!
//! A run is a function of its seed. [`Plan::draw`] draws what clients ask and what goes wrong; [`run`]
//! plays it on an executor whose clock, order, ids and randomness come from the seed too, holds every
//! commit and every call that moves money against what must be true then (`watch`), and everything
//! against everything once it has come to rest (`verdict`). A seed that fails is repeated exactly, and
//! [`shrink()`] finds what of its plan it takes.

mod client;
mod desk;
mod dice;
mod executor;
mod log;
mod machine;
pub mod mutations;
mod notices;
mod plan;
mod ports;
mod seen;
mod shrink;
mod verdict;
mod watch;
mod wire;
mod world;

pub use plan::{Item, Plan, Wish};
pub use shrink::shrink;
pub use world::{Report, run};
