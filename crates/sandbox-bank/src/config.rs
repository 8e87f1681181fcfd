//! Settings of the bank.

use std::time::Duration;

/// How the bank behaves where no card says otherwise.
#[derive(Clone, Debug)]
pub struct BankConfig {
    /// Where people reach its pages: challenge URLs are `{public_url}/sandbox/challenge/…`.
    pub public_url: String,
    /// After which a UPI payer approves or declines.
    pub upi_delay: Duration,
    /// After which a late success comes.
    pub late_success_delay: Duration,
    /// How long a slow answer takes.
    pub slow_reply: Duration,
    /// How long a request without an answer is held before the connection is closed.
    pub silence: Duration,
    /// After which a disputed charge is disputed.
    pub dispute_delay: Duration,
    /// After which an open dispute is decided.
    pub dispute_decision_delay: Duration,
    /// After which a pending refund is settled, or a refund fails.
    pub refund_delay: Duration,
    /// After which a delayed charge is decided.
    pub delayed_decision: Duration,
    /// How long a UPI request lives when the caller does not say.
    pub upi_valid_for: Duration,
    /// How long a challenge lives when the caller does not say.
    pub challenge_valid_for: Duration,
    /// How long held money stays held.
    pub authorization_valid_for: Duration,
    /// Added to every answer.
    pub latency: Duration,
    /// What the bank keeps of each amount taken, in ten-thousandths.
    pub fee_basis_points: u32,
    /// What a dispute costs, in minor units of its currency.
    pub dispute_fee_minor: i64,
    /// Whether notices tell everything that happens, or only what no answer told.
    pub notifies_all: bool,
    /// In memory, how many charges and effects are kept; the oldest go first, and their references
    /// are forgotten with them.
    pub filed_max: usize,
    /// Random faults.
    pub faults: Faults,
}

impl Default for BankConfig {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8000".to_owned(),
            upi_delay: Duration::from_secs(2),
            late_success_delay: Duration::from_secs(3),
            slow_reply: Duration::from_secs(3),
            silence: Duration::from_mins(1),
            dispute_delay: Duration::from_secs(2),
            dispute_decision_delay: Duration::from_secs(5),
            refund_delay: Duration::from_secs(2),
            delayed_decision: Duration::from_hours(24),
            upi_valid_for: Duration::from_mins(15),
            challenge_valid_for: Duration::from_hours(24),
            authorization_valid_for: Duration::from_hours(7 * 24),
            latency: Duration::ZERO,
            fee_basis_points: 0,
            dispute_fee_minor: 0,
            notifies_all: false,
            filed_max: 400_000,
            faults: Faults::default(),
        }
    }
}

/// How many of a thousand requests go wrong, and how. Each field is drawn for on its own, in this
/// order; the first that hits counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// No answer, nothing done.
    pub timeout_before: u16,
    /// No answer, but done.
    pub timeout_after: u16,
    /// 500, nothing done.
    pub server_error_before: u16,
    /// 502, but done.
    pub server_error_after: u16,
    /// A broken 200, and done.
    pub garbage: u16,
    /// Done; the answer takes `slow_reply`.
    pub slow: u16,
    /// Of a thousand notices, how many come twice.
    pub duplicate_notice: u16,
    /// Of a thousand notices, how many come up to three seconds late, perhaps behind a younger one.
    pub late_notice: u16,
}

impl Faults {
    /// Whether any request can go wrong.
    pub(crate) const fn strike_any(&self) -> bool {
        self.timeout_before > 0
            || self.timeout_after > 0
            || self.server_error_before > 0
            || self.server_error_after > 0
            || self.garbage > 0
            || self.slow > 0
    }
}
