//! A run from its options to its report: the threads, the phases, and the look at the recorders once a
//! second.

use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::runtime;
use tokio::task::JoinSet;

use crate::client::{Client, Route, Shared, Window};
use crate::clock;
use crate::journal::Journal;
use crate::options::{Options, Stop};
use crate::progress::{Phase, Progress};
use crate::recorder::{Interval, Latencies, Recorder, Totals};
use crate::report::{Ended, Facts, Report, SecondReport, milliseconds, per_second};
use crate::request::Script;
use crate::{BenchError, Target};

/// How often the run looks at its recorders.
const TICK: Duration = Duration::from_secs(1);

/// Runs the load and says what came of it. It blocks the calling thread until the run is over (call it
/// from a thread of its own inside of an async program) and calls `progress` about once a second on it.
/// Bad answers and lost connections are part of the report; an error means that there is nothing to
/// report.
pub fn run(options: &Options, progress: impl FnMut(&Progress)) -> Result<Report, BenchError> {
    options.check()?;
    let run_id = format!("{:x}", clock::run_id());
    let crew = Crew::hire(options, &run_id)?;
    Watch::new(crew, options.stop.clone(), progress)?.run(options, run_id)
}

/// What a thread of clients says to the run, twice: when its clients are ready, and when they are done.
/// The time is what they cost on a processor in between, where the system tells.
type Signal = Result<Option<Duration>, BenchError>;

/// One thread of clients.
struct Hand {
    recorder: Arc<Mutex<Recorder>>,
    begin: Sender<Window>,
    thread: JoinHandle<()>,
}

/// All threads of clients. Dropping the senders of the window sends home who still waits for it.
struct Crew {
    hands: Vec<Hand>,
    signals: Receiver<Signal>,
}

impl Crew {
    fn hire(options: &Options, run_id: &str) -> Result<Self, BenchError> {
        let routes: Vec<Arc<Route>> =
            options.targets.iter().map(|target| route(target, options)).collect::<Result<_, _>>()?;
        let journal = options.journal.as_deref().map(Journal::open).transpose()?.map(Arc::new);
        let (signal, signals) = channel();
        let mut hands = Vec::with_capacity(options.threads);
        for thread in 0..options.threads {
            let recorder = Arc::new(Mutex::new(Recorder::new()?));
            let shared =
                Shared { recorder: recorder.clone(), journal: journal.clone(), stop: options.stop.clone() };
            let clients: Vec<Client> = (0..options.concurrency)
                .zip(routes.iter().cycle())
                .skip(thread)
                .step_by(options.threads)
                .map(|(number, route)| Client::new(number, run_id, route.clone(), shared.clone(), options))
                .collect();
            let (begin, window) = channel();
            let shift = Shift {
                prefill: options.prefill_per_client(),
                stop_on_error: options.stop_on_error,
                window,
                signal: signal.clone(),
            };
            let thread = Builder::new()
                .name(format!("bench-{thread}"))
                .spawn(move || shift.work(clients))
                .map_err(BenchError::Thread)?;
            hands.push(Hand { recorder, begin, thread });
        }
        Ok(Self { hands, signals })
    }
}

fn route(target: &Target, options: &Options) -> Result<Arc<Route>, BenchError> {
    let name = target.to_string();
    match target.address().to_socket_addrs() {
        Ok(found) => {
            Ok(Arc::new(Route { name, addresses: found.collect(), script: Script::new(target, options) }))
        }
        Err(source) => Err(BenchError::Resolve { target: name, source }),
    }
}

/// What one thread does: prepare its clients, wait for the others, run.
struct Shift {
    prefill: usize,
    stop_on_error: bool,
    window: Receiver<Window>,
    signal: Sender<Signal>,
}

impl Shift {
    fn work(self, clients: Vec<Client>) {
        // A run that has ended does not listen any more, and then nobody misses the signal.
        let say = |signal| drop(self.signal.send(signal));
        let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => return say(Err(BenchError::Thread(error))),
        };
        let clients = match runtime.block_on(self.prepare(clients)) {
            Ok(clients) => clients,
            Err(error) => return say(Err(error)),
        };
        say(Ok(None));
        // There is no window when another thread could not prepare its clients.
        if let Ok(window) = self.window.recv() {
            let before = clock::thread_cpu();
            let done = runtime.block_on(self.drive(clients, window));
            let cost = before.zip(clock::thread_cpu()).map(|(before, after)| after.saturating_sub(before));
            say(done.map(|()| cost));
        }
    }

    async fn prepare(&self, clients: Vec<Client>) -> Result<Vec<Client>, BenchError> {
        let prefill = self.prefill;
        let mut preparing = JoinSet::new();
        for mut client in clients {
            preparing.spawn(async move { client.prepare(prefill).await.map(|()| client) });
        }
        let mut ready = Vec::with_capacity(preparing.len());
        while let Some(joined) = preparing.join_next().await {
            ready.push(joined.map_err(|_| BenchError::Died)??);
        }
        Ok(ready)
    }

    async fn drive(&self, clients: Vec<Client>, window: Window) -> Result<(), BenchError> {
        let mut running = JoinSet::new();
        for client in clients {
            running.spawn(client.run(window, self.stop_on_error));
        }
        while let Some(joined) = running.join_next().await {
            joined.map_err(|_| BenchError::Died)??;
        }
        Ok(())
    }
}

/// The run's own view: it reads the recorders and reports progress.
struct Watch<F> {
    crew: Crew,
    stop: Stop,
    progress: F,
    began_at: Instant,
    /// Set when the clients are let go.
    window: Option<Window>,
    looked_at: Instant,
    interval: Interval,
    seconds: Vec<SecondReport>,
}

impl<F: FnMut(&Progress)> Watch<F> {
    fn new(crew: Crew, stop: Stop, progress: F) -> Result<Self, BenchError> {
        let interval = Interval { latencies: Latencies::of_a_second()?, failed: 0 };
        let now = clock::now();
        let seconds = Vec::new();
        Ok(Self { crew, stop, progress, began_at: now, window: None, looked_at: now, interval, seconds })
    }

    fn run(mut self, options: &Options, run_id: String) -> Result<Report, BenchError> {
        let finished = self.work(options);
        // Also after an error every thread is sent home before the caller hears of it.
        let Self { crew: Crew { hands, .. }, stop, seconds, window, looked_at, .. } = self;
        let mut recorders = Vec::with_capacity(hands.len());
        for Hand { recorder, begin, thread } in hands {
            drop(begin);
            thread.join().map_err(|_| BenchError::Died)?;
            recorders.push(recorder);
        }
        let (answers_before, client_cpu) = finished?;
        let mut all = Recorder::new()?;
        for recorder in recorders {
            all.absorb(&recorder.lock())?;
        }
        let measured = window.map_or(Duration::ZERO, |window| {
            looked_at.min(window.end).saturating_duration_since(window.measure_from)
        });
        let ended = if stop.is_asked() { Ended::Stopped } else { Ended::Finished };
        let answers = all.totals.answers - answers_before;
        let client_cpu_micros_per_answer = client_cpu
            .and_then(|cost| cost.checked_div(u32::try_from(answers).ok()?))
            .map(|cost| cost.div_duration_f64(Duration::from_micros(1)));
        Report::of(options, Facts { run_id, ended, measured, seconds, client_cpu_micros_per_answer }, &all)
    }

    /// Both phases of the threads' work: how many answers came before the clients were let go, and what
    /// the clients cost from then on.
    fn work(&mut self, options: &Options) -> Result<(u64, Option<Duration>), BenchError> {
        self.await_all()?;
        let answers_before = self.totals().answers;
        let now = clock::now();
        let measure_from = now + options.warm_up;
        let end = measure_from + options.duration;
        let window = Window { measure_from, end, give_up_at: end + options.drain };
        (self.began_at, self.window, self.looked_at) = (now, Some(window), now);
        for hand in &self.crew.hands {
            hand.begin.send(window).map_err(|_| BenchError::Died)?;
        }
        let cost = self.await_all()?;
        self.look(clock::now())?;
        Ok((answers_before, cost))
    }

    /// Waits for one signal of each thread, and looks at the recorders meanwhile. The first error stops
    /// all threads.
    fn await_all(&mut self) -> Signal {
        let mut outcome: Signal = Ok(Some(Duration::ZERO));
        let mut missing = self.crew.hands.len();
        while missing > 0 {
            let now = clock::now();
            let patience = self.next_look(now).saturating_duration_since(now);
            match self.crew.signals.recv_timeout(patience) {
                Ok(signal) => {
                    missing -= 1;
                    if signal.is_err() {
                        self.stop.stop();
                    }
                    outcome = outcome.and_then(|sum| Ok(sum.zip(signal?).map(|(sum, cost)| sum + cost)));
                }
                Err(RecvTimeoutError::Timeout) => self.look(clock::now())?,
                Err(RecvTimeoutError::Disconnected) => return outcome.and(Err(BenchError::Died)),
            }
        }
        outcome
    }

    /// The phase at an instant, when it began and how long it is.
    fn phase(&self, now: Instant) -> (Phase, Instant, Duration) {
        match self.window {
            None => (Phase::Prefill, self.began_at, Duration::ZERO),
            Some(Window { measure_from, .. }) if now < measure_from => {
                (Phase::WarmUp, self.began_at, measure_from - self.began_at)
            }
            Some(Window { measure_from, end, .. }) if now < end => {
                (Phase::Measure, measure_from, end - measure_from)
            }
            Some(Window { end, give_up_at, .. }) => (Phase::Drain, end, give_up_at - end),
        }
    }

    /// The looks of the window are at its whole seconds. The one at its very end is left to the end of
    /// the run, which is milliseconds later: the last answers then belong to the last second.
    fn next_look(&self, now: Instant) -> Instant {
        match self.window {
            None => now + TICK,
            Some(Window { measure_from, .. }) if now < measure_from => measure_from.min(now + TICK),
            Some(Window { measure_from, end, .. }) => {
                let next = measure_from + Duration::from_secs((now - measure_from).as_secs() + 1);
                if next == end { end + TICK } else { next }
            }
        }
    }

    /// Takes what has come since the last look, keeps it if it belongs to the window, and reports
    /// progress.
    fn look(&mut self, now: Instant) -> Result<(), BenchError> {
        for hand in &self.crew.hands {
            hand.recorder.lock().take_interval(&mut self.interval)?;
        }
        let length = now - self.looked_at;
        let (answers, failed) = (self.interval.latencies.count(), self.interval.failed);
        let rate_per_second = per_second(answers - failed, length);
        let p99_ms = milliseconds(self.interval.latencies.quantile(0.99));
        if let Some(window) = self.window
            && self.looked_at >= window.measure_from
        {
            self.seconds.push(SecondReport {
                from_seconds: whole_millis(self.looked_at - window.measure_from).as_secs_f64(),
                length_seconds: whole_millis(length).as_secs_f64(),
                answers,
                failed,
                rate_per_second,
                p99_ms,
            });
        }
        let (phase, from, length) = self.phase(now);
        let Totals { answers, failed, retries, .. } = self.totals();
        let elapsed = now - from;
        (self.progress)(&Progress {
            phase,
            elapsed,
            length,
            answers,
            failed,
            retries,
            rate_per_second,
            p99_ms,
        });
        self.interval.clear();
        self.looked_at = now;
        Ok(())
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for hand in &self.crew.hands {
            totals.add(hand.recorder.lock().totals);
        }
        totals
    }
}

fn whole_millis(length: Duration) -> Duration {
    Duration::from_millis(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
}
