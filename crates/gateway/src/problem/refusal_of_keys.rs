//! What was refused about API keys, in the words of HTTP.

use identity::IdentityError;

use super::catalogue as code;
use super::{Problem, not_found};

/// How long a caller is asked to wait for a server that has too much to do, in seconds.
const LATER_SECONDS: u32 = 2;

/// The problem of an identity error.
pub fn from_identity(error: IdentityError) -> Problem {
    match error {
        IdentityError::UnknownKey | IdentityError::UnknownMerchant => not_found("API key"),
        IdentityError::Invalid { field, reason } => {
            at(Problem::new(&code::INVALID_VALUE, sentence(reason)), field)
        }
        IdentityError::BeyondOwn { field, reason } => {
            at(Problem::new(&code::BEYOND_OWN_KEY, sentence(reason)), field)
        }
        IdentityError::KeyEnded => Problem::plain(&code::API_KEY_ENDED),
        IdentityError::OwnEnd => Problem::plain(&code::API_KEY_IN_USE),
        IdentityError::KeyReused => Problem::plain(&code::IDEMPOTENCY_KEY_REUSED).at("Idempotency-Key"),
        IdentityError::Busy | IdentityError::Claimed => {
            Problem::plain(&code::BUSY).retry_after(LATER_SECONDS)
        }
        error @ IdentityError::Indeterminate => {
            Problem::plain(&code::UNDECIDED).retry_after(LATER_SECONDS).log(error.to_string())
        }
        error @ (IdentityError::NotWritten(_) | IdentityError::Store(_)) => {
            Problem::plain(&code::UNAVAILABLE).retry_after(LATER_SECONDS).log(error.to_string())
        }
        error @ (IdentityError::Name | IdentityError::Vault(_)) => Problem::internal(error.to_string()),
    }
}

/// The field as a request names it.
fn at(problem: Problem, field: &str) -> Problem {
    problem.at(match field {
        "expires_in" => "/expires_in_seconds".to_owned(),
        field => format!("/{field}"),
    })
}

fn sentence(reason: &str) -> String {
    let mut letters = reason.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).chain(['.']).collect()
}
