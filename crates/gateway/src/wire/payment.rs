//! The payment object, with the paisa form's fields beside ours where it was asked in them.

use std::borrow::Cow;

use kernel::{Brand, Currency, Id, Mode};
use payments::{
    AnswerForm, Attempt, CardSummary, ChargeSummary, LastError, MethodSummary, OperationKind,
    OperationStatus, Payment, PaymentKind, Purpose, RefundKind, WaitingFor,
};
use provider_kit::{Account, Action, Advice, CaptureMode};
use serde::Serialize;
use serde_json::{Map, Value};
use vault::{Keys, Purpose as MacPurpose};

use super::At;
use super::action::ActionObject;
use super::qr::qr_data_url;

/// A payment as merchants read it.
#[derive(Debug, Serialize)]
pub struct PaymentObject<'a> {
    id: Id<PaymentKind>,
    object: &'static str,
    mode: &'static str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_for: Option<WaitingFor>,
    amount: i64,
    currency: Currency,
    amount_authorized: i64,
    amount_captured: i64,
    amount_refunded: i64,
    amount_capturable: i64,
    amount_refundable: i64,
    capture_method: CaptureMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    purpose: Option<Purpose>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    metadata: &'a Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_method: Option<MethodObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_account_id: Option<Id<Account>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_reference: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_transaction_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_action: Option<ActionObject<'a>>,
    client_secret: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    statement_descriptor: Option<&'a str>,
    attempts: Vec<AttemptObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_response: Option<&'a Map<String, Value>>,
    refunds: Vec<RefundLine>,
    last_error: Option<ErrorObject<'a>>,
    created_at: At,
    updated_at: At,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<At>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<At>,
    // The words of the paisa form; `status`, `expires_at` and `created_at` are ours.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<Id<PaymentKind>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_paisa: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fees_paisa: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qr_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_txn_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gateway_response: Option<GatewayResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    processed_at: Option<At>,
}

#[derive(Debug, Serialize)]
struct MethodObject<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardObject<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upi: Option<UpiObject<'a>>,
}

#[derive(Debug, Serialize)]
struct CardObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    brand: Option<Brand>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last4: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp_month: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp_year: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bin: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    three_d_secure: Option<&'a Value>,
}

#[derive(Debug, Serialize)]
struct UpiObject<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    vpa: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct AttemptObject<'a> {
    id: String,
    status: &'static str,
    provider: &'a str,
    amount: i64,
    error: Option<ErrorObject<'a>>,
    created_at: At,
}

#[derive(Debug, Serialize)]
struct RefundLine {
    id: Id<RefundKind>,
    amount: i64,
    status: &'static str,
    created_at: At,
}

/// Why something failed.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct ErrorObject<'a> {
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    advice: Option<Advice>,
}

#[derive(Debug, Serialize)]
struct GatewayResponse<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    rrn: Option<&'a str>,
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
        let charge = payment.charge.as_ref();
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
            amount_capturable: payment.amounts.capturable(),
            amount_refundable: payment.amounts.refundable(),
            capture_method: payment.capture_method,
            purpose: Some(payment.purpose).filter(|purpose| *purpose == Purpose::Verification),
            customer_id: customer_id(payment),
            order_id: order_id(payment),
            description: payment.description.as_deref(),
            metadata: &payment.metadata,
            payment_method: payment.method.as_ref().map(MethodObject::of),
            provider: charge.map(|charge| charge.provider.as_str()),
            provider_account_id: charge.map(|charge| charge.account),
            provider_reference: charge.and_then(|charge| charge.reference.as_deref()),
            network_transaction_id: charge.and_then(|charge| charge.network_transaction_id.as_deref()),
            next_action: payment.next_action().map(ActionObject::of),
            client_secret: client_secret(payment.id, keys),
            statement_descriptor: payment.statement_descriptor.as_deref(),
            attempts: payment.attempts.iter().map(|attempt| AttemptObject::of(attempt, payment)).collect(),
            provider_response: charge.map(|charge| &charge.facts),
            refunds: refunds(payment),
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

/// For display, an `order_id` among the metadata counts too.
fn order_id(payment: &Payment) -> Option<&str> {
    payment.order_id.as_deref().or_else(|| payment.metadata.get("order_id").and_then(Value::as_str))
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

/// Lets a browser act on this payment alone. Derived, so that nothing must be stored.
fn client_secret(id: Id<PaymentKind>, keys: &Keys) -> String {
    let mac = keys.mac(MacPurpose::ClientSecret, &[id.uuid().as_bytes()]);
    let mut secret = format!("{id}_secret_");
    let digits = mac.iter().take(16).flat_map(|byte| [byte >> 4, byte & 15]);
    secret.extend(digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)));
    secret
}

impl<'a> MethodObject<'a> {
    fn of(method: &'a MethodSummary) -> Self {
        match method {
            MethodSummary::Card(card) => Self { kind: "card", card: Some(CardObject::of(card)), upi: None },
            MethodSummary::Upi { vpa } => {
                Self { kind: "upi", card: None, upi: Some(UpiObject { vpa: vpa.as_deref() }) }
            }
        }
    }
}

impl<'a> CardObject<'a> {
    fn of(card: &'a CardSummary) -> Self {
        Self {
            brand: card.brand,
            last4: card.last4.as_deref(),
            exp_month: card.exp_month,
            exp_year: card.exp_year,
            bin: card.bin.as_deref(),
            fingerprint: card.fingerprint.as_deref(),
            three_d_secure: card.three_d_secure.as_ref(),
        }
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
