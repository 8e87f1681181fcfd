//! With what is paid: a card, a provider's token, or UPI.

use kernel::{CardNumber, Id, Secret};
use payments::{Attaching, MethodInput, NewMethod, PaymentMethodKind};
use provider_kit::{Card, MethodKind};

use super::customer::{customer_ref, method_id};
use super::fields::{Fields, Schema};
use super::json::Node;
use super::payment::provider;
use super::text::TextRule;
use crate::problem::{Problem, catalogue as code};

pub(crate) const CARD: Schema = Schema {
    fields: &[
        "type",
        "card_number",
        "number",
        "exp_month",
        "expiry_month",
        "exp_year",
        "expiry_year",
        "cvc",
        "cvv",
        "holder_name",
        "token",
    ],
    later: &["billing_address", "network_token", "three_d_secure", "installments"],
};
pub(crate) const PAYPAL: Schema = Schema { fields: &["type", "token"], later: &[] };
pub(crate) const UPI: Schema = Schema { fields: &["type", "vpa"], later: &["flow", "mobile"] };

/// A method that is paid on the pages of a provider or of whom it sends the payer to.
pub(crate) const HOSTED: Schema = Schema { fields: &["type", "provider_code"], later: &[] };

const STORED: Schema = Schema { fields: &["type", "id"], later: &[] };
const STORED_OR_CARD: Schema = Schema {
    fields: &[
        "id",
        "type",
        "card_number",
        "number",
        "exp_month",
        "expiry_month",
        "exp_year",
        "expiry_year",
        "cvc",
        "cvv",
        "holder_name",
        "token",
    ],
    later: &["billing_address", "network_token", "three_d_secure", "installments"],
};
pub(crate) const TOKENIZE: Schema = Schema {
    fields: &[
        "type",
        "details",
        "card",
        "upi",
        "user_id",
        "customer_id",
        "display_name",
        "provider",
        "gateway",
    ],
    later: &["billing_address", "metadata"],
};
pub(crate) const ATTACH: Schema = Schema {
    fields: &["type", "details", "card", "upi", "display_name", "provider", "gateway", "payment_method"],
    later: &["billing_address", "metadata"],
};
pub(crate) const NAMED: Schema = Schema { fields: &["payment_method"], later: &[] };

const NUMBER: &[&str] = &["card_number", "number"];
const MONTH: &[&str] = &["exp_month", "expiry_month"];
const YEAR: &[&str] = &["exp_year", "expiry_year"];
const CVC: &[&str] = &["cvc", "cvv"];

/// Methods of the product that this version cannot take.
const LATER: &[&str] = &[
    "apple_pay",
    "google_pay",
    "alipay",
    "wechat_pay",
    "paytm",
    "phonepe",
    "amazon_pay",
    "bank_transfer",
    "ach",
    "sepa",
    "bacs",
    "crypto",
    "bnpl",
    "cash",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Card,
    Upi,
    Paypal,
    Hosted(MethodKind),
}

/// Reads `payment_method`: an object with a `type`, a provider's token, or a word with the details
/// beside it in `payment_details`.
pub(crate) fn method(fields: &Fields<'_, '_>) -> Result<Option<MethodInput>, Problem> {
    let details = fields.get("payment_details");
    match (fields.get("payment_method"), details) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(fields.missing("payment_method", "`payment_details` belong to one")),
        (Some(Node::Object(_)), Some(_)) => Err(fields.conflict("payment_method", "payment_details")),
        (Some(node @ Node::Object(members)), None) => {
            if members.iter().any(|(name, _)| name == "id") {
                return stored(node).map(Some);
            }
            let kind = members.iter().find(|(name, _)| name == "type").map(|(_, node)| node);
            let kind = match kind {
                Some(Node::Text(word)) => kind_of(word, "/payment_method/type")?,
                Some(node) => {
                    let detail = format!("`type` must be a string; it is {}.", node.type_name());
                    return Err(Problem::new(&code::INVALID_TYPE, detail).at("/payment_method/type"));
                }
                None => {
                    let detail = "`type` is needed: `card`, `upi`, `paypal`, `checkout`, `net_banking`, \
                                  `wallet` or `emi`.";
                    return Err(Problem::new(&code::MISSING_FIELD, detail).at("/payment_method/type"));
                }
            };
            of_kind(kind, node, "/payment_method").map(Some)
        }
        (Some(Node::Text(word)), None) if word.starts_with("tok_") => {
            let token = fields.text("payment_method", &TextRule::TOKEN)?.unwrap_or_default();
            Ok(Some(MethodInput::Token(token.to_owned())))
        }
        (Some(Node::Text(word)), None) if word.starts_with("pm_") => {
            let node = fields.get("payment_method").unwrap_or(&Node::Null);
            method_id(fields, "payment_method", node).map(|id| Some(MethodInput::Stored(id)))
        }
        (Some(Node::Text(word)), details) => {
            let kind = kind_of(word, "/payment_method")?;
            match details {
                Some(node) => {
                    check_type(kind, node, "/payment_details/type")?;
                    of_kind(kind, node, "/payment_details").map(Some)
                }
                None if kind == Kind::Upi => Ok(Some(MethodInput::Upi { vpa: None })),
                None if kind == Kind::Paypal => Ok(Some(MethodInput::Paypal { token: None })),
                None if let Kind::Hosted(method) = kind => Ok(Some(MethodInput::Hosted { method, at: None })),
                None => Err(fields.missing("payment_details", "the card's details")),
            }
        }
        (Some(node), _) => {
            let expected = "an object with a `type`, a provider's token, or `UPI` with `payment_details`";
            Err(fields.wrong_type("payment_method", expected, node))
        }
    }
}

/// A stored method as an object: its id, and at most its type beside it.
fn stored(node: &Node<'_>) -> Result<MethodInput, Problem> {
    let Node::Object(members) = node else { return Err(Problem::plain(&code::INVALID_TYPE)) };
    if let Some((name, _)) =
        members.iter().find(|(name, _)| CARD.fields.contains(&name.as_ref()) && name != "type")
    {
        let fields = Fields::of(node, "/payment_method", &STORED_OR_CARD)?;
        return Err(fields.conflict("id", name));
    }
    let fields = Fields::of(node, "/payment_method", &STORED)?;
    if let Some(Node::Text(word)) = fields.get("type") {
        kind_of(word, "/payment_method/type")?;
    }
    let node = fields.get("id").ok_or_else(|| fields.missing("id", "the payment method's id"))?;
    method_id(&fields, "id", node).map(MethodInput::Stored)
}

/// A new method to be stored: the document's form with `details`, ours with `card` or `upi`.
pub fn new_method(node: &Node<'_>, names_customer: bool) -> Result<NewMethod, Problem> {
    let fields = Fields::of(node, "", if names_customer { &TOKENIZE } else { &ATTACH })?;
    let kind = match fields.get("type") {
        Some(Node::Text(word)) => kind_of(word, "/type")?,
        Some(node) => return Err(fields.wrong_type("type", "a string", node)),
        None if fields.get("upi").is_some() => Kind::Upi,
        None => Kind::Card,
    };
    if matches!(kind, Kind::Paypal | Kind::Hosted(_)) {
        let detail = "A method of a provider's own pages is stored with a payment that its owner agrees to: \
                      send `save_payment_method` with one.";
        return Err(Problem::new(&code::INVALID_VALUE, detail).at("/type"));
    }
    let own = if kind == Kind::Card { "card" } else { "upi" };
    let other = if kind == Kind::Card { "upi" } else { "card" };
    if fields.get(other).is_some() {
        return Err(fields.conflict("type", other));
    }
    let method = match fields.one_of(&["details", own])? {
        Some((name, node)) => {
            let (base, type_at) = match (name, kind) {
                ("details", _) => ("/details", "/details/type"),
                (_, Kind::Card) => ("/card", "/card/type"),
                (_, Kind::Upi | Kind::Paypal | Kind::Hosted(_)) => ("/upi", "/upi/type"),
            };
            check_type(kind, node, type_at)?;
            of_kind(kind, node, base)?
        }
        None => return Err(fields.missing(own, "what the payment method is")),
    };
    if matches!(method, MethodInput::Upi { vpa: None }) {
        return Err(fields.missing("upi", "`vpa`, the address that is stored"));
    }
    Ok(NewMethod {
        method,
        customer: if names_customer { customer_ref(&fields)? } else { None },
        display_name: fields.text("display_name", &TextRule::NAME)?.map(str::to_owned),
        provider: provider(&fields)?,
    })
}

/// What is attached: `payment_method` with the id of a stored one, or a new one as for `tokenize`.
pub fn attaching(node: &Node<'_>) -> Result<Attaching, Problem> {
    let Node::Object(members) = node else {
        return new_method(node, false).map(|new| Attaching::New(Box::new(new)));
    };
    if !members.iter().any(|(name, _)| name == "payment_method") {
        return new_method(node, false).map(|new| Attaching::New(Box::new(new)));
    }
    named_method(node)?.map(Attaching::Stored).ok_or_else(|| {
        let detail = "`payment_method` is needed: the id of a payment method, `pm_…`.";
        Problem::new(&code::MISSING_FIELD, detail).at("/payment_method")
    })
}

/// A body that names a stored method and nothing else; `None` for null.
pub fn named_method(node: &Node<'_>) -> Result<Option<Id<PaymentMethodKind>>, Problem> {
    let fields = Fields::of(node, "", &NAMED)?;
    match fields.named("payment_method") {
        None => Err(fields.missing("payment_method", "the id of a payment method, `pm_…`")),
        Some(Node::Null) => Ok(None),
        Some(node) => method_id(&fields, "payment_method", node).map(Some),
    }
}

fn kind_of(word: &str, pointer: &'static str) -> Result<Kind, Problem> {
    if word.eq_ignore_ascii_case("card") {
        return Ok(Kind::Card);
    }
    if word.eq_ignore_ascii_case("upi") {
        return Ok(Kind::Upi);
    }
    if word.eq_ignore_ascii_case("paypal") {
        return Ok(Kind::Paypal);
    }
    let hosted = [
        ("checkout", MethodKind::Checkout),
        ("net_banking", MethodKind::NetBanking),
        ("netbanking", MethodKind::NetBanking),
        ("wallet", MethodKind::Wallet),
        ("emi", MethodKind::Emi),
    ];
    if let Some((_, method)) = hosted.into_iter().find(|(known, _)| word.eq_ignore_ascii_case(known)) {
        return Ok(Kind::Hosted(method));
    }
    if LATER.iter().any(|known| word.eq_ignore_ascii_case(known)) {
        let detail = "This payment method is known, but this version does not serve it.";
        return Err(Problem::new(&code::UNSUPPORTED_FIELD, detail).at(pointer));
    }
    let detail = "The payment method must be `card`, `upi`, `paypal`, `checkout`, `net_banking`, `wallet` or \
                  `emi`.";
    Err(Problem::new(&code::INVALID_VALUE, detail).at(pointer))
}

/// Refuses details that say to be of another method than the word beside them.
fn check_type(kind: Kind, details: &Node<'_>, pointer: &'static str) -> Result<(), Problem> {
    let Node::Object(members) = details else { return Ok(()) };
    match members.iter().find(|(name, _)| name == "type") {
        None | Some((_, Node::Null)) => Ok(()),
        Some((_, Node::Text(word))) if kind_of(word, pointer)? == kind => Ok(()),
        Some((_, Node::Text(_))) => {
            let detail = "`type` must be that of the payment method; leave it out.";
            Err(Problem::new(&code::INVALID_VALUE, detail).at(pointer))
        }
        Some((_, node)) => {
            let detail = format!("`type` must be a string; it is {}.", node.type_name());
            Err(Problem::new(&code::INVALID_TYPE, detail).at(pointer))
        }
    }
}

fn of_kind(kind: Kind, node: &Node<'_>, base: &'static str) -> Result<MethodInput, Problem> {
    match kind {
        Kind::Card => card(&Fields::of(node, base, &CARD)?),
        Kind::Upi => upi(&Fields::of(node, base, &UPI)?),
        Kind::Paypal => {
            let token = Fields::of(node, base, &PAYPAL)?.text("token", &TextRule::TOKEN)?.map(str::to_owned);
            Ok(MethodInput::Paypal { token })
        }
        Kind::Hosted(method) => {
            let fields = Fields::of(node, base, &HOSTED)?;
            let at = fields.text("provider_code", &TextRule::WORD)?.map(str::to_owned);
            if at.is_some() && method == MethodKind::Checkout {
                let detail =
                    "`provider_code` names a bank, wallet or lender; on a checkout page the payer picks.";
                return Err(Problem::new(&code::INVALID_VALUE, detail).at(fields.pointer("provider_code")));
            }
            Ok(MethodInput::Hosted { method, at })
        }
    }
}

fn card(fields: &Fields<'_, '_>) -> Result<MethodInput, Problem> {
    if let Some(token) = fields.text("token", &TextRule::TOKEN)? {
        let beside = [NUMBER, MONTH, YEAR, CVC].concat().into_iter().find(|name| fields.get(name).is_some());
        return match beside {
            Some(name) => Err(fields.conflict("token", name)),
            None => Ok(MethodInput::Token(token.to_owned())),
        };
    }
    let number = number(fields)?;
    let exp_month = month(fields)?;
    let exp_year = year(fields)?;
    let cvc = cvc(fields, &number)?;
    let holder = fields.text("holder_name", &TextRule::NAME)?.map(|name| Secret::new(name.to_owned()));
    Ok(MethodInput::Card(Card { number, exp_month, exp_year, cvc, holder }))
}

fn number(fields: &Fields<'_, '_>) -> Result<CardNumber, Problem> {
    let (name, node) = fields
        .one_of(NUMBER)?
        .ok_or_else(|| fields.missing("card_number", "the card's number, or a `token`"))?;
    let Node::Text(text) = node else { return Err(fields.wrong_type(name, "a string of digits", node)) };
    CardNumber::parse(text).map_err(|error| {
        let detail = format!("`{name}` is no card number: {error}.");
        Problem::new(&code::INVALID_CARD_NUMBER, detail).at(fields.pointer(name))
    })
}

/// A number of digits, also as a string: `12` and `"12"`.
fn digits(fields: &Fields<'_, '_>, name: &'static str, node: &Node<'_>) -> Result<Option<u16>, Problem> {
    let text = match node {
        Node::Number(text) => *text,
        Node::Text(text) => text.as_ref(),
        _ => return Err(fields.wrong_type(name, "a number", node)),
    };
    let plain = text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    Ok(text.parse().ok().filter(|_| plain))
}

fn month(fields: &Fields<'_, '_>) -> Result<u8, Problem> {
    let (name, node) =
        fields.one_of(MONTH)?.ok_or_else(|| fields.missing("exp_month", "the month of the card's expiry"))?;
    let month = digits(fields, name, node)?.and_then(|month| u8::try_from(month).ok());
    month.filter(|month| (1..=12).contains(month)).ok_or_else(|| {
        let detail = format!("`{name}` must be a month from 1 to 12.");
        Problem::new(&code::INVALID_EXPIRY, detail).at(fields.pointer(name))
    })
}

/// Two digits are a year of this century. Whether the card has expired is not judged here: that is a
/// decline, not a wrong request.
fn year(fields: &Fields<'_, '_>) -> Result<u16, Problem> {
    let (name, node) =
        fields.one_of(YEAR)?.ok_or_else(|| fields.missing("exp_year", "the year of the card's expiry"))?;
    match digits(fields, name, node)? {
        Some(year @ 0..=99) => Ok(2000 + year),
        Some(year @ 1900..=9999) => Ok(year),
        _ => {
            let detail = format!("`{name}` must be a year of four digits, or of two.");
            Err(Problem::new(&code::INVALID_EXPIRY, detail).at(fields.pointer(name)))
        }
    }
}

fn cvc(fields: &Fields<'_, '_>, number: &CardNumber) -> Result<Option<Secret<String>>, Problem> {
    let Some((name, node)) = fields.one_of(CVC)? else { return Ok(None) };
    let Node::Text(text) = node else {
        return Err(fields.wrong_type(name, "a string of digits (a number would lose leading zeros)", node));
    };
    let length = number.cvc_length();
    if text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Some(Secret::new(text.to_string())));
    }
    let detail = format!("`{name}` of a card of this brand has {length} digits.");
    Err(Problem::new(&code::INVALID_CVC, detail).at(fields.pointer(name)))
}

fn upi(fields: &Fields<'_, '_>) -> Result<MethodInput, Problem> {
    let Some(vpa) = fields.text("vpa", &TextRule::TOKEN)? else { return Ok(MethodInput::Upi { vpa: None }) };
    if is_vpa(vpa) {
        return Ok(MethodInput::Upi { vpa: Some(vpa.to_owned()) });
    }
    let detail =
        "`vpa` must be a UPI address, `name@handle`: letters, digits, `.`, `-` and `_`, then the handle.";
    Err(Problem::new(&code::INVALID_VPA, detail).at(fields.pointer("vpa")))
}

/// NPCI, UPI procedural guidelines: 2 to 256 of `a-zA-Z0-9.-_`, then `@` and the handle.
pub fn is_vpa(text: &str) -> bool {
    let Some((name, handle)) = text.split_once('@') else { return false };
    let in_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    (2..=256).contains(&name.len())
        && name.bytes().all(in_name)
        && (2..=64).contains(&handle.len())
        && handle.bytes().next().is_some_and(|first| first.is_ascii_alphabetic())
        && handle.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
