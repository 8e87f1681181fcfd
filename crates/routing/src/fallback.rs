//! When a payment may be tried at another account.

/// How a charge ended without money, as far as routing cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// Not one byte of it left, or the provider made no token of the card.
    NotSent,
    /// The provider answered that it did not take it on: bad credentials, over its own limits.
    Refused,
    /// Declined, and the decline says that it may be tried again at once.
    Retryable,
    /// Declined otherwise: another account would hear the same, or must not ask.
    Declined,
}

impl Ended {
    /// What the rules call it; `None` for what no rule can allow.
    pub const fn word(self) -> Option<&'static str> {
        match self {
            Self::NotSent => Some("not_sent"),
            Self::Refused => Some("refused"),
            Self::Retryable => Some("declined"),
            Self::Declined => None,
        }
    }
}

/// When a payment may be tried at another account. What was perhaps sent is never in question here: of
/// that nobody may ask before it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallback {
    /// At how many accounts one payment may be tried; 1 is no fallback.
    pub attempts: u8,
    /// After what.
    pub after: Vec<Ended>,
}

impl Default for Fallback {
    fn default() -> Self {
        Self { attempts: 3, after: vec![Ended::NotSent, Ended::Refused, Ended::Retryable] }
    }
}

impl Fallback {
    /// Whether another account may be tried after `tried` of them, the newest of which ended so.
    pub fn allows(&self, tried: usize, ended: Ended) -> bool {
        tried < usize::from(self.attempts) && self.after.contains(&ended)
    }
}
