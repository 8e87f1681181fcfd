//! What the definitions of the commands say of themselves: completions, the manual page, and the pages of
//! the documentation that are written from them.

use std::io;

use clap::{Args, CommandFactory as _, ValueEnum};
use clap_complete::Shell;
use node::config::{configuration_page, names_page};

use super::CommandLine;
use crate::failure::Failure;
use crate::output;

/// Prints a script that completes the commands in a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

/// Prints a page of the documentation that is written from the binary itself.
#[derive(Debug, Args)]
pub(crate) struct Reference {
    /// Which
    page: Page,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Page {
    /// docs/configuration.md
    Configuration,
    /// docs/coming-from-the-source.md
    Names,
    /// docs/cli.md
    Cli,
}

impl Completions {
    pub(crate) fn run(&self) {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut CommandLine::command(), "florin", &mut script);
        output::text(&String::from_utf8_lossy(&script));
    }
}

/// Prints the manual page, in the language of `man`.
pub(crate) fn man() -> Result<(), Failure> {
    let mut page = Vec::new();
    let failed = |error: io::Error| Failure::while_doing("the page cannot be written", &error);
    let whole = CommandLine::command();
    clap_mangen::Man::new(whole.clone()).render(&mut page).map_err(failed)?;
    output::text(&String::from_utf8_lossy(&page));
    Ok(())
}

impl Reference {
    pub(crate) fn run(&self) {
        output::text(&match self.page {
            Page::Configuration => configuration_page(),
            Page::Names => names_page(),
            Page::Cli => commands_page(),
        });
    }
}

const INTRODUCTION: &str = "\
# The command line

<!-- Written by `cargo xtask gen-docs` from the definitions of the commands; do not edit. -->

A command that reads or changes data opens the configured store itself, whether or not a server runs; it finds
the store by the same [configuration](configuration.md) as the server. On SQLite one server serves a folder,
and commands and server wait for each other for up to five seconds. Results go to standard output, everything
else to standard error; `--json` prints one JSON object on one line.

| exit code | meaning |
|---|---|
| 0 | it is done, and all is well |
| 1 | it failed, was refused, or a check found something |
| 2 | the command line or the configuration cannot be used: correct it and try again |
";

/// Every command with its arguments, as a page.
fn commands_page() -> String {
    let mut root = CommandLine::command().disable_help_subcommand(true);
    root.build();
    let mut page = INTRODUCTION.to_owned();
    describe(&root, "florin", &mut page);
    page
}

fn describe(command: &clap::Command, path: &str, page: &mut String) {
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    page.extend(["\n## `", path, "`\n\n", about.trim_end_matches('.'), ".\n"]);
    let is_root = path == "florin";
    let of_all = if is_root { "" } else { "config" };
    let arguments: Vec<String> = command
        .get_arguments()
        .filter(|argument| !matches!(argument.get_id().as_str(), "help" | "version"))
        .filter(|argument| argument.get_id() != of_all && !argument.is_hide_set())
        .map(line)
        .collect();
    if !arguments.is_empty() {
        page.push_str("\n| argument | meaning | default |\n|---|---|---|\n");
        page.push_str(&arguments.concat());
    }
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        describe(inner, &format!("{path} {}", inner.get_name()), page);
    }
}

fn line(argument: &clap::Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default();
    let takes_value = argument.get_action().takes_values();
    let value = match values {
        [] => argument.get_id().to_string().to_uppercase(),
        names => names.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
    };
    let mut name = match argument.get_long() {
        Some(long) if takes_value => format!("--{long} <{value}>"),
        Some(long) => format!("--{long}"),
        None => format!("<{value}>"),
    };
    if let Some(short) = argument.get_short() {
        name = format!("-{short}, {name}");
    }
    let mut help = argument.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
    let choices: Vec<String> = argument
        .get_possible_values()
        .iter()
        .filter(|_| takes_value)
        .map(|choice| format!("`{}`", choice.get_name()))
        .collect();
    if !choices.is_empty() {
        help.extend([" (", &choices.join(", "), ")"]);
    }
    if argument.is_required_set() {
        help.push_str(" (required)");
    }
    let defaults: Vec<_> = argument
        .get_default_values()
        .iter()
        .filter(|_| takes_value)
        .map(|value| value.to_string_lossy())
        .collect();
    let default = defaults.join(" ");
    let default = if default.is_empty() { default } else { format!("`{default}`") };
    format!("| `{name}` | {help} | {default} |\n")
}
