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

use command::CommandLine;

/// Fewer cycles per small allocation than glibc's, which a payment makes a few hundred of.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match command::run(CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            output::failure(&failure.to_string());
            failure.exit_code()
        }
    }
}
