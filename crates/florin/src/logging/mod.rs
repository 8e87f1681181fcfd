//! Logs: on standard error, for people on a terminal and as JSON elsewhere; and traces, if they go
//! anywhere. What leaves is masked, whoever wrote it.

mod json;

use std::io;
use std::panic::PanicHookInfo;
use std::sync::Arc;

use node::Traces;
use node::config::{Config, LogFormat, LogLevel};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer, Registry};

use crate::failure::Failure;
use crate::output;

/// Sends what the process logs, its panics included, to standard error, and its traces to the
/// configured collector. Call it once, and end what it answers last.
pub(crate) fn begin(config: &Config) -> Result<Option<Traces>, Failure> {
    let level = match config.log.level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let is_json = match config.log.format {
        LogFormat::Auto => !output::is_watched(),
        LogFormat::Human => false,
        LogFormat::Json => true,
    };
    let clock = node::host::ports().clock;
    let lines: Box<dyn Layer<Registry> + Send + Sync> = if is_json {
        Box::new(json::Lines::new(Arc::clone(&clock)))
    } else {
        let layer = tracing_subscriber::fmt::layer().with_writer(Masked).with_target(false);
        Box::new(layer.with_ansi(output::is_watched()))
    };
    let incidents = node::incidents::layer(Arc::clone(&clock));
    let (traces, spans) = Traces::begin(&config.otlp, clock)?.unzip();
    // A second call finds a subscriber in place, which is as good.
    let _ = match spans {
        // What each of two wants has to be remembered for every span and line; what one wants, has not.
        Some(spans) => {
            let incidents = incidents.with_filter(LevelFilter::WARN).boxed();
            let layers = vec![lines.with_filter(level).boxed(), incidents, spans];
            tracing_subscriber::registry().with(layers).try_init()
        }
        None => {
            // What is not logged is no incident either: with one level for both nothing else is made.
            tracing_subscriber::registry().with(lines.and_then(incidents).and_then(level)).try_init()
        }
    };
    std::panic::set_hook(Box::new(log_panic));
    Ok(traces)
}

/// Where, and not what: the text of a panic can quote what it was working on.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(location, "panicked");
}

/// Standard error behind the mask. A line comes as one write.
#[derive(Clone, Copy, Debug)]
struct Masked;

impl io::Write for Masked {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        io::stderr().lock().write_all(node::mask(&text).as_bytes())?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for Masked {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        *self
    }
}
