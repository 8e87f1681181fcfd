//! What was said to a provider and what it answered, as people may read it later: redacted, bounded,
//! beside the payments and never on their path.
//!
//! A conversation is held in memory while it lasts. When it is over it is kept or dropped whole, by
//! what came of it and by the setting; what is kept is written in the background, by a commit of its
//! own that nothing waits for. A crash before it loses the words and nothing else: the operation itself
//! holds the distilled replies.

use std::time::Duration;

use kernel::{
    Cell, Changes, Column, ColumnType, Exchanged, Id, Kind, Lane, Monotonic, Outcome, Record, Reply, Request,
    Scope, Table, Timestamp,
};
use provider_kit::scrub::{redacted, redacted_text};
use provider_kit::{Outcome as Told, Verb};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::account::Opened;
use crate::apply::Report;
use crate::drive::Driven;
use crate::operation::OperationId;
use crate::payment::PaymentKind;
use crate::service::Payments;

/// Which conversations with providers are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordExchanges {
    /// All of them: some 2 kB more a payment.
    All,
    /// Those that did not end in plain success.
    #[default]
    Failures,
    /// None.
    None,
}

/// The most of one body that is kept, in bytes.
const BODY_MAX: usize = 2_000;
/// The most exchanges of one conversation that are kept: a call has at most eight steps.
const EXCHANGES_MAX: usize = 10;
/// A look-up that has been repeated so often tells nothing new.
pub(crate) const CHECKS_TOLD_MAX: u32 = 20;

/// Marks ids of recorded exchanges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExchangeKind {}

impl Kind for ExchangeKind {
    const PREFIX: &'static str = "ex";
}

/// One request and what came back, redacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedExchange {
    /// Of which payment.
    pub payment: Id<PaymentKind>,
    /// Its own number.
    pub id: Id<ExchangeKind>,
    /// The operation that it was for; `None` for a tokenization, which comes before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationId>,
    /// What was asked of the provider.
    pub verb: Verb,
    /// The step of the call.
    pub step: String,
    /// The HTTP method.
    pub method: String,
    /// The path, without its query.
    pub path: String,
    /// When it was sent, by the clock that people see.
    pub sent_at: Timestamp,
    /// How long the answer took, in milliseconds.
    pub duration_ms: u64,
    /// `replied`, `not_sent` or `maybe_sent`.
    pub outcome: String,
    /// The answer's HTTP status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The request's body; null where it carried a card.
    pub request: Value,
    /// The answer's body.
    pub response: Value,
}

/// Insert-only, by payment, so that the timeline reads neighbours.
pub(crate) static EXCHANGE: Table = Table {
    name: "exchange",
    key: &[Column::new("payment", ColumnType::Uuid), Column::new("id", ColumnType::Uuid)],
    columns: &[],
    versioned: false,
    has_state: true,
    indexes: &[],
    fillfactor: 100,
};

impl Record for RecordedExchange {
    const TABLE: &'static Table = &EXCHANGE;
    const FORM: u16 = 1;

    fn key(&self) -> Vec<Cell> {
        vec![self.payment.into(), self.id.into()]
    }

    fn columns(&self) -> Vec<Cell> {
        Vec::new()
    }
}

/// One exchange while the conversation lasts.
struct Said {
    request: Request,
    sent_at: Timestamp,
    took: Duration,
    reply: Result<Reply, (&'static str, String)>,
}

/// A conversation that lasts.
pub(crate) struct Conversation {
    payment: Id<PaymentKind>,
    operation: Option<OperationId>,
    verb: Verb,
    said: Vec<Said>,
    /// Whether it may be kept at all.
    listening: bool,
}

impl Conversation {
    /// Notes one exchange that began at these moments and ended now.
    pub(crate) fn note(
        &mut self,
        request: Request,
        began: (Monotonic, Timestamp),
        now: Monotonic,
        came: Exchanged,
    ) {
        if !self.listening || self.said.len() >= EXCHANGES_MAX {
            return;
        }
        let reply = match came {
            Exchanged::Replied(reply) => Ok(reply),
            Exchanged::NotSent(reason) => Err(("not_sent", reason)),
            Exchanged::MaybeSent(reason) => Err(("maybe_sent", reason)),
        };
        let took = now.0.saturating_sub(began.0.0);
        self.said.push(Said { request, sent_at: began.1, took, reply });
    }
}

impl Payments {
    /// Begins a conversation about a payment's operation, or, without one, a tokenization.
    pub(crate) const fn conversation(
        &self,
        payment: Id<PaymentKind>,
        operation: Option<OperationId>,
        verb: Verb,
    ) -> Conversation {
        let listening = !matches!(self.settings.record_exchanges, RecordExchanges::None);
        Conversation { payment, operation, verb, said: Vec::new(), listening }
    }

    /// Keeps a conversation that is over, in the background, if it is to be kept.
    pub(crate) async fn keep(&self, opened: &Opened, talk: Conversation, ended_well: bool) {
        let is_kept = match self.settings.record_exchanges {
            RecordExchanges::All => true,
            RecordExchanges::Failures => !ended_well,
            RecordExchanges::None => false,
        };
        if !is_kept || talk.said.is_empty() {
            return;
        }
        let names = opened.provider.profile().secrets;
        let secrets: Vec<&str> = names
            .iter()
            .filter_map(|name| opened.credentials.get(name))
            .map(|secret| secret.expose().as_str())
            .collect();
        let Conversation { payment, operation, verb, said, .. } = talk;
        let record = |said: Said| self.recorded(payment, operation, verb, said, &secrets);
        let mut records: Vec<_> = said.into_iter().map(record).collect();
        let (store, scope, id) = (std::sync::Arc::clone(&self.store), opened.scope, self.ids.uuid());
        let offset = self.clocks.offset(scope).await.unwrap_or_default();
        for record in &mut records {
            record.sent_at = record.sent_at.plus(offset);
        }
        self.tasks.spawn(
            "exchanges",
            Box::pin(async move {
                if let Err(reason) = write(store.as_ref(), scope, id, &records).await {
                    tracing::warn!(%payment, reason, "recorded exchanges were not written");
                }
            }),
        );
    }

    fn recorded(
        &self,
        payment: Id<PaymentKind>,
        operation: Option<OperationId>,
        verb: Verb,
        said: Said,
        secrets: &[&str],
    ) -> RecordedExchange {
        let Said { request, sent_at, took, reply } = said;
        // A request that carries a card is never recorded: not even redacted.
        let body =
            if request.carries_card { Value::Null } else { redacted(&request.body, secrets, BODY_MAX) };
        let (outcome, status, reason, response) = match &reply {
            Ok(reply) => ("replied", Some(reply.status), None, redacted(&reply.body, secrets, BODY_MAX)),
            Err((outcome, reason)) => {
                (*outcome, None, Some(redacted_text(reason, secrets, 200)), Value::Null)
            }
        };
        RecordedExchange {
            payment,
            id: Id::from_uuid(self.ids.uuid()),
            operation,
            verb,
            step: request.step.to_owned(),
            method: request.method.as_str().to_owned(),
            path: redacted_text(path(&request.url), secrets, 200),
            sent_at,
            duration_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            outcome: outcome.to_owned(),
            status,
            reason,
            request: body,
            response,
        }
    }
}

async fn write(
    store: &dyn kernel::Store,
    scope: Scope,
    id: Uuid,
    records: &[RecordedExchange],
) -> Result<(), String> {
    let mut changes = Changes::new(id, Lane::Background);
    for record in records {
        changes.insert(scope, record).map_err(|error| error.to_string())?;
    }
    match store.commit(changes).await {
        Outcome::Committed { .. } => Ok(()),
        other => Err(format!("{other:?}")),
    }
}

/// The path of a URL.
fn path(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/");
    path.split(['?', '#']).next().unwrap_or(path)
}

/// Whether what came of driving a call needs no explanation.
pub(crate) const fn drove_well(driven: &Driven) -> bool {
    match driven {
        Driven::Report(Report::Told(told)) => told_well(told),
        Driven::Report(_) => false,
        Driven::Wait(_) | Driven::Lost => true,
    }
}

/// Whether what a provider said is what was hoped for, or still may be.
pub(crate) const fn told_well(told: &Told) -> bool {
    matches!(
        told,
        Told::Approved(_)
            | Told::ActionRequired(_)
            | Told::Consented { .. }
            | Told::Pending { .. }
            | Told::Tokenized { .. }
    )
}

/// Whether a look-up found something, whatever it is.
pub(crate) const fn looked_up_well(told: &Told) -> bool {
    told_well(told) || matches!(told, Told::Declined(_))
}
