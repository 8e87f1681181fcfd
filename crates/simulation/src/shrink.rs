//! Finds what of a failing plan it takes to fail: delta debugging over its items.

use crate::plan::Plan;
use crate::world::run;

/// A smaller plan that still fails, after at most `runs` tries. Whatever it fails with counts: a smaller
/// failure of another kind is worth as much.
pub fn shrink(plan: &Plan, runs: usize) -> Plan {
    let mut left = runs;
    let mut fails = |candidate: &Plan| {
        left = left.saturating_sub(1);
        !run(candidate.clone(), false).violations.is_empty()
    };
    let mut kept = plan.numbers();
    let mut size = kept.len().div_ceil(2).max(1);
    let mut tried = 0;
    loop {
        let mut smaller = None;
        for from in (0..kept.len()).step_by(size) {
            tried += 1;
            if tried > runs {
                return plan.only(&kept);
            }
            let without: Vec<usize> = kept
                .iter()
                .enumerate()
                .filter(|(at, _)| *at < from || *at >= from + size)
                .map(|(_, n)| *n)
                .collect();
            if fails(&plan.only(&without)) {
                smaller = Some(without);
                break;
            }
        }
        match smaller {
            Some(without) => {
                kept = without;
                size = size.min(kept.len()).max(1);
            }
            None if size == 1 => return plan.only(&kept),
            None => size = size.div_ceil(2),
        }
    }
}
