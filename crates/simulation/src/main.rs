//! `cargo xtask simulate`: seeds until the time is over, or one seed step by step.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use simulation::{Plan, Report, mutations, run, shrink};

const USAGE: &str = "\
cargo xtask simulate [--seeds N] [--minutes M] [--first S]
    runs seeds from S (1) on, until one fails
cargo xtask simulate --survey N [--first S]
    runs so many seeds, and says how each fails
cargo xtask simulate --seed S [--keep 1,2,3]
    runs one seed, or some items of its plan, step by step
cargo xtask simulate --mutations [--only NAME,NAME]
    switches rules off in a copy of the tree, and sees that it is noticed";

/// How many runs a failing seed is worth.
const SHRINK_RUNS: usize = 300;
/// Where the copy of the tree is, below its top.
const SCRATCH: &str = "target/mutations";

struct Asked {
    seeds: u64,
    minutes: u64,
    first: u64,
    seed: Option<u64>,
    keep: Option<Vec<usize>>,
    survey: bool,
    shrink: usize,
    mutations: bool,
    only: Option<String>,
}

fn main() -> ExitCode {
    let mut out = io::stdout().lock();
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match parse(&arguments) {
        Some(Asked { seed: Some(seed), keep, .. }) => one(&mut out, seed, keep.as_deref()),
        Some(asked) if asked.mutations => mutate(&mut out, asked.only.as_deref()),
        Some(asked) if asked.survey => survey(&mut out, &asked),
        Some(asked) => many(&mut out, &asked),
        None => {
            // Whoever closed our output does not read this either.
            drop(writeln!(io::stderr(), "{USAGE}"));
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            drop(writeln!(io::stderr(), "the simulator could not run: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn parse(arguments: &[String]) -> Option<Asked> {
    let mut asked = Asked {
        seeds: u64::MAX,
        minutes: 1,
        first: 1,
        seed: None,
        keep: None,
        survey: false,
        shrink: SHRINK_RUNS,
        mutations: false,
        only: None,
    };
    let mut bounded = false;
    let mut rest = arguments.iter();
    while let Some(name) = rest.next() {
        if name == "--mutations" {
            asked.mutations = true;
            continue;
        }
        let value = rest.next()?;
        match name.as_str() {
            "--seeds" => {
                asked.seeds = value.parse().ok()?;
                if !bounded {
                    asked.minutes = u64::MAX;
                }
            }
            "--minutes" => {
                asked.minutes = value.parse().ok()?;
                bounded = true;
            }
            "--shrink" => asked.shrink = value.parse().ok()?,
            "--only" => asked.only = Some(value.clone()),
            "--survey" => {
                asked.seeds = value.parse().ok()?;
                asked.survey = true;
            }
            "--first" => asked.first = value.parse().ok()?,
            "--seed" => asked.seed = Some(value.parse().ok()?),
            "--keep" => {
                asked.keep = Some(value.split(',').map(str::parse).collect::<Result<_, _>>().ok()?);
            }
            _ => return None,
        }
    }
    Some(asked)
}

/// One seed, with its trace.
fn one(out: &mut impl Write, seed: u64, keep: Option<&[usize]>) -> io::Result<bool> {
    let plan = Plan::draw(seed);
    let plan = keep.map_or_else(|| plan.clone(), |keep| plan.only(keep));
    describe(out, &plan)?;
    let report = run(plan, true);
    for line in &report.trace {
        writeln!(out, "{line}")?;
    }
    verdict(out, &report)
}

fn verdict(out: &mut impl Write, report: &Report) -> io::Result<bool> {
    for violation in &report.violations {
        writeln!(out, "VIOLATION  {violation}")?;
    }
    if report.violations.is_empty() {
        writeln!(out, "nothing was violated in {} steps", report.steps)?;
    }
    Ok(report.violations.is_empty())
}

fn describe(out: &mut impl Write, plan: &Plan) -> io::Result<()> {
    writeln!(out, "seed {}: {} machines", plan.seed, plan.machines)?;
    writeln!(
        out,
        "  fee {} bp, late successes kept: {}, volume a day: {:?}, all notices: {}",
        plan.fee_basis_points, plan.keeps_late, plan.daily_volume, plan.notifies_all
    )?;
    for (number, wish) in plan.wishes.iter().enumerate() {
        writeln!(out, "  payment {number}: {wish:?}")?;
    }
    for (number, item) in &plan.items {
        writeln!(out, "  {number:>3}  {item}")?;
    }
    Ok(())
}

/// How each of many seeds fails.
fn survey(out: &mut impl Write, asked: &Asked) -> io::Result<bool> {
    let mut failed = 0;
    for seed in asked.first..asked.first.saturating_add(asked.seeds) {
        let report = run(Plan::draw(seed), false);
        if let Some(first) = report.violations.first() {
            failed += 1;
            writeln!(out, "seed {seed}: {first}")?;
            out.flush()?;
        }
    }
    writeln!(out, "{failed} of {} seeds failed", asked.seeds)?;
    Ok(failed == 0)
}

#[expect(clippy::disallowed_methods, reason = "how long this may take, not the time of a run")]
fn many(out: &mut impl Write, asked: &Asked) -> io::Result<bool> {
    let begun = Instant::now();
    let end = Duration::from_secs(asked.minutes.saturating_mul(60));
    let mut marks: BTreeMap<String, u64> = BTreeMap::new();
    let (mut seeds, mut steps) = (0, 0);
    for seed in asked.first..asked.first.saturating_add(asked.seeds) {
        if begun.elapsed() >= end {
            break;
        }
        let plan = Plan::draw(seed);
        let report = run(plan.clone(), false);
        if !report.violations.is_empty() {
            return failed(out, &plan, &report, asked.shrink);
        }
        (seeds, steps) = (seeds + 1, steps + report.steps);
        for (mark, count) in report.marks {
            *marks.entry(mark).or_default() += count;
        }
    }
    for (mark, count) in &marks {
        writeln!(out, "{count:>9}  {mark}")?;
    }
    writeln!(out, "{seeds} seeds, {steps} steps, {:?}: nothing was violated", begun.elapsed())?;
    Ok(true)
}

/// Runs the table of mutations over a copy of the tree that this program was built from.
fn mutate(out: &mut impl Write, only: Option<&str>) -> io::Result<bool> {
    let top = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    mutations::prove(out, top, &top.join(SCRATCH), only)
}

fn failed(out: &mut impl Write, plan: &Plan, report: &Report, runs: usize) -> io::Result<bool> {
    writeln!(out, "seed {} fails:", plan.seed)?;
    verdict(out, report)?;
    if runs == 0 {
        return Ok(false);
    }
    writeln!(out, "looking for the least that it takes, in at most {runs} runs")?;
    out.flush()?;
    let small = shrink(plan, runs);
    describe(out, &small)?;
    verdict(out, &run(small.clone(), false))?;
    let keep: Vec<String> = small.numbers().iter().map(ToString::to_string).collect();
    writeln!(out, "step by step:  cargo xtask simulate --seed {} --keep {}", plan.seed, keep.join(","))?;
    writeln!(out, "all of it:     cargo xtask simulate --seed {}", plan.seed)?;
    Ok(false)
}
