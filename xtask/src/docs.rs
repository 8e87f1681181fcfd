//! The commands of the documentation. A fenced command runs in a test, or says in its info string why not.
//!
//! - `sh`, `bash`: the block is a script. `console`: lines that begin with `$ ` are commands, the others are
//!   what they print. `http`: a request to the server of the page.
//! - `output` behind one of these: its lines appear in the output, in this order, `…` standing for anything.
//!   White space does not count, so that JSON may be laid out for a reader.
//! - `norun: <reason>` in the info string: the block is not run.
//! - `server` in the info string of a shell block: it serves until somebody stops it, so it runs in the
//!   background. A command that ends with `&` does so by itself.
//!
//! [`run`] runs the blocks of a page as one script, so that variables and servers live on from block to
//! block. There `sk_test_…` stands for the key that a server of the page printed, and `127.0.0.1:8000` for
//! the address that the page's server got; `$NAME` in a request is a variable of the page.

mod run;
mod script;

pub(crate) use run::run;

use crate::finding::Finding;
use crate::markdown::{self, Block};
use crate::tree::{File, Tree};

/// One command block of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    pub(crate) line: usize,
    pub(crate) kind: Kind,
    /// Why the block is not run, if it is not.
    pub(crate) norun: Option<String>,
    /// What is run: a script for a shell, or a request.
    pub(crate) text: String,
    /// What its output holds, as pieces in this order; `None` if the page does not say.
    pub(crate) expected: Option<Vec<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Shell,
    Http,
}

/// The command blocks of a page in their order.
pub(crate) fn commands(page: &File) -> Vec<Command> {
    let mut commands: Vec<Command> = Vec::new();
    let mut follows_command = false;
    for block in markdown::blocks(page) {
        if block.language == "output" && follows_command {
            if let Some(command) = commands.last_mut() {
                command.expected = Some(pieces(block.text.lines()));
            }
        } else {
            let command = command(&block);
            follows_command = command.is_some();
            commands.extend(command);
        }
    }
    commands
}

fn command(block: &Block) -> Option<Command> {
    let norun = block.info.split_once("norun:").map(|(_, reason)| reason.trim().to_owned());
    let command = |kind, text: String, expected| Command { line: block.line, kind, norun, text, expected };
    match block.language.as_str() {
        "sh" | "bash" if block.info.split_whitespace().any(|word| word == "server") => {
            // The shell around it outlives the signal that stops the server, so that it can wait for it.
            Some(command(Kind::Shell, format!("{{\ntrap : TERM\n{}}} &\n", block.text), None))
        }
        "sh" | "bash" => Some(command(Kind::Shell, block.text.clone(), None)),
        "http" => Some(command(Kind::Http, block.text.clone(), None)),
        "console" => {
            let typed = block.text.lines().filter_map(|line| line.strip_prefix("$ "));
            let printed = block.text.lines().filter(|line| !line.starts_with("$ "));
            let text = typed.flat_map(|line| [line, "\n"]).collect();
            Some(command(Kind::Shell, text, Some(pieces(printed))))
        }
        _ => None,
    }
}

/// Lines, cut at each `…`, without white space and without what is then empty.
fn pieces<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let cut = lines.flat_map(|line| line.split('…'));
    cut.map(without_white_space).filter(|piece| !piece.is_empty()).collect()
}

fn without_white_space(text: &str) -> String {
    text.split_whitespace().collect()
}

/// The first piece that the output lacks behind the pieces before it.
fn missing<'a>(output: &str, expected: &'a [String]) -> Option<&'a str> {
    let output = without_white_space(output);
    let mut rest = output.as_str();
    for piece in expected {
        match rest.split_once(piece.as_str()) {
            Some((_, behind)) => rest = behind,
            None => return Some(piece),
        }
    }
    None
}

/// All pages with their commands; pages without any are left out.
pub(crate) fn pages(tree: &Tree) -> Vec<(&File, Vec<Command>)> {
    let pages = tree.files.iter().filter(|file| markdown::is_page(&file.path));
    pages.map(|page| (page, commands(page))).filter(|(_, commands)| !commands.is_empty()).collect()
}

/// Commands that are not run and give no reason.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (page, commands) in pages(tree) {
        for command in commands.iter().filter(|command| command.norun.as_deref() == Some("")) {
            let what = "a command that is not run and does not say why";
            findings.push(Finding::new(&page.path, command.line, what, "`norun: <reason>`, or let it run"));
        }
    }
    findings
}

/// One line a command: where it stands, and whether it runs.
pub(crate) fn list(tree: &Tree) -> String {
    let mut lines = Vec::new();
    for (page, commands) in pages(tree) {
        for Command { line, kind, norun, text, .. } in commands {
            let first = text.lines().next().unwrap_or_default();
            let fate = norun.map_or_else(|| "runs".to_owned(), |reason| format!("not run: {reason}"));
            let kind = if kind == Kind::Http { "http" } else { "shell" };
            lines.push(format!("{}:{line}: {kind}: {fate}: {first}\n", page.path));
        }
    }
    lines.concat()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::panic, reason = "a failing test may panic")]
    use super::*;

    fn page(text: &str) -> File {
        File { path: "README.md".into(), text: text.into() }
    }

    #[test]
    fn commands_know_their_output_and_why_they_are_not_run() {
        let text = "```sh norun: needs a live account\na\n```\n\
                    ```toml\nx = 1\n```\n```output\nnobody's\n```\n\
                    ```console\n$ one\nprints … this\n$ two\n```\n\
                    ```http\nGET /\n```\n\n```output\n{\"a\":  1}\n```\n";
        let found = commands(&page(text));
        let [account, console, http] = found.as_slice() else { panic!("three commands: {found:?}") };
        assert_eq!(account.norun.as_deref(), Some("needs a live account"));
        assert_eq!(account.expected, None);
        assert_eq!((console.text.as_str(), console.line), ("one\ntwo\n", 10));
        assert_eq!(console.expected, Some(vec!["prints".into(), "this".into()]));
        assert_eq!((http.kind, &http.expected), (Kind::Http, &Some(vec!["{\"a\":1}".into()])));
    }

    #[test]
    fn output_is_compared_in_order_without_white_space() {
        let expected = pieces(["{ \"id\": \"pay_…\",", "  \"status\": \"paid\" …", "}"].into_iter());
        assert_eq!(missing("{\"id\":\"pay_1\",\"x\":2,\"status\":\"paid\",\"y\":{}}", &expected), None);
        assert_eq!(missing("{\"status\":\"paid\",\"id\":\"pay_1\"}", &expected), Some("{\"id\":\"pay_"));
        assert_eq!(
            missing("{\"id\":\"pay_1\",\"status\":\"failed\"}", &expected),
            Some("\"status\":\"paid\"")
        );
    }

    #[test]
    fn a_reason_is_not_empty() {
        let tree =
            Tree::of(&[("docs/a.md", "```sh norun:\na\n```\n```sh norun: slow\nb\n```\n```sh\nc\n```\n")]);
        let found: Vec<usize> = check(&tree).iter().map(|finding| finding.line).collect();
        assert_eq!(found, [1]);
        assert!(list(&tree).contains("docs/a.md:4: shell: not run: slow: b"), "{}", list(&tree));
        assert!(list(&tree).contains("docs/a.md:7: shell: runs: c"), "{}", list(&tree));
    }
}
