//! The host's side of the ports: the one place of our code that reads the system clock, draws
//! randomness and starts tasks. Simulation and tests hand in their own [`Ports`] instead.

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_util::FutureExt as _;
use kernel::{BoxFuture, Clock, Ids, Monotonic, Random, Tasks, Timestamp};
use tracing::Instrument as _;
use uuid::Uuid;

/// More open files than a node ever needs.
const OPEN_FILES_ENOUGH: u64 = 65_536;

/// What a node stands on.
#[derive(Clone)]
pub struct Ports {
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Work that outlives a request.
    pub tasks: Arc<dyn Tasks>,
}

/// The ports of the machine that this process runs on. Tasks need a tokio runtime.
pub fn ports() -> Ports {
    Ports {
        clock: Arc::new(SystemClock::new()),
        ids: Arc::new(SystemIds::default()),
        random: Arc::new(SystemRandom),
        tasks: Arc::new(Supervisor),
    }
}

/// How many files, connections among them, this process may have open. The first call raises the limit as
/// far as the system lets it: the usual soft limit of 1024 is less than a busy server's connections.
pub fn open_files_max() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum.or(Some(OPEN_FILES_ENOUGH)), maximum: limit.maximum };
    let raised = Rlimit { current: wanted.current.map(|most| most.min(OPEN_FILES_ENOUGH)), ..wanted };
    if raised.current > limit.current && limit.current.is_some() {
        // Where that is refused, the limit that there is holds.
        let _ = setrlimit(Resource::Nofile, raised);
    }
    let now = getrlimit(Resource::Nofile).current.unwrap_or(OPEN_FILES_ENOUGH);
    usize::try_from(now).unwrap_or(usize::MAX)
}

#[derive(Debug)]
struct SystemClock {
    started: Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock that everybody else is told to use")]
    fn new() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        wall_clock()
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic(self.started.elapsed())
    }

    fn sleep(&self, length: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(length))
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the Clock that everybody else is told to use")]
fn wall_clock() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}

/// UUIDv7 (RFC 9562, method 3): 48 bits of milliseconds, 12 bits of the fraction of the millisecond
/// that also count, 62 random bits.
#[derive(Debug, Default)]
struct SystemIds {
    /// The 60 bits of time that the newest id has. Each id takes the clock's or the next number,
    /// whichever is later, so ids of one process grow strictly, also when the clock goes back.
    newest: AtomicU64,
}

impl Ids for SystemIds {
    fn uuid(&self) -> Uuid {
        let mut random = [0; 8];
        SystemRandom.fill(&mut random);
        let micros = u64::try_from(wall_clock().as_micros()).unwrap_or(0);
        let clock = ((micros / 1000) << 12) | (micros % 1000 * 4096 / 1000);
        let next = |newest: u64| Some(clock.max(newest + 1));
        let before = self.newest.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).unwrap_or(clock);
        uuid_v7(clock.max(before + 1), u64::from_be_bytes(random))
    }
}

/// `time`: milliseconds in the upper 48 of 60 bits.
fn uuid_v7(time: u64, random: u64) -> Uuid {
    const VERSION: u64 = 7 << 12;
    const VARIANT: u64 = 0b10 << 62;
    let upper = ((time >> 12) << 16) | VERSION | (time & 0xfff);
    Uuid::from_u64_pair(upper, VARIANT | (random >> 2))
}

/// The crypto library's generator, seeded by the operating system.
///
/// A payment draws some ten small values, and each call of the generator costs as much as a MAC: so
/// each thread draws ahead, and forgets every byte as it hands it out.
#[derive(Clone, Copy, Debug)]
struct SystemRandom;

/// Bytes drawn ahead; those before `next` were handed out.
struct Ahead {
    bytes: [u8; 1024],
    next: usize,
}

thread_local! {
    static AHEAD: RefCell<Ahead> = const { RefCell::new(Ahead { bytes: [0; 1024], next: 1024 }) };
}

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        if bytes.len() > 64 {
            return draw(bytes);
        }
        AHEAD.with_borrow_mut(|ahead| {
            if ahead.bytes.len() - ahead.next < bytes.len() {
                draw(&mut ahead.bytes);
                ahead.next = 0;
            }
            let taken = ahead.bytes.iter_mut().skip(ahead.next);
            for (place, byte) in bytes.iter_mut().zip(taken) {
                *place = std::mem::take(byte);
            }
            ahead.next += bytes.len();
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the Random that everybody else is told to use")]
fn draw(bytes: &mut [u8]) {
    if aws_lc_rs::rand::fill(bytes).is_err() {
        // Without randomness every key and every id would be guessable: nothing may go on.
        tracing::error!("the random generator failed");
        std::process::abort();
    }
}

/// Runs tasks on the runtime and logs their panics.
#[derive(Clone, Copy, Debug)]
struct Supervisor;

impl Tasks for Supervisor {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the supervisor that everybody else is told to use"
    )]
    fn spawn(&self, name: &'static str, work: BoxFuture<'static, ()>) {
        let work = async move {
            // The panic's own text went to the panic hook; whatever the work held is dropped here,
            // and its operation is found again by the resolver.
            if AssertUnwindSafe(work).catch_unwind().await.is_err() {
                tracing::error!(task = name, "a task panicked");
            }
        };
        // What a request begins is logged as the request's.
        tokio::spawn(work.in_current_span());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_grow_strictly_and_are_version_7() {
        let ids = SystemIds::default();
        let made: Vec<_> = (0..10_000).map(|_| ids.uuid()).collect();
        for (one, next) in made.iter().zip(made.iter().skip(1)) {
            assert!(one < next, "{one} {next}");
        }
        for id in made {
            assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
        }
    }

    #[test]
    fn no_randomness_comes_twice() {
        let mut drawn = std::collections::HashSet::new();
        for length in [1_usize, 16, 24, 32, 64, 65, 200].into_iter().cycle().take(2_000) {
            let mut bytes = vec![0; length];
            SystemRandom.fill(&mut bytes);
            assert!(length < 16 || bytes.iter().any(|byte| *byte != 0));
            assert!(length < 16 || drawn.insert(bytes), "{length} bytes came twice");
        }
        AHEAD.with_borrow(|ahead| {
            assert!(ahead.bytes.iter().take(ahead.next).all(|byte| *byte == 0), "handed out and kept");
        });
    }

    #[test]
    fn the_time_of_an_id_is_its_first_48_bits() {
        // The example of RFC 9562, appendix A.6.
        let id = uuid_v7(0x017F_22E2_79B0 << 12 | 0xCC3, 0x18C4_DC0C_0C07_398F << 2);
        assert_eq!(id.to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    }

    #[test]
    fn ids_do_not_wait_for_a_clock_that_went_back() {
        let ids = SystemIds { newest: AtomicU64::new(u64::MAX >> 5) };
        let (one, next) = (ids.uuid(), ids.uuid());
        assert!(one < next);
    }
}
