//! Chores of this repository, run as `cargo xtask <chore>`.
//!
//! `tidy` holds the tree against the rules that no compiler checks: who depends on whom, sizes, names, words,
//! links (`tidy.toml` and `crates.toml` are its data). `doc-commands` lists the fenced commands of the
//! documentation, `doc-run` runs them against a built binary. `simulate` starts the simulator. Nothing of
//! ours is a dependency of this crate, so that it builds in seconds and judges the tree from outside.

mod code;
mod docs;
mod finding;
mod generate;
mod markdown;
mod new_provider;
mod settings;
mod tidy;
mod tree;

use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::{env, fmt};

use crate::finding::Finding;
use crate::tree::{Tree, top};

const USAGE: &str = "\
cargo xtask tidy                    check the tree against the rules of the house
cargo xtask doc-commands            list the commands of the documentation
cargo xtask doc-run --binary PATH   run them, with the binary at PATH as `florin`
cargo xtask gen-docs                write anew what is generated: pages, references, examples
cargo xtask simulate …              run the simulator; without arguments it says how
cargo xtask new-provider NAME       make a provider's crate and enter it in the registry
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["simulate", rest @ ..] = arguments.as_slice() {
        return simulate(rest);
    }
    let done = match arguments.as_slice() {
        ["tidy"] => tidy::run(&top()).map(Report),
        ["doc-commands"] => doc_commands().map(Report),
        ["doc-run", "--binary", binary] => doc_run(binary).map(Report),
        ["gen-docs"] => generate::run(&top()).map(Report),
        ["new-provider", name] => new_provider::run(&top(), name).map(Report),
        _ => Err(USAGE.to_owned()),
    };
    let (text, code) = match done {
        Ok(report) => {
            (report.to_string(), if report.0.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Err(error) => (error, ExitCode::from(2)),
    };
    // Whoever closed our output does not read this either.
    drop(writeln!(io::stdout(), "{}", text.trim_end()));
    code
}

/// Starts the simulator, which knows all of ours, from here, where nothing does.
fn simulate(arguments: &[&str]) -> ExitCode {
    let mut command = Command::new(env!("CARGO"));
    command.args(["run", "--quiet", "--package", "simulation", "--"]).args(arguments);
    match command.current_dir(top()).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            // Whoever closed our output does not read this either.
            drop(writeln!(io::stderr(), "cargo cannot be run: {error}"));
            ExitCode::from(2)
        }
    }
}

fn doc_commands() -> Result<Vec<Finding>, String> {
    let tree = Tree::read(&top())?;
    write!(io::stdout(), "{}", docs::list(&tree)).map_err(|error| error.to_string())?;
    Ok(docs::check(&tree))
}

fn doc_run(binary: &str) -> Result<Vec<Finding>, String> {
    let tree = Tree::read(&top())?;
    let mut findings = docs::check(&tree);
    findings.extend(docs::run(&tree, Path::new(binary), &mut io::stdout())?);
    Ok(findings)
}

/// Findings as they are printed: one each, then their number.
struct Report(Vec<Finding>);

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.0 {
            writeln!(f, "{finding}")?;
        }
        match self.0.len() {
            0 => write!(f, "nothing to say"),
            1 => write!(f, "1 finding"),
            many => write!(f, "{many} findings"),
        }
    }
}
