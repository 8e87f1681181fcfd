//! What went wrong lately in this process: the warnings and errors of the log, masked like it, kept in
//! memory in a bounded number for `/monitoring/errors`.
//!
//! There is one of it for the process, as there is one log.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::{Clock, Timestamp};
use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::mask::mask;

/// How many are kept.
const KEPT: usize = 500;
/// The most that is kept of one text.
const TEXT_MAX: usize = 500;

static INCIDENTS: Mutex<VecDeque<Incident>> = Mutex::new(VecDeque::new());
static ERRORS: AtomicU64 = AtomicU64::new(0);
static WARNINGS: AtomicU64 = AtomicU64::new(0);

/// One line of the log that says that something went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// When.
    pub at: Timestamp,
    /// Whether it is an error, and not a warning.
    pub is_error: bool,
    /// What went wrong; the same words each time.
    pub message: String,
    /// Where in the code.
    pub place: String,
    /// What is said beside: ids and reasons, masked.
    pub fields: BTreeMap<&'static str, String>,
}

/// How often something went wrong since the process started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncidentCounts {
    /// Errors.
    pub errors: u64,
    /// Warnings.
    pub warnings: u64,
}

/// The newest, newest first.
pub fn recent() -> Vec<Incident> {
    INCIDENTS.lock().iter().rev().cloned().collect()
}

/// How many there were, those that are not kept any more included.
pub fn counts() -> IncidentCounts {
    IncidentCounts { errors: ERRORS.load(Ordering::Relaxed), warnings: WARNINGS.load(Ordering::Relaxed) }
}

/// What must be part of the process's subscriber. It keeps warnings and errors, and wants no span.
pub fn layer<S: Subscriber>(clock: Arc<dyn Clock>) -> impl Layer<S> + Send + Sync {
    Keeper(clock)
}

struct Keeper(Arc<dyn Clock>);

impl<S: Subscriber> Layer<S> for Keeper {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN {
            return;
        }
        let is_error = *metadata.level() == Level::ERROR;
        let counter = if is_error { &ERRORS } else { &WARNINGS };
        counter.fetch_add(1, Ordering::Relaxed);
        let mut said = Said::default();
        event.record(&mut said);
        let place = match (metadata.file(), metadata.line()) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            _ => metadata.target().to_owned(),
        };
        let incident =
            Incident { at: self.0.now(), is_error, message: said.message, place, fields: said.fields };
        let mut incidents = INCIDENTS.lock();
        if incidents.len() >= KEPT {
            incidents.pop_front();
        }
        incidents.push_back(incident);
    }
}

#[derive(Default)]
struct Said {
    message: String,
    fields: BTreeMap<&'static str, String>,
}

impl Said {
    fn keep(&mut self, field: &Field, text: &str) {
        let text: String = mask(text).chars().take(TEXT_MAX).collect();
        if field.name() == "message" {
            self.message = text;
        } else {
            self.fields.insert(field.name(), text);
        }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.keep(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn warnings_and_errors_are_kept_masked_and_bounded() {
        let clock = crate::host::ports().clock;
        let subscriber = tracing_subscriber::registry().with(layer(clock));
        let before = counts();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("not this one");
            tracing::error!(
                request_id = "req_1",
                reason = "card 4242424242424242 of jane@example.com",
                "it broke"
            );
            for _ in 0..KEPT {
                tracing::warn!(count = 7, "again");
            }
        });
        let kept = recent();
        assert_eq!(kept.len(), KEPT);
        assert!(kept.iter().all(|incident| !incident.is_error && incident.message == "again"));
        assert_eq!(
            kept.first().and_then(|incident| incident.fields.get("count")).map(String::as_str),
            Some("7")
        );
        let after = counts();
        assert_eq!((after.errors - before.errors, after.warnings - before.warnings), (1, KEPT as u64));
        let clock = crate::host::ports().clock;
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer(clock)), || {
            tracing::error!(reason = "card 4242424242424242 of jane@example.com", "it broke");
        });
        let newest = recent().into_iter().next();
        let of = |part: fn(&Incident) -> String| newest.as_ref().map(part).unwrap_or_default();
        assert_eq!(of(|newest| newest.message.clone()), "it broke");
        assert!(of(|newest| newest.place.clone()).contains("incidents.rs:"), "{newest:?}");
        let reason = of(|newest| newest.fields.get("reason").cloned().unwrap_or_default());
        assert_eq!(reason, "card **************** of ***");
    }
}
