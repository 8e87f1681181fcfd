//! Reading a body: limited in size and in time, declared as JSON where that is what is expected.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use bytes::Bytes;
use futures_util::future::{Either, select};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body as _;
use kernel::Clock;

use crate::problem::{Problem, catalogue as code};

/// The largest body of an API request.
pub(crate) const API_BYTES_MAX: usize = 256 * 1024;
/// The largest body of a provider's notice.
pub(crate) const NOTICE_BYTES_MAX: usize = 1024 * 1024;

/// Reads the whole body. A body that came in one piece is not copied.
/// Refuses one that is too large or takes too long.
pub(crate) async fn read(
    body: Body,
    bytes_max: usize,
    within: Duration,
    clock: &dyn Clock,
) -> Result<Bytes, Problem> {
    let too_large =
        || Problem::new(&code::BODY_TOO_LARGE, format!("The body has more than {} KiB.", bytes_max / 1024));
    let hint = body.size_hint();
    if usize::try_from(hint.lower()).map_or(true, |bytes| bytes > bytes_max) {
        return Err(too_large());
    }
    if hint.exact() == Some(0) {
        return Ok(Bytes::new());
    }
    let mut reading = pin!(Limited::new(body, bytes_max).collect());
    // Nearly every body is there already: the timer is only made for those that are not.
    let collected = match futures_util::poll!(&mut reading) {
        std::task::Poll::Ready(collected) => collected,
        std::task::Poll::Pending => match select(reading, clock.sleep(within)).await {
            Either::Left((collected, _)) => collected,
            Either::Right(_) => return Err(Problem::plain(&code::REQUEST_TIMEOUT)),
        },
    };
    match collected {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(Problem::new(&code::INVALID_REQUEST, "The body broke off.")),
    }
}

/// Refuses a body that says to be something else than JSON in UTF-8, uncompressed.
pub(crate) fn check_is_json(headers: &HeaderMap) -> Result<(), Problem> {
    let refused = |detail| Err(Problem::new(&code::UNSUPPORTED_MEDIA_TYPE, detail));
    if headers.get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return refused("Send the body without `Content-Encoding`.");
    }
    let Some(declared) = headers.get(CONTENT_TYPE) else { return Ok(()) };
    let Ok(declared) = declared.to_str() else {
        return refused("`Content-Type` must be `application/json`.");
    };
    let mut parts = declared.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let is_json = essence.eq_ignore_ascii_case("application/json")
        || essence.rsplit_once('+').is_some_and(|(_, suffix)| suffix.eq_ignore_ascii_case("json"));
    if !is_json {
        return refused("`Content-Type` must be `application/json`.");
    }
    let mut charsets = parts.filter_map(|part| part.split_once('=')).filter(|(name, _)| *name == "charset");
    if charsets.all(|(_, charset)| charset.trim_matches('"').eq_ignore_ascii_case("utf-8")) {
        return Ok(());
    }
    refused("JSON is UTF-8; leave out `charset`.")
}
