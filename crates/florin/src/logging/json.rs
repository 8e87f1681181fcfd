//! One JSON object a line: `timestamp`, `level`, `message`, then the event's own fields, then the
//! request and the trace that it belongs to.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;
use std::sync::Arc;

use kernel::{Clock, Timestamp};
use node::mask;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// Fields of a request's span that each of its lines has.
const OF_SPANS: [&str; 2] = ["request_id", "trace_id"];

/// Writes the lines.
pub(super) struct Lines {
    clock: Arc<dyn Clock>,
}

impl Lines {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

/// What a span hands to the lines within it.
#[derive(Default)]
struct Belongs(Vec<(&'static str, String)>);

impl Visit for Belongs {
    fn record_str(&mut self, field: &Field, value: &str) {
        if OF_SPANS.contains(&field.name()) {
            self.0.retain(|(name, _)| *name != field.name());
            self.0.push((field.name(), value.to_owned()));
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut belongs = Belongs::default();
        attributes.record(&mut belongs);
        if let Some(span) = context.span(id).filter(|_| !belongs.0.is_empty()) {
            span.extensions_mut().insert(belongs);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        if let Some(belongs) = extensions.get_mut::<Belongs>() {
            values.record(belongs);
        } else {
            let mut belongs = Belongs::default();
            values.record(&mut belongs);
            extensions.insert(belongs);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut line = Line::begin(self.clock.now(), event.metadata().level().as_str());
        event.record(&mut line);
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(belongs) = span.extensions().get::<Belongs>() {
                for (name, value) in &belongs.0 {
                    if !line.has(name) {
                        line.text(name, value);
                    }
                }
            }
        }
        // Whoever reads it may be gone: that ends no payment.
        let _ = std::io::stderr().lock().write_all(line.end());
    }
}

/// Longer than nearly every line.
const LINE: usize = 512;

/// A line in the making.
struct Line {
    bytes: Vec<u8>,
    names: Vec<&'static str>,
}

impl Line {
    fn begin(at: Timestamp, level: &str) -> Self {
        let mut line = Self { bytes: Vec::with_capacity(LINE), names: Vec::with_capacity(8) };
        let _ = write!(line.bytes, "{{\"timestamp\":\"{at}\",\"level\":\"{level}\"");
        line
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(&name)
    }

    fn text(&mut self, name: &'static str, value: &str) {
        self.name(name);
        // A text can always be written as JSON.
        let _ = serde_json::to_writer(&mut self.bytes, mask(value).as_ref());
    }

    /// A number, which could be that of a card.
    fn number(&mut self, name: &'static str, value: impl fmt::Display) {
        self.name(name);
        let from = self.bytes.len();
        let _ = write!(self.bytes, "{value}");
        let written = self.bytes.get(from..).and_then(|bytes| std::str::from_utf8(bytes).ok());
        if let Cow::Owned(masked) = mask(written.unwrap_or_default()) {
            self.bytes.truncate(from);
            let _ = write!(self.bytes, "\"{masked}\"");
        }
    }

    fn name(&mut self, name: &'static str) {
        self.names.push(name);
        for part in [",\"", name, "\":"] {
            self.bytes.extend_from_slice(part.as_bytes());
        }
    }

    fn end(&mut self) -> &[u8] {
        self.bytes.extend_from_slice(b"}\n");
        &self.bytes
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.name(field.name());
        let _ = write!(self.bytes, "{value}");
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field.name(), value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field.name(), &format!("{value:?}"));
    }
}
