//! One moment of a payment's timeline.

use kernel::{Actor, Currency, Id};
use payments::{
    DeliveryKind, DeliveryStatus, ExchangeKind, Moment, Operation, RecordedExchange, Step, TransferRow,
};
use provider_kit::Account;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::At;
use crate::openapi::form;

/// Something that happened to a payment; `type` says what.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TimelineEntry")]
pub struct MomentObject<'a> {
    /// When.
    at: At,
    #[serde(flatten)]
    step: StepObject<'a>,
}

/// What happened.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
enum StepObject<'a> {
    /// A fact, as the journal has it.
    Event {
        /// Its number among the payment's events, from 1.
        sequence: i64,
        /// What happened, such as `payment.captured`.
        kind: &'a str,
        /// Who caused it.
        actor: ActorObject<'a>,
        /// The facts.
        #[schemars(with = "form::Open")]
        data: &'a Value,
        /// The trace that caused it.
        #[serde(skip_serializing_if = "Option::is_none")]
        trace_id: Option<&'a str>,
    },
    /// A try to charge began.
    Attempt {
        /// Its id.
        id: String,
        /// How far its charge is now.
        status: &'static str,
        /// At which provider.
        provider: &'a str,
        /// Minor units.
        amount: i64,
        /// Why it failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        decline_code: Option<&'static str>,
    },
    /// An operation was written down, to be sent.
    Operation(Box<OperationObject<'a>>),
    /// Something was sent to the provider.
    Exchange(Box<ExchangeObject<'a>>),
    /// The provider told us something.
    Notice {
        /// Its id here.
        #[schemars(with = "form::IdOf<DeliveryKind>")]
        id: Id<DeliveryKind>,
        /// At whose address it came in.
        #[schemars(with = "form::IdOf<Account>")]
        provider_account_id: Id<Account>,
        /// `received`, `applied` or `unmatched`.
        status: &'static str,
    },
    /// Money moved in the books.
    Posting {
        /// The operation or dispute that caused it.
        cause: String,
        /// The account that is debited.
        debit: &'a str,
        /// The account that is credited.
        credit: &'a str,
        /// Minor units.
        amount: i64,
        /// Their currency.
        currency: &'a str,
        /// Why.
        kind: &'a str,
        /// `posted`, `pending`, or what became of a pending one.
        phase: &'a str,
    },
}

/// One call that moves or holds money.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TimelineOperation")]
struct OperationObject<'a> {
    /// Its id.
    id: String,
    /// What it does.
    kind: &'static str,
    /// How far it is now.
    status: &'static str,
    /// What it is to move, in minor units.
    amount: i64,
    /// What it moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_approved: Option<i64>,
    /// Their currency.
    #[schemars(with = "form::Currency")]
    currency: Currency,
    /// At which provider.
    provider: &'a str,
    /// At which account.
    #[schemars(with = "form::IdOf<Account>")]
    provider_account_id: Id<Account>,
    /// Our reference at the provider.
    reference: String,
    /// The provider's.
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_reference: Option<&'a str>,
    /// Why it was not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    decline_code: Option<&'static str>,
    /// What was kept of each answer, by step.
    replies: Vec<ReplyObject<'a>>,
    /// How often it was looked up or repeated.
    checks: u32,
    /// When its outcome was final.
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<At>,
}

/// What was kept of one answer.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TimelineReply")]
struct ReplyObject<'a> {
    /// The step that it answers.
    step: &'a str,
    /// The facts.
    #[schemars(with = "Value")]
    facts: &'a RawValue,
}

/// One request to a provider and what came back, redacted.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "TimelineExchange")]
struct ExchangeObject<'a> {
    /// Its id.
    #[schemars(with = "form::IdOf<ExchangeKind>")]
    id: Id<ExchangeKind>,
    /// The operation; absent for a tokenization.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_id: Option<String>,
    /// What was asked.
    verb: String,
    /// The step of the call.
    step: &'a str,
    /// The HTTP method.
    method: &'a str,
    /// The path, without its query.
    path: &'a str,
    /// `replied`, `not_sent` or `maybe_sent`.
    outcome: &'a str,
    /// The answer's HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    /// How long it took.
    duration_ms: u64,
    /// The request's body; null where it carried a card.
    #[schemars(with = "Value")]
    request: &'a Value,
    /// The answer's body.
    #[schemars(with = "Value")]
    response: &'a Value,
}

/// Who caused an event.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Actor")]
struct ActorObject<'a> {
    /// `key`, `operator`, `provider` or `node`.
    #[serde(rename = "type")]
    kind: &'static str,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
}

impl<'a> MomentObject<'a> {
    /// The wire form of a moment of the payment of this id.
    pub fn of(moment: &'a Moment, payment: &str) -> Self {
        let step = match &moment.step {
            Step::Event(event) => StepObject::Event {
                sequence: event.sequence,
                kind: &event.kind,
                actor: ActorObject::of(&event.actor),
                data: &event.body,
                trace_id: event.trace_id.as_deref(),
            },
            Step::Attempt(operation) => StepObject::Attempt {
                id: operation.id.to_string().replacen("pay_", "att_", 1),
                status: operation.status.as_str(),
                provider: &operation.provider,
                amount: operation.amount.minor,
                decline_code: operation.decline_code(),
            },
            Step::Operation(operation) => StepObject::Operation(Box::new(OperationObject::of(operation))),
            Step::Exchange(exchange) => StepObject::Exchange(Box::new(ExchangeObject::of(exchange))),
            Step::Notice(notice) => StepObject::Notice {
                id: notice.id,
                provider_account_id: notice.account,
                status: match notice.status {
                    DeliveryStatus::Received => "received",
                    DeliveryStatus::Applied => "applied",
                    DeliveryStatus::Unmatched => "unmatched",
                },
            },
            Step::Posting(row) => posting(row, payment),
        };
        Self { at: At(moment.at), step }
    }
}

fn posting<'a>(row: &'a TransferRow, payment: &str) -> StepObject<'a> {
    // An operation's local id is short; a dispute's is its own.
    let cause = if row.cause.len() == 3 { format!("{payment}-{}", row.cause) } else { row.cause.clone() };
    StepObject::Posting {
        cause,
        debit: &row.debit,
        credit: &row.credit,
        amount: row.amount,
        currency: &row.currency,
        kind: &row.kind,
        phase: &row.phase,
    }
}

impl<'a> OperationObject<'a> {
    fn of(operation: &'a Operation) -> Self {
        let replies = operation.replies.iter();
        Self {
            id: operation.id.to_string(),
            kind: operation.id.kind.as_str(),
            status: operation.status.as_str(),
            amount: operation.amount.minor,
            amount_approved: operation.approved.map(|approved| approved.minor),
            currency: operation.amount.currency,
            provider: &operation.provider,
            provider_account_id: operation.account,
            reference: operation.id.reference(),
            provider_reference: operation.reference.as_deref(),
            decline_code: operation.decline_code(),
            replies: replies.map(|reply| ReplyObject { step: &reply.step, facts: reply.facts() }).collect(),
            checks: operation.checks,
            finished_at: operation.finished_at.map(At),
        }
    }
}

impl<'a> ExchangeObject<'a> {
    fn of(exchange: &'a RecordedExchange) -> Self {
        let verb = serde_json::to_value(exchange.verb).ok();
        Self {
            id: exchange.id,
            operation_id: exchange.operation.map(|operation| operation.to_string()),
            verb: verb.and_then(|verb| verb.as_str().map(str::to_owned)).unwrap_or_default(),
            step: &exchange.step,
            method: &exchange.method,
            path: &exchange.path,
            outcome: &exchange.outcome,
            status: exchange.status,
            reason: exchange.reason.as_deref(),
            duration_ms: exchange.duration_ms,
            request: &exchange.request,
            response: &exchange.response,
        }
    }
}

impl<'a> ActorObject<'a> {
    fn of(actor: &'a Actor) -> Self {
        match actor {
            Actor::Key(id) => Self { kind: "key", id: Some(id) },
            Actor::Operator(_) => Self { kind: "operator", id: None },
            Actor::Provider(id) => Self { kind: "provider", id: Some(id) },
            Actor::Node => Self { kind: "node", id: None },
        }
    }
}
