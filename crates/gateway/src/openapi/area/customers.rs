//! Customers.

use schemars::SchemaGenerator;

use super::payer::ADDRESS;
use super::payments::{CREATED_FROM, CREATED_TO, CURSOR, LIMIT};
use crate::input::{CUSTOMER_FILTERS, TextRule, payer, tables};
use crate::openapi::body::{Body, Field, Form};
use crate::openapi::operation::{Answer, Content, Link, Need, Operation, Parameter, Query, Sample, same_id};
use crate::openapi::problems::FREE_TEXT;
use crate::problem::catalogue as code;
use crate::wire::{CustomerObject, DeletedObject, ListObject};

/// The group's name.
pub(super) const TAG: &str = "Customers";

const CUSTOMER: Content = Content::Json(SchemaGenerator::subschema_for::<CustomerObject<'static>>);

static ONWARD: &[Link] = &[same_id("get_customer"), same_id("update_customer"), same_id("delete_customer")];

const REFERENCE: Form = Form::Text(&TextRule::REFERENCE);
const NAME: Form = Form::Text(&TextRule::NAME);
const PHONE: Form = Form::Text(&payer::PHONE);
const DESCRIPTION: Form = Form::Text(&TextRule::DESCRIPTION);

static CREATE: Body = Body {
    name: "CreateCustomer",
    about: "Who pays. Everything may be left out.",
    parser: &tables::CREATE_CUSTOMER,
    fields: &[
        Field::new("reference", REFERENCE, "Your own reference; unique, and taken in place of the id."),
        Field::new("name", NAME, "Their name."),
        Field::new("email", Form::Email, "Their e-mail address."),
        Field::new("phone", PHONE, "Their telephone number."),
        Field::new("address", Form::Object(&ADDRESS), "Where they live."),
        Field::new("description", DESCRIPTION, "For you. No card numbers."),
        Field::new("metadata", Form::Metadata, "Your own data, given back as it came."),
    ],
    example: r#"{"reference": "cust_123", "name": "Ada Byron", "email": "ada@example.com"}"#,
};

static UPDATE: Body = Body {
    name: "UpdateCustomer",
    about: "What changes: an absent field stays, `null` removes.",
    parser: &tables::UPDATE_CUSTOMER,
    fields: &[
        Field::new("reference", Form::OrNull(&REFERENCE), "Your own reference."),
        Field::new("name", Form::OrNull(&NAME), "Their name."),
        Field::new("email", Form::OrNull(&Form::Email), "Their e-mail address."),
        Field::new("phone", Form::OrNull(&PHONE), "Their telephone number."),
        Field::new("address", Form::OrNull(&Form::Object(&ADDRESS)), "Where they live; replaced as a whole."),
        Field::new("description", Form::OrNull(&DESCRIPTION), "For you. No card numbers."),
        Field::new("metadata", Form::MetadataPatch, "Merged into what is there; `null` removes an entry."),
        Field::new(
            "default_payment_method",
            Form::OrNull(&Form::Pattern("^pm_[0-7][0-9a-hjkmnp-tv-z]{25}$")),
            "One of the customer's own methods.",
        ),
    ],
    example: r#"{"name": "Ada Lovelace"}"#,
};

const PROBLEMS: &[&[&crate::problem::Entry]] =
    &[FREE_TEXT, &[&code::INVALID_METADATA, &code::CUSTOMER_EXISTS, &code::BUSY]];

static CREATE_CUSTOMER: Operation = Operation {
    id: "create_customer",
    method: "POST",
    path: "/customers",
    tag: TAG,
    summary: "Create a customer",
    about: "Every route takes your own `reference` in place of the id.",
    query: Query::NONE,
    bodies: &[&CREATE],
    needs_body: false,
    answers: &[Answer { status: 201, about: "The customer.", content: CUSTOMER, links: ONWARD }],
    problems: PROBLEMS,
    samples: &[Sample {
        name: "whole",
        summary: "With an address",
        needs: Need::Nothing,
        query: "",
        body: r#"{"reference": "cust_7", "name": "Ada Byron", "email": "ada@example.com",
            "address": {"line1": "12 St James's Square", "city": "London", "country": "GB"},
            "metadata": {"tier": "gold"}}"#,
    }],
};

static LIST_CUSTOMERS: Operation = Operation {
    id: "list_customers",
    method: "GET",
    path: "/customers",
    tag: TAG,
    summary: "List customers",
    about: "Newest first; send `next_cursor` as `cursor`, with the same filters.",
    query: Query {
        parser: CUSTOMER_FILTERS,
        parameters: &[
            LIMIT,
            CURSOR,
            Parameter::new("email", Form::Text(&TextRule::EMAIL), "Only with this e-mail address."),
            Parameter::new("reference", REFERENCE, "Only the one of this reference."),
            CREATED_FROM,
            CREATED_TO,
        ],
    },
    bodies: &[],
    needs_body: false,
    answers: &[Answer {
        status: 200,
        about: "A page of customers.",
        content: Content::Json(SchemaGenerator::subschema_for::<ListObject<CustomerObject<'static>>>),
        links: &[],
    }],
    problems: &[&[&code::UNSUPPORTED_PARAMETER]],
    samples: &[Sample { name: "page", summary: "A page", needs: Need::Customer, query: "limit=1", body: "" }],
};

static GET_CUSTOMER: Operation = Operation {
    id: "get_customer",
    method: "GET",
    path: "/customers/{id}",
    tag: TAG,
    summary: "Get a customer",
    about: "By our id, or by your reference.",
    query: Query::NONE,
    bodies: &[],
    needs_body: false,
    answers: &[Answer { status: 200, about: "The customer.", content: CUSTOMER, links: ONWARD }],
    problems: &[],
    samples: &[Sample { name: "by_id", summary: "By id", needs: Need::Customer, query: "", body: "" }],
};

static UPDATE_CUSTOMER: Operation = Operation {
    id: "update_customer",
    method: "PATCH",
    path: "/customers/{id}",
    tag: TAG,
    summary: "Update a customer",
    about: "An absent field stays, `null` removes, `metadata` is merged.",
    query: Query::NONE,
    bodies: &[&UPDATE],
    needs_body: false,
    answers: &[Answer {
        status: 200,
        about: "The customer as it stands now.",
        content: CUSTOMER,
        links: ONWARD,
    }],
    problems: PROBLEMS,
    samples: &[Sample {
        name: "name",
        summary: "Another name",
        needs: Need::Customer,
        query: "",
        body: r#"{"name": "Ada Lovelace", "metadata": {"tier": null}}"#,
    }],
};

static DELETE_CUSTOMER: Operation = Operation {
    id: "delete_customer",
    method: "DELETE",
    path: "/customers/{id}",
    tag: TAG,
    summary: "Delete a customer",
    about: "Name, addresses and saved methods are erased; payments stay.",
    query: Query::NONE,
    bodies: &[],
    needs_body: false,
    answers: &[Answer {
        status: 200,
        about: "What is left of it.",
        content: Content::Json(SchemaGenerator::subschema_for::<DeletedObject>),
        links: &[],
    }],
    problems: &[&[&code::BUSY]],
    samples: &[Sample { name: "deleted", summary: "Deleted", needs: Need::Customer, query: "", body: "" }],
};

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] =
    &[&CREATE_CUSTOMER, &LIST_CUSTOMERS, &GET_CUSTOMER, &UPDATE_CUSTOMER, &DELETE_CUSTOMER];
