//! The customer object.

use kernel::{Id, Kind};
use payments::{CustomerKind, CustomerView, PaymentMethodKind};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use super::At;
use super::address::AddressObject;
use crate::openapi::form;

/// A customer as its merchant reads it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Customer")]
pub struct CustomerObject<'a> {
    /// Its id.
    #[schemars(with = "form::IdOf<CustomerKind>")]
    id: Id<CustomerKind>,
    /// Always `customer`.
    object: &'static str,
    /// Your own reference: every route takes it in place of the id.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    /// Their name.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    /// Their e-mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    /// Their telephone number.
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    /// Where they live.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<AddressObject<'a>>,
    /// As you gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    /// Your own data.
    #[schemars(with = "form::Metadata")]
    metadata: &'a Map<String, Value>,
    /// Charged when a payment without its customer names no method.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<form::IdOf<PaymentMethodKind>>")]
    default_payment_method: Option<Id<PaymentMethodKind>>,
    /// When it was made.
    created_at: At,
    /// When it was last changed.
    updated_at: At,
}

/// What is left of a deleted object.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Deleted")]
pub struct DeletedObject {
    /// Its id.
    id: String,
    /// What it was.
    object: &'static str,
    /// Always `true`.
    deleted: bool,
}

impl<'a> CustomerObject<'a> {
    /// The wire form of a customer.
    pub fn of(view: &'a CustomerView) -> Self {
        let CustomerView { customer, profile } = view;
        Self {
            id: customer.id,
            object: "customer",
            reference: customer.reference.as_deref(),
            name: profile.name.as_deref(),
            email: profile.email.as_deref(),
            phone: profile.phone.as_deref(),
            address: profile.address.as_ref().map(AddressObject::of),
            description: profile.description.as_deref(),
            metadata: &profile.metadata,
            default_payment_method: customer.default_method,
            created_at: At(customer.created_at),
            updated_at: At(customer.updated_at),
        }
    }
}

impl DeletedObject {
    /// Says that an object is gone.
    pub fn of<T: Kind>(id: Id<T>, object: &'static str) -> Self {
        Self { id: id.to_string(), object, deleted: true }
    }
}
