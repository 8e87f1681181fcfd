//! The secret that lets a browser act on one payment: `pay_…_secret_…`.
//!
//! It is derived from the payment's id and the world's key, so that nothing must be stored, and read
//! before the payment is: a wrong one costs a MAC.

use kernel::Id;
use payments::PaymentKind;
use vault::{Keys, Purpose};

/// Enough of the MAC that nobody guesses it: 128 bits.
const MAC_BYTES: usize = 16;

/// The client secret of a payment.
pub(crate) fn client_secret(id: Id<PaymentKind>, keys: &Keys) -> String {
    let mac = keys.mac(Purpose::ClientSecret, &[id.uuid().as_bytes()]);
    let mut secret = format!("{id}_secret_");
    let digits = mac.iter().take(MAC_BYTES).flat_map(|byte| [byte >> 4, byte & 15]);
    secret.extend(digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)));
    secret
}

/// Whether `given` is the client secret of the payment. What is compared are MACs of the two, so
/// that the time it takes says nothing of how much was right.
pub(crate) fn is_client_secret(given: &str, id: Id<PaymentKind>, keys: &Keys) -> bool {
    let mac = keys.mac(Purpose::ClientSecret, &[given.as_bytes()]);
    keys.verify(Purpose::ClientSecret, &[client_secret(id, keys).as_bytes()], &mac)
}
