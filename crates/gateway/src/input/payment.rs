//! `POST /payments` and `POST /payments/{id}/confirm`.

use kernel::{Currency, Id, Mode, Money, Scope};
use payments::{AnswerForm, ConfirmPayment, CreatePayment, MethodInput, OffSession, Purpose};
use provider_kit::{CaptureMode, ThreeDSecure};

use super::amount::{currency, minor_units, whole_number};
use super::customer::customer_ref;
use super::fields::{Fields, Schema};
use super::json::Node;
use super::metadata::metadata;
use super::method::method;
use super::payer::payer;
use super::text::{TextRule, check_email};
use super::url::absolute_url;
use crate::problem::{Problem, catalogue as code};

pub(crate) const CREATE: Schema = Schema {
    fields: &[
        "amount",
        "amount_paisa",
        "currency",
        "purpose",
        "capture_method",
        "confirm",
        "payment_method",
        "payment_details",
        "customer_id",
        "user_id",
        "merchant_id",
        "order_id",
        "allow_duplicate_order",
        "provider",
        "gateway",
        "description",
        "statement_descriptor",
        "customer_email",
        "metadata",
        "return_url",
        "callback_url",
        "capture_delay_seconds",
        "off_session",
        "save_payment_method",
        "network_transaction_id",
        "three_d_secure",
        "billing_address",
        "shipping_address",
        "ip_address",
        "device_fingerprint",
        "user_agent",
        "terminal_id",
    ],
    later: &["wallet_type", "wallet_token", "customer", "installments", "splits"],
};

pub(crate) const CONFIRM: Schema = Schema {
    fields: &[
        "payment_method",
        "payment_details",
        "provider",
        "gateway",
        "return_url",
        "client_secret",
        "off_session",
        "save_payment_method",
        "network_transaction_id",
        "three_d_secure",
        "billing_address",
        "shipping_address",
        "ip_address",
        "device_fingerprint",
        "user_agent",
        "terminal_id",
    ],
    later: &["wallet_type", "wallet_token"],
};

/// Money is held for a month at the very most; providers say how long really.
pub(crate) const DELAY_SECONDS_MAX: u32 = 2_592_000;

/// A create request, of either form.
pub fn create_payment(node: &Node<'_>, scope: Scope) -> Result<CreatePayment, Problem> {
    let fields = Fields::of(node, "", &CREATE)?;
    let purpose = [("payment", Purpose::Payment), ("verification", Purpose::Verification)];
    let purpose = fields.word("purpose", &purpose)?.unwrap_or(Purpose::Payment);
    let (amount, form) = amount(&fields, purpose)?;
    let capture = [("automatic", CaptureMode::Automatic), ("manual", CaptureMode::Manual)];
    let capture_method = fields.word("capture_method", &capture)?;
    let capture_delay_seconds = delay(&fields, capture_method, purpose)?;
    let method = method(&fields)?;
    // Off session, the customer's default method is one.
    let has_method = method.is_some() || fields.flag("off_session")?.unwrap_or(false);
    let confirm = fields.flag("confirm")?.unwrap_or(has_method);
    let stores_credential = fields.flag("save_payment_method")?.unwrap_or(false);
    if stores_credential && !has_method {
        return Err(fields.missing("payment_method", "`save_payment_method` stores it"));
    }
    if confirm && !has_method {
        return Err(fields.missing("payment_method", "`confirm` charges it"));
    }
    if stores_credential && !confirm {
        let detail = "`save_payment_method` stores the method with its charge: send it when you confirm.";
        return Err(Problem::new(&code::INVALID_VALUE, detail).at("/save_payment_method"));
    }
    merchant(&fields, scope)?;
    let customer = customer_ref(&fields)?;
    let off_session = off_session(&fields, method.as_ref(), confirm)?;
    if off_session.is_some() && customer.is_none() {
        return Err(fields.missing("customer_id", "whose stored credential is charged off session"));
    }
    Ok(CreatePayment {
        amount,
        purpose,
        capture_method,
        confirm,
        method,
        customer,
        order_id: owned(fields.text("order_id", &TextRule::REFERENCE)?),
        allow_duplicate_order: fields.flag("allow_duplicate_order")?.unwrap_or(false),
        provider: provider(&fields)?,
        description: owned(fields.text("description", &TextRule::DESCRIPTION)?),
        statement_descriptor: owned(fields.text("statement_descriptor", &TextRule::DESCRIPTOR)?),
        customer_email: email(&fields)?,
        metadata: metadata(&fields)?,
        return_url: url(&fields, "return_url")?,
        callback_url: url(&fields, "callback_url")?,
        form,
        capture_delay_seconds,
        off_session,
        stores_credential,
        three_d_secure: three_d_secure(&fields)?.unwrap_or_default(),
        payer: payer(&fields)?,
    })
}

/// A confirm request.
pub fn confirm_payment(node: &Node<'_>) -> Result<ConfirmPayment, Problem> {
    let fields = Fields::of(node, "", &CONFIRM)?;
    // Judged with the key; here it must only be a text.
    fields.text("client_secret", &TextRule::REFERENCE)?;
    let method = method(&fields)?;
    Ok(ConfirmPayment {
        off_session: off_session(&fields, method.as_ref(), true)?,
        method,
        stores_credential: fields.flag("save_payment_method")?.unwrap_or(false),
        provider: provider(&fields)?,
        return_url: url(&fields, "return_url")?,
        three_d_secure: three_d_secure(&fields)?,
        payer: payer(&fields)?,
    })
}

/// Held first, and taken by itself: only of money that is taken without a capture by the merchant.
fn delay(
    fields: &Fields<'_, '_>,
    capture: Option<CaptureMode>,
    purpose: Purpose,
) -> Result<Option<u32>, Problem> {
    let Some(seconds) = whole_number(fields, "capture_delay_seconds", DELAY_SECONDS_MAX)? else {
        return Ok(None);
    };
    let refuse = |detail: &'static str| {
        Err(Problem::new(&code::CONFLICTING_FIELDS, detail).at(fields.pointer("capture_delay_seconds")))
    };
    match (capture, purpose) {
        (Some(CaptureMode::Manual), _) => {
            refuse("`capture_delay_seconds` captures by itself, `capture_method: manual` leaves it to you.")
        }
        (_, Purpose::Verification) => refuse("A verification moves no money that could be captured later."),
        (_, Purpose::Payment) => Ok(Some(seconds).filter(|seconds| *seconds > 0)),
    }
}

/// The payer is not there: what is charged was stored before, and nobody can answer a challenge.
fn off_session(
    fields: &Fields<'_, '_>,
    method: Option<&MethodInput>,
    confirm: bool,
) -> Result<Option<OffSession>, Problem> {
    let link = fields.text("network_transaction_id", &TextRule::WORD)?;
    if !fields.flag("off_session")?.unwrap_or(false) {
        return match link {
            Some(_) => {
                Err(fields.missing("off_session", "`network_transaction_id` belongs to `off_session: true`"))
            }
            None => Ok(None),
        };
    }
    let refuse = |name: &str, detail: &'static str| {
        Err(Problem::new(&code::INVALID_VALUE, detail).at(fields.pointer(name)))
    };
    match method {
        _ if !confirm => {
            refuse("confirm", "An `off_session` payment is charged at once: leave out `confirm`.")
        }
        Some(MethodInput::Card(_)) => refuse(
            "payment_method",
            "An `off_session` payment charges a stored credential: send a token, not a card's number.",
        ),
        Some(MethodInput::Upi { .. }) => {
            refuse("payment_method", "UPI asks the payer each time, and cannot be charged `off_session`.")
        }
        Some(MethodInput::Paypal { token: None }) => refuse(
            "payment_method",
            "An `off_session` payment charges what was stored: the owner of a PayPal account must be asked.",
        ),
        Some(MethodInput::Hosted { .. }) => refuse(
            "payment_method",
            "An `off_session` payment charges what was stored: on a provider's page its payer is there.",
        ),
        _ => Ok(Some(OffSession { network_transaction_id: owned(link) })),
    }
}

fn three_d_secure(fields: &Fields<'_, '_>) -> Result<Option<ThreeDSecure>, Problem> {
    let words = [("automatic", ThreeDSecure::Automatic), ("required", ThreeDSecure::Required)];
    fields.word("three_d_secure", &words)
}

/// `amount` with `currency`, or `amount_paisa`, which is rupees and chooses the words of the answers.
fn amount(fields: &Fields<'_, '_>, purpose: Purpose) -> Result<(Money, AnswerForm), Problem> {
    let verification = purpose == Purpose::Verification;
    let given = fields.one_of(&["amount", "amount_paisa"])?;
    let (name, _) = given.ok_or_else(|| fields.missing("amount", "a whole number of minor units"))?;
    let minor = minor_units(fields, name, verification)?.unwrap_or_default();
    if verification && minor != 0 {
        let detail = format!("`{name}` must be 0 with `purpose: verification`, which moves no money.");
        return Err(Problem::new(&code::INVALID_AMOUNT, detail).at(fields.pointer(name)));
    }
    let currency = currency(fields, "currency")?;
    match (name, currency) {
        ("amount_paisa", None | Some(Currency::INR)) => {
            Ok((Money::new(minor, Currency::INR), AnswerForm::Paisa))
        }
        ("amount_paisa", Some(other)) => {
            let detail = format!("`amount_paisa` counts Indian rupees; `currency` must be INR, not {other}.");
            Err(Problem::new(&code::INVALID_CURRENCY, detail).at("/currency"))
        }
        (_, Some(currency)) => Ok((Money::new(minor, currency), AnswerForm::Canonical)),
        (_, None) => Err(fields.missing("currency", "an ISO 4217 code such as USD")),
    }
}

/// Who is paid is the key's merchant: live, a request that names another one is refused. In test
/// mode any id does, so that the documents' examples run as they stand.
fn merchant(fields: &Fields<'_, '_>, scope: Scope) -> Result<(), Problem> {
    let Some(text) = fields.text("merchant_id", &TextRule::REFERENCE)? else { return Ok(()) };
    if scope.mode == Mode::Test || Id::parse(text) == Ok(scope.merchant) {
        return Ok(());
    }
    let detail = "`merchant_id` must be the merchant of the API key.";
    Err(Problem::new(&code::INVALID_VALUE, detail).at("/merchant_id"))
}

pub(super) fn provider(fields: &Fields<'_, '_>) -> Result<Option<String>, Problem> {
    let Some((name, node)) = fields.one_of(&["provider", "gateway"])? else { return Ok(None) };
    let text = fields.text_of(name, node, &TextRule::WORD)?;
    // Other gateways call their simulated provider so.
    Ok(Some(if text == "mock" { "sandbox" } else { text }.to_owned()))
}

pub(super) fn email(fields: &Fields<'_, '_>) -> Result<Option<String>, Problem> {
    let Some(text) = fields.text("customer_email", &TextRule::EMAIL)? else { return Ok(None) };
    check_email(text, "customer_email").map_err(|problem| problem.at("/customer_email"))?;
    Ok(Some(text.to_owned()))
}

pub(super) fn url(fields: &Fields<'_, '_>, name: &'static str) -> Result<Option<String>, Problem> {
    let Some(node) = fields.get(name) else { return Ok(None) };
    let Node::Text(text) = node else { return Err(fields.wrong_type(name, "a string", node)) };
    absolute_url(text, name).map_err(|problem| problem.at(fields.pointer(name)))?;
    Ok(Some(text.to_string()))
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}
