//! Shows that the simulator can fail: a table of rules of the protocol, each switched off in a copy of the
//! tree, and within how many seeds the simulator must notice.
//!
//! The product has no switches for this. A mutation is a source text that occurs once, and what stands
//! in its place.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

/// One rule, switched off.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mutation {
    /// Its name on the command line.
    pub name: String,
    /// The rule, and where the protocol says it.
    pub rule: String,
    /// The file, from the top of the tree.
    pub file: String,
    /// The text; occurs once in the file.
    pub from: String,
    /// What stands in its place.
    pub to: String,
    /// Within how many seeds it is noticed.
    pub seeds: u64,
}

/// All of them, as `mutations.toml` beside this crate's manifest has them.
pub fn mutations() -> Result<Vec<Mutation>, String> {
    #[derive(Deserialize)]
    struct Table {
        mutation: Vec<Mutation>,
    }
    let table: Table =
        toml::from_str(include_str!("../mutations.toml")).map_err(|error| error.to_string())?;
    Ok(table.mutation)
}

/// The folders and files that a copy of the tree needs to build the simulator.
const COPIED: [&str; 5] = ["Cargo.toml", "Cargo.lock", "crates", "providers", "xtask"];

/// Applies each mutation, or those of these names (with commas between), to a copy of the tree in
/// `scratch`, and runs the simulator there. Answers whether each was noticed.
pub fn prove(out: &mut impl Write, top: &Path, scratch: &Path, only: Option<&str>) -> io::Result<bool> {
    let mut all_noticed = true;
    let chosen = |mutation: &&Mutation| only.is_none_or(|only| only.split(',').any(|n| n == mutation.name));
    let all = mutations().map_err(io::Error::other)?;
    for mutation in all.iter().filter(chosen) {
        copy_tree(top, scratch)?;
        let path = scratch.join(&mutation.file);
        let text = fs::read_to_string(&path)?;
        if text.matches(&mutation.from).count() != 1 {
            writeln!(out, "{:<24} does not apply to {}", mutation.name, mutation.file)?;
            all_noticed = false;
            continue;
        }
        fs::write(&path, text.replace(&mutation.from, &mutation.to))?;
        let noticed = noticed(scratch, mutation)?;
        all_noticed &= noticed.is_ok();
        let word = noticed.unwrap_or_else(|why| why);
        writeln!(out, "{:<24} {word}\n{:>24} {}", mutation.name, "", mutation.rule)?;
        out.flush()?;
    }
    Ok(all_noticed)
}

/// `Ok` with the violation, or `Err` with why there is none.
fn noticed(scratch: &Path, mutation: &Mutation) -> io::Result<Result<String, String>> {
    let target = scratch.join("target");
    let built = Command::new(env!("CARGO"))
        .args(["build", "--quiet", "--package", "simulation"])
        .current_dir(scratch)
        .env("CARGO_TARGET_DIR", &target)
        .output()?;
    if !built.status.success() {
        let text = String::from_utf8_lossy(&built.stderr);
        return Ok(Err(format!("DOES NOT BUILD: {}", text.lines().take(4).collect::<Vec<_>>().join(" "))));
    }
    let seeds = mutation.seeds.to_string();
    let ran = Command::new(target.join("debug/simulation"))
        .args(["--seeds", &seeds, "--shrink", "0"])
        .current_dir(scratch)
        .output()?;
    let text = String::from_utf8_lossy(&ran.stdout);
    let seed = text.lines().find(|line| line.starts_with("seed ")).unwrap_or_default();
    let violation = text.lines().find(|line| line.starts_with("VIOLATION"));
    Ok(match violation {
        Some(violation) => {
            let short: String = violation.chars().take(150).collect();
            Ok(format!("noticed: {seed} {short}"))
        }
        None => Err(format!("NOT NOTICED in {seeds} seeds")),
    })
}

/// Files that differ are written, so that only what changed is compiled again.
fn copy_tree(top: &Path, scratch: &Path) -> io::Result<()> {
    fs::create_dir_all(scratch)?;
    for name in COPIED {
        copy(&top.join(name), &scratch.join(name))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let path: PathBuf = entry?.path();
            if let Some(name) = path.file_name() {
                copy(&path, &to.join(name))?;
            }
        }
        return Ok(());
    }
    let bytes = fs::read(from)?;
    if fs::read(to).ok().as_ref() != Some(&bytes) {
        fs::write(to, bytes)?;
    }
    Ok(())
}
