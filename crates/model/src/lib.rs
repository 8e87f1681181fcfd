//! The protocol as a small model, checked exhaustively.
//!
//! This is the whole of "never charged twice, nothing lost" without a clock, a database or a provider:
//! what is committed ([`Store`]), what runs and may die ([`Task`]), what a bank may do ([`Does`]), and the
//! few functions that decide (`protocol.rs`, `table.rs`). A checker goes every way that two nodes, a client
//! that repeats itself, a bank that does or does not while its answer is lost, and notices that come late,
//! twice or before can take, and looks at every state on it. With any one [`Rule`] switched off it finds a
//! way that breaks a promise, and tells it in words.
//!
//! It is small in what it bounds: one payment, two commands, two faults a way, two look-ups before people
//! must decide. The simulator has no such bounds, and goes some of the ways through the real code.

mod bank;
mod invariants;
mod machine;
mod protocol;
mod rules;
mod run;
mod state;
mod story;
mod table;
mod trace;

pub use bank::Does;
pub use machine::{Action, Machine};
pub use rules::Rule;
pub use run::{Checked, check};
pub use state::{
    Answer, Claim, Command, Effect, Kind, Notice, Now, Operation, Reference, Request, Stage, State, Store,
    Task,
};
pub use story::Story;
pub use table::{Climb, Heard, Said, Status, climb, proves};
