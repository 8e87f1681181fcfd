//! What commands say to whoever called them: results on standard output, everything else on standard
//! error. A reader that went away (`florin … | head`) is no error.

use std::io::{self, IsTerminal as _, Write as _};

/// A line of the result.
pub(crate) fn line(text: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
}

/// A result that is a whole text.
pub(crate) fn text(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A result for scripts, on one line.
pub(crate) fn json(value: &serde_json::Value) {
    line(&value.to_string());
}

/// A remark beside the result.
pub(crate) fn remark(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Why the command failed.
pub(crate) fn failure(text: &str) {
    remark(&format!("florin: {text}"));
}

/// Replaces the last line on a terminal.
pub(crate) fn over(text: &str) {
    let mut out = io::stderr().lock();
    let _ = write!(out, "\r\x1b[K{text}").and_then(|()| out.flush());
}

/// Whether people read standard error.
pub(crate) fn is_watched() -> bool {
    io::stderr().is_terminal()
}
