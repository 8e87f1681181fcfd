//! The error reference, as a page and as Markdown, from the catalogue.

use std::fmt::Write as _;

use crate::problem::{CATALOGUE, Entry};

const ABOUT: &str = "Every refusal and every failure is a problem document (RFC 9457, \
                     `application/problem+json`). `code` is for programs and never changes its \
                     meaning; `detail` says what happened this time, `param` where. `retryable` says \
                     whether the same request may succeed later: whether it is worth sending again, \
                     with a new idempotency key after an answer of 402 and with the same one after \
                     any other. The address in `type` leads here. Card numbers in free texts are \
                     refused, so that none is kept or shown; ids, references and idempotency keys are \
                     your own, are not searched, and must not hold any.";

/// The words for a status.
fn reason(status: u16) -> &'static str {
    axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason()).unwrap_or("")
}

/// The statuses in order, with their codes.
fn by_status() -> Vec<(u16, Vec<&'static Entry>)> {
    let mut groups: Vec<(u16, Vec<&'static Entry>)> = Vec::new();
    let mut entries = CATALOGUE.to_vec();
    entries.sort_by_key(|entry| entry.status);
    for entry in entries {
        match groups.last_mut() {
            Some((status, group)) if *status == entry.status => group.push(entry),
            _ => groups.push((entry.status, vec![entry])),
        }
    }
    groups
}

const fn again(entry: &Entry) -> &'static str {
    if entry.retryable { "The same request may succeed later." } else { "The same request will fail again." }
}

/// `docs/errors.md`
pub(super) fn markdown() -> String {
    let mut out = format!(
        "<!-- Written by `cargo xtask gen-docs` from crates/gateway/src/problem/catalogue.rs. -->\n\n\
         # Errors\n\n{ABOUT}\n"
    );
    for (status, entries) in by_status() {
        // Writing into a `String` cannot fail.
        let _ = write!(out, "\n## {status} {}\n", reason(status));
        for entry in entries {
            let _ = write!(
                out,
                "\n### {}\n\n**{}.** {}\n\n**What to do:** {} {}\n",
                entry.code,
                entry.title,
                entry.cause,
                entry.remedy,
                again(entry)
            );
        }
    }
    out
}

/// The body of `GET /docs/errors`.
pub(super) fn html() -> String {
    let mut out = format!("<main><h1>Errors</h1><p>{}</p>", inline(ABOUT));
    for (status, entries) in by_status() {
        let _ = write!(out, "<h2>{status} {}</h2>", reason(status));
        for entry in entries {
            let _ = write!(
                out,
                "<article id=\"{0}\"><h3><a href=\"#{0}\"><code>{0}</code></a></h3>\
                 <p><strong>{1}.</strong> {2}</p><p><strong>What to do:</strong> {3} {4}</p></article>",
                entry.code,
                inline(entry.title),
                inline(entry.cause),
                inline(entry.remedy),
                again(entry)
            );
        }
    }
    out.push_str("</main>");
    out
}

/// Escaped, with what stands between backticks as code.
fn inline(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let mut out = String::with_capacity(escaped.len());
    for (place, part) in escaped.split('`').enumerate() {
        match place % 2 {
            0 => out.push_str(part),
            _ => {
                let _ = write!(out, "<code>{part}</code>");
            }
        }
    }
    out
}
