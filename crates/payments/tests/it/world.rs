//! A node's payments without a node: the real service, store and bank over a test's ports.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use kernel::{
    Actor, BoxFuture, Claim, Credentials, Currency, Deadline, Exchange, Exchanged, Id, Mode, Money, Reply,
    Request, Scope, Secret, Store,
};
use parking_lot::Mutex;
use payments::{
    AnswerForm, Answered, Caller, CapturePayment, CreatePayment, Exchanges, MerchantSettings, MethodInput,
    MoveClock, NewAccount, Payment, PaymentKind, Payments, PaymentsError, PaymentsPorts, PaymentsSettings,
    Purpose, RefundPayment,
};
use provider_kit::{Account, CaptureMode, Card, Delivery, ProviderAccount, ThreeDSecure};
use sandbox_bank::{Bank, BankConfig, InProcess, Keys, StatementLine};
use store::{Memory, Schema, open_memory_with};
use testkit::{CountedIds, ManualClock, RuntimeTasks, SeededRandom};
use uuid::Uuid;
use vault::{ServerSecret, Vault};

use crate::vaulted::CardsOf;

/// What the network does to the next effect that passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// No connection: not one byte leaves.
    Refused,
    /// The request is lost; nothing is done, and nobody can know.
    LostBefore,
    /// It is done, and the answer is lost.
    LostAfter,
    /// It is done, and the answer is awaited until the time-out.
    Slow,
    /// Nothing is done, and the answer is this status: a page of HTML for a 5xx, else a refusal.
    Answers(u16),
    /// It is done, and the answer is this status with a page of HTML.
    AnswersAfter(u16),
    /// The process dies before the answer: the future never completes.
    Hangs,
}

/// Draws a trouble for an effect that none was set for.
pub(crate) type Weather = Box<dyn FnMut() -> Option<Trouble> + Send>;

/// The way to the bank, with troubles for the effects that pass.
pub(crate) struct Wire {
    inner: InProcess,
    clock: ManualClock,
    pub(crate) troubles: Mutex<VecDeque<Trouble>>,
    pub(crate) weather: Mutex<Option<Weather>>,
    /// So many look-ups are answered with a 503.
    pub(crate) blind: Mutex<u32>,
    /// The status that look-ups tell, in place of the bank's own: a bank that has changed its mind.
    pub(crate) says: Mutex<Option<&'static str>>,
    pub(crate) sent: Mutex<Vec<String>>,
    /// So many tokenizations find nobody.
    pub(crate) closed: Mutex<u32>,
    /// How many requests had a card number in them.
    pub(crate) cards_sent: Mutex<u32>,
}

impl Exchange for Wire {
    fn exchange<'a>(
        &'a self,
        request: &'a Request,
        credentials: &'a Credentials,
        deadline: Deadline,
    ) -> BoxFuture<'a, Exchanged> {
        Box::pin(async move {
            let moves = request.effect != kernel::Effect::Read && !request.carries_card;
            *self.cards_sent.lock() += u32::from(request.carries_card);
            if request.carries_card && *self.closed.lock() > 0 {
                *self.closed.lock() -= 1;
                return Exchanged::NotSent("connection refused".to_owned());
            }
            if moves {
                self.sent.lock().push(request.key.clone());
            }
            if request.effect == kernel::Effect::Read && !request.carries_card {
                let mut blind = self.blind.lock();
                if *blind > 0 {
                    *blind -= 1;
                    return page(503);
                }
            }
            let set = if moves { self.troubles.lock().pop_front() } else { None };
            let trouble = match (set, moves) {
                (None, true) => self.weather.lock().as_mut().and_then(|weather| weather()),
                (set, _) => set,
            };
            let says = *self.says.lock();
            match trouble {
                None if !moves && let Some(status) = says => {
                    retold(self.inner.exchange(request, credentials, deadline).await, status)
                }
                None => self.inner.exchange(request, credentials, deadline).await,
                Some(Trouble::Refused) => Exchanged::NotSent("connection refused".to_owned()),
                Some(Trouble::LostBefore) => Exchanged::MaybeSent("time-out".to_owned()),
                Some(Trouble::LostAfter) => {
                    self.inner.exchange(request, credentials, deadline).await;
                    Exchanged::MaybeSent("time-out".to_owned())
                }
                Some(Trouble::Slow) => {
                    self.inner.exchange(request, credentials, deadline).await;
                    kernel::Clock::sleep(&self.clock, deadline.reply_within).await;
                    Exchanged::MaybeSent("time-out".to_owned())
                }
                Some(Trouble::Answers(status)) => page(status),
                Some(Trouble::AnswersAfter(status)) => {
                    self.inner.exchange(request, credentials, deadline).await;
                    page(status)
                }
                Some(Trouble::Hangs) => std::future::pending().await,
            }
        })
    }
}

/// An answer whose status is another.
fn retold(answer: Exchanged, status: &str) -> Exchanged {
    let Exchanged::Replied(mut reply) = answer else { return answer };
    let mut body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    body["status"] = status.into();
    reply.body = body.to_string().into_bytes();
    Exchanged::Replied(reply)
}

fn page(status: u16) -> Exchanged {
    let body: &[u8] = if status >= 500 {
        b"<html>something went wrong</html>"
    } else {
        br#"{"error": {"code": "not_now", "message": "refused"}}"#
    };
    Exchanged::Replied(Reply { status, headers: Vec::new(), body: body.to_vec() })
}

struct OneWay(Arc<Wire>);

impl Exchanges for OneWay {
    fn of(&self, _account: &ProviderAccount) -> Arc<dyn Exchange> {
        Arc::<Wire>::clone(&self.0)
    }

    fn clock_request(&self, _account: &ProviderAccount, offset: Duration) -> Option<Request> {
        Some(sandbox_bank::clock_request(offset))
    }
}

/// The world of one merchant's tests.
pub(crate) struct World {
    pub(crate) payments: Arc<Payments>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) memory: Arc<Memory>,
    pub(crate) bank: Arc<Bank>,
    pub(crate) wire: Arc<Wire>,
    pub(crate) clock: ManualClock,
    pub(crate) scope: Scope,
    pub(crate) account: Id<Account>,
    pub(crate) bank_keys: Keys,
    pub(crate) caller: Caller,
    node: Box<dyn Fn(Arc<dyn Store>) -> Arc<Payments>>,
    pub(crate) vault: Option<CardsOf>,
}

fn usual_settings() -> PaymentsSettings {
    PaymentsSettings {
        defaults: MerchantSettings {
            return_url: Some("https://merchant.example/back".to_owned()),
            ..MerchantSettings::default()
        },
        ..PaymentsSettings::default()
    }
}

fn schema() -> Schema {
    let tables: Vec<_> = [payments::TABLES, payments::SEARCH_TABLES].concat();
    Schema::new(&tables, &[payments::MIGRATIONS, payments::SEARCH_MIGRATIONS]).unwrap()
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}, |_| {}).await
    }

    pub(crate) async fn with(
        bank_settings: impl FnOnce(&mut BankConfig),
        settings: impl FnOnce(&mut PaymentsSettings),
    ) -> Self {
        Self::over(bank_settings, settings, None).await
    }

    /// With these cards kept of ours, and with the provider of [`crate::vaulted`] beside the sandbox.
    pub(crate) async fn over(
        bank_settings: impl FnOnce(&mut BankConfig),
        settings: impl FnOnce(&mut PaymentsSettings),
        vault: Option<CardsOf>,
    ) -> Self {
        let clock = ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap());
        let (ids, random) = (Arc::new(CountedIds::default()), Arc::new(SeededRandom::new(7)));
        let memory = open_memory_with(schema(), Arc::new(clock.clone()), None);
        let store: Arc<dyn Store> = Arc::<Memory>::clone(&memory);
        let mut bank_config = BankConfig::default();
        bank_settings(&mut bank_config);
        let bank = Arc::new(Bank::in_memory(bank_config, random.clone(), ids.clone()));
        let wire = Arc::new(Wire {
            inner: InProcess::new(Arc::clone(&bank), Arc::new(clock.clone())),
            clock: clock.clone(),
            troubles: Mutex::default(),
            weather: Mutex::default(),
            blind: Mutex::default(),
            says: Mutex::default(),
            sent: Mutex::default(),
            closed: Mutex::default(),
            cards_sent: Mutex::default(),
        });
        let secret = ServerSecret::parse(&"5a".repeat(32)).unwrap();
        let mut payments_settings = usual_settings();
        settings(&mut payments_settings);
        let cards = vault.as_ref().map(|vault| Arc::clone(&vault.cards));
        let (shared, way) = (clock.clone(), Arc::clone(&wire));
        let (all_ids, all_random) = (Arc::clone(&ids), Arc::clone(&random));
        let node: Box<dyn Fn(Arc<dyn Store>) -> Arc<Payments>> = Box::new(move |store| {
            Payments::new(PaymentsPorts {
                search: Arc::clone(&store),
                store,
                exchanges: Arc::new(OneWay(Arc::clone(&way))),
                registry: crate::vaulted::registry(),
                vault: Arc::new(Vault::new(&secret).unwrap()),
                cards: cards.clone(),
                clock: Arc::new(shared.clone()),
                ids: all_ids.clone(),
                random: all_random.clone(),
                tasks: Arc::new(RuntimeTasks),
                settings: payments_settings.clone(),
            })
        });
        let payments = node(Arc::clone(&store));
        let scope = Scope { merchant: Id::from_uuid(Uuid::from_u128(1)), mode: Mode::Test };
        let bank_keys = Keys::draw(random.as_ref());
        let account = payments
            .ensure_account(
                scope,
                NewAccount {
                    provider: "sandbox".to_owned(),
                    identity: bank_keys.identity.to_string(),
                    settings: std::collections::BTreeMap::new(),
                    secrets: vec![
                        ("api_key".to_owned(), bank_keys.api_key.clone()),
                        ("webhook_secret".to_owned(), bank_keys.webhook_secret.clone()),
                    ],
                },
            )
            .await
            .unwrap()
            .account
            .id;
        let caller =
            Caller { scope, actor: Actor::Key("key_test".to_owned()), trace_id: None, scenario: None };
        Self { payments, store, memory, bank, wire, clock, scope, account, bank_keys, caller, node, vault }
    }

    /// A further account at the bank.
    pub(crate) async fn open_account(&self, name: &str) -> Id<Account> {
        let keys = Keys::draw(&SeededRandom::new(name.bytes().map(u64::from).sum()));
        let settings = [("name", name), ("notice_url", "https://florin.example/webhooks/sandbox/{account}")];
        let new = NewAccount {
            provider: "sandbox".to_owned(),
            identity: keys.identity.to_string(),
            settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            secrets: vec![
                ("api_key".to_owned(), keys.api_key),
                ("webhook_secret".to_owned(), keys.webhook_secret),
            ],
        };
        self.payments.ensure_account(self.scope, new).await.unwrap().account.id
    }

    /// What another node has, over this store.
    pub(crate) fn another(&self, store: Arc<dyn Store>) -> Arc<Payments> {
        (self.node)(store)
    }

    /// Another node's payments, which see the store through `store`.
    pub(crate) fn through(&self, store: Arc<dyn Store>) -> Arc<Payments> {
        Payments::new(PaymentsPorts {
            search: Arc::clone(&store),
            store,
            exchanges: Arc::new(OneWay(Arc::clone(&self.wire))),
            registry: provider_registry::all(),
            vault: Arc::new(Vault::new(&ServerSecret::parse(&"5a".repeat(32)).unwrap()).unwrap()),
            cards: self.vault.as_ref().map(|vault| Arc::clone(&vault.cards)),
            clock: Arc::new(self.clock.clone()),
            ids: Arc::new(CountedIds::default()),
            random: Arc::new(SeededRandom::new(8)),
            tasks: Arc::new(RuntimeTasks),
            settings: PaymentsSettings::default(),
        })
    }

    pub(crate) async fn create(&self, command: CreatePayment) -> Result<Answered, PaymentsError> {
        self.payments.create(&self.caller, command, None).await
    }

    /// Charges this card with automatic capture.
    pub(crate) async fn pay(&self, number: &str) -> Answered {
        self.create(card_payment(1000, number)).await.unwrap()
    }

    pub(crate) async fn refund(
        &self,
        id: Id<PaymentKind>,
        amount: Option<i64>,
    ) -> Result<Answered, PaymentsError> {
        let command = RefundPayment { amount, ..RefundPayment::default() };
        self.payments.refund(&self.caller, id, command, None).await
    }

    pub(crate) async fn capture(
        &self,
        id: Id<PaymentKind>,
        amount: Option<i64>,
        is_final: bool,
    ) -> Result<Answered, PaymentsError> {
        self.payments.capture(&self.caller, id, CapturePayment { amount, is_final }, None).await
    }

    pub(crate) async fn cancel(&self, id: Id<PaymentKind>) -> Result<Answered, PaymentsError> {
        self.payments.cancel(&self.caller, id, None).await
    }

    pub(crate) async fn get(&self, id: Id<PaymentKind>) -> Payment {
        self.payments.get(self.scope, id).await.unwrap()
    }

    pub(crate) fn trouble(&self, trouble: Trouble) {
        self.wire.troubles.lock().push_back(trouble);
    }

    /// Moves the merchant's clock, and lets everything happen that follows.
    pub(crate) async fn advance(&self, by: Duration) {
        self.payments.move_clock(&self.caller, MoveClock::By(by), None).await.unwrap();
        self.quiet().await;
    }

    /// Runs what is due in a task that may never end, as one whose process dies.
    pub(crate) async fn spawned_schedules(&self) {
        let payments = Arc::clone(&self.payments);
        let work = async move {
            payments.run_schedules(100).await.unwrap();
        };
        kernel::Tasks::spawn(&RuntimeTasks, "schedules", Box::pin(work));
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    /// Moves time and lets the resolver look, until nothing is due within the span.
    pub(crate) async fn pass(&self, span: Duration) {
        let step = Duration::from_secs(1);
        let mut passed = Duration::ZERO;
        while passed < span {
            self.clock.advance(step);
            passed += step;
            self.quiet().await;
        }
    }

    /// Runs resolver, bank notices and inbox until nothing more happens now.
    pub(crate) async fn quiet(&self) {
        for _ in 0..20 {
            let mut work = self.payments.resolve_due(100).await.unwrap();
            work += self.deliver().await;
            work += self.payments.run_schedules(100).await.unwrap();
            work += self.payments.process_inbox(100).await.unwrap();
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            if work == 0 {
                return;
            }
        }
    }

    /// Brings the bank's due notices to the inbox.
    pub(crate) async fn deliver(&self) -> usize {
        let now = kernel::Clock::now(&self.clock);
        let notices = self.bank.due_notices(now, 100).await;
        for notice in &notices {
            let delivery =
                Delivery { headers: notice.headers.clone(), body: notice.body.clone(), received_at: now };
            let address = notice.url.as_deref().and_then(|url| url.rsplit('/').next());
            let account = address.and_then(|id| Id::parse(id).ok()).unwrap_or(self.account);
            // What was not stored is told again.
            if self.payments.receive("sandbox", account, delivery).await.is_ok() {
                self.bank.acknowledge(&notice.id, now).await;
            }
        }
        notices.len()
    }

    pub(crate) async fn statement(&self) -> Vec<StatementLine> {
        self.bank.statement(kernel::Clock::now(&self.clock)).await.unwrap()
    }

    /// What must be true at rest: payments agree with the books, the books with the bank, and every
    /// payment's sums hold.
    pub(crate) async fn assert_agreement(&self) {
        let report = payments::check(&self.store, self.scope).await.unwrap();
        assert_eq!(report.mismatches, []);
        let taken = |line: &StatementLine| line.captured_minor - line.returned_minor;
        let bank: i64 = self.statement().await.iter().map(taken).sum();
        let mut books = 0;
        let page = self.payments.list(self.scope, None, 100).await.unwrap();
        for payment in &page.items {
            payment.amounts_hold().unwrap();
            let rows = self
                .store
                .find(
                    kernel::Query::oldest(&kernel::TRANSFER, self.scope, 1000)
                        .with(kernel::Filter::equal("subject", payment.id)),
                )
                .await
                .unwrap();
            for row in rows {
                let text = |place: usize| row.columns[place].as_text().unwrap().to_owned();
                let (debit, credit, phase) = (text(0), text(1), text(5));
                let amount = row.columns[3].as_int().unwrap();
                if phase == "pending" || phase.starts_with("voids") || text(4) == "fee" {
                    continue;
                }
                if debit.starts_with("provider") && credit == "merchant" {
                    books += amount;
                } else if debit == "merchant" && credit.starts_with("provider") {
                    books -= amount;
                }
            }
        }
        assert_eq!(books, bank, "the books and the bank differ");
    }
}

pub(crate) fn card(number: &str) -> MethodInput {
    MethodInput::Card(Card {
        number: kernel::CardNumber::parse(number).unwrap(),
        exp_month: 12,
        exp_year: 2030,
        cvc: Some(Secret::new("123".to_owned())),
        holder: None,
    })
}

pub(crate) fn card_payment(minor: i64, number: &str) -> CreatePayment {
    CreatePayment {
        amount: Money::new(minor, Currency::USD),
        purpose: Purpose::Payment,
        capture_method: None,
        confirm: true,
        method: Some(card(number)),
        customer: None,
        order_id: None,
        allow_duplicate_order: false,
        provider: None,
        description: None,
        statement_descriptor: None,
        customer_email: None,
        metadata: serde_json::Map::new(),
        return_url: None,
        callback_url: None,
        form: AnswerForm::Canonical,
        capture_delay_seconds: None,
        off_session: None,
        stores_credential: false,
        three_d_secure: ThreeDSecure::Automatic,
        payer: None,
    }
}

pub(crate) fn held_payment(minor: i64) -> CreatePayment {
    CreatePayment { capture_method: Some(CaptureMode::Manual), ..card_payment(minor, "4242424242424242") }
}

pub(crate) fn upi_payment(vpa: &str) -> CreatePayment {
    CreatePayment {
        amount: Money::new(10_000, Currency::INR),
        method: Some(MethodInput::Upi { vpa: Some(vpa.to_owned()) }),
        ..card_payment(10_000, "4242424242424242")
    }
}

pub(crate) fn claim(scope: Scope, key: &str, route: &'static str, body: u8) -> Claim {
    Claim {
        scope,
        key: key.to_owned(),
        route: route.into(),
        mac: vec![body; 32],
        mac_before: None,
        operation: None,
        answer: None,
    }
}
