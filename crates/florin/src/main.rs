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
// It takes the place of C's `malloc`, and so of Rust's and SQLite's. What a payment allocates on one thread
// is freed on another, the store's; here a thread keeps such blocks by their addresses alone, and need not
// touch cold memory to find the next free one.
use tikv_jemallocator as _;

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
