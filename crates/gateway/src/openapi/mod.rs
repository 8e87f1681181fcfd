//! The OpenAPI document, generated from the types that the handlers read and write.
//!
//! - **Answers** are the wire structs: they derive their JSON Schema, and `form` stands in for what they
//!   take from other crates.
//! - **Bodies** are described in `area/`, field by field. A test holds each description against the parser's
//!   own table of fields, and asks the parser whether it keeps the types, words and limits that are
//!   documented.
//! - **Problems** come from the catalogue: those of the kind of route by themselves, the others by the
//!   operation's description.
//! - **Examples** were run: a test sends each sample to a real router and compares the answer with
//!   `examples.json`, which it writes anew when `FLORIN_REGENERATE` is set. The code in four languages is
//!   made from the same samples.
//!
//! A new route is documented by one [`Operation`] in the file of its area, under its method and its path
//! below `/api/v1`; the set of operations equals the set of routes, or a test fails.

mod area;
pub mod body;
mod code;
mod document;
mod errors;
pub(crate) mod form;
pub mod operation;
pub(crate) mod pages;
mod problems;

use std::sync::LazyLock;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

pub use operation::Operation;

/// Routes that the document leaves out: pages for people, and the document itself.
pub const UNDOCUMENTED: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/return/{payment}"),
    ("POST", "/return/{payment}"),
    ("GET", "/openapi.json"),
    ("GET", "/docs"),
    ("GET", "/docs/errors"),
    ("GET", "/docs/assets/{name}"),
    ("GET", "/redoc"),
];

/// Every operation, in the order of the document.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    area::operations()
}

/// The document.
pub fn document() -> Value {
    document::document()
}

/// The error reference as Markdown: what `docs/errors.md` holds.
pub fn error_reference() -> String {
    errors::markdown()
}

/// Bytes that never change while the server runs, and the tag that says so.
struct Fixed {
    bytes: Bytes,
    tag: HeaderValue,
}

static SERVED: LazyLock<Fixed> = LazyLock::new(|| {
    let bytes = serde_json::to_vec(&document()).unwrap_or_default();
    Fixed { tag: tag(&bytes), bytes: bytes.into() }
});

/// A strong tag of these bytes.
fn tag(bytes: &[u8]) -> HeaderValue {
    // FNV-1a, 64 bits: a tag need only differ from version to version.
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    HeaderValue::try_from(format!("\"{hash:016x}\"")).unwrap_or(HeaderValue::from_static("\"0\""))
}

/// `GET /openapi.json`
pub(crate) async fn serve(headers: HeaderMap) -> Response {
    fixed(&headers, &SERVED.bytes, &SERVED.tag, "application/json")
}

/// Fixed bytes, or nothing if the caller has them already.
fn fixed(headers: &HeaderMap, bytes: &Bytes, tag: &HeaderValue, media_type: &'static str) -> Response {
    let is_known = headers.get_all(IF_NONE_MATCH).iter().any(|known| known == tag);
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(bytes.clone()) });
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    let answer = response.headers_mut();
    answer.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    answer.insert(ETAG, tag.clone());
    answer.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
