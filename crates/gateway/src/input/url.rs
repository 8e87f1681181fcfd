//! Absolute URLs that a browser or a delivery will be sent to.

use axum::http::Uri;

use crate::problem::{Problem, catalogue as code};

/// Longer ones break browsers and logs.
pub(crate) const URL_LENGTH_MAX: usize = 2048;

/// Refuses what is no absolute http(s) URL in visible ASCII without user information. `name` is for
/// the message.
pub fn absolute_url(text: &str, name: &str) -> Result<(), Problem> {
    let refuse = |what: &str| Err(Problem::new(&code::INVALID_URL, format!("`{name}` {what}")));
    if text.len() > URL_LENGTH_MAX {
        return refuse("has at most 2048 characters.");
    }
    let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'`');
    if !text.bytes().all(fits) {
        return refuse("has characters that a URL must percent-encode.");
    }
    let Ok(uri) = text.parse::<Uri>() else { return refuse("must be an absolute http or https URL.") };
    let is_http = uri.scheme_str().is_some_and(|scheme| matches!(scheme, "http" | "https"));
    match uri.authority() {
        Some(authority) if is_http && !authority.host().is_empty() => {
            if authority.as_str().contains('@') {
                return refuse("must not carry a user name or password.");
            }
            Ok(())
        }
        _ => refuse("must be an absolute http or https URL."),
    }
}
