//! The `florin` binary: reads the command line and the configuration, then makes one call into
//! `gateway`, `node` or `bench`. Exit codes: 0 all is well, 1 a check or a command failed, 2 the
//! command line or the configuration cannot be used.

mod command;
mod failure;
mod logging;
mod output;
mod shutdown;

use std::process::ExitCode;

use clap::Parser as _;
// It takes the place of C's `malloc`, and so of Rust's and SQLite's: fewer cycles per small allocation than
// glibc's, of which a payment makes a few hundred. As Rust's own global allocator it would ask for an
// alignment each time, which costs it a longer way for everything over a kilobyte.
use mimalloc as _;

use command::CommandLine;

fn main() -> ExitCode {
    match command::run(CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::failure(&failure.to_string());
            failure.exit_code()
        }
    }
}
