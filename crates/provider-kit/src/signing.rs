//! Signatures of notices: HMAC-SHA-256 in hexadecimal, and the timestamped header that several
//! providers share (`t=<unix seconds>,v1=<hex of HMAC over "{t}.{body}">`, Stripe's scheme).

use std::time::Duration;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::Timestamp;

use crate::webhook::WebhookError;

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        for nibble in [byte >> 4, byte & 15] {
            text.push(DIGITS.get(usize::from(nibble)).copied().map_or('0', char::from));
        }
    }
    text
}

/// Reads base64 with its padding (RFC 4648, section 4).
pub fn from_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

/// HMAC-SHA-256 (RFC 2104, FIPS 198-1) over the parts as if they were one message, in hexadecimal.
pub fn hmac_sha256_hex(secret: &[u8], parts: &[&[u8]]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut context = hmac::Context::with_key(&key);
    for part in parts {
        context.update(part);
    }
    hex(context.sign().as_ref())
}

/// Compares two texts in a time that depends on their lengths alone.
pub fn equal_in_constant_time(left: &str, right: &str) -> bool {
    constant_time::verify_slices_are_equal(left.as_bytes(), right.as_bytes()).is_ok()
}

/// The header's value for a body that is sent at `at`.
pub fn timestamped_signature(secret: &[u8], at: Timestamp, body: &[u8]) -> String {
    let seconds = at.as_seconds().to_string();
    let mac = hmac_sha256_hex(secret, &[seconds.as_bytes(), b".", body]);
    format!("t={seconds},v1={mac}")
}

/// Verifies such a header. The signature comes first: a stranger learns nothing about clocks. Any
/// one of several `v1` may match, so that a secret can be rolled.
pub fn verify_timestamped(
    secret: &[u8],
    header: &str,
    body: &[u8],
    received_at: Timestamp,
    tolerance: Duration,
) -> Result<(), WebhookError> {
    let field = |name| {
        let parts = header.split(',').filter_map(|part| part.trim().split_once('='));
        parts.filter(move |(known, _)| *known == name).map(|(_, value)| value)
    };
    let seconds = field("t").next().ok_or(WebhookError::Signature)?;
    let expected = hmac_sha256_hex(secret, &[seconds.as_bytes(), b".", body]);
    // No short circuit: every candidate is compared.
    let matches = field("v1").filter(|given| equal_in_constant_time(given, &expected)).count();
    if matches == 0 {
        return Err(WebhookError::Signature);
    }
    let signed_at: i64 = seconds.parse().map_err(|_| WebhookError::Signature)?;
    let apart = received_at.as_seconds().abs_diff(signed_at);
    if apart > tolerance.as_secs() { Err(WebhookError::Stale) } else { Ok(()) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a failed parse is a failed test")]
mod tests {
    use super::*;

    const TOLERANCE: Duration = Duration::from_mins(5);

    /// RFC 4231, test case 2.
    #[test]
    fn matches_the_standard_vector() {
        let mac = hmac_sha256_hex(b"Jefe", &[b"what do ya want ", b"for nothing?"]);
        assert_eq!(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn a_signature_holds_for_its_secret_body_and_time() {
        let at: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
        let header = timestamped_signature(b"secret", at, b"body");
        let verify = |secret: &[u8], header: &str, body: &[u8], after: i64| {
            let received_at = Timestamp::from_micros(at.as_micros() + after * 1_000_000);
            verify_timestamped(secret, header, body, received_at, TOLERANCE)
        };
        assert_eq!(verify(b"secret", &header, b"body", 300), Ok(()));
        assert_eq!(verify(b"secret", &header, b"body", 301), Err(WebhookError::Stale));
        assert_eq!(verify(b"secret", &header, b"body", -301), Err(WebhookError::Stale));
        assert_eq!(verify(b"other", &header, b"body", 0), Err(WebhookError::Signature));
        assert_eq!(verify(b"secret", &header, b"bodY", 0), Err(WebhookError::Signature));
        let later = header.replacen("t=1", "t=2", 1);
        assert_eq!(verify(b"secret", &later, b"body", 0), Err(WebhookError::Signature));
        let rolled = format!("{},v1={}", header.replace("v1=", "v0="), header.split("v1=").nth(1).unwrap());
        assert_eq!(verify(b"secret", &rolled, b"body", 0), Ok(()));
        for header in ["", "t=", "v1=", "t=1,v1=", "t=x,v1=00", ",,==,"] {
            assert_eq!(verify(b"secret", header, b"body", 0), Err(WebhookError::Signature), "{header}");
        }
    }
}
