//! What the operator's configuration does not allow, however well a request is formed.

use kernel::Currency;
use payments::MethodInput;

use crate::call::Call;
use crate::problem::{Problem, catalogue as code};

/// `payment.supported_currencies`.
pub(super) fn check_currency(call: &Call, currency: Currency) -> Result<(), Problem> {
    let supported = &call.node.config.payment.supported_currencies;
    if supported.is_empty() || supported.contains(&currency) {
        return Ok(());
    }
    let listed: Vec<String> = supported.iter().map(ToString::to_string).collect();
    let detail = format!("Payments here are in {}, not in {currency}.", listed.join(", "));
    Err(Problem::new(&code::CURRENCY_NOT_SUPPORTED, detail).at("/currency"))
}

/// `vault.enabled`: without it no card number is taken from anybody. `server.pci_compliance_mode`: it may
/// come from a browser, never through a server of the merchant's.
pub(super) fn check_card(call: &Call, method: Option<&MethodInput>) -> Result<(), Problem> {
    let is_raw = matches!(method, Some(MethodInput::Card(_)));
    if is_raw && !call.node.config.vault.enabled {
        let detail = "Card numbers are not taken here (vault.enabled is false): send a provider's token.";
        return Err(Problem::new(&code::RAW_CARD_NOT_ALLOWED, detail).at("/payment_method"));
    }
    if is_raw && call.node.config.server.pci_compliance_mode && !call.is_browser() {
        return Err(Problem::plain(&code::RAW_CARD_NOT_ALLOWED).at("/payment_method"));
    }
    Ok(())
}
