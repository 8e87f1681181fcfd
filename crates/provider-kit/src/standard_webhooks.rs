//! Signatures of the Standard Webhooks specification (<https://www.standardwebhooks.com>), version 1.0.0:
//! `webhook-id`, `webhook-timestamp`, and `webhook-signature: v1,<base64 of HMAC-SHA-256>` over
//! `{id}.{timestamp}.{body}`, several of them with blanks between while a secret is rolled.

use std::time::Duration;

use aws_lc_rs::{constant_time, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kernel::{Header, Secret, Timestamp};

use crate::webhook::{Delivery, WebhookError};

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";
/// What a secret in base64 begins with; any other is used as its own bytes.
const PREFIX: &str = "whsec_";

fn key(secret: &Secret<String>) -> hmac::Key {
    let text = secret.expose().trim();
    let decoded = text.strip_prefix(PREFIX).and_then(|encoded| STANDARD.decode(encoded).ok());
    hmac::Key::new(hmac::HMAC_SHA256, decoded.as_deref().unwrap_or(text.as_bytes()))
}

fn context(key: &hmac::Key, id: &str, seconds: &str, body: &[u8]) -> hmac::Tag {
    let mut context = hmac::Context::with_key(key);
    for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", body] {
        context.update(part);
    }
    context.sign()
}

/// The headers of a body that is sent at `at` under this id.
pub fn sign(secret: &Secret<String>, id: &str, at: Timestamp, body: &[u8]) -> Vec<Header> {
    let seconds = at.as_seconds().to_string();
    let signature = STANDARD.encode(context(&key(secret), id, &seconds, body));
    vec![
        (ID.to_owned(), id.to_owned()),
        (TIMESTAMP.to_owned(), seconds),
        (SIGNATURE.to_owned(), format!("v1,{signature}")),
    ]
}

/// Verifies a delivery under one of several secrets, with commas between, and answers its id. The
/// signature comes first: a stranger learns nothing about clocks.
pub fn verify<'d>(
    secrets: &Secret<String>,
    delivery: &'d Delivery,
    tolerance: Duration,
) -> Result<&'d str, WebhookError> {
    let header = |wanted: &str| {
        let mut found = delivery.headers.iter().filter(|(name, _)| name == wanted);
        // Two of one name could be read in two ways.
        found.next().filter(|_| found.next().is_none()).map(|(_, value)| value.as_str())
    };
    let (Some(id), Some(seconds), Some(signatures)) = (header(ID), header(TIMESTAMP), header(SIGNATURE))
    else {
        return Err(WebhookError::Signature);
    };
    let secrets = secrets.expose().split(',').map(str::trim).filter(|secret| !secret.is_empty());
    let mut matches = 0_usize;
    for secret in secrets {
        let expected = context(&key(&Secret::new(secret.to_owned())), id, seconds, &delivery.body);
        let given = signatures.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
        // No short circuit: every candidate is compared.
        matches += given
            .filter(|given| constant_time::verify_slices_are_equal(given, expected.as_ref()).is_ok())
            .count();
    }
    let signed_at: i64 = seconds.parse().map_err(|_| WebhookError::Signature)?;
    if matches == 0 || id.is_empty() {
        return Err(WebhookError::Signature);
    }
    let apart = delivery.received_at.as_seconds().abs_diff(signed_at);
    if apart > tolerance.as_secs() { Err(WebhookError::Stale) } else { Ok(id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;

    fn delivery(signature: &str, body: &[u8], after: i64) -> Delivery {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        Delivery {
            headers: vec![
                header(ID, "msg_p5jXN8AQM9LWM0D4loKWxJek"),
                header(TIMESTAMP, "1614265330"),
                header(SIGNATURE, signature),
            ],
            body: body.to_vec(),
            received_at: Timestamp::from_micros((1_614_265_330 + after) * 1_000_000),
        }
    }

    fn verified(secrets: &str, delivery: &Delivery) -> Result<(), WebhookError> {
        verify(&Secret::new(secrets.to_owned()), delivery, Duration::from_mins(5)).map(|_| ())
    }

    /// The example of the specification's own libraries.
    #[test]
    fn the_specifications_example() {
        let right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(verified(SECRET, &delivery(right, BODY, 0)), Ok(()));
        let rolled = format!("v1,AAAA {right} v1a,ignored");
        assert_eq!(verified(&format!("another, {SECRET}"), &delivery(&rolled, BODY, 0)), Ok(()));
        let signed = sign(
            &Secret::new(SECRET.to_owned()),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            Timestamp::from_micros(1_614_265_330_000_000),
            BODY,
        );
        assert_eq!(signed, delivery(right, BODY, 0).headers);
    }

    #[test]
    fn everything_that_is_signed_is_bound() {
        let right = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        for (seconds, expected) in
            [(300, Ok(())), (301, Err(WebhookError::Stale)), (-301, Err(WebhookError::Stale))]
        {
            assert_eq!(verified(SECRET, &delivery(right, BODY, seconds)), expected, "{seconds}");
        }
        let wrong = Err(WebhookError::Signature);
        assert_eq!(verified("whsec_AAAA", &delivery(right, BODY, 0)), wrong);
        assert_eq!(verified(" , ", &delivery(right, BODY, 0)), wrong);
        assert_eq!(verified(SECRET, &delivery(right, b"{}", 0)), wrong);
        for place in 0..3 {
            let mut without = delivery(right, BODY, 0);
            without.headers.remove(place);
            assert_eq!(verified(SECRET, &without), wrong, "without {place}");
            let mut changed = delivery(right, BODY, 0);
            changed.headers.iter_mut().skip(place).take(1).for_each(|(_, value)| value.insert(0, '1'));
            assert_eq!(verified(SECRET, &changed), wrong, "changed {place}");
        }
        let mut twice = delivery(right, BODY, 0);
        twice.headers.push((ID.to_owned(), "another".to_owned()));
        assert_eq!(verified(SECRET, &twice), wrong);
    }
}
