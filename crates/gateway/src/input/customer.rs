//! `POST /customers`, `PATCH /customers/{id}`, and how a customer is named.

use kernel::{Id, Kind};
use payments::{
    CustomerFilter, CustomerKind, CustomerPatch, CustomerRef, NewCustomer, Patch, PaymentMethodKind, Profile,
};

use super::fields::{Fields, Schema};
use super::filter::{in_order, instant};
use super::json::Node;
use super::metadata::{metadata, metadata_patch};
use super::payer::{PHONE, address};
use super::query::Parameters;
use super::text::{TextRule, check_email, check_text};
use crate::problem::{Problem, catalogue as code};

pub(crate) const CREATE: Schema = Schema {
    fields: &["reference", "name", "email", "phone", "address", "description", "metadata"],
    later: &["payment_method", "default_payment_method", "shipping", "locale"],
};
pub(crate) const UPDATE: Schema = Schema {
    fields: &[
        "reference",
        "name",
        "email",
        "phone",
        "address",
        "description",
        "metadata",
        "default_payment_method",
    ],
    later: &["shipping", "locale"],
};

/// Query parameters that narrow a list of customers.
pub const CUSTOMER_FILTERS: &[&str] =
    &["limit", "cursor", "email", "reference", "created_from", "created_to"];

/// A request for a new customer.
pub fn new_customer(node: &Node<'_>) -> Result<NewCustomer, Problem> {
    let fields = Fields::of(node, "", &CREATE)?;
    let owned = |name, rule| fields.text(name, rule).map(|text| text.map(str::to_owned));
    let reference = match fields.get("reference") {
        None => None,
        Some(node) => Some(reference(&fields, node)?),
    };
    Ok(NewCustomer {
        reference,
        profile: Profile {
            name: owned("name", &TextRule::NAME)?,
            email: fields.get("email").map(|node| email(&fields, node)).transpose()?,
            phone: owned("phone", &PHONE)?,
            address: address(&fields, "address", "/address")?,
            description: owned("description", &TextRule::DESCRIPTION)?,
            metadata: metadata(&fields)?,
        },
    })
}

/// A request that changes a customer: an absent field stays, `null` removes.
pub fn customer_patch(node: &Node<'_>) -> Result<CustomerPatch, Problem> {
    let fields = Fields::of(node, "", &UPDATE)?;
    let text = |name, rule: &TextRule| {
        patch(&fields, name, |node| fields.text_of(name, node, rule).map(str::to_owned))
    };
    Ok(CustomerPatch {
        reference: patch(&fields, "reference", |node| reference(&fields, node))?,
        name: text("name", &TextRule::NAME)?,
        email: patch(&fields, "email", |node| email(&fields, node))?,
        phone: text("phone", &PHONE)?,
        address: match patch(&fields, "address", |_| address(&fields, "address", "/address"))? {
            Patch::Keep => Patch::Keep,
            Patch::Clear | Patch::Set(None) => Patch::Clear,
            Patch::Set(Some(address)) => Patch::Set(address),
        },
        description: text("description", &TextRule::DESCRIPTION)?,
        metadata: metadata_patch(&fields)?,
        default_method: patch(&fields, "default_payment_method", |node| {
            method_id(&fields, "default_payment_method", node)
        })?,
    })
}

/// The filters of a list of customers.
pub fn customer_filter(parameters: &Parameters) -> Result<CustomerFilter, Problem> {
    let text = |name: &'static str, rule: &TextRule| {
        let value = parameters.get(name);
        if let Some(value) = value {
            check_text(value, rule, name).map_err(|problem| {
                Problem::new(&code::INVALID_PARAMETER, problem.detail().to_owned()).at(name)
            })?;
        }
        Ok::<_, Problem>(value.map(str::to_owned))
    };
    let filter = CustomerFilter {
        reference: text("reference", &TextRule::REFERENCE)?,
        email: text("email", &TextRule::EMAIL)?,
        created_from: instant(parameters, "created_from")?,
        created_to: instant(parameters, "created_to")?,
    };
    in_order(filter.created_from, filter.created_to)?;
    Ok(filter)
}

/// A customer as a path names them: what cannot be one is one that is not found.
pub fn customer_named(text: &str) -> Option<CustomerRef> {
    if is_ours(text) {
        return Id::parse(text).ok().map(CustomerRef::Id);
    }
    let fits = check_text(text, &TextRule::REFERENCE, "id").is_ok();
    fits.then(|| CustomerRef::Reference(text.to_owned()))
}

/// A customer as `customer_id` or `user_id` of a body names them: the merchant's own reference, or one of
/// our ids.
pub fn customer_ref(fields: &Fields<'_, '_>) -> Result<Option<CustomerRef>, Problem> {
    let Some((name, node)) = fields.one_of(&["customer_id", "user_id"])? else { return Ok(None) };
    let text = fields.text_of(name, node, &TextRule::REFERENCE)?;
    if !is_ours(text) {
        return Ok(Some(CustomerRef::Reference(text.to_owned())));
    }
    Id::parse(text).map(|id| Some(CustomerRef::Id(id))).map_err(|_| {
        let detail = format!("`{name}` begins with `cus_` but is no customer id of ours.");
        Problem::new(&code::INVALID_VALUE, detail).at(fields.pointer(name))
    })
}

/// The id of a stored method.
pub(crate) fn method_id(
    fields: &Fields<'_, '_>,
    name: &str,
    node: &Node<'_>,
) -> Result<Id<PaymentMethodKind>, Problem> {
    let text = fields.text_of(name, node, &TextRule::TOKEN)?;
    Id::parse(text).map_err(|_| {
        // Stripe's documentation charges `pm_card_visa` in a hundred places.
        let of_stripe = text.strip_prefix("pm_card_").is_some();
        let hint = if of_stripe { " Stripe's test methods are tokens here, such as `tok_visa`." } else { "" };
        let detail = format!("`{name}` must be the id of a payment method, `pm_…`.{hint}");
        Problem::new(&code::INVALID_VALUE, detail).at(fields.pointer(name))
    })
}

fn is_ours(text: &str) -> bool {
    text.strip_prefix(CustomerKind::PREFIX).is_some_and(|rest| rest.starts_with('_'))
}

/// Ours begin with `cus_`: a reference of that form could mean two customers.
fn reference(fields: &Fields<'_, '_>, node: &Node<'_>) -> Result<String, Problem> {
    let text = fields.text_of("reference", node, &TextRule::REFERENCE)?;
    if !is_ours(text) {
        return Ok(text.to_owned());
    }
    let detail = "`reference` must not begin with `cus_`: ids of ours do.";
    Err(Problem::new(&code::INVALID_VALUE, detail).at("/reference"))
}

fn email(fields: &Fields<'_, '_>, node: &Node<'_>) -> Result<String, Problem> {
    let text = fields.text_of("email", node, &TextRule::EMAIL)?;
    check_email(text, "email").map_err(|problem| problem.at("/email"))?;
    Ok(text.to_owned())
}

fn patch<'t, 'a, T>(
    fields: &Fields<'t, 'a>,
    name: &str,
    read: impl FnOnce(&'t Node<'a>) -> Result<T, Problem>,
) -> Result<Patch<T>, Problem> {
    match fields.named(name) {
        None => Ok(Patch::Keep),
        Some(Node::Null) => Ok(Patch::Clear),
        Some(node) => read(node).map(Patch::Set),
    }
}
