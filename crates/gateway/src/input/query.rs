//! Query parameters: percent-decoded, each known, each once.

use std::borrow::Cow;

use super::nearest::{is_quotable, nearest, suggestion};
use super::stripe;
use crate::problem::{Problem, catalogue as code};

/// How many entries a page has unless asked otherwise.
const LIMIT_DEFAULT: u32 = 20;
/// How many entries a page has at most.
pub(crate) const LIMIT_MAX: u32 = 100;

/// The parameters of one request, by name.
#[derive(Debug)]
pub struct Parameters(Vec<(&'static str, String)>);

impl Parameters {
    /// Reads a query string; refuses names that are neither in `known` nor in `later`, and says of
    /// the latter that they are not served yet.
    pub fn parse(
        query: Option<&str>,
        known: &'static [&'static str],
        later: &'static [&'static str],
    ) -> Result<Self, Problem> {
        let mut found: Vec<(&'static str, String)> = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            let Some(name) = known.iter().find(|known| **known == name) else {
                return Err(unexpected(&name, known, later));
            };
            if found.iter().any(|(known, _)| known == name) {
                let detail = format!("The query parameter `{name}` stands twice.");
                return Err(Problem::new(&code::UNKNOWN_PARAMETER, detail).at(*name));
            }
            found.push((*name, decode(value)?.into_owned()));
        }
        Ok(Self(found))
    }

    /// The canonical text of all but `limit` and `cursor`: what a cursor is bound to.
    pub fn filters(&self) -> String {
        let mut filters: Vec<_> =
            self.0.iter().filter(|(name, _)| !matches!(*name, "limit" | "cursor")).collect();
        filters.sort_unstable();
        let pairs = filters.into_iter().map(|(name, value)| format!("{name}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }
}

/// The `limit` of a list: 1 to 100, 20 if absent.
pub fn limit(parameters: &Parameters) -> Result<u32, Problem> {
    let Some(text) = parameters.get("limit") else { return Ok(LIMIT_DEFAULT) };
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|limit| digits && (1..=LIMIT_MAX).contains(limit)).ok_or_else(|| {
        let detail = format!("`limit` must be a whole number from 1 to {LIMIT_MAX}.");
        Problem::new(&code::INVALID_PARAMETER, detail).at("limit")
    })
}

fn unexpected(name: &str, known: &[&str], later: &[&str]) -> Problem {
    if later.contains(&name) {
        let detail = format!("`{name}` is known, but this version does not serve it yet; leave it out.");
        return Problem::new(&code::UNSUPPORTED_PARAMETER, detail).at(name);
    }
    if !is_quotable(name) {
        return Problem::new(&code::UNKNOWN_PARAMETER, "There is no such query parameter.");
    }
    let hint = stripe::hint(name, known)
        .unwrap_or_else(|| suggestion(nearest(name, known.iter().chain(later).copied())));
    let all = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    let detail = format!("There is no query parameter `{name}` here; there is: {all}.{hint}");
    Problem::new(&code::UNKNOWN_PARAMETER, detail).at(name)
}

/// Percent-decodes (WHATWG `application/x-www-form-urlencoded`: `+` is a blank).
fn decode(text: &str) -> Result<Cow<'_, str>, Problem> {
    if !text.contains(['%', '+']) {
        return Ok(Cow::Borrowed(text));
    }
    let wrong = || Problem::new(&code::INVALID_PARAMETER, "The query is not percent-encoded UTF-8.");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let (digits, after) = rest.split_at_checked(2).ok_or_else(wrong)?;
                let digits = std::str::from_utf8(digits).map_err(|_| wrong())?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return Err(wrong());
                }
                bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
                rest = after;
            }
            byte => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| wrong())
}
