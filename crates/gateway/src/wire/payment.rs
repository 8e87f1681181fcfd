//! The payment object, with the paisa form's fields beside ours where it was asked in them.

use std::borrow::Cow;

use kernel::{Brand, Currency, Id, Mode};
use payments::{
    AnswerForm, Attempt, CardSummary, ChargeSummary, LastError, MethodSummary, OperationKind,
    OperationStatus, Payment, PaymentKind, PaymentMethodKind, Purpose, RefundKind, WaitingFor,
};
use provider_kit::{Account, Action, Advice, Authentication, CaptureMode, ThreeDSecure};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use vault::Keys;

use super::At;
use super::action::ActionObject;
use super::address::AddressObject;
use super::dispute::{DisputeLine, is_zero};
use super::qr::qr_data_url;
use crate::client_secret::client_secret;
use crate::openapi::form;

/// A payment as merchants read it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Payment")]
pub struct PaymentObject<'a> {
    /// Its id.
    #[schemars(with = "form::IdOf<PaymentKind>")]
    id: Id<PaymentKind>,
    /// Always `payment`.
    object: &'static str,
    /// Test or live.
    #[schemars(with = "form::ModeWord")]
    mode: &'static str,
    /// Where it stands.
    #[schemars(with = "form::PaymentStatusWord")]
    status: &'static str,
    /// For whom a pending payment waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::WaitingForWord>")]
    waiting_for: Option<WaitingFor>,
    /// What was asked for, in minor units.
    amount: i64,
    /// Of all its amounts.
    #[schemars(with = "form::Currency")]
    currency: Currency,
    /// Held or taken by its charges.
    amount_authorized: i64,
    /// Taken.
    amount_captured: i64,
    /// Given back.
    amount_refunded: i64,
    /// Held back by disputes that are open.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(with = "Option<i64>")]
    amount_disputed: i64,
    /// Lost in disputes: it was taken, and is gone without being refunded.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(with = "Option<i64>")]
    amount_dispute_lost: i64,
    /// What can still be captured.
    amount_capturable: i64,
    /// What can still be refunded.
    amount_refundable: i64,
    /// When approved money is taken.
    #[schemars(with = "form::CaptureMethodWord")]
    capture_method: CaptureMode,
    /// It is held first, and captured by itself so many seconds after it was authorized.
    #[serde(skip_serializing_if = "Option::is_none")]
    capture_delay_seconds: Option<u32>,
    /// `true` where the payer was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    off_session: Option<bool>,
    /// `required`, or absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::ThreeDSecureWord>")]
    three_d_secure: Option<ThreeDSecure>,
    /// The payer's address on the network.
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_address: Option<&'a str>,
    /// The payer's device.
    #[serde(skip_serializing_if = "Option::is_none")]
    device_fingerprint: Option<&'a str>,
    /// The payer's browser.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<&'a str>,
    /// Your terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    terminal_id: Option<&'a str>,
    /// Where the bill goes.
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_address: Option<AddressObject<'a>>,
    /// Where the goods go.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_address: Option<AddressObject<'a>>,
    /// `verification`, or absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::PurposeWord>")]
    purpose: Option<Purpose>,
    /// Your reference of the customer, else our id.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<Cow<'a, str>>,
    /// Your order.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'a str>,
    /// As you gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    /// Your own data.
    #[schemars(with = "form::Metadata")]
    metadata: &'a Map<String, Value>,
    /// With what it is paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<PaidWithObject<'a>>,
    /// Who carries it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    /// Your account at the provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::IdOf<Account>>")]
    provider_account_id: Option<Id<Account>>,
    /// The provider's own id of the charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_reference: Option<&'a str>,
    /// The card network's id of the charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    network_transaction_id: Option<&'a str>,
    /// What the customer must do.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_action: Option<ActionObject<'a>>,
    /// Lets a browser act on this payment alone.
    client_secret: String,
    /// What a card statement shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    statement_descriptor: Option<&'a str>,
    /// Every try at a provider, oldest first.
    attempts: Vec<AttemptObject<'a>>,
    /// What the provider said, without what is secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::Open>")]
    provider_response: Option<&'a Map<String, Value>>,
    /// Under which names the provider knows the charge.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_metadata: Option<ProviderNames<'a>>,
    /// Its refunds, oldest first.
    refunds: Vec<RefundLine>,
    /// Its disputes, oldest first; absent where there is none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    disputes: Vec<DisputeLine<'a>>,
    /// Why the last charge was not done.
    last_error: Option<ErrorObject<'a>>,
    /// When it was made.
    created_at: At,
    /// When it last changed.
    updated_at: At,
    /// When its money was taken, or it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<At>,
    /// When it is given up if nobody finishes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<At>,
    // The words of the paisa form; `status`, `expires_at` and `created_at` are ours.
    /// Paisa form: `id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::IdOf<PaymentKind>>")]
    payment_id: Option<Id<PaymentKind>>,
    /// Paisa form: `amount`.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_paisa: Option<i64>,
    /// Paisa form: the provider's fee.
    #[serde(skip_serializing_if = "Option::is_none")]
    fees_paisa: Option<i64>,
    /// Paisa form: what the customer opens.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_url: Option<&'a str>,
    /// Paisa form: the same as a PNG data URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    qr_code: Option<String>,
    /// Paisa form: `provider_reference`.
    #[serde(skip_serializing_if = "Option::is_none")]
    external_txn_id: Option<&'a str>,
    /// Paisa form: what the bank said.
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway_response: Option<GatewayResponse<'a>>,
    /// Paisa form: `completed_at`.
    #[serde(skip_serializing_if = "Option::is_none")]
    processed_at: Option<At>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PaymentMethodSummary")]
struct PaidWithObject<'a> {
    /// The stored payment method that it was, or that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::IdOf<PaymentMethodKind>>")]
    id: Option<Id<PaymentMethodKind>>,
    /// `card` or `upi`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Of a card.
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardObject<'a>>,
    /// Of UPI.
    #[serde(skip_serializing_if = "Option::is_none")]
    upi: Option<UpiObject<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "CardSummary")]
pub(super) struct CardObject<'a> {
    /// Its scheme.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::BrandWord>")]
    brand: Option<Brand>,
    /// The last four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    last4: Option<&'a str>,
    /// Month of expiry, 1 to 12.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp_month: Option<u8>,
    /// Year of expiry, four digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    exp_year: Option<u16>,
    /// The first digits, which name the issuer.
    #[serde(skip_serializing_if = "Option::is_none")]
    bin: Option<&'a str>,
    /// Where it was issued: ISO 3166-1 alpha-2.
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    /// Who issued it.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<&'a str>,
    /// The same for the same number at this merchant; shown to secret keys alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<&'a str>,
    /// How the payer was authenticated.
    #[serde(skip_serializing_if = "Option::is_none")]
    three_d_secure: Option<AuthenticationObject<'a>>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ThreeDSecure")]
struct AuthenticationObject<'a> {
    /// `authenticated` or `attempted`.
    status: &'a str,
    /// Of the protocol.
    version: &'a str,
    /// The electronic commerce indicator, two digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    eci: Option<&'a str>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ProviderMetadata")]
struct ProviderNames<'a> {
    /// The reference that we sent: what your account at the provider shows.
    reference: String,
    /// The provider's own id, once it told one.
    #[serde(skip_serializing_if = "Option::is_none")]
    charge_id: Option<&'a str>,
}

impl<'a> ProviderNames<'a> {
    fn of(charge: &'a ChargeSummary) -> Self {
        Self { reference: charge.operation.reference(), charge_id: charge.reference.as_deref() }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UpiSummary")]
pub(super) struct UpiObject<'a> {
    /// The payer's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) vpa: Option<&'a str>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Attempt")]
struct AttemptObject<'a> {
    /// Its id.
    id: String,
    /// Where it stands.
    #[schemars(with = "form::AttemptStatusWord")]
    status: &'static str,
    /// Who was asked.
    provider: &'a str,
    /// In minor units.
    amount: i64,
    /// Why it was not done, or null.
    error: Option<ErrorObject<'a>>,
    /// When it was committed.
    created_at: At,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RefundSummary")]
struct RefundLine {
    /// Its id.
    #[schemars(with = "form::IdOf<RefundKind>")]
    id: Id<RefundKind>,
    /// In minor units.
    amount: i64,
    /// Where it stands.
    #[schemars(with = "form::RefundStatusWord")]
    status: &'static str,
    /// When it was made.
    created_at: At,
}

/// Why something failed.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "LastError")]
pub(super) struct ErrorObject<'a> {
    /// A code of the error reference.
    code: &'a str,
    /// Why the issuer declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<&'a str>,
    /// The network's own code.
    #[serde(skip_serializing_if = "Option::is_none")]
    network_code: Option<&'a str>,
    /// What to do now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::AdviceWord>")]
    advice: Option<Advice>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "GatewayResponse")]
struct GatewayResponse<'a> {
    /// The bank's retrieval reference number.
    #[serde(skip_serializing_if = "Option::is_none")]
    rrn: Option<&'a str>,
    /// The bank's approval code.
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_code: Option<&'a str>,
}

impl<'a> ErrorObject<'a> {
    /// The wire form of an error.
    pub(super) fn of(error: &'a LastError) -> Self {
        Self {
            code: &error.code,
            decline_code: error.decline_code.as_deref(),
            network_code: error.network_code.as_deref(),
            advice: error.advice,
        }
    }
}

impl<'a> PaymentObject<'a> {
    /// The wire form of a payment, as a secret key may see it.
    pub fn of(payment: &'a Payment, mode: Mode, keys: &Keys) -> Self {
        let (charge, payer) = (payment.charge.as_ref(), payment.payer.as_deref());
        let object = Self {
            id: payment.id,
            object: "payment",
            mode: mode.as_str(),
            status: payment.status().as_str(),
            waiting_for: payment.waiting_for(),
            amount: payment.amount.minor,
            currency: payment.amount.currency,
            amount_authorized: payment.amounts.authorized,
            amount_captured: payment.amounts.captured,
            amount_refunded: payment.amounts.refunded,
            amount_disputed: payment.amounts.disputed,
            amount_dispute_lost: payment.amounts.dispute_lost,
            amount_capturable: payment.amounts.capturable(),
            amount_refundable: payment.amounts.refundable(),
            capture_method: payment.capture_method,
            capture_delay_seconds: payment.capture_delay_seconds,
            off_session: payment.off_session.then_some(true),
            three_d_secure: Some(payment.three_d_secure).filter(|wanted| !wanted.is_automatic()),
            ip_address: payer.and_then(|payer| payer.ip_address.as_deref()),
            device_fingerprint: payer.and_then(|payer| payer.device_fingerprint.as_deref()),
            user_agent: payer.and_then(|payer| payer.user_agent.as_deref()),
            terminal_id: payer.and_then(|payer| payer.terminal_id.as_deref()),
            billing_address: payer.and_then(|payer| payer.billing_address.as_ref()).map(AddressObject::of),
            shipping_address: payer.and_then(|payer| payer.shipping_address.as_ref()).map(AddressObject::of),
            purpose: Some(payment.purpose).filter(|purpose| *purpose == Purpose::Verification),
            customer_id: customer_id(payment),
            order_id: payment.shown_order_id(),
            description: payment.description.as_deref(),
            metadata: &payment.metadata,
            payment_method: payment
                .method
                .as_ref()
                .map(|method| PaidWithObject::of(method, payment.method_id)),
            provider: charge.map(|charge| charge.provider.as_str()),
            provider_account_id: charge.map(|charge| charge.account),
            provider_reference: charge.and_then(|charge| charge.reference.as_deref()),
            network_transaction_id: charge.and_then(|charge| charge.network_transaction_id.as_deref()),
            next_action: payment.next_action().map(ActionObject::of),
            client_secret: client_secret(payment.id, keys),
            statement_descriptor: payment.statement_descriptor.as_deref(),
            attempts: payment.attempts.iter().map(|attempt| AttemptObject::of(attempt, payment)).collect(),
            provider_response: charge.map(|charge| &charge.facts),
            provider_metadata: charge.map(ProviderNames::of),
            refunds: refunds(payment),
            disputes: payment.disputes.iter().map(DisputeLine::of).collect(),
            last_error: payment.last_error.as_ref().map(ErrorObject::of),
            created_at: At(payment.created_at),
            updated_at: At(payment.updated_at),
            completed_at: payment.completed_at.map(At),
            expires_at: payment.expires_at.map(At),
            payment_id: None,
            amount_paisa: None,
            fees_paisa: None,
            payment_url: None,
            qr_code: None,
            external_txn_id: None,
            gateway_response: None,
            processed_at: None,
        };
        match payment.form {
            AnswerForm::Canonical => object,
            AnswerForm::Paisa => object.with_paisa(payment),
        }
    }

    fn with_paisa(mut self, payment: &'a Payment) -> Self {
        let charge = payment.charge.as_ref();
        self.payment_id = Some(payment.id);
        self.amount_paisa = Some(payment.amount.minor);
        self.fees_paisa = Some(charge.and_then(|charge| charge.fee).unwrap_or(0));
        self.payment_url = charge.and_then(payment_url);
        self.qr_code = match (&self.next_action, self.payment_url) {
            // The image was drawn already: `next_action` shows the same code.
            (Some(ActionObject::QrCode { payload, image }), Some(url)) if *payload == url => image.clone(),
            (_, url) => url.and_then(qr_data_url),
        };
        self.external_txn_id = charge.and_then(|charge| charge.reference.as_deref());
        self.gateway_response = charge.and_then(GatewayResponse::of);
        self.processed_at = payment.completed_at.map(At);
        self
    }
}

/// What the customer must do, or had to: it is kept after it was done.
fn payment_url(charge: &ChargeSummary) -> Option<&str> {
    charge.payment_url.as_deref().or_else(|| match charge.action.as_ref()? {
        Action::QrCode { payload } => Some(payload.as_str()),
        Action::Redirect { url } | Action::ThreeDSecure { url } | Action::AppLink { url } => {
            Some(url.as_str())
        }
        // It is nothing without its fields.
        Action::Form { .. } => None,
    })
}

/// The merchant's own reference where there is one, else ours.
fn customer_id(payment: &Payment) -> Option<Cow<'_, str>> {
    let customer = payment.customer.as_ref()?;
    Some(match &customer.reference {
        Some(reference) => Cow::Borrowed(reference),
        None => Cow::Owned(customer.id.to_string()),
    })
}

fn refunds(payment: &Payment) -> Vec<RefundLine> {
    let line = payment.refunds.iter().map(|refund| RefundLine {
        id: refund.id,
        amount: refund.amount,
        status: refund.status.as_str(),
        created_at: At(refund.created_at),
    });
    line.collect()
}

impl<'a> PaidWithObject<'a> {
    fn of(method: &'a MethodSummary, id: Option<Id<PaymentMethodKind>>) -> Self {
        match method {
            MethodSummary::Card(card) => {
                Self { id, kind: "card", card: Some(CardObject::of(card)), upi: None }
            }
            MethodSummary::Upi { vpa } => {
                Self { id, kind: "upi", card: None, upi: Some(UpiObject { vpa: vpa.as_deref() }) }
            }
            MethodSummary::Paypal | MethodSummary::Hosted { .. } => {
                Self { id, kind: method.kind().as_str(), card: None, upi: None }
            }
        }
    }
}

impl<'a> AuthenticationObject<'a> {
    fn of(said: &'a Authentication) -> Self {
        Self { status: &said.status, version: &said.version, eci: said.eci.as_deref() }
    }
}

impl<'a> CardObject<'a> {
    /// What is shown of a card.
    pub(super) fn of(card: &'a CardSummary) -> Self {
        Self {
            brand: card.brand,
            last4: card.last4.as_deref(),
            exp_month: card.exp_month,
            exp_year: card.exp_year,
            bin: card.bin.as_deref(),
            fingerprint: card.fingerprint.as_deref(),
            country: card.country.as_deref(),
            issuer: card.issuer.as_deref(),
            three_d_secure: card.three_d_secure.as_deref().map(AuthenticationObject::of),
        }
    }

    /// What the payer's own page may know: nothing that tells one number from another.
    pub(super) fn for_browser(self) -> Self {
        Self { bin: None, fingerprint: None, country: None, issuer: None, ..self }
    }
}

impl<'a> AttemptObject<'a> {
    fn of(attempt: &'a Attempt, payment: &Payment) -> Self {
        let operation = attempt.operation;
        let id = operation.to_string();
        let stands = payment.charge.as_ref().is_some_and(|charge| charge.operation == operation);
        let status = match (attempt.status, operation.kind) {
            (OperationStatus::Succeeded, OperationKind::Sale) => "captured",
            (OperationStatus::Succeeded, _) if stands && payment.amounts.captured > 0 => "captured",
            (OperationStatus::Succeeded, _) => "authorized",
            (status, _) => status.as_str(),
        };
        Self {
            // The charge's id in the words of attempts: `pay_…-s01` is `att_…-s01`.
            id: id.strip_prefix("pay_").map_or(id.clone(), |rest| format!("att_{rest}")),
            status,
            provider: &attempt.provider,
            amount: attempt.amount,
            error: attempt.error.as_ref().map(ErrorObject::of),
            created_at: At(attempt.created_at),
        }
    }
}

impl<'a> GatewayResponse<'a> {
    fn of(charge: &'a ChargeSummary) -> Option<Self> {
        let fact = |name| charge.facts.get(name).and_then(Value::as_str);
        let (rrn, approval_code) = (fact("rrn"), fact("approval_code"));
        if rrn.is_none() && approval_code.is_none() { None } else { Some(Self { rrn, approval_code }) }
    }
}
