//! Events that other systems sign with a secret that they share with a merchant. Such an event is a
//! record of that merchant's, kept once under the id that its system gave it, and never moves money.

use std::time::Duration;

use kernel::{Cell, Column, ColumnType, Header, Id, Money, Record, Scope, Secret, Table, Timestamp};
use provider_kit::{Account, signing};
use serde::{Deserialize, Serialize};

/// How far ahead of our clock an event's time may be.
pub const AHEAD_MAX: Duration = Duration::from_mins(1);

/// In the place of a provider's id, for a merchant's secret that such events are signed with.
pub const EVENTS: &str = "payments";
/// The name of that secret.
pub(crate) const HMAC_SECRET: &str = "hmac_secret";

/// Headers that are never stored: they carry what proves who is calling.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];

/// Whose events are signed with which secret.
#[derive(Clone, Debug)]
pub struct EventSource {
    /// The merchant's world that an event becomes a record of.
    pub scope: Scope,
    /// The account that stands for the secret; `None` for the configuration's own.
    pub account: Option<Id<Account>>,
    /// What is shared.
    pub secret: Secret<String>,
}

impl EventSource {
    /// The name that its rejected deliveries are kept under.
    pub fn name(&self) -> String {
        self.account.map_or_else(|| EVENTS.to_owned(), |account| account.to_string())
    }
}

/// What an event claims, as it came: nothing of it is believed yet.
#[derive(Clone, Copy, Debug)]
pub struct EventClaim<'a> {
    /// Its system's own id of it.
    pub tx_id: &'a str,
    /// The amount in major units, letter by letter as it was sent.
    pub amount: &'a str,
    /// What that is.
    pub value: Money,
    /// Unix seconds, as they were sent.
    pub timestamp: &'a str,
    /// What those are.
    pub signed_at: i64,
    /// Hexadecimal HMAC-SHA-256 of `{timestamp}.{tx_id}.{amount}.{currency}`.
    pub signature: &'a str,
}

/// Why an event is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventRefusal {
    /// It is not signed with the secret.
    Signature,
    /// It was signed too long ago: perhaps a replay.
    Old,
    /// It was signed in the future.
    Ahead,
    /// The id stands for another amount or currency.
    Contradiction,
}

impl EventRefusal {
    /// In a word, for metrics and for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Old => "old",
            Self::Ahead => "ahead",
            Self::Contradiction => "contradiction",
        }
    }
}

/// An event as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedEvent {
    /// Its system's own id of it.
    pub tx_id: String,
    /// The amount in major units, letter by letter as it was sent.
    pub amount: String,
    /// Whether the amount came as a text and not as a number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub amount_is_text: bool,
    /// What it is.
    pub value: Money,
    /// Unix seconds by the clock of who signed it.
    pub signed_at: i64,
    /// When it came.
    pub received_at: Timestamp,
    /// The headers that it came with, those with secrets left out.
    pub headers: Vec<Header>,
    /// The raw body.
    pub body: String,
}

/// By its system's id.
pub(crate) static SIGNED_EVENT: Table = Table {
    name: "signed_event",
    key: &[Column::new("tx_id", ColumnType::Text)],
    columns: &[],
    versioned: true,
    has_state: true,
    indexes: &[],
    fillfactor: 100,
};

impl Record for SignedEvent {
    const TABLE: &'static Table = &SIGNED_EVENT;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.tx_id.as_str().into()]
    }

    fn columns(&self) -> Vec<Cell> {
        Vec::new()
    }
}

impl EventClaim<'_> {
    /// Whether it is signed with this secret, and when it should be: the signature first, so that a
    /// stranger learns nothing about clocks.
    pub(crate) fn verify(
        &self,
        secret: &Secret<String>,
        now: Timestamp,
        age_max: Duration,
    ) -> Result<(), EventRefusal> {
        let expected =
            sign_event(secret, self.timestamp, self.tx_id, self.amount, self.value.currency.code());
        if !signing::equal_in_constant_time(&expected, &self.signature.to_ascii_lowercase()) {
            return Err(EventRefusal::Signature);
        }
        let ahead = self.signed_at.saturating_sub(now.as_seconds());
        if ahead > i64::try_from(AHEAD_MAX.as_secs()).unwrap_or(i64::MAX) {
            return Err(EventRefusal::Ahead);
        }
        let age = ahead.saturating_neg();
        if age > i64::try_from(age_max.as_secs()).unwrap_or(i64::MAX) {
            return Err(EventRefusal::Old);
        }
        Ok(())
    }
}

/// The signature of an event: hexadecimal HMAC-SHA-256 of `{timestamp}.{tx_id}.{amount}.{currency}`, each
/// letter by letter as it is sent.
pub fn sign_event(
    secret: &Secret<String>,
    timestamp: &str,
    tx_id: &str,
    amount: &str,
    currency: &str,
) -> String {
    let message = [timestamp, tx_id, amount, currency].join(".");
    signing::hmac_sha256_hex(secret.expose().as_bytes(), &[message.as_bytes()])
}

/// The headers that may be stored.
pub(crate) fn without_secrets(headers: &[Header]) -> Vec<Header> {
    headers.iter().filter(|(name, _)| !SECRET_HEADERS.contains(&name.as_str())).cloned().collect()
}

#[cfg(test)]
mod tests {
    use kernel::Currency;

    use super::*;

    /// Made apart from this code, with Python's `hmac`:
    /// `hmac.new(b"secret", b"1640995200.tx-1.99.90.USD", "sha256").hexdigest()`.
    const SIGNATURE: &str = "5b64bcbb499d413da8d3ee453e1181f6c82d21b917833875f85e88f44e9f9213";

    fn claim() -> EventClaim<'static> {
        EventClaim {
            tx_id: "tx-1",
            amount: "99.90",
            value: Money::new(9990, Currency::USD),
            timestamp: "1640995200",
            signed_at: 1_640_995_200,
            signature: SIGNATURE,
        }
    }

    fn judged(claim: EventClaim<'_>, secret: &str, after: i64) -> Result<(), EventRefusal> {
        let now = Timestamp::from_micros((1_640_995_200 + after) * 1_000_000);
        claim.verify(&Secret::new(secret.to_owned()), now, Duration::from_mins(5))
    }

    #[test]
    fn a_signature_of_another_program_is_verified() {
        assert_eq!(judged(claim(), "secret", 0), Ok(()));
        let capitals = SIGNATURE.to_ascii_uppercase();
        assert_eq!(judged(EventClaim { signature: &capitals, ..claim() }, "secret", 0), Ok(()));
    }

    #[test]
    fn everything_that_is_signed_is_bound() {
        let wrong = Err(EventRefusal::Signature);
        assert_eq!(judged(claim(), "Secret", 0), wrong);
        assert_eq!(judged(EventClaim { tx_id: "tx-2", ..claim() }, "secret", 0), wrong);
        assert_eq!(judged(EventClaim { amount: "99.9", ..claim() }, "secret", 0), wrong, "as it was sent");
        assert_eq!(judged(EventClaim { timestamp: "1640995201", ..claim() }, "secret", 0), wrong);
        let euros = Money::new(9990, Currency::EUR);
        assert_eq!(judged(EventClaim { value: euros, ..claim() }, "secret", 0), wrong);
        for signature in ["", "00", &SIGNATURE[..63], &format!("{SIGNATURE}0"), "\u{e9}"] {
            assert_eq!(judged(EventClaim { signature, ..claim() }, "secret", 0), wrong, "{signature}");
        }
    }

    #[test]
    fn too_old_and_too_far_ahead() {
        for (after, expected) in
            [(300, Ok(())), (301, Err(EventRefusal::Old)), (-60, Ok(())), (-61, Err(EventRefusal::Ahead))]
        {
            assert_eq!(judged(claim(), "secret", after), expected, "{after}");
            assert_eq!(judged(claim(), "wrong", after), Err(EventRefusal::Signature), "{after}");
        }
        for signed_at in [i64::MIN, i64::MAX] {
            let judged = judged(EventClaim { signed_at, ..claim() }, "secret", 0);
            assert!(matches!(judged, Err(EventRefusal::Old | EventRefusal::Ahead)), "{signed_at}");
        }
    }

    #[test]
    fn what_proves_who_is_calling_is_not_stored() {
        let header = |name: &str| (name.to_owned(), "x".to_owned());
        let stored = without_secrets(&[header("authorization"), header("cookie"), header("user-agent")]);
        assert_eq!(stored, [header("user-agent")]);
    }
}
