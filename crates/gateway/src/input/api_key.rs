//! Bodies about API keys.

use std::time::Duration;

use identity::{AccessScope, AccessScopes, KeyKind, NewKey};
use kernel::Network;

use super::amount::whole_number;
use super::fields::{Fields, Schema};
use super::json::Node;
use super::nearest::{is_quotable, nearest, suggestion};
use crate::problem::{Problem, catalogue as code};

pub(crate) const CREATE: Schema =
    Schema { fields: &["kind", "scopes", "expires_in_seconds", "allowed_ips"], later: &["name"] };
pub(crate) const ROTATE: Schema = Schema { fields: &["overlap_seconds"], later: &[] };

pub(crate) const KINDS: &[&str] = &["secret", "publishable"];
/// Ten years.
pub(crate) const LIFE_SECONDS_MAX: u32 = 315_360_000;
/// Thirty days.
pub(crate) const OVERLAP_SECONDS_MAX: u32 = 2_592_000;
/// How many ranges of addresses a key may be bound to.
pub(crate) const NETWORKS_MAX: usize = 20;
const OVERLAP_SECONDS_USUAL: u32 = 86_400;

/// Reads what a new key shall be.
pub fn new_key(node: &Node<'_>) -> Result<NewKey, Problem> {
    let fields = Fields::of(node, "", &CREATE)?;
    let kinds = [("secret", KeyKind::Secret), ("publishable", KeyKind::Publishable)];
    let life = whole_number(&fields, "expires_in_seconds", LIFE_SECONDS_MAX)?;
    if life == Some(0) {
        let detail = format!("`expires_in_seconds` must be a whole number from 1 to {LIFE_SECONDS_MAX}.");
        return Err(Problem::new(&code::INVALID_VALUE, detail).at("/expires_in_seconds"));
    }
    Ok(NewKey {
        kind: fields.word("kind", &kinds)?.unwrap_or(KeyKind::Secret),
        scopes: scopes(&fields)?,
        expires_in: life.map(|seconds| Duration::from_secs(u64::from(seconds))),
        allowed_ips: networks(&fields)?,
    })
}

/// Reads for how long a rotated key goes on.
pub fn key_overlap(node: &Node<'_>) -> Result<Duration, Problem> {
    let fields = Fields::of(node, "", &ROTATE)?;
    let seconds = whole_number(&fields, "overlap_seconds", OVERLAP_SECONDS_MAX)?;
    Ok(Duration::from_secs(u64::from(seconds.unwrap_or(OVERLAP_SECONDS_USUAL))))
}

/// An empty list is refused: no scopes would read like nothing, and means everything.
fn scopes(fields: &Fields<'_, '_>) -> Result<AccessScopes, Problem> {
    let Some(texts) = texts(fields, "scopes", "`payments:read`")? else {
        return Ok(AccessScopes::UNRESTRICTED);
    };
    let read = |text: &str| {
        text.parse::<AccessScope>().map_err(|_| {
            let words = AccessScope::ALL.map(AccessScope::as_str);
            let hint = if is_quotable(text) { suggestion(nearest(text, words)) } else { String::new() };
            let detail = format!("`scopes` must be some of {}.{hint}", words.join(", "));
            Problem::new(&code::INVALID_VALUE, detail).at("/scopes")
        })
    };
    texts.into_iter().map(read).collect()
}

fn networks(fields: &Fields<'_, '_>) -> Result<Vec<Network>, Problem> {
    let Some(texts) = texts(fields, "allowed_ips", "`203.0.113.0/24`")? else { return Ok(Vec::new()) };
    let refuse = |what: &str| {
        Problem::new(&code::INVALID_VALUE, format!("`allowed_ips` must be {what}.")).at("/allowed_ips")
    };
    if texts.len() > NETWORKS_MAX {
        return Err(refuse("at most 20 addresses or ranges"));
    }
    let read = |text: &str| text.parse().map_err(|_| refuse("addresses or ranges such as 203.0.113.0/24"));
    texts.into_iter().map(read).collect()
}

/// A list of texts, at least one; `None` if there is no list.
fn texts<'t>(
    fields: &Fields<'t, '_>,
    name: &'static str,
    example: &str,
) -> Result<Option<Vec<&'t str>>, Problem> {
    let Some(node) = fields.get(name) else { return Ok(None) };
    let expected = format!("a list of strings such as {example}");
    let Node::List(items) = node else { return Err(fields.wrong_type(name, &expected, node)) };
    if items.is_empty() {
        let detail =
            format!("`{name}` must be a list with an entry or more; leave it out for no restriction.");
        return Err(Problem::new(&code::INVALID_VALUE, detail).at(fields.pointer(name)));
    }
    let read = |item: &'t Node<'_>| match item {
        Node::Text(text) => Ok(&**text),
        other => Err(fields.wrong_type(name, &expected, other)),
    };
    items.iter().map(read).collect::<Result<_, _>>().map(Some)
}
