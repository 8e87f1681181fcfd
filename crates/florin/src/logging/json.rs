//! One JSON object a line: `timestamp`, `level`, `message`, then the event's own fields, then the
//! request and the trace that it belongs to.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;
use std::sync::Arc;

use kernel::Clock;
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
        let mut line = Line::begin(&self.clock.now().to_string(), event.metadata().level().as_str());
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
        let _ = std::io::stderr().lock().write_all(line.end().as_bytes());
    }
}

/// A line in the making.
struct Line {
    text: String,
    names: Vec<&'static str>,
}

impl Line {
    fn begin(timestamp: &str, level: &str) -> Self {
        Self { text: format!("{{\"timestamp\":\"{timestamp}\",\"level\":\"{level}\""), names: Vec::new() }
    }

    fn has(&self, name: &str) -> bool {
        self.names.contains(&name)
    }

    fn text(&mut self, name: &'static str, value: &str) {
        // A text can always be written as JSON.
        self.raw(name, &serde_json::to_string(&mask(value)).unwrap_or_default());
    }

    /// A number, which could be that of a card.
    fn number(&mut self, name: &'static str, value: &str) {
        match mask(value) {
            Cow::Borrowed(_) => self.raw(name, value),
            Cow::Owned(masked) => self.raw(name, &format!("\"{masked}\"")),
        }
    }

    fn raw(&mut self, name: &'static str, json: &str) {
        self.names.push(name);
        self.text.extend([",\"", name, "\":", json]);
    }

    fn end(mut self) -> String {
        self.text.push_str("}\n");
        self.text
    }
}

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.raw(field.name(), if value { "true" } else { "false" });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.number(field.name(), &value.to_string());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.number(field.name(), &value.to_string());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field.name(), &format!("{value:?}"));
    }
}
