//! What a measurement says of the machine that it was made on.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use kernel::Clock;
use serde_json::{Value, json};

const FLUSHES: usize = 100;
const BLOCK: [u8; 4096] = [0x5a; 4096];

/// The facts that a rate of durable payments depends on.
#[derive(Debug)]
pub(crate) struct Machine {
    cores: usize,
    flush_median: Option<Duration>,
    flush_p99: Option<Duration>,
}

impl Machine {
    /// Counts the cores and times `fdatasync` of one block in `folder`.
    pub(crate) fn look(folder: &Path, clock: &dyn Clock) -> Self {
        let mut flushes = time_flushes(folder, clock).unwrap_or_default();
        flushes.sort_unstable();
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            flush_median: flushes.get(flushes.len() / 2).copied(),
            flush_p99: flushes.get(flushes.len() * 99 / 100).copied(),
        }
    }

    /// For `--json`.
    pub(crate) fn to_json(&self) -> Value {
        let micros = |length: Option<Duration>| length.map(|length| length.as_micros());
        json!({
            "cores": self.cores,
            "fdatasync_median_us": micros(self.flush_median).map(|us| us.to_string().parse::<u64>().ok()),
            "fdatasync_p99_us": micros(self.flush_p99).map(|us| us.to_string().parse::<u64>().ok()),
        })
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cores", self.cores)?;
        if let (Some(median), Some(p99)) = (self.flush_median, self.flush_p99) {
            write!(f, ", fdatasync {median:.1?} (p99 {p99:.1?})")?;
        }
        Ok(())
    }
}

fn time_flushes(folder: &Path, clock: &dyn Clock) -> io::Result<Vec<Duration>> {
    let path = folder.join("fdatasync.probe");
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
    let timed = flush_often(file, clock);
    std::fs::remove_file(&path)?;
    timed
}

/// Each flush overwrites the same block, as a write-ahead log overwrites its own pages.
fn flush_often(mut file: File, clock: &dyn Clock) -> io::Result<Vec<Duration>> {
    let mut lengths = Vec::with_capacity(FLUSHES);
    for _ in 0..FLUSHES {
        file.rewind()?;
        file.write_all(&BLOCK)?;
        let before = clock.monotonic();
        file.sync_data()?;
        lengths.push(clock.monotonic().0.saturating_sub(before.0));
    }
    Ok(lengths)
}
