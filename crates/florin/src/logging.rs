//! Logs: on standard error, for people on a terminal and as JSON elsewhere.

use std::io;
use std::panic::PanicHookInfo;

use node::config::{LogConfig, LogFormat, LogLevel};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::output;

/// Sends what the process logs, its panics included, to standard error. Call it once.
pub(crate) fn begin(config: LogConfig) {
    let level = match config.level {
        LogLevel::Off => LevelFilter::OFF,
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let is_json = match config.format {
        LogFormat::Auto => !output::is_watched(),
        LogFormat::Human => false,
        LogFormat::Json => true,
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).with_target(false);
    let layer = if is_json {
        layer.json().flatten_event(true).with_current_span(false).with_span_list(false).boxed()
    } else {
        layer.with_ansi(output::is_watched()).boxed()
    };
    // A second call finds a subscriber in place, which is as good.
    let _ = tracing_subscriber::registry().with(layer.with_filter(level)).try_init();
    std::panic::set_hook(Box::new(log_panic));
}

/// Where, and not what: the text of a panic can quote what it was working on.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(location, "panicked");
}
