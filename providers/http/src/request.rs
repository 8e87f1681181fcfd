//! From a call to the request that asks for it.

use kernel::{Auth, Effect, Header, Method, Money, Request};
use provider_kit::{
    Call, CaptureMode, Charge, Initiator, Instrument, ProviderAccount, ThreeDSecure, Tokenize, Upstream,
};
use serde::Serialize;

use crate::profile::SIGNING_SECRET;
use crate::wire::{CancelBody, ChargeBody, EffectBody, SourceBody, TokenBody};

pub(crate) fn of(account: &ProviderAccount, call: &Call) -> Request {
    match call {
        Call::Tokenize(call) => tokenize(account, call),
        Call::Charge(call) => charge(account, call),
        Call::Capture(call) => {
            let body = effect(&call.reference, call.amount);
            let body = EffectBody { is_final: Some(call.is_final), ..body };
            below(account, &call.charge, "capture", &call.reference, &body)
        }
        Call::Void(call) => {
            let body = effect(&call.reference, call.amount);
            below(account, &call.charge, "void", &call.reference, &body)
        }
        Call::Refund(call) => {
            let body = effect(&call.reference, call.amount);
            let body = EffectBody { reason: call.reason.as_deref(), ..body };
            below(account, &call.charge, "refund", &call.reference, &body)
        }
        Call::Cancel(call) => {
            let body = CancelBody { reference: &call.reference };
            below(account, &call.charge, "cancel", &call.reference, &body)
        }
        Call::Increment(call) => {
            let body = effect(&call.reference, call.amount);
            below(account, &call.charge, "increment", &call.reference, &body)
        }
        // By our own reference, which the adapter knows even if we never learned its own.
        Call::Lookup(call) => Request {
            step: "lookup",
            key: format!("{}-lookup", call.reference),
            effect: Effect::Read,
            method: Method::Get,
            url: url(account, &format!("/operations/{}", call.reference)),
            headers: vec![accept()],
            body: Vec::new(),
            auth: Auth::Signed(SIGNING_SECRET),
            carries_card: false,
        },
    }
}

fn tokenize(account: &ProviderAccount, call: &Tokenize) -> Request {
    let card = &call.card;
    let body = TokenBody {
        number: card.number.digits().expose(),
        exp_month: card.exp_month,
        exp_year: card.exp_year,
        cvc: card.cvc.as_ref().map(|cvc| cvc.expose().as_str()),
        holder: card.holder.as_ref().map(|holder| holder.expose().as_str()),
    };
    Request {
        // A token is only a form of the card: the adapter keeps nothing that moves money.
        effect: Effect::Read,
        key: format!("{}-tokenize", call.reference),
        carries_card: true,
        ..post(account, "tokenize", "/tokens", &call.reference, &body)
    }
}

fn charge(account: &ProviderAccount, call: &Charge) -> Request {
    let source = match &call.instrument {
        Instrument::CardToken { token } => SourceBody::Card { token },
        // The profile does not claim it, so that no such charge gets here.
        Instrument::Paypal { token } => SourceBody::Card { token: token.as_deref().unwrap_or_default() },
        Instrument::Hosted { .. } => SourceBody::Card { token: "" },
        Instrument::Upi { vpa, payee } => {
            SourceBody::Upi { payer_vpa: vpa.as_deref(), payee_vpa: &payee.vpa, payee_name: &payee.name }
        }
    };
    let body = ChargeBody {
        reference: &call.reference,
        amount: call.amount.minor,
        currency: call.amount.currency,
        capture: call.capture == CaptureMode::Automatic,
        source,
        return_url: &call.return_url,
        description: call.description.as_deref(),
        expires_in_seconds: call.expires_in_seconds,
        merchant_initiated: !call.initiator.is_customer(),
        network_transaction_id: match &call.initiator {
            Initiator::Merchant { network_transaction_id } => network_transaction_id.as_deref(),
            Initiator::Customer => None,
        },
        stores_credential: call.stores_credential,
        three_d_secure: call.three_d_secure == ThreeDSecure::Required,
    };
    post(account, "charge", "/charges", &call.reference, &body)
}

const fn effect(reference: &str, amount: Money) -> EffectBody<'_> {
    let (amount, currency) = (amount.minor, amount.currency);
    EffectBody { reference, amount, currency, is_final: None, reason: None }
}

/// A request about a charge, which is named by the adapter's reference if we were told it.
fn below(
    account: &ProviderAccount,
    charge: &Upstream,
    step: &'static str,
    reference: &str,
    body: &impl Serialize,
) -> Request {
    let name = charge.provider_reference.as_ref().unwrap_or(&charge.reference);
    post(account, step, &format!("/charges/{name}/{step}s"), reference, body)
}

fn post(
    account: &ProviderAccount,
    step: &'static str,
    path: &str,
    reference: &str,
    body: &impl Serialize,
) -> Request {
    Request {
        step,
        key: reference.to_owned(),
        effect: Effect::Repeatable,
        method: Method::Post,
        url: url(account, path),
        headers: vec![accept(), ("content-type".to_owned(), "application/json".to_owned())],
        // Texts, integers and enums: writing them as JSON does not fail, and an empty body would be
        // refused before anything is done.
        body: serde_json::to_vec(body).unwrap_or_default(),
        auth: Auth::Signed(SIGNING_SECRET),
        carries_card: false,
    }
}

/// Asks what the adapter can do.
pub(crate) fn discover(account: &ProviderAccount, key: &str) -> Request {
    Request {
        step: "capabilities",
        key: format!("{key}-capabilities"),
        effect: Effect::Read,
        method: Method::Get,
        url: url(account, "/capabilities"),
        headers: vec![accept()],
        body: Vec::new(),
        auth: Auth::Signed(SIGNING_SECRET),
        carries_card: false,
    }
}

fn accept() -> Header {
    ("accept".to_owned(), "application/json".to_owned())
}

fn url(account: &ProviderAccount, path: &str) -> String {
    format!("{}{path}", account.setting("base_url").trim_end_matches('/'))
}
