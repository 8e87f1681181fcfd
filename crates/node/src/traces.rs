//! Traces: spans of `tracing` sent to an OpenTelemetry collector by OTLP over HTTP, in protobuf.
//!
//! Without an endpoint nothing of this exists, and no span of [`TARGET`] is ever made. Contexts of
//! callers come in, and go out to providers, as W3C Trace Context.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use kernel::{
    Auth, BoxFuture, Clock, Credentials, Deadline, Effect, Exchange, Exchanged, Method, Monotonic, Request,
};
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Response};
use opentelemetry_otlp::{Protocol, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::{Layer, Registry};
use transport::{Settings, Transport};

use crate::StartError;
use crate::config::OtlpConfig;
use crate::mask::mask;
use crate::sampling::Choice;

/// The target of spans that are part of a trace.
pub const TARGET: &str = "florin::trace";
/// How long a collector may take over a batch.
const EXPORT_WITHIN: Duration = Duration::from_secs(10);

/// The traces of this process, until it ends.
#[derive(Debug)]
pub struct Traces {
    provider: SdkTracerProvider,
}

/// What must be part of the process's subscriber.
pub type TracesLayer = Box<dyn Layer<Registry> + Send + Sync>;

impl Traces {
    /// Begins to send traces if an endpoint is configured; answers what must be part of the process's
    /// subscriber. Call it outside of any runtime.
    pub fn begin(
        config: &OtlpConfig,
        clock: Arc<dyn Clock>,
    ) -> Result<Option<(Self, TracesLayer)>, StartError> {
        let Some(endpoint) = &config.endpoint else { return Ok(None) };
        let failed = |error: &dyn std::fmt::Display| StartError::Traces(error.to_string());
        let client = Client::new(clock).map_err(|error| failed(&error))?;
        let path = if endpoint.ends_with("/v1/traces") { "" } else { "/v1/traces" };
        let exporter = opentelemetry_otlp::SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(format!("{endpoint}{path}"))
            .with_timeout(EXPORT_WITHIN)
            .build()
            .map_err(|error| failed(&error))?;
        let provider = SdkTracerProvider::builder()
            .with_span_processor(BatchSpanProcessor::builder(Masking(exporter)).build())
            .with_sampler(Choice::new(config))
            .with_resource(
                Resource::builder()
                    .with_service_name("florin")
                    .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
                    .build(),
            )
            .build();
        let layer = tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("florin"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            .with_filter(filter_fn(|metadata| metadata.is_span() && metadata.target() == TARGET));
        Ok(Some((Self { provider }, Box::new(layer))))
    }

    /// Sends what is left. Call it outside of any runtime.
    pub fn end(self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the newest spans could not be sent");
        }
    }
}

/// Makes a request's span part of the caller's trace. Answers the trace's id if the span is traced.
pub fn adopt(span: &Span, traceparent: Option<&str>) -> Option<String> {
    if let Some(parent) = traceparent.and_then(remote) {
        // Refused for a span that is not traced.
        let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    }
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| context.trace_id().to_string())
}

/// The trace of a `traceparent` header, if it is a whole one.
pub fn trace_of(traceparent: &str) -> Option<String> {
    remote(traceparent).map(|context| context.trace_id().to_string())
}

/// The caller's context of a `traceparent` header, <https://www.w3.org/TR/trace-context/>.
fn remote(text: &str) -> Option<SpanContext> {
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    if !(is_hex(version, 2) && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2)) {
        return None;
    }
    let trace = TraceId::from_hex(trace).ok()?;
    let span = SpanId::from_hex(span).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()? & 1);
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    (version != "ff" && context.is_valid()).then_some(context)
}

/// The header that makes a callee part of this trace, if there is one.
fn traceparent() -> Option<String> {
    let context = Span::current().context();
    let context = context.span().span_context().clone();
    let flags = context.trace_flags().to_u8();
    context.is_valid().then(|| format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id()))
}

/// An exchange that tells providers which trace a request belongs to.
pub(crate) struct Traced(pub(crate) Arc<dyn Exchange>);

impl Exchange for Traced {
    fn exchange<'a>(
        &'a self,
        request: &'a Request,
        credentials: &'a Credentials,
        deadline: Deadline,
    ) -> BoxFuture<'a, Exchanged> {
        Box::pin(async move {
            let Some(header) = traceparent() else {
                return self.0.exchange(request, credentials, deadline).await;
            };
            let mut request = request.clone();
            request.headers.push(("traceparent".to_owned(), header));
            self.0.exchange(&request, credentials, deadline).await
        })
    }
}

/// Masks what spans carry, whoever put it there.
#[derive(Debug)]
struct Masking<E>(E);

impl<E: SpanExporter> SpanExporter for Masking<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        for attribute in batch.iter_mut().flat_map(|span| &mut span.attributes) {
            if let Value::String(text) = &attribute.value
                && let std::borrow::Cow::Owned(masked) = mask(text.as_str())
            {
                attribute.value = masked.into();
            }
        }
        self.0.export(batch).await
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.0.set_resource(resource);
    }
}

/// Sends batches through a transport of its own, on the thread of the batches and a runtime of its own:
/// a collector that hangs holds no payment up.
struct Client {
    clock: Arc<dyn Clock>,
    transport: Transport,
    runtime: tokio::runtime::Runtime,
}

impl Client {
    fn new(clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let transport = Transport::new(Settings::default(), Arc::clone(&clock), None);
        Ok(Self { clock, transport, runtime })
    }

    fn send(&self, request: opentelemetry_http::Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let headers = parts
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
        let request = Request {
            step: "traces",
            key: String::new(),
            effect: Effect::Repeatable,
            method: Method::Post,
            url: parts.uri.to_string(),
            headers: headers.collect(),
            body: body.to_vec(),
            auth: Auth::None,
            carries_card: false,
        };
        let deadline = Deadline {
            monotonic: Monotonic(self.clock.monotonic().0 + EXPORT_WITHIN),
            wall: self.clock.now().plus(EXPORT_WITHIN),
            reply_within: EXPORT_WITHIN,
        };
        let credentials = Credentials::default();
        match self.runtime.block_on(self.transport.exchange(&request, &credentials, deadline)) {
            Exchanged::Replied(reply) => {
                Ok(Response::builder().status(reply.status).body(Bytes::from(reply.body))?)
            }
            Exchanged::NotSent(reason) | Exchanged::MaybeSent(reason) => Err(reason.into()),
        }
    }
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl HttpClient for Client {
    fn send_bytes<'client, 'answer>(
        &'client self,
        request: opentelemetry_http::Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'answer>>
    where
        'client: 'answer,
        Self: 'answer,
    {
        // The thread is the batches' own and waits for nothing else.
        Box::pin(std::future::ready(self.send(request)))
    }
}
