//! The bank's objects as its answers and notices show them.

use kernel::{Brand, Currency, Money};
use provider_kit::{DeclineCode, Verb};
use serde::Serialize;

use crate::charge::{Charge, Dated, Dispute, DisputeStatus, Fact, FiledId, Phase, Source, Standing};
use crate::config::BankConfig;
use crate::filing::Effect;
use crate::scenario::network_code;
use crate::{page, upi};

#[derive(Serialize)]
pub(crate) struct ChargeBody<'a> {
    object: &'static str,
    id: FiledId,
    reference: &'a str,
    status: &'static str,
    amount: i64,
    currency: Currency,
    amount_approved: i64,
    amount_captured: i64,
    amount_refunded: i64,
    amount_disputed: i64,
    created: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline: Option<DeclineBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<ActionBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_transaction_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    approval_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rrn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    three_d_secure: Option<AuthenticationBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<i64>,
}

#[derive(Serialize)]
struct CardBody<'a> {
    brand: Brand,
    last4: &'a str,
    country: &'static str,
    issuer: &'static str,
}

#[derive(Serialize)]
struct AuthenticationBody {
    status: &'static str,
    version: &'static str,
    eci: &'static str,
}

#[derive(Serialize)]
struct DeclineBody {
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_code: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum ActionBody {
    ThreeDSecure { url: String },
    QrCode { payload: String },
}

#[derive(Serialize)]
pub(crate) struct EffectBody<'a> {
    object: &'static str,
    id: FiledId,
    reference: Option<&'a str>,
    charge: FiledId,
    charge_reference: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline: Option<DeclineBody>,
    amount: i64,
    currency: Currency,
    created: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<i64>,
}

#[derive(Serialize)]
pub(crate) struct DisputeBody<'a> {
    object: &'static str,
    id: FiledId,
    charge: FiledId,
    charge_reference: &'a str,
    status: DisputeStatus,
    amount: i64,
    currency: Currency,
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fee: Option<i64>,
}

/// A charge, as it stands then.
pub(crate) fn charge<'a>(
    config: &BankConfig,
    scope: kernel::Scope,
    id: FiledId,
    charge: &'a Charge,
    standing: &Standing,
) -> ChargeBody<'a> {
    let decline = match standing.phase {
        Phase::Declined(code) => Some(decline(code)),
        _ => None,
    };
    let is_approved = standing.phase == Phase::Approved;
    let facts = is_approved.then(|| Proof::of(id));
    let upi = matches!(charge.source, Source::Upi { .. });
    ChargeBody {
        object: "charge",
        id,
        reference: &charge.reference,
        status: status(standing),
        amount: charge.amount.minor,
        currency: charge.amount.currency,
        amount_approved: standing.approved,
        amount_captured: standing.captured,
        amount_refunded: standing.refunded,
        amount_disputed: standing.disputed(),
        created: charge.created_at.as_seconds(),
        card: card(charge),
        decline,
        action: (standing.phase == Phase::Challenged).then(|| action(config, scope, id, charge)),
        network_transaction_id: facts.as_ref().filter(|_| !upi).map(Proof::network_transaction_id),
        approval_code: facts.as_ref().map(Proof::approval_code),
        rrn: facts.as_ref().filter(|_| upi).map(Proof::rrn),
        three_d_secure: charge.authentication.filter(|_| is_approved).map(|_| authentication(charge)),
        fee: fee(config, Money::new(standing.captured, charge.amount.currency)),
    }
}

const fn decline(code: DeclineCode) -> DeclineBody {
    DeclineBody { code: code.as_str(), network_code: network_code(code) }
}

/// A capture, void, refund, increment or cancel, as far as these facts of its charge go.
pub(crate) fn effect<'a>(
    config: &BankConfig,
    id: FiledId,
    effect: &'a Effect,
    charge: &'a Charge,
    facts: &[Dated],
) -> EffectBody<'a> {
    EffectBody {
        object: verb_word(effect.verb),
        id,
        reference: effect.reference.as_deref(),
        charge: effect.charge,
        charge_reference: &charge.reference,
        status: if effect.declined.is_some() { "declined" } else { effect_status(id, facts) },
        decline: effect.declined.map(decline),
        amount: effect.amount.minor,
        currency: effect.amount.currency,
        created: effect.created_at.as_seconds(),
        fee: if effect.verb == Verb::Capture { fee(config, effect.amount) } else { None },
    }
}

pub(crate) fn dispute<'a>(
    config: &BankConfig,
    id: FiledId,
    charge: &'a Charge,
    dispute: Dispute,
) -> DisputeBody<'a> {
    DisputeBody {
        object: "dispute",
        id: dispute.id,
        charge: id,
        charge_reference: &charge.reference,
        status: dispute.status,
        amount: dispute.minor,
        currency: charge.amount.currency,
        reason: "fraudulent",
        fee: (config.dispute_fee_minor > 0).then_some(config.dispute_fee_minor),
    }
}

/// Everything here is made of integers, texts and enums: writing it as JSON does not fail.
pub(crate) fn bytes(body: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    if serde_json::to_writer(&mut bytes, body).is_err() {
        bytes.clear();
    }
    bytes
}

/// The word of an effect's object.
pub(crate) const fn verb_word(verb: Verb) -> &'static str {
    match verb {
        Verb::Tokenize => "token",
        Verb::Charge => "charge",
        Verb::Capture => "capture",
        Verb::Void => "void",
        Verb::Refund => "refund",
        Verb::Cancel => "cancel",
        Verb::Increment => "increment",
        Verb::Lookup => "lookup",
    }
}

pub(crate) fn status(standing: &Standing) -> &'static str {
    match standing.phase {
        Phase::Challenged => "requires_action",
        Phase::Processing => "processing",
        Phase::InReview => "in_review",
        Phase::Declined(DeclineCode::Expired) => "expired",
        Phase::Declined(_) => "declined",
        Phase::Cancelled => "cancelled",
        Phase::Approved if standing.captured > 0 => "captured",
        Phase::Approved if standing.released > 0 => "voided",
        Phase::Approved => "authorized",
    }
}

fn card(charge: &Charge) -> Option<CardBody<'_>> {
    match &charge.source {
        Source::Card { brand, last4 } => {
            Some(CardBody { brand: *brand, last4, country: country(*brand), issuer: ISSUER })
        }
        Source::Upi { .. } => None,
    }
}

/// Who issued every test card.
pub(crate) const ISSUER: &str = "Sandbox Bank";

/// Where a test card was issued (ISO 3166-1): where its network is at home.
pub(crate) const fn country(brand: Brand) -> &'static str {
    match brand {
        Brand::Rupay => "IN",
        Brand::Unionpay => "CN",
        Brand::Jcb => "JP",
        Brand::Maestro => "DE",
        Brand::Visa | Brand::Mastercard | Brand::Amex | Brand::Discover | Brand::Diners => "US",
    }
}

/// With the electronic commerce indicator of a fully authenticated payment (EMV 3-D Secure): the two
/// networks of Mastercard count otherwise.
const fn authentication(charge: &Charge) -> AuthenticationBody {
    let eci = match charge.source {
        Source::Card { brand: Brand::Mastercard | Brand::Maestro, .. } => "02",
        Source::Card { .. } | Source::Upi { .. } => "05",
    };
    AuthenticationBody { status: "authenticated", version: "2.2", eci }
}

fn action(config: &BankConfig, scope: kernel::Scope, id: FiledId, charge: &Charge) -> ActionBody {
    match &charge.source {
        Source::Card { .. } => ActionBody::ThreeDSecure { url: page::challenge_url(config, scope, id) },
        Source::Upi { payee_vpa, payee_name, .. } => ActionBody::QrCode {
            payload: upi::link(&upi::PaymentRequest {
                payee_vpa,
                payee_name,
                amount: charge.amount,
                note: charge.description.as_deref().unwrap_or("Payment"),
                reference: &charge.reference,
            }),
        },
    }
}

/// `None` where the bank takes nothing.
fn fee(config: &BankConfig, taken: Money) -> Option<i64> {
    if config.fee_basis_points == 0 || taken.is_zero() {
        return None;
    }
    taken.basis_points(config.fee_basis_points).ok().map(|fee| fee.minor)
}

/// Numbers that a bank prints on its slips; drawn from the id, so that they are always the same.
struct Proof(u128);

impl Proof {
    const fn of(id: FiledId) -> Self {
        Self(id.uuid().as_u128())
    }

    fn digits(&self, shift: u32, count: usize) -> String {
        let power = 10_u128.pow(u32::try_from(count).unwrap_or(0));
        format!("{:0count$}", (self.0 >> shift) % power)
    }

    fn approval_code(&self) -> String {
        self.digits(0, 6)
    }

    /// The retrieval reference number: twelve digits. No card number of twelve digits begins with a
    /// three: it would be masked as one now and then.
    fn rrn(&self) -> String {
        format!("3{}", self.digits(24, 11))
    }

    /// Fifteen digits; no card number begins with a one.
    fn network_transaction_id(&self) -> String {
        format!("1{}", self.digits(48, 14))
    }
}

fn effect_status(effect: FiledId, facts: &[Dated]) -> &'static str {
    let mut status = "succeeded";
    for dated in facts {
        match dated.fact {
            Fact::Refunded { id, is_pending: true, .. } if id == effect => status = "pending",
            Fact::RefundSettled { id } if id == effect => status = "succeeded",
            Fact::RefundFailed { id, .. } if id == effect => status = "failed",
            _ => {}
        }
    }
    status
}
