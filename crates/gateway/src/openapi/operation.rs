//! What is said of one operation that its route does not say itself.

use schemars::{Schema, SchemaGenerator};

use super::body::{Body, Form};
use crate::problem::Entry;

/// One operation of the document.
#[derive(Debug)]
pub struct Operation {
    /// Its name in generated clients.
    pub id: &'static str,
    /// The method, in upper case.
    pub method: &'static str,
    /// The path's template, as in the table of routes; below `/api/v1` where it stands in the API.
    pub path: &'static str,
    /// The group it is shown in.
    pub tag: &'static str,
    /// In a few words.
    pub summary: &'static str,
    /// In full, as Markdown.
    pub about: &'static str,
    /// Its parameters in the query.
    pub query: Query,
    /// What its body may be; the first is the usual one.
    pub bodies: &'static [&'static Body],
    /// Whether a request without a body is refused.
    pub needs_body: bool,
    /// Its answers when it is carried out.
    pub answers: &'static [Answer],
    /// Its problems beyond those that its kind of route has anyway.
    pub problems: &'static [&'static [&'static Entry]],
    /// Requests that were run.
    pub samples: &'static [Sample],
}

/// Where the API's routes stand in the document; its other root is the same handlers.
pub(super) const ROOT: &str = "/api/v1";

/// What begins so stands beside the API.
const BESIDE: [&str; 4] = ["/webhooks/", "/health", "/ready", "/metrics"];

impl Operation {
    /// The whole path.
    pub fn full_path(&self) -> String {
        let root = if BESIDE.iter().any(|start| self.path.starts_with(start)) { "" } else { ROOT };
        format!("{root}{}", self.path)
    }
}

/// Parameters in the query.
#[derive(Debug)]
pub struct Query {
    /// The parser's list of them.
    pub parser: &'static [&'static str],
    /// Their descriptions.
    pub parameters: &'static [Parameter],
}

impl Query {
    /// There are none.
    pub const NONE: Self = Self { parser: &[], parameters: &[] };
}

/// One parameter in the query.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Other names that the parser takes for it.
    pub aliases: &'static [&'static str],
    /// Whether it must be there.
    pub is_required: bool,
    /// What it may be.
    pub form: Form,
    /// What it says.
    pub about: &'static str,
}

impl Parameter {
    /// A parameter that may be left out.
    pub const fn new(name: &'static str, form: Form, about: &'static str) -> Self {
        Self { name, aliases: &[], is_required: false, form, about }
    }

    /// The same, and it must be there.
    #[must_use]
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// The same, also under other names.
    #[must_use]
    pub const fn also(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }
}

/// One answer of an operation that was carried out.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// When it is given.
    pub about: &'static str,
    /// The body.
    pub content: Content,
    /// Operations that go on from there.
    pub links: &'static [Link],
}

/// The body of an answer.
#[derive(Clone, Copy, Debug)]
pub enum Content {
    /// JSON of this schema.
    Json(fn(&mut SchemaGenerator) -> Schema),
    /// A text of this media type.
    Text(&'static str),
    /// Nothing.
    Nothing,
}

/// One operation that goes on from an answer.
#[derive(Debug)]
pub struct Link {
    /// The operation.
    pub operation: &'static str,
    /// Its parameters, as runtime expressions.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Members of its body, as runtime expressions.
    pub body: &'static [(&'static str, &'static str)],
}

/// A link whose `id` is the answer's own.
pub const fn same_id(operation: &'static str) -> Link {
    Link { operation, parameters: &[("id", "$response.body#/id")], body: &[] }
}

/// One request that was run; what it was answered stands in `examples.json`.
#[derive(Debug)]
pub struct Sample {
    /// Its name, unique within the operation.
    pub name: &'static str,
    /// What it shows.
    pub summary: &'static str,
    /// What must be there before; its id stands for the path's parameter.
    pub needs: Need,
    /// The query without its question mark.
    pub query: &'static str,
    /// The body.
    pub body: &'static str,
}

/// What must be there before a sample can be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// A payment without a method.
    OpenPayment,
    /// A payment whose money is held.
    HeldPayment,
    /// A payment whose money was taken.
    PaidPayment,
    /// A payment whose money was given back.
    RefundedPayment,
    /// A refund.
    Refund,
    /// A customer.
    Customer,
    /// A customer with a stored payment method.
    CustomerWithMethod,
    /// A stored payment method.
    PaymentMethod,
}
