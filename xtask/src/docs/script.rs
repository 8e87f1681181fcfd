//! What bash is given for a page: one file a block, and one script that runs them in order.

use super::{Command, Kind};

/// The text of one block, ready for the shell, its server at `port` of the loopback.
pub(super) fn block(command: &Command, port: u16) -> String {
    let text = match command.kind {
        Kind::Shell => command.text.clone(),
        Kind::Http => curl(command),
    };
    at_port(&text, port)
}

/// Pages speak of the default address; what runs has a port of its own, so that nothing is in its way.
pub(super) fn at_port(text: &str, port: u16) -> String {
    text.replace("127.0.0.1:8000", &format!("127.0.0.1:{port}"))
        .replace("localhost:8000", &format!("localhost:{port}"))
}

/// What the script leaves in the file `current` when all blocks are through; before, the block's number.
pub(super) const END: &str = "end";

/// The script of the whole page; `numbers` are those of the blocks that run.
pub(super) fn page(numbers: impl Iterator<Item = usize>) -> String {
    let calls: Vec<String> = numbers.map(|number| format!("run_block {number}\n")).collect();
    format!("{}\n{}echo {END} >\"$blocks/current\"\n", include_str!("page.sh"), calls.concat())
}

/// A request as a curl command. Without an expected output a refusal is a failure; with one, the page says
/// itself which status it shows.
fn curl(command: &Command) -> String {
    let (head, body) = command.text.split_once("\n\n").unwrap_or((command.text.trim_end(), ""));
    let mut lines = head.lines();
    let mut request = lines.next().unwrap_or_default().split_whitespace();
    let method = request.next().unwrap_or("GET");
    let target = request.next().unwrap_or("/");
    let fail = if command.expected.is_none() { " --fail-with-body" } else { "" };
    let origin = if target.starts_with('/') { "http://127.0.0.1:8000" } else { "" };
    let mut words = vec![format!("curl -sS -i{fail} -X {method} {}", quoted(&format!("{origin}{target}")))];
    words.extend(lines.map(|header| format!("-H {}", quoted(header.trim()))));
    if !body.trim().is_empty() {
        words.push(format!("--data-binary {}", quoted(body.trim_end())));
    }
    words.join(" ") + "\n"
}

/// In double quotes, so that `$NAME` is still a variable.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .flat_map(|character| {
            let escape = matches!(character, '"' | '\\' | '`').then_some('\\');
            escape.into_iter().chain([character])
        })
        .collect();
    format!("\"{escaped}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_becomes_a_curl_command() {
        let text =
            "POST /api/v1/payments HTTP/1.1\nAuthorization: Bearer $KEY\n\n{\"amount\": 1000}\n".to_owned();
        let mut command = Command { line: 1, kind: Kind::Http, norun: None, text, expected: None };
        let expected = "curl -sS -i --fail-with-body -X POST \"http://127.0.0.1:4711/api/v1/payments\" \
                        -H \"Authorization: Bearer $KEY\" --data-binary \"{\\\"amount\\\": 1000}\"\n";
        assert_eq!(block(&command, 4711), expected);
        command.expected = Some(vec!["HTTP/1.1402".into()]);
        assert!(!block(&command, 4711).contains("--fail-with-body"));
    }
}
