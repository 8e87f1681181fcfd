//! The service: loads, asks the model, commits, calls out, and writes down what came back.

use std::sync::Arc;
use std::time::Duration;

use kernel::{
    Actor, BoxFuture, Clock, Duplicate, Filter, Id, Ids, Lane, Outcome, Query, Random, Scope, Store, Tasks,
    Timestamp, Versioned,
};
use provider_kit::{Account, ProviderAccount, Registry};
use tokio::sync::oneshot;
use tracing::Instrument as _;
use uuid::Uuid;
use vault::Vault;
use vault::cards::CardVault;

use crate::account::{AccountRecord, Accounts, Exchanges, NewAccount, Opened};
use crate::cache::Cache;
use crate::claims::{self, Known};
use crate::clocks::Clocks;
use crate::command::{Answered, Caller, Verdict};
use crate::draft::{Draft, Touched};
use crate::fresh::Fresh;
use crate::lock::{Held, Locks, Turn};
use crate::measure;
use crate::operation::{Due, OPERATION, Operation, OperationId, operation_key};
use crate::payment::{Payment, PaymentKind};
use crate::quarantine::Gate;
use crate::refund::Refund;
use crate::rejection::{PaymentsError, Rejection};
use crate::route::Learned;
use crate::search_index::LastPass;
use crate::settings::{MerchantSettings, PaymentsSettings};
use crate::volume::Granted;

/// How long a command waits for others on its payment before 409.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

/// The target of spans that are part of a trace.
pub(crate) const TRACE: &str = "florin::trace";

/// What the service is composed of.
pub struct PaymentsPorts {
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Where the search's rows are kept ([`crate::SEARCH_TABLES`]): a store of its own, so that no payment
    /// waits for them.
    pub search: Arc<dyn Store>,
    /// How providers are reached.
    pub exchanges: Arc<dyn Exchanges>,
    /// The providers of this build.
    pub registry: Registry,
    /// Keys.
    pub vault: Arc<Vault>,
    /// Where cards are kept, if anywhere of ours.
    pub cards: Option<Arc<CardVault>>,
    /// Clocks.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Supervised tasks.
    pub tasks: Arc<dyn Tasks>,
    /// Durations and addresses.
    pub settings: PaymentsSettings,
}

/// Payments of all merchants of this node.
pub struct Payments {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) search: Arc<dyn Store>,
    pub(crate) vault: Arc<Vault>,
    pub(crate) cards: Option<Arc<CardVault>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn Ids>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) tasks: Arc<dyn Tasks>,
    pub(crate) settings: PaymentsSettings,
    pub(crate) accounts: Accounts,
    pub(crate) locks: Locks,
    pub(crate) clocks: Clocks,
    pub(crate) granted: Granted,
    pub(crate) last_pass: tokio::sync::Mutex<LastPass>,
    pub(crate) fresh: Fresh,
    pub(crate) gate: Gate,
    pub(crate) learned: Learned,
    merchants: Cache<Scope, Arc<MerchantSettings>>,
}

/// A page of a list, newest first.
///
/// One request reads a bounded number of rows: where few of those match, a page is short, or even empty,
/// and `next` still says where to go on.
#[derive(Clone, Debug)]
pub struct Page<T, P = Uuid> {
    /// The objects.
    pub items: Vec<T>,
    /// The next page is what comes after this place; `None` if this page is the last.
    pub next: Option<P>,
}

impl<T, P> Page<T, P> {
    /// A page of the first `limit` of these: if there is one more, there is a next page, which begins after
    /// the last that is shown.
    pub(crate) fn cut(mut items: Vec<T>, limit: u32, place: impl Fn(&T) -> P) -> Self {
        let room = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = items.len() > room;
        items.truncate(room);
        let next = items.last().filter(|_| has_more).map(place);
        Self { items, next }
    }

    /// Whether something may come after this page.
    pub const fn has_more(&self) -> bool {
        self.next.is_some()
    }
}

impl Payments {
    /// The service over these ports.
    pub fn new(ports: PaymentsPorts) -> Arc<Self> {
        let accounts = Accounts::new(
            Arc::clone(&ports.store),
            Arc::clone(&ports.vault),
            Arc::clone(&ports.clock),
            ports.registry,
            ports.exchanges,
        );
        let merchants = Cache::new(Arc::clone(&ports.clock));
        let clocks = Clocks::new(Arc::clone(&ports.store), Arc::clone(&ports.clock));
        Arc::new(Self {
            merchants,
            granted: Granted::new(Arc::clone(&ports.clock)),
            clocks,
            store: ports.store,
            search: ports.search,
            vault: ports.vault,
            cards: ports.cards,
            clock: ports.clock,
            ids: ports.ids,
            random: ports.random,
            tasks: ports.tasks,
            settings: ports.settings,
            accounts,
            locks: Locks::default(),
            last_pass: tokio::sync::Mutex::default(),
            fresh: Fresh::default(),
            gate: Gate::default(),
            learned: Learned::default(),
        })
    }

    /// Makes a scope's account at a provider, if it has none there.
    pub async fn ensure_account(
        &self,
        scope: Scope,
        new: NewAccount,
    ) -> Result<AccountRecord, PaymentsError> {
        self.accounts.ensure(scope, new, self.ids.as_ref(), self.random.as_ref()).await
    }

    /// Makes a scope's account at a provider, or gives the one that is there these settings and secrets.
    pub async fn configure_account(
        &self,
        scope: Scope,
        new: NewAccount,
    ) -> Result<ProviderAccount, PaymentsError> {
        let configured = self.accounts.configure(scope, new, self.ids.as_ref(), self.random.as_ref()).await?;
        Ok(configured.account)
    }

    /// The accounts of a scope, without their secrets.
    pub async fn accounts(&self, scope: Scope) -> Result<Vec<ProviderAccount>, PaymentsError> {
        Ok(self.accounts.of(scope).await?.iter().map(|opened| opened.account.clone()).collect())
    }

    /// Whose account this is; `None` if nobody's.
    pub async fn scope_of_account(&self, id: Id<Account>) -> Result<Option<Scope>, PaymentsError> {
        Ok(self.accounts.everywhere(id).await?.map(|opened| opened.scope))
    }

    /// The one account at a provider in this installation; `None` if there is none, or several.
    pub async fn only_account(&self, provider: &str) -> Result<Option<Id<Account>>, PaymentsError> {
        self.accounts.only_one(provider).await
    }

    /// One payment.
    pub async fn get(&self, scope: Scope, id: Id<PaymentKind>) -> Result<Payment, PaymentsError> {
        Ok(self.payment(scope, id).await?.record)
    }

    /// All operations of a payment, in the order of their ids.
    pub async fn operations(
        &self,
        scope: Scope,
        id: Id<PaymentKind>,
    ) -> Result<Vec<Operation>, PaymentsError> {
        self.payment(scope, id).await?;
        let found = self.operations_of(scope, id).await?;
        Ok(found.into_iter().map(|versioned| versioned.record).collect())
    }

    pub(crate) async fn payment(
        &self,
        scope: Scope,
        id: Id<PaymentKind>,
    ) -> Result<Versioned<Payment>, PaymentsError> {
        let found = self.store.of(scope).get::<Payment>(vec![id.into()]).await?;
        found.ok_or_else(|| Rejection::NotFound("payment").into())
    }

    pub(crate) async fn operations_of(
        &self,
        scope: Scope,
        id: Id<PaymentKind>,
    ) -> Result<Vec<Versioned<Operation>>, PaymentsError> {
        let query = Query::oldest(&OPERATION, scope, 200).with(Filter::equal("payment", id));
        Ok(self.store.of(scope).find(query).await?)
    }

    /// A merchant's settings, or the installation's defaults.
    pub(crate) async fn merchant(&self, scope: Scope) -> Result<Arc<MerchantSettings>, PaymentsError> {
        if let Some(known) = self.merchants.get(&scope) {
            return Ok(known);
        }
        let settings = self.settings(scope).await?;
        let settings = Arc::new(settings);
        self.merchants.keep(scope, Arc::clone(&settings));
        Ok(settings)
    }

    pub(crate) fn forget_merchant(&self, scope: Scope) {
        self.merchants.forget(&scope);
    }

    /// A draft of a payment as it stands, with all its operations and their refunds.
    pub(crate) async fn load(
        &self,
        scope: Scope,
        id: Id<PaymentKind>,
        actor: Actor,
    ) -> Result<Box<Draft>, PaymentsError> {
        let payment = self.payment(scope, id).await?;
        let now = self.now(scope).await?;
        let mut draft = Draft::of(scope, now, actor, payment, self.ids.uuid());
        self.load_operations(&mut draft).await?;
        Ok(draft)
    }

    pub(crate) async fn load_operations(&self, draft: &mut Draft) -> Result<(), PaymentsError> {
        let scope = draft.scope;
        let operations = self.operations_of(scope, draft.payment.id).await?;
        for refund in operations.iter().filter_map(|operation| operation.record.refund) {
            let found = self.store.of(scope).get::<Refund>(vec![refund.into()]).await?;
            draft.refunds.extend(found.map(Touched::read));
        }
        let with_due = operations.into_iter().map(|mut versioned| {
            versioned.record.due = Due::of(&versioned.columns);
            Touched::read(versioned)
        });
        draft.operations = with_due.collect();
        Ok(())
    }

    /// Reads again what a task holds, because somebody else wrote it. In a box, for it is seldom needed.
    pub(crate) fn reload<'a>(&'a self, draft: &'a Draft) -> BoxFuture<'a, Result<Box<Draft>, PaymentsError>> {
        Box::pin(async move {
            let mut fresh = self.load(draft.scope, draft.payment.id, draft.actor.clone()).await?;
            fresh.trace_id.clone_from(&draft.trace_id);
            // Whether it may follow is decided anew.
            fresh.successor.clone_from(&draft.successor);
            for operation in fresh.operations.iter_mut().map(|touched| &mut touched.record) {
                // Known to the task that reserved it alone, until something writes it.
                if let Some(held) = draft.operation(operation.id) {
                    operation.reserved_at = operation.reserved_at.or(held.reserved_at);
                    operation.sends_end_at = operation.sends_end_at.max(held.sends_end_at);
                }
            }
            Ok(fresh)
        })
    }

    pub(crate) async fn operation(
        &self,
        scope: Scope,
        id: OperationId,
    ) -> Result<Option<Versioned<Operation>>, PaymentsError> {
        Ok(self.store.of(scope).get(operation_key(id)).await?)
    }

    /// The payment's lock; [`PaymentsError::Busy`] for a command that waited too long.
    pub(crate) async fn lock(&self, id: Id<PaymentKind>, turn: Turn) -> Result<Held, PaymentsError> {
        let held = self.locks.acquire(id.uuid(), turn);
        match turn {
            Turn::Settle => Ok(held.await),
            Turn::Command => {
                let patience = self.clock.sleep(LOCK_PATIENCE);
                match futures_util::future::select(Box::pin(held), patience).await {
                    futures_util::future::Either::Left((held, _)) => Ok(held),
                    futures_util::future::Either::Right(_) => Err(PaymentsError::Busy),
                }
            }
        }
    }

    /// Commits a draft; on success its records have their new versions. Alerts are told then.
    pub(crate) async fn commit(&self, draft: &mut Draft, lane: Lane) -> Result<Outcome, PaymentsError> {
        let changes = draft.finish(lane, self.ids.as_ref(), self.random.as_ref())?;
        let span = tracing::trace_span!(target: TRACE, "commit", ?lane);
        let outcome = self.store.commit(changes).instrument(span).await;
        if let Outcome::Committed { .. } = outcome {
            for alert in &draft.alerts {
                tracing::error!(payment = %draft.payment.id, alert = alert.as_str(), "alert");
            }
            measure::committed(draft);
            self.learn_rates(draft);
            // What is sent now will be committed again, most often before the next pass over the search.
            if draft.to_send.is_empty() {
                let keys = self.vault.keys(draft.scope.mode).ok();
                self.fresh.keep(draft.scope, &draft.payment, keys, self.clock.monotonic());
            }
            draft.committed();
        }
        Ok(outcome)
    }

    /// Runs `work` in a supervised task and waits for what it tells; after `answer_within` the answer
    /// is 202 with the payment as it stands, and the work goes on. A caller that hangs up changes
    /// nothing.
    pub(crate) async fn answer_within(
        &self,
        scope: Scope,
        id: Id<PaymentKind>,
        name: &'static str,
        work: impl FnOnce(Teller) -> BoxFuture<'static, ()>,
    ) -> Result<Answered, PaymentsError> {
        let (sender, receiver) = oneshot::channel();
        let span = tracing::trace_span!(target: TRACE, "process_payment", verb = name, payment = %id);
        self.tasks.spawn(name, Box::pin(work(Teller(Some(sender))).instrument(span)));
        let patience = self.clock.sleep(self.settings.answer_within);
        match futures_util::future::select(receiver, patience).await {
            futures_util::future::Either::Left((Ok(told), _)) => told,
            futures_util::future::Either::Left((Err(_), _)) => {
                Err(PaymentsError::Internal("a task ended without an answer".to_owned()))
            }
            futures_util::future::Either::Right(_) => self.accepted(scope, id).await,
        }
    }

    /// 202 with the payment as it stands.
    pub(crate) async fn accepted(
        &self,
        scope: Scope,
        id: Id<PaymentKind>,
    ) -> Result<Answered, PaymentsError> {
        match self.payment(scope, id).await {
            Ok(found) => Ok(Answered {
                verdict: Verdict::Accepted,
                payment: Box::new(found.record),
                refund: None,
                replayed: false,
            }),
            // The reserve itself is still waiting: it may be written yet, and is sent then.
            Err(PaymentsError::Rejected(_)) => {
                Err(PaymentsError::Undecided("the reserve is still waiting".to_owned()))
            }
            Err(error) => Err(PaymentsError::Undecided(error.to_string())),
        }
    }

    /// The refund that an operation carries out, as it stands.
    async fn refund_by(&self, scope: Scope, id: OperationId) -> Result<Option<Refund>, PaymentsError> {
        let refund = self.operation(scope, id).await?.and_then(|found| found.record.refund);
        let Some(refund) = refund else { return Ok(None) };
        Ok(self.store.of(scope).get::<Refund>(vec![refund.into()]).await?.map(|found| found.record))
    }

    /// A refused command with a claim may be the repeat of one that succeeded: then its answer counts.
    pub(crate) async fn replay_or(
        &self,
        claim: Option<&kernel::Claim>,
        refused: PaymentsError,
    ) -> Result<Answered, PaymentsError> {
        let Some(claim) = claim else { return Err(refused) };
        let known = match claims::lookup(&self.store, claim, self.settings.answer_within).await {
            // The key was used: what became of its request cannot be read now.
            Err(PaymentsError::Unavailable(reason)) if refused == Rejection::KeyInUse.into() => {
                return Err(PaymentsError::Undecided(reason));
            }
            known => known?,
        };
        match known {
            None => Err(refused),
            Some(Known::Answered(answered)) => Ok(*answered),
            Some(Known::Running(payment, operation)) => {
                let mut told = self.accepted(claim.scope, payment).await?;
                if let Some(id) = operation {
                    told.refund = self.refund_by(claim.scope, id).await?.map(Box::new);
                }
                Ok(told)
            }
        }
    }
}

/// Tells the waiting caller, once.
pub(crate) struct Teller(Option<oneshot::Sender<Result<Answered, PaymentsError>>>);

impl Teller {
    /// A teller that nobody listens to: for work that no caller waits for.
    pub(crate) const fn nobody() -> Self {
        Self(None)
    }

    /// Whether somebody is still to be told.
    pub(crate) const fn listens(&self) -> bool {
        self.0.is_some()
    }

    pub(crate) fn tell(&mut self, what: Result<Answered, PaymentsError>) {
        if let Some(sender) = self.0.take() {
            // The caller may have hung up: that changes nothing here.
            let _ = sender.send(what);
        }
    }
}

/// What an outcome other than `Committed` or `Conflict` means to a command.
pub(crate) fn refused(outcome: Outcome) -> PaymentsError {
    match outcome {
        Outcome::Overloaded => PaymentsError::Overloaded,
        Outcome::StorageFull => PaymentsError::StorageFull,
        Outcome::Duplicate(Duplicate::Row { table }) if table == crate::order_guard::ORDER_GUARD.name => {
            Rejection::OrderAlreadyCharged.into()
        }
        Outcome::Duplicate(Duplicate::Claim) => Rejection::KeyInUse.into(),
        Outcome::NotCommitted(reason) => PaymentsError::Unavailable(reason),
        Outcome::Indeterminate => PaymentsError::Undecided("the store does not know".to_owned()),
        Outcome::Conflict => PaymentsError::Busy,
        Outcome::Refused(reason) => {
            tracing::error!(reason, "the store refused a write");
            PaymentsError::Internal("the store refused a write".to_owned())
        }
        other @ (Outcome::Duplicate(_) | Outcome::Overdrawn(_) | Outcome::Committed { .. }) => {
            PaymentsError::Internal(format!("unexpected outcome {other:?}"))
        }
    }
}

/// What a caller is told of an operation once its draft is committed.
pub(crate) fn answered(draft: &Draft, id: OperationId) -> Answered {
    let refund = draft.refunds.iter().find(|refund| refund.record.operation == id);
    Answered {
        verdict: crate::apply::verdict(draft, id),
        payment: Box::new(draft.payment.clone()),
        refund: refund.map(|touched| Box::new(touched.record.clone())),
        replayed: false,
    }
}

/// [`answered`], of a draft that nobody needs any more.
pub(crate) fn into_answered(draft: Box<Draft>, id: OperationId) -> Answered {
    let refund = draft.refunds.iter().find(|refund| refund.record.operation == id);
    Answered {
        verdict: crate::apply::verdict(&draft, id),
        refund: refund.map(|touched| Box::new(touched.record.clone())),
        payment: Box::new(draft.payment),
        replayed: false,
    }
}

/// Who acts on behalf of a caller.
pub(crate) fn draft_of(
    caller: &Caller,
    payment: Versioned<Payment>,
    now: Timestamp,
    fresh: uuid::Uuid,
) -> Box<Draft> {
    let mut draft = Draft::of(caller.scope, now, caller.actor.clone(), payment, fresh);
    draft.trace_id.clone_from(&caller.trace_id);
    draft.scenario.clone_from(&caller.scenario);
    draft
}

/// The provider's visibility and the merchant's wish, for judging a report.
pub(crate) fn policy<'a>(
    settings: &'a PaymentsSettings,
    opened: &Opened,
    merchant: &MerchantSettings,
    asked_at: Option<Timestamp>,
) -> crate::apply::Policy<'a> {
    crate::apply::Policy {
        settings,
        late_success: merchant.late_success,
        visibility: opened.provider.profile().visibility,
        authorization_valid_for: opened.provider.profile().authorization_valid_for,
        asked_at,
        pause: None,
    }
}
