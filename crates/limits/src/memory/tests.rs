#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failing test may panic")]

use std::net::IpAddr;

use kernel::{Mode, Scope};
use proptest::prelude::*;

use super::*;

fn at(milliseconds: u64) -> Monotonic {
    Monotonic(Duration::from_millis(milliseconds))
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn address(text: &str) -> Subject<'static> {
    Subject::of_address(Counted::Address, text.parse().unwrap())
}

#[test]
fn a_rate_is_spent_at_once_and_given_back_evenly() {
    let limiter = MemoryLimiter::new();
    let rate = rate("4/s");
    let take = |now| limiter.count(address("192.0.2.1"), rate, at(now), true);
    for left in [3, 2, 1, 0] {
        let verdict = take(1000);
        assert_eq!((verdict.allowed, verdict.remaining, verdict.limit), (true, left, 4));
    }
    let refused = take(1000);
    assert!(!refused.allowed);
    assert_eq!(refused.retry_after, Duration::from_millis(250));
    assert_eq!(refused.reset_after, Duration::from_secs(1));
    // Refusals cost nothing: the wait does not grow.
    assert!(!take(1249).allowed);
    assert!(take(1250).allowed);
    assert!(!take(1250).allowed);
    let later = limiter.count(address("192.0.2.1"), rate, at(1500), false);
    assert_eq!((later.allowed, later.remaining), (true, 1));
    assert!(take(1500).allowed, "looking counted nothing");
    // After a pause, all of it again and not more.
    assert_eq!((0..9).filter(|_| take(60_000).allowed).count(), 4);
}

#[test]
fn subjects_are_counted_apart() {
    let limiter = MemoryLimiter::new();
    let rate = rate("1/h");
    let merchant = "mer_01h455vb4pex5vsknk084sn02q".parse().unwrap();
    let other = "mer_01h455vb4pex5vsknk084sn02r".parse().unwrap();
    let test = Scope { merchant, mode: Mode::Test };
    let take = |subject| limiter.count(subject, rate, at(0), true).allowed;
    for subject in [
        address("192.0.2.1"),
        address("192.0.2.2"),
        address("2001:db8::1"),
        address("2001:db8:0:1::1"),
        Subject::of_address(Counted::Notices, "192.0.2.1".parse().unwrap()),
        Subject::of_payer(test, "192.0.2.1".parse().unwrap()),
        Subject::of_world(Counted::OrderAttempts, test, b"12345"),
        Subject::of_world(Counted::CustomerAttempts, test, b"12345"),
        Subject::of_world(Counted::OrderAttempts, Scope { mode: Mode::Live, ..test }, b"12345"),
        Subject::of_world(Counted::OrderAttempts, Scope { merchant: other, ..test }, b"12345"),
    ] {
        assert!(take(subject), "{subject:?}");
        assert!(!take(subject), "{subject:?}");
    }
    // One subscriber's addresses, and one address in two spellings, are one subject.
    assert!(!take(address("2001:db8::ffff:2")));
    assert!(!take(address("::ffff:192.0.2.1")));
}

#[test]
fn a_flood_of_addresses_grows_nothing_and_hides_nobody_who_goes_on() {
    let limiter = MemoryLimiter::new();
    let rate = rate("5/h");
    let guesser = address("192.0.2.1");
    let order = Subject::of_world(
        Counted::OrderAttempts,
        Scope { merchant: "mer_01h455vb4pex5vsknk084sn02q".parse().unwrap(), mode: Mode::Live },
        b"12345",
    );
    for _ in 0..5 {
        assert!(limiter.count(guesser, rate, at(0), true).allowed);
        assert!(limiter.count(order, rate, at(0), true).allowed);
    }
    let most = 2 * SHARDS * GENERATION + 1;
    for number in 0..1_000_000_u32 {
        let flood = IpAddr::from((number + (10 << 24)).to_be_bytes());
        limiter.count(Subject::of_address(Counted::Address, flood), rate, at(1), true);
        if number.is_multiple_of(10_000) {
            assert!(!limiter.count(guesser, rate, at(1), true).allowed, "after {number}");
            assert!(limiter.len() <= most, "{}", limiter.len());
        }
    }
    assert!(!limiter.count(order, rate, at(1), true).allowed, "what is counted otherwise is not touched");
}

proptest! {
    /// However requests come, no window of one period ever saw more than twice the count (the whole
    /// burst, then what is given back meanwhile), and the long run never more than the rate.
    #[test]
    fn never_more_than_the_rate(pauses in prop::collection::vec(0_u64..400, 1..400), count in 1_u32..20) {
        let limiter = MemoryLimiter::new();
        let rate = Rate::new(count, Duration::from_secs(1)).unwrap();
        let mut now = 0;
        let mut allowed = Vec::new();
        for pause in pauses {
            now += pause;
            if limiter.count(address("192.0.2.1"), rate, at(now), true).allowed {
                allowed.push(now);
            }
        }
        let count = usize::try_from(count).unwrap();
        for (place, start) in allowed.iter().enumerate() {
            let window = allowed[place..].iter().take_while(|moment| **moment < start + 1000).count();
            prop_assert!(window <= 2 * count, "{window} in one period from {start}");
        }
        let seconds = usize::try_from(now / 1000).unwrap() + 1;
        prop_assert!(allowed.len() <= count * (seconds + 1));
    }
}
