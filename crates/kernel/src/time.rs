//! Instants as plain integers: microseconds since the Unix epoch, UTC.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// An instant: microseconds since 1970-01-01T00:00:00Z. Shown as RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

/// The text is no instant.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("not an RFC 3339 instant, such as 2026-11-21T10:00:00Z")]
pub struct TimeError;

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// The instant `later` from this one; stays at the last representable instant on overflow.
    #[must_use]
    pub fn plus(self, later: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(later.as_micros()).unwrap_or(i64::MAX)))
    }

    /// The instant `earlier` before this one; stays at the first representable one on overflow.
    #[must_use]
    pub fn minus(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(earlier.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero if it is before.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The civil date in UTC: year, month (1–12), day of the month (1–31).
    pub fn civil_date(self) -> (i16, i8, i8) {
        let date = jiff::tz::Offset::UTC.to_datetime(self.to_jiff());
        (date.year(), date.month(), date.day())
    }

    fn to_jiff(self) -> jiff::Timestamp {
        let end = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(end)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = Self(self.0.saturating_sub(self.0.rem_euclid(1000))).to_jiff();
        write!(f, "{whole:.3}")
    }
}

impl FromStr for Timestamp {
    type Err = TimeError;

    fn from_str(text: &str) -> Result<Self, TimeError> {
        let parsed: jiff::Timestamp = text.parse().map_err(|_| TimeError)?;
        Ok(Self(parsed.as_microsecond()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn shows_milliseconds_in_utc_and_reads_them_back() {
        let instant: Timestamp = "2026-11-21T11:00:00.1239+01:00".parse().unwrap();
        assert_eq!(instant.to_string(), "2026-11-21T10:00:00.123Z");
        assert_eq!(instant.civil_date(), (2026, 11, 21));
        assert_eq!("yesterday".parse::<Timestamp>(), Err(TimeError));
    }

    #[test]
    fn ends_of_time_do_not_panic() {
        assert!(!Timestamp::from_micros(i64::MAX).to_string().is_empty());
        assert!(!Timestamp::from_micros(i64::MIN).to_string().is_empty());
        assert_eq!(Timestamp::from_micros(1).since(Timestamp::from_micros(5)), Duration::ZERO);
    }
}
