//! Checking a story, and telling a counterexample so that it can be read.

use std::fmt::Write;
use std::num::NonZeroUsize;

use stateright::{Checker, Expectation, HasDiscoveries, Model};

use crate::machine::Machine;
use crate::trace;

/// What a check came to.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Different states.
    pub states: usize,
    /// Steps between them.
    pub steps: usize,
    /// The longest of the shortest ways to a state.
    pub depth: usize,
    /// What did not hold, with the shortest way there.
    pub broken: Option<String>,
}

/// Goes every way of a story, until something breaks or there is none left.
pub fn check(machine: Machine) -> Checked {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let checker =
        machine.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let (states, steps) = (checker.unique_state_count(), checker.state_count());
    let depth = checker.max_depth();
    let machine = checker.model();
    let discoveries = checker.discoveries();
    let mut broken = None;
    for property in machine.properties() {
        let found = discoveries.get(property.name);
        match (property.expectation, found) {
            (Expectation::Sometimes, None) if broken.is_none() && checker.is_done() => {
                broken = Some(format!("never: {}\n", property.name));
            }
            (Expectation::Always | Expectation::Eventually, Some(path)) => {
                let mut text = format!("does not hold: {}\n", property.name);
                for (number, step) in trace::tell(path.clone().into_vec()).into_iter().enumerate() {
                    let _ = writeln!(text, "{:>3}. {step}", number + 1);
                }
                broken = Some(text);
                break;
            }
            _ => {}
        }
    }
    Checked { states, steps, depth, broken }
}
