//! The bank's page for people: the 3-D Secure challenge. Plain HTML with one form, no script and
//! nothing from elsewhere, so that the strictest content security policy can stand before it.

use kernel::Scope;

use crate::charge::FiledId;
use crate::config::BankConfig;

/// Where a charge's challenge is: `{public_url}/sandbox/challenge/` and the account's and the
/// charge's id in one, so that the page is found without an account's key.
pub(crate) fn challenge_url(config: &BankConfig, scope: Scope, id: FiledId) -> String {
    let (account, charge) = (scope.merchant.uuid().simple(), id.uuid().simple());
    format!("{}/sandbox/challenge/{account}{charge}", config.public_url.trim_end_matches('/'))
}
