//! Customers.

use super::payer::ADDRESS;
use super::payments::{CREATED_FROM, CREATED_TO, CURSOR, LIMIT};
use crate::input::{CUSTOMER_FILTERS, TextRule, payer, tables};
use crate::openapi::body::{Body, Field, Form};
use crate::openapi::operation::{Answer, Content, Link, Need, Operation, Query, Sample, same_id};
use crate::openapi::problems::FREE_TEXT;
use crate::problem::catalogue as code;
use crate::wire::{CustomerObject, DeletedObject, ListObject};

/// The group's name.
pub(super) const TAG: &str = "Customers";

const CUSTOMER: Content = Content::json::<CustomerObject<'static>>();

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

static CREATE_CUSTOMER: Operation = Operation::new("create_customer", "POST", "/customers", TAG)
    .says(
        "Create a customer",
        "Every route takes your own `reference` in place of the id. An idempotency key whose customer was \
        deleted since is answered 404.",
    )
    .takes(&[&CREATE])
    .answers(&[Answer::new(201, "The customer.", CUSTOMER).links(ONWARD)])
    .problems(&[FREE_TEXT, &[&code::NOT_FOUND, &code::INVALID_METADATA, &code::CUSTOMER_EXISTS, &code::BUSY]])
    .samples(&[Sample::new("whole", "With an address").body(
        r#"{"reference": "cust_7", "name": "Ada Byron", "email": "ada@example.com",
            "address": {"line1": "12 St James's Square", "city": "London", "country": "GB"},
            "metadata": {"tier": "gold"}}"#,
    )]);

static LIST_CUSTOMERS: Operation = Operation::new("list_customers", "GET", "/customers", TAG)
    .says("List customers", "Newest first; send `next_cursor` as `cursor`, with the same filters.")
    .query(Query {
        parser: CUSTOMER_FILTERS,
        parameters: &[
            LIMIT,
            CURSOR,
            Field::new("email", Form::Text(&TextRule::EMAIL), "Only with this e-mail address."),
            Field::new("reference", REFERENCE, "Only the one of this reference."),
            CREATED_FROM,
            CREATED_TO,
        ],
    })
    .answers(&[Answer::new(
        200,
        "A page of customers.",
        Content::json::<ListObject<CustomerObject<'static>>>(),
    )])
    .problems(&[&[&code::UNSUPPORTED_PARAMETER]])
    .samples(&[Sample::new("page", "A page").of(Need::Customer).query("limit=1")]);

static GET_CUSTOMER: Operation = Operation::new("get_customer", "GET", "/customers/{id}", TAG)
    .says("Get a customer", "By our id, or by your reference.")
    .answers(&[Answer::new(200, "The customer.", CUSTOMER).links(ONWARD)])
    .samples(&[Sample::new("by_id", "By id").of(Need::Customer)]);

static UPDATE_CUSTOMER: Operation = Operation::new("update_customer", "PATCH", "/customers/{id}", TAG)
    .says("Update a customer", "An absent field stays, `null` removes, `metadata` is merged.")
    .takes(&[&UPDATE])
    .answers(&[Answer::new(200, "The customer as it stands now.", CUSTOMER).links(ONWARD)])
    .problems(PROBLEMS)
    .samples(&[Sample::new("name", "Another name")
        .of(Need::Customer)
        .body(r#"{"name": "Ada Lovelace", "metadata": {"tier": null}}"#)]);

static DELETE_CUSTOMER: Operation = Operation::new("delete_customer", "DELETE", "/customers/{id}", TAG)
    .says("Delete a customer", "Name, addresses and saved methods are erased; payments stay.")
    .answers(&[Answer::new(200, "What is left of it.", Content::json::<DeletedObject>())])
    .problems(&[&[&code::BUSY]])
    .samples(&[Sample::new("deleted", "Deleted").of(Need::Customer)]);

/// This area's operations.
pub(super) static OPERATIONS: &[&Operation] =
    &[&CREATE_CUSTOMER, &LIST_CUSTOMERS, &GET_CUSTOMER, &UPDATE_CUSTOMER, &DELETE_CUSTOMER];
