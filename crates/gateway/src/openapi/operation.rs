//! What is said of one operation that its route does not say itself.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::body::{Body, Field};
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
const BESIDE: [&str; 6] = ["/webhooks/", "/transaction/", "/monitoring/", "/health", "/ready", "/metrics"];

impl Operation {
    /// An operation without parameters and body.
    pub(super) const fn new(
        id: &'static str,
        method: &'static str,
        path: &'static str,
        tag: &'static str,
    ) -> Self {
        Self {
            id,
            method,
            path,
            tag,
            summary: "",
            about: "",
            query: Query::NONE,
            bodies: &[],
            needs_body: false,
            answers: &[],
            problems: &[],
            samples: &[],
        }
    }

    /// In a few words, and in full.
    #[must_use]
    pub(super) const fn says(mut self, summary: &'static str, about: &'static str) -> Self {
        self.summary = summary;
        self.about = about;
        self
    }

    /// With parameters in the query.
    #[must_use]
    pub(super) const fn query(mut self, query: Query) -> Self {
        self.query = query;
        self
    }

    /// A request may have one of these bodies.
    #[must_use]
    pub(super) const fn takes(mut self, bodies: &'static [&'static Body]) -> Self {
        self.bodies = bodies;
        self
    }

    /// A request must have one of these bodies.
    #[must_use]
    pub(super) const fn needs(mut self, bodies: &'static [&'static Body]) -> Self {
        self.bodies = bodies;
        self.needs_body = true;
        self
    }

    /// What is answered when it is carried out.
    #[must_use]
    pub(super) const fn answers(mut self, answers: &'static [Answer]) -> Self {
        self.answers = answers;
        self
    }

    /// Problems beyond those of its kind of route.
    #[must_use]
    pub(super) const fn problems(mut self, problems: &'static [&'static [&'static Entry]]) -> Self {
        self.problems = problems;
        self
    }

    /// Requests that are run.
    #[must_use]
    pub(super) const fn samples(mut self, samples: &'static [Sample]) -> Self {
        self.samples = samples;
        self
    }

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
    pub parameters: &'static [Field],
}

impl Query {
    /// There are none.
    pub const NONE: Self = Self { parser: &[], parameters: &[] };
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

impl Answer {
    /// An answer from which no operation goes on.
    pub(super) const fn new(status: u16, about: &'static str, content: Content) -> Self {
        Self { status, about, content, links: &[] }
    }

    /// The same, and these go on.
    #[must_use]
    pub(super) const fn links(mut self, links: &'static [Link]) -> Self {
        self.links = links;
        self
    }
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

impl Content {
    /// JSON of this type.
    pub(super) const fn json<T: JsonSchema>() -> Self {
        Self::Json(SchemaGenerator::subschema_for::<T>)
    }
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

impl Sample {
    /// A request without query and body that needs nothing.
    pub(super) const fn new(name: &'static str, summary: &'static str) -> Self {
        Self { name, summary, needs: Need::Nothing, query: "", body: "" }
    }

    /// Of something that must be there before.
    #[must_use]
    pub(super) const fn of(mut self, needs: Need) -> Self {
        self.needs = needs;
        self
    }

    /// With a query.
    #[must_use]
    pub(super) const fn query(mut self, query: &'static str) -> Self {
        self.query = query;
        self
    }

    /// With a body.
    #[must_use]
    pub(super) const fn body(mut self, body: &'static str) -> Self {
        self.body = body;
        self
    }
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
    /// An API key.
    ApiKey,
}
