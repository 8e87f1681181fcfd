//! So many in so long.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// The longest period, which keeps the arithmetic far from its ends.
const PERIOD_MAX: Duration = Duration::from_hours(24);

/// A rate: at most `count` in any `period`, evenly given back. Text form: `100/s`, `30/m`, `5/h`, `1/d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    period: Duration,
}

/// The text is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a rate is a number and `s`, `m`, `h` or `d`, such as 100/s or 5/h")]
pub struct RateError;

impl Rate {
    /// `None` if nothing would be allowed, or the period is no time or longer than a day.
    pub fn new(count: u32, period: Duration) -> Option<Self> {
        (count > 0 && !period.is_zero() && period <= PERIOD_MAX).then_some(Self { count, period })
    }

    /// How many in a period, and all at once after a pause.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// In how long.
    pub const fn period(self) -> Duration {
        self.period
    }

    /// After how long one more is given back.
    pub(crate) fn interval(self) -> Duration {
        self.period / self.count
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let (count, unit) = text.split_once('/').ok_or(RateError)?;
        let count: u32 = count.trim().parse().map_err(|_| RateError)?;
        let seconds = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => return Err(RateError),
        };
        Self::new(count, Duration::from_secs(seconds)).ok_or(RateError)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.period.as_secs() {
            1 => write!(f, "{}/s", self.count),
            60 => write!(f, "{}/m", self.count),
            3600 => write!(f, "{}/h", self.count),
            86_400 => write!(f, "{}/d", self.count),
            seconds => write!(f, "{} in {seconds} s", self.count),
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn rates_are_written_as_people_say_them() {
        for (text, count, seconds) in
            [("100/s", 100, 1), ("30/m", 30, 60), ("5/h", 5, 3600), ("1/d", 1, 86_400)]
        {
            let rate: Rate = text.parse().unwrap();
            assert_eq!((rate.count(), rate.period()), (count, Duration::from_secs(seconds)));
            assert_eq!(rate.to_string(), text);
        }
        for text in ["", "5", "/s", "0/s", "-1/s", "5/w", "5/ms", "4294967296/s", "5/s/s"] {
            assert_eq!(text.parse::<Rate>(), Err(RateError), "{text}");
        }
    }
}
