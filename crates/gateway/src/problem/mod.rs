//! Error answers: problem documents (RFC 9457), each made from an entry of the catalogue.

pub mod catalogue;
mod refusal;
mod refusal_of_keys;

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use limits::Verdict;
use payments::LastError;
use provider_kit::Advice;
use schemars::JsonSchema;
use serde::Serialize;

pub use catalogue::{CATALOGUE, Entry};
pub use refusal::from_payments;
pub(crate) use refusal::not_found;
pub use refusal_of_keys::from_identity;

use crate::quota;

/// Says that an answer was given before under the same idempotency key.
pub const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Where a problem is, and what else is known of it. Boxed, because answers are rarely problems.
#[derive(Clone, Debug)]
pub struct Problem(Box<Details>);

#[derive(Clone, Debug)]
struct Details {
    entry: &'static Entry,
    detail: Cow<'static, str>,
    param: Option<String>,
    line_and_column: Option<(usize, usize)>,
    declined: Option<LastError>,
    retry_after_seconds: Option<u32>,
    payment_id: Option<String>,
    refund_id: Option<String>,
    replayed: bool,
    quota: Option<Verdict>,
    for_the_log: Option<String>,
}

/// The members of the document, in the order in which people read them.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(crate) struct Document<'a> {
    /// Where the code is explained.
    #[serde(rename = "type")]
    kind: String,
    /// The same for every occurrence of the code.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// This occurrence, in words.
    detail: &'a str,
    /// The code, for programs.
    code: &'a str,
    /// The field (JSON pointer), query parameter or header.
    #[serde(skip_serializing_if = "Option::is_none")]
    param: Option<&'a str>,
    /// Where the body is broken.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<usize>,
    /// Where the body is broken, in characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
    /// Why the issuer declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<&'a str>,
    /// The network's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    network_code: Option<&'a str>,
    /// What to do after a decline.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<crate::openapi::form::AdviceWord>")]
    advice: Option<Advice>,
    /// Whether the same request may succeed later.
    retryable: bool,
    /// The payment that exists nevertheless.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<&'a str>,
    /// The refund that exists nevertheless.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_id: Option<&'a str>,
    /// Name it when you ask for help: the log has it.
    request_id: &'a str,
}

impl Problem {
    /// With words for this occurrence. They may name fields and quote what is harmless, never more.
    pub fn new(entry: &'static Entry, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Details {
            entry,
            detail: detail.into(),
            param: None,
            line_and_column: None,
            declined: None,
            retry_after_seconds: None,
            payment_id: None,
            refund_id: None,
            replayed: false,
            quota: None,
            for_the_log: None,
        }))
    }

    /// With the title's words alone.
    pub fn plain(entry: &'static Entry) -> Self {
        Self::new(entry, entry.cause)
    }

    /// A 500. The reason goes to the log, never into the answer.
    pub fn internal(reason: impl Into<String>) -> Self {
        let mut problem =
            Self::new(&catalogue::INTERNAL, "The request failed for a reason that is in the server's log.");
        problem.0.for_the_log = Some(reason.into());
        problem
    }

    /// Names the field (JSON pointer), query parameter or header.
    #[must_use]
    pub fn at(mut self, param: impl Into<String>) -> Self {
        self.0.param = Some(param.into());
        self
    }

    /// Names the place in the body.
    #[must_use]
    pub fn on_line(mut self, line: usize, column: usize) -> Self {
        self.0.line_and_column = Some((line, column));
        self
    }

    /// Asks the caller to wait.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    /// Adds what a provider decided.
    #[must_use]
    pub fn declined(mut self, error: LastError) -> Self {
        self.0.declined = Some(error);
        self
    }

    /// Names the objects that exist nevertheless.
    #[must_use]
    pub fn about(mut self, payment_id: String, refund_id: Option<String>) -> Self {
        self.0.payment_id = Some(payment_id);
        self.0.refund_id = refund_id;
        self
    }

    /// Marks a stored answer that is given again.
    #[must_use]
    pub fn replayed(mut self, replayed: bool) -> Self {
        self.0.replayed = replayed;
        self
    }

    /// Says what is left of the limit that refused.
    #[must_use]
    pub(crate) fn quota(mut self, quota: Verdict) -> Self {
        self.0.quota = Some(quota);
        self
    }

    /// Says what is left of the key's limit, unless another limit refused.
    #[must_use]
    pub(crate) fn quota_of(mut self, quota: Option<Verdict>) -> Self {
        self.0.quota = self.0.quota.or(quota);
        self
    }

    /// Keeps words for the log.
    #[must_use]
    pub fn log(mut self, reason: impl Into<String>) -> Self {
        self.0.for_the_log = Some(reason.into());
        self
    }

    /// The catalogue's entry.
    pub fn entry(&self) -> &'static Entry {
        self.0.entry
    }

    /// The words for this occurrence.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The named field, parameter or header.
    pub fn param(&self) -> Option<&str> {
        self.0.param.as_deref()
    }

    /// Puts the problem into an answer that the outermost layer will render: it knows the request's id.
    pub fn into_answer(self) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() =
            StatusCode::from_u16(self.0.entry.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.extensions_mut().insert(self);
        response
    }

    /// The document and its headers.
    pub fn render(&self, request_id: &str, trace_id: &str) -> Response {
        let details = &*self.0;
        let status = StatusCode::from_u16(details.entry.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = Response::new(Body::from(self.document(request_id)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"florin\""));
        }
        if let Some(seconds) = details.retry_after_seconds {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(quota) = &details.quota {
            quota::write(quota, headers);
        }
        if details.replayed {
            headers.insert(IDEMPOTENT_REPLAYED, HeaderValue::from_static("true"));
        }
        self.write_log(request_id, trace_id);
        response
    }

    /// The document as JSON.
    pub fn document(&self, request_id: &str) -> Vec<u8> {
        let details = &*self.0;
        let declined = details.declined.as_ref();
        let advice = declined.and_then(|error| error.advice);
        let document = Document {
            kind: format!("/docs/errors#{}", details.entry.code),
            title: details.entry.title,
            status: details.entry.status,
            detail: &details.detail,
            code: details.entry.code,
            param: details.param.as_deref(),
            line: details.line_and_column.map(|(line, _)| line),
            column: details.line_and_column.map(|(_, column)| column),
            decline_code: declined.and_then(|error| error.decline_code.as_deref()),
            network_code: declined.and_then(|error| error.network_code.as_deref()),
            advice,
            retryable: match advice {
                Some(Advice::RetryNow | Advice::RetryLater) => true,
                Some(Advice::OtherMethod | Advice::Never) => false,
                None => details.entry.retryable,
            },
            payment_id: details.payment_id.as_deref(),
            refund_id: details.refund_id.as_deref(),
            request_id,
        };
        serde_json::to_vec(&document).unwrap_or_default()
    }

    fn write_log(&self, request_id: &str, trace_id: &str) {
        let (code, reason) = (self.0.entry.code, self.0.for_the_log.as_deref().unwrap_or_default());
        if self.0.entry.status >= 500 {
            tracing::error!(request_id, trace_id, code, reason, "request failed");
        } else {
            tracing::debug!(request_id, code, reason, "request refused");
        }
    }
}
