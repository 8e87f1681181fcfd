//! What the clients of one thread have seen. The clients write, the run reads once a second.

use std::time::Duration;

use hdrhistogram::Histogram;

use crate::BenchError;
use crate::connection::Broken;
use crate::options::Operation;

/// Latencies are kept from a microsecond to half an hour.
const LATENCY_NANOS: (u64, u64) = (1_000, 1_800_000_000_000);
/// Three digits for the report, two for the seconds (a smaller histogram, made anew each second).
const DIGITS: u8 = 3;
const DIGITS_OF_A_SECOND: u8 = 2;
/// Samples kept of each kind of failure, and how much of each.
const SAMPLES_MAX: usize = 3;
const SAMPLE_BYTES_MAX: usize = 400;
/// More kinds of failure than this share one row.
const FAULTS_MAX: usize = 100;

/// Latencies in nanoseconds.
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    pub(crate) fn exact() -> Result<Self, BenchError> {
        Self::with_digits(DIGITS)
    }

    pub(crate) fn of_a_second() -> Result<Self, BenchError> {
        Self::with_digits(DIGITS_OF_A_SECOND)
    }

    fn with_digits(digits: u8) -> Result<Self, BenchError> {
        let (low, high) = LATENCY_NANOS;
        match Histogram::new_with_bounds(low, high, digits) {
            Ok(histogram) => Ok(Self(histogram)),
            Err(error) => Err(BenchError::Histogram(error.to_string())),
        }
    }

    fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    pub(crate) fn add(&mut self, other: &Self) -> Result<(), BenchError> {
        self.0.add(&other.0).map_err(|error| BenchError::Histogram(error.to_string()))
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }

    pub(crate) fn quantile(&self, quantile: f64) -> Duration {
        Duration::from_nanos(self.0.value_at_quantile(quantile))
    }

    pub(crate) fn max(&self) -> Duration {
        Duration::from_nanos(self.0.max())
    }
}

/// The answers of one operation inside the measured window.
pub(crate) struct Tally {
    pub(crate) operation: Operation,
    /// Of every answer, good or bad.
    pub(crate) latencies: Latencies,
    pub(crate) failed: u64,
}

/// One kind of bad answer, over the whole run.
pub(crate) struct Fault {
    pub(crate) operation: Operation,
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) count: u64,
    pub(crate) samples: Vec<String>,
}

/// What has come since the run last looked.
pub(crate) struct Interval {
    pub(crate) latencies: Latencies,
    pub(crate) failed: u64,
}

impl Interval {
    pub(crate) fn clear(&mut self) {
        self.latencies.0.reset();
        self.failed = 0;
    }
}

/// Counts over the whole run, prefill and warm-up included.
#[derive(Default, Clone, Copy)]
pub(crate) struct Totals {
    pub(crate) answers: u64,
    pub(crate) failed: u64,
    pub(crate) retries: u64,
    pub(crate) unanswered: u64,
    pub(crate) connections: u64,
}

impl Totals {
    pub(crate) fn add(&mut self, other: Self) {
        self.answers += other.answers;
        self.failed += other.failed;
        self.retries += other.retries;
        self.unanswered += other.unanswered;
        self.connections += other.connections;
    }
}

/// See the head of the file.
pub(crate) struct Recorder {
    pub(crate) tallies: Vec<Tally>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) broken: Vec<(Broken, u64)>,
    pub(crate) totals: Totals,
    interval: Interval,
}

impl Recorder {
    pub(crate) fn new() -> Result<Self, BenchError> {
        let tally = |operation| Ok(Tally { operation, latencies: Latencies::exact()?, failed: 0 });
        Ok(Self {
            tallies: Operation::ALL.into_iter().map(tally).collect::<Result<_, BenchError>>()?,
            faults: Vec::new(),
            broken: Vec::new(),
            totals: Totals::default(),
            interval: Interval { latencies: Latencies::of_a_second()?, failed: 0 },
        })
    }

    /// An answer. `measured` says that its request began inside the window.
    pub(crate) fn answered(&mut self, operation: Operation, latency: Duration, measured: bool, good: bool) {
        let failed = u64::from(!good);
        self.totals.answers += 1;
        self.totals.failed += failed;
        self.interval.latencies.record(latency);
        self.interval.failed += failed;
        if measured && let Some(tally) = self.tallies.iter_mut().find(|tally| tally.operation == operation) {
            tally.latencies.record(latency);
            tally.failed += failed;
        }
    }

    /// Why an answer was bad, with its body as a sample.
    pub(crate) fn fault(&mut self, operation: Operation, status: u16, code: &str, body: &[u8]) {
        let place = self.place(operation, status, code);
        if let Some(fault) = self.faults.get_mut(place) {
            fault.count += 1;
            if fault.samples.len() < SAMPLES_MAX {
                let cut = body.get(..SAMPLE_BYTES_MAX).unwrap_or(body);
                fault.samples.push(String::from_utf8_lossy(cut).into_owned());
            }
        }
    }

    /// The row of a kind of bad answer, made if it is new.
    fn place(&mut self, operation: Operation, status: u16, code: &str) -> usize {
        let known =
            |fault: &Fault| fault.operation == operation && fault.status == status && fault.code == code;
        self.faults.iter().position(known).unwrap_or_else(|| {
            if self.faults.len() < FAULTS_MAX {
                let fault = Fault { operation, status, code: code.to_owned(), count: 0, samples: Vec::new() };
                self.faults.push(fault);
            }
            self.faults.len() - 1
        })
    }

    /// A send that got no answer.
    pub(crate) fn broke(&mut self, broken: Broken) {
        self.broke_often(broken, 1);
    }

    fn broke_often(&mut self, broken: Broken, times: u64) {
        match self.broken.iter_mut().find(|(known, _)| *known == broken) {
            Some((_, count)) => *count += times,
            None => self.broken.push((broken, times)),
        }
    }

    /// Moves what has come since the last call into `into`, which it adds to.
    pub(crate) fn take_interval(&mut self, into: &mut Interval) -> Result<(), BenchError> {
        into.latencies.add(&self.interval.latencies)?;
        into.failed += self.interval.failed;
        self.interval.clear();
        Ok(())
    }

    /// Adds what the clients of another thread have seen.
    pub(crate) fn absorb(&mut self, other: &Self) -> Result<(), BenchError> {
        for (mine, theirs) in self.tallies.iter_mut().zip(&other.tallies) {
            mine.latencies.add(&theirs.latencies)?;
            mine.failed += theirs.failed;
        }
        for fault in &other.faults {
            let place = self.place(fault.operation, fault.status, &fault.code);
            if let Some(mine) = self.faults.get_mut(place) {
                mine.count += fault.count;
                let room = SAMPLES_MAX.saturating_sub(mine.samples.len());
                mine.samples.extend(fault.samples.iter().take(room).cloned());
            }
        }
        for (broken, count) in &other.broken {
            self.broke_often(*broken, *count);
        }
        self.totals.add(other.totals);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    #[test]
    fn the_window_counts_its_own_and_the_totals_count_all() {
        let mut recorder = Recorder::new().unwrap();
        recorder.answered(Operation::Create, Duration::from_millis(9), false, true);
        for millis in 1..=100 {
            recorder.answered(Operation::Create, Duration::from_millis(millis), true, millis != 7);
        }
        let create = recorder.tallies.first().unwrap();
        assert_eq!((create.latencies.count(), create.failed), (100, 1));
        let p99 = create.latencies.quantile(0.99);
        assert!(p99.abs_diff(Duration::from_millis(99)) < Duration::from_micros(100), "{p99:?}");
        assert_eq!((recorder.totals.answers, recorder.totals.failed), (101, 1));

        let mut interval = Interval { latencies: Latencies::of_a_second().unwrap(), failed: 0 };
        recorder.take_interval(&mut interval).unwrap();
        recorder.take_interval(&mut interval).unwrap();
        assert_eq!((interval.latencies.count(), interval.failed), (101, 1));
    }

    #[test]
    fn faults_are_counted_by_kind_with_their_first_samples() {
        let mut recorder = Recorder::new().unwrap();
        for number in 0..5 {
            recorder.fault(Operation::Create, 402, "card_declined", format!("body {number}").as_bytes());
        }
        recorder.fault(Operation::Refund, 402, "card_declined", &[b'x'; 5_000]);
        let shown: Vec<(u64, usize)> =
            recorder.faults.iter().map(|fault| (fault.count, fault.samples.len())).collect();
        assert_eq!(shown, [(5, 3), (1, 1)]);
        assert_eq!(recorder.faults.last().unwrap().samples.first().unwrap().len(), SAMPLE_BYTES_MAX);
        for number in 0..200 {
            recorder.fault(Operation::Get, 500, &number.to_string(), b"");
        }
        assert_eq!(recorder.faults.len(), FAULTS_MAX);
        assert_eq!(recorder.faults.iter().map(|fault| fault.count).sum::<u64>(), 206);
    }
}
