//! Runs the commands of every page against a built `florin`.

use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command as Process};
use std::{env, fs, io};

use super::{Command, missing, pages, script};
use crate::finding::Finding;
use crate::tree::{File, Tree};

/// A page takes no longer than this; what hangs is ended and reported.
const PAGE_SECONDS: &str = "180";

/// `cargo run -- <arguments>` of a page means the binary under test: its build is not what is tested here.
const CARGO: &str = "#!/bin/sh\n[ \"$1\" = run ] || { echo 'only `cargo run` runs here' >&2; exit 1; }\n\
                     while [ $# -gt 0 ] && [ \"$1\" != -- ]; do shift; done\n\
                     [ $# -eq 0 ] || shift\nexec florin \"$@\"\n";

/// Runs all pages with `binary` as `florin` and hands back what did not hold. Prints what each page did.
pub(crate) fn run(tree: &Tree, binary: &Path, out: &mut impl Write) -> Result<Vec<Finding>, String> {
    let binary = binary.canonicalize().map_err(|error| format!("{}: {error}", binary.display()))?;
    let mut findings = Vec::new();
    for (index, (page, commands)) in pages(tree).into_iter().enumerate() {
        let room =
            Room::make(index, &binary).map_err(|error| format!("a folder for {}: {error}", page.path))?;
        let found = run_page(page, &commands, &room).map_err(|error| format!("{}: {error}", page.path))?;
        let ran = commands.iter().filter(|command| command.norun.is_none()).count();
        let fate = if found.is_empty() { "ok" } else { "FAILED" };
        writeln!(out, "{}: {ran} of {} commands run: {fate}", page.path, commands.len())
            .map_err(|e| e.to_string())?;
        for command in &commands {
            if let Some(reason) = &command.norun {
                writeln!(out, "  line {} not run: {reason}", command.line).map_err(|e| e.to_string())?;
            }
        }
        findings.extend(found);
    }
    Ok(findings)
}

/// The folders of one page; they go when the page is through.
struct Room {
    top: PathBuf,
}

impl Room {
    fn make(index: usize, binary: &Path) -> io::Result<Self> {
        let room = Self { top: env::temp_dir().join(format!("florin-doc-{}-{index}", process::id())) };
        // A folder of that name is left over from a process that had this id before.
        drop(fs::remove_dir_all(&room.top));
        for folder in ["page", "blocks", "bin"] {
            fs::create_dir_all(room.top.join(folder))?;
        }
        symlink(binary, room.top.join("bin/florin"))?;
        fs::write(room.top.join("bin/cargo"), CARGO)?;
        fs::set_permissions(room.top.join("bin/cargo"), fs::Permissions::from_mode(0o755))?;
        Ok(room)
    }

    fn block(&self, name: &str) -> PathBuf {
        self.top.join("blocks").join(name)
    }

    /// What a block printed, a server in its background included.
    fn output(&self, number: usize) -> String {
        fs::read(self.block(&format!("{number}.out")))
            .map_or_else(|_| String::new(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.top));
    }
}

fn run_page(page: &File, commands: &[Command], room: &Room) -> io::Result<Vec<Finding>> {
    // The port is free now; that nobody takes it before the page's server does is likely, not certain.
    let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let numbers = || commands.iter().enumerate().filter(|(_, command)| command.norun.is_none());
    for (number, command) in numbers() {
        fs::write(room.block(&format!("{number}.sh")), script::block(command, port))?;
    }
    let script = room.block("page.sh");
    fs::write(&script, script::page(numbers().map(|(number, _)| number)))?;
    run_script(&script, room, port)?;

    let mut findings = Vec::new();
    // No file: not even the first block began.
    let reached = fs::read_to_string(room.block("current")).unwrap_or_default();
    let reached = reached.trim();
    for (number, command) in numbers() {
        let output = room.output(number);
        if reached.is_empty() || reached == number.to_string() {
            findings.push(failed(page, command, "the command failed", &output));
            break;
        }
        let expected = command.expected.as_deref().unwrap_or_default();
        let expected: Vec<String> = expected.iter().map(|piece| script::at_port(piece, port)).collect();
        if let Some(piece) = missing(&output, &expected) {
            findings.push(failed(page, command, &format!("the output lacks `{piece}`"), &output));
        }
    }
    Ok(findings)
}

/// Runs the script in an environment and a process group of its own.
fn run_script(script: &Path, room: &Room, port: u16) -> io::Result<()> {
    let path = env::var("PATH").unwrap_or_default();
    let mut process = Process::new("timeout");
    process.args(["--kill-after=10", PAGE_SECONDS, "bash"]).arg(script);
    process.current_dir(room.top.join("page")).process_group(0).env_clear();
    process.env("PATH", format!("{}:{path}", room.top.join("bin").display()));
    process.env("HOME", &room.top).env("LANG", "C.UTF-8");
    process.env("blocks", room.top.join("blocks")).env("port", port.to_string());
    process.env("FLORIN_SERVER__PORT", port.to_string());
    process.stdin(process::Stdio::null());
    process.status().map(drop)
}

fn failed(page: &File, command: &Command, what: &str, output: &str) -> Finding {
    let printed: Vec<&str> = output.lines().collect();
    let what = format!("{what}; it printed:\n    | {}\n ", printed.join("\n    | "));
    Finding::new(&page.path, command.line, what, "a command that works as it stands, or `norun: <reason>`")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    /// The findings of a page, and whether its server was asked to stop.
    fn run_one(name: &str, page: &str) -> (Vec<String>, bool) {
        let folder = env::temp_dir().join(format!("florin-doc-test-{}-{name}", process::id()));
        fs::create_dir_all(&folder).unwrap();
        let binary = folder.join("florin");
        fs::write(&binary, include_str!("fake_server.pl")).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        let findings = run(&Tree::of(&[("README.md", page)]), &binary, &mut io::sink()).unwrap();
        let stopped = folder.join("stopped").exists();
        fs::remove_dir_all(&folder).unwrap();
        (findings.iter().map(ToString::to_string).collect(), stopped)
    }

    fn found(name: &str, page: &str) -> Vec<String> {
        run_one(name, page).0
    }

    #[test]
    fn a_server_answers_later_blocks_under_its_own_port_and_is_stopped() {
        for (name, start) in
            [("serve", "sh\nflorin serve &"), ("cargo", "sh server\ncargo run --release -- serve")]
        {
            let page = format!(
                "```{start}\n```\n```output\nflorin serve, key …\n```\n\
                 ```http\nGET /x\nAuthorization: Bearer sk_test_…\n```\n\
                 ```output\n{{ \"key\": \"sk_test_abc\" }}\n```\n\
                 ```sh\ncurl -s -H 'Authorization: Bearer sk_test_…' http://127.0.0.1:8000/x\n```\n"
            );
            assert_eq!(run_one(name, &page), (vec![], true), "{name}");
        }
    }

    #[test]
    fn variables_and_folders_live_from_block_to_block() {
        let page = "```sh\nNAME=two\nmkdir a; cd a\n```\n\
                    ```console\n$ echo \"one $NAME $(basename \"$PWD\")\"\none … a\n```\n";
        assert_eq!(found("variables", page), Vec::<String>::new());
    }

    #[test]
    fn a_failing_command_and_a_wrong_output_are_found_with_their_line() {
        let failing =
            found("failing", "```sh\ntrue\n```\n\n```sh\necho said\nfalse\ntrue\n```\n```sh\ntrue\n```\n");
        assert_eq!(failing.len(), 1);
        assert!(
            failing
                .iter()
                .all(|line| line.starts_with("README.md:5: the command failed") && line.contains("| said"))
        );
        let wrong = found("wrong", "```sh\necho said\n```\n```output\nmeant\n```\n");
        assert!(
            wrong.iter().all(|line| line.contains("the output lacks `meant`")) && wrong.len() == 1,
            "{wrong:?}"
        );
    }

    #[test]
    fn commands_that_are_not_run_are_not_run() {
        assert_eq!(found("norun", "```sh norun: shows a failure\nfalse\n```\n"), Vec::<String>::new());
    }
}
