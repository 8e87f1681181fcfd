//! A running node: what was composed, its background work, and its end.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use identity::{FirstStart, Identity};
use kernel::{Claim, Clock, Exchange, Id, Ids, Merchant, Mode, Random, Scope, Secret, Store, Tasks};
use limits::{Limiter, MemoryLimiter};
use payments::{
    Caller, EventSource, MerchantSettings, MoveClock, MovedClock, Payments, PaymentsError, PaymentsPorts,
    PaymentsSettings,
};
use provider_kit::Payee;
use sandbox_bank::Bank;
use tokio::sync::watch;
use uuid::Uuid;
use vault::cards::CardVault;
use vault::{SecretSource, ServerSecret, TestSecret, Vault};

use crate::background::{Leader, Pace, Pass};
use crate::bank::{self, Ways};
use crate::config::Config;
use crate::health::Health;
use crate::metrics::Metrics;
use crate::pulse::Pulse;
use crate::stores::{self, Stores};
use crate::work::Work;
use crate::{Ports, StartError};

/// The key file beside an embedded store.
const KEY_FILE: &str = "server.key";
/// The merchant of a first start.
const FIRST_MERCHANT: &str = "Test merchant";
/// How much one pass of a background loop does at most.
const PASS_LIMIT: u32 = 100;
const SEQUENCE_LIMIT: u32 = 2_000;
/// How long an idempotency key stands for its first request, by the real clock.
const CLAIMS_KEPT: Duration = Duration::from_hours(30 * 24);
const CLAIMS_LIMIT: u32 = 500;
const CLAIMS_PAUSE: Duration = Duration::from_mins(1);

/// One process's composition of everything, without its HTTP.
pub struct Node {
    /// What it was configured with.
    pub config: Config,
    /// Where others reach it, without a slash at the end.
    pub public_url: String,
    /// Where everything is kept.
    pub store: Arc<dyn Store>,
    /// Payments.
    pub payments: Arc<Payments>,
    /// Merchants and keys.
    pub identity: Arc<Identity>,
    /// Counters of rate limits.
    pub limits: Arc<dyn Limiter>,
    /// Keys of MACs and sealed values.
    pub vault: Arc<Vault>,
    /// Where cards are kept, if anywhere of ours.
    pub cards: Option<Arc<CardVault>>,
    /// The sandbox bank, if it runs in this process.
    pub bank: Option<Arc<Bank>>,
    /// The providers that this build knows.
    pub registry: provider_kit::Registry,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Work that outlives a request; a stopping node waits for it.
    pub tasks: Arc<dyn Tasks>,
    /// Where the test worlds' secret is.
    pub test_secret: TestSecret,
    /// What is counted, unless the configuration says that nothing is.
    pub metrics: Option<Metrics>,
    /// Whether it can serve.
    pub health: Health,
    /// How its answers were lately.
    pub pulse: Arc<Pulse>,
    id: Uuid,
    /// Whose events the configured secret signs, once the first merchant is known.
    events: OnceLock<EventSource>,
    /// Where the search's rows are.
    pub search_store: Arc<dyn Store>,
    bank_store: Option<Arc<dyn Store>>,
    vault_store: Option<Arc<dyn Store>>,
    work: Work,
    stop: watch::Sender<bool>,
}

/// Opens the configured stores, migrates them, and composes everything over them. Nothing runs in the
/// background until [`Node::run_background`], and nobody can call before [`Node::first_start`].
pub async fn start(config: Config, ports: Ports) -> Result<Arc<Node>, StartError> {
    let id = ports.ids.uuid();
    let stores = stores::open(&config, &ports, id, true).await?;
    start_over(config, ports, stores).await
}

/// Composes everything over stores that are open already.
pub async fn start_over(config: Config, ports: Ports, stores: Stores) -> Result<Arc<Node>, StartError> {
    let bank = bank::open(&config, &ports, &stores, &public_url(&config));
    let transport = crate::bank::transport(&ports, config.otlp.endpoint.is_some());
    let ways = Ways::new(&config.sandbox.bank, bank.as_ref(), transport, &ports.clock);
    // Its future is large, and would be a part of that of everybody who starts a node.
    Box::pin(compose(config, ports, stores, bank, ways)).await
}

/// Composes everything over stores that are open already, with `way` as the only way out: providers are
/// wherever it leads. For a simulation, whose bank outlives its nodes and is told by it what to deliver.
pub async fn start_behind(
    config: Config,
    ports: Ports,
    stores: Stores,
    way: Arc<dyn Exchange>,
) -> Result<Arc<Node>, StartError> {
    Box::pin(compose(config, ports, stores, None, Ways::all(way))).await
}

async fn compose(
    config: Config,
    ports: Ports,
    stores: Stores,
    bank: Option<Arc<Bank>>,
    ways: Ways,
) -> Result<Arc<Node>, StartError> {
    let registry = provider_registry::all();
    let (ids, random) = (Arc::clone(&ports.ids), Arc::clone(&ports.random));
    let opened =
        vault::open(stores.main.as_ref(), ids.as_ref(), random.as_ref(), &secret_source(&config)?).await?;
    let vault = Arc::new(opened.vault);
    let cards = crate::cards::open(&config, &ports, &stores).await?;
    let identity = Arc::new(Identity::new(
        Arc::clone(&stores.main),
        Arc::clone(&vault),
        Arc::clone(&ports.clock),
        Arc::clone(&ids),
        Arc::clone(&random),
    ));
    let public_url = public_url(&config);
    let work = Work::new(Arc::clone(&ports.tasks));
    let metrics = Metrics::install(&config.metrics);
    let health = Health::new(Arc::clone(&stores.main), Arc::clone(&ports.clock));
    let payments = Payments::new(PaymentsPorts {
        store: Arc::clone(&stores.main),
        search: Arc::clone(&stores.search),
        exchanges: Arc::new(ways),
        registry: registry.clone(),
        vault: Arc::clone(&vault),
        cards: cards.clone(),
        clock: Arc::clone(&ports.clock),
        ids: Arc::clone(&ids),
        random: Arc::clone(&random),
        tasks: Arc::new(work.clone()),
        settings: payments_settings(&config, &public_url),
    });
    Ok(Arc::new(Node {
        config,
        public_url,
        store: stores.main,
        payments,
        identity,
        limits: Arc::new(MemoryLimiter::new()),
        vault,
        cards,
        bank,
        registry,
        clock: ports.clock,
        ids,
        random,
        tasks: Arc::new(work.clone()),
        test_secret: opened.test_secret,
        metrics,
        health,
        pulse: Arc::default(),
        id: ports.ids.uuid(),
        events: OnceLock::new(),
        search_store: stores.search,
        bank_store: stores.bank,
        vault_store: stores.vault,
        work,
        stop: watch::Sender::new(false),
    }))
}

impl Node {
    /// Makes what an installation begins with, unless it is there: a merchant and its test key, which
    /// is answered once and never again, and its sandbox account.
    pub async fn first_start(&self) -> Result<Option<Secret<String>>, StartError> {
        let (merchant, key) = match self.identity.first_start(FIRST_MERCHANT).await? {
            FirstStart::Created { merchant, text, .. } => (merchant, Some(text)),
            FirstStart::Found(merchant) => (merchant, None),
        };
        self.open_sandbox(merchant.id).await?;
        self.open_events(merchant.id)?;
        for (mode, account) in self.open_configured(merchant.id).await? {
            let address = format!("{}/webhooks/{}/{}", self.public_url, account.provider, account.id);
            tracing::info!(
                provider = account.provider,
                account = %account.id,
                mode = mode.as_str(),
                webhooks = address,
                "a provider account is configured"
            );
        }
        Ok(key)
    }

    /// Lets the configured secret sign events of the first merchant's.
    pub fn open_events(&self, merchant: Id<Merchant>) -> Result<(), PaymentsError> {
        let webhooks = &self.config.webhooks;
        let Some(secret) = webhooks.hmac_secret.clone() else { return Ok(()) };
        let scope = Scope { merchant, mode: webhooks.mode.unwrap_or(Mode::Test) };
        // A live world without a server secret would refuse each event later.
        self.vault.keys(scope.mode).map_err(|error| PaymentsError::Internal(error.to_string()))?;
        let _ = self.events.set(EventSource { scope, account: None, secret });
        Ok(())
    }

    /// Whose events the configured secret signs, if there is one.
    pub fn event_source(&self) -> Option<&EventSource> {
        self.events.get()
    }

    /// Gives a merchant's test world its sandbox account, and those that the configuration names beside
    /// it, unless it has them.
    pub async fn open_sandbox(&self, merchant: Id<Merchant>) -> Result<(), PaymentsError> {
        let scope = Scope { merchant, mode: Mode::Test };
        let named = self.config.sandbox.accounts.iter().map(|name| Some(name.as_str()));
        for name in std::iter::once(None).chain(named) {
            let account = bank::new_account(self.random.as_ref(), &self.public_url, name);
            self.payments.ensure_account(scope, account).await?;
        }
        Ok(())
    }

    /// Starts the loops that finish, tell and number what requests began. Call it once.
    pub fn run_background(self: &Arc<Self>) {
        self.keep("resolver", Duration::from_millis(500), |node| {
            Box::pin(async move { Pass::of(node.payments.resolve_due(PASS_LIMIT).await, PASS_LIMIT) })
        });
        self.keep("inbox", Duration::from_millis(500), |node| {
            Box::pin(async move { Pass::of(node.payments.process_inbox(PASS_LIMIT).await, PASS_LIMIT) })
        });
        self.keep_by_timer("measures", Duration::from_secs(10), |node| {
            Box::pin(async move { node.measure().await })
        });
        self.keep("schedule", Duration::from_millis(500), |node| {
            Box::pin(async move { Pass::of(node.payments.run_schedules(PASS_LIMIT).await, PASS_LIMIT) })
        });
        self.keep_old_claims_away();
        self.keep_cards();
        let sequencer = self.leader("sequencer");
        self.keep("sequencer", Duration::from_millis(200), move |node| {
            let leader = sequencer.clone();
            Box::pin(async move { sequence(&leader, node.store.as_ref()).await })
        });
        let search = self.search_leader();
        // Not at every commit: a row that is written a moment later is written once.
        self.keep_by_timer("search", Duration::from_millis(400), move |node| {
            let leader = search.clone();
            Box::pin(async move { crate::search::index(&leader, &node).await })
        });
        if let Some(bank) = &self.bank {
            let (bank, notices) = (Arc::clone(bank), self.leader("sandbox_notices"));
            self.keep("sandbox notices", Duration::from_millis(200), move |node| {
                let (bank, leader) = (Arc::clone(&bank), notices.clone());
                Box::pin(async move { tell(&leader, &bank, &node).await })
            });
        }
    }

    /// Sums up histograms, and counts what is open.
    async fn measure(&self) -> Pass {
        let Some(metrics) = &self.metrics else { return Pass::Done };
        metrics.upkeep();
        ::metrics::gauge!("tasks_in_flight").set(u32::try_from(self.work.in_flight()).unwrap_or(u32::MAX));
        Pass::of(self.payments.measure_open().await.map(|()| 0), PASS_LIMIT)
    }

    /// Says that it will stop soon: it is not ready any more, and serves what still comes.
    pub fn begin_to_stop(&self) {
        self.health.stop();
    }

    /// Forgets answered idempotency keys after their time; by the timer alone, as nothing waits for it.
    fn keep_old_claims_away(self: &Arc<Self>) {
        let pace = Pace { store: None, clock: Arc::clone(&self.clock), stopping: self.stop.subscribe() };
        let (node, leader) = (Arc::clone(self), self.leader("idempotency_keys"));
        let pass = move || {
            let (node, leader) = (Arc::clone(&node), leader.clone());
            Box::pin(async move { forget_claims(&leader, node.store.as_ref()).await }) as _
        };
        self.work.spawn("idempotency keys", Box::pin(pace.keep("idempotency keys", CLAIMS_PAUSE, pass)));
    }

    /// Moves the clock of a test world. When it answers, what became due at the sandbox bank by it has
    /// been handed to the inbox, and the loops that do what is due were woken.
    pub async fn move_clock(
        &self,
        caller: &Caller,
        command: MoveClock,
        claim: Option<Claim>,
    ) -> Result<MovedClock, PaymentsError> {
        let moved = self.payments.move_clock(caller, command, claim).await?;
        if let Some(bank) = &self.bank {
            // Beside the loop that does it: a notice that comes twice changes nothing.
            bank::deliver_notices(bank, &self.payments, self.clock.as_ref(), PASS_LIMIT).await;
        }
        Ok(moved)
    }

    /// Ends the background loops and waits, at most `within`, for work in flight; then closes the
    /// stores, which writes what is queued. Whatever does not end in time is found again by the
    /// resolver of the next start. Answers how many tasks were left behind.
    pub async fn stop(&self, within: Duration) -> usize {
        self.stop.send_replace(true);
        tokio::select! {
            biased;
            () = self.work.finished() => {}
            () = self.clock.sleep(within) => {}
        }
        let left = self.work.in_flight();
        self.store.close().await;
        self.search_store.close().await;
        for beside in [&self.bank_store, &self.vault_store].into_iter().flatten() {
            beside.close().await;
        }
        left
    }

    pub(crate) fn leader(&self, name: &'static str) -> Leader {
        Leader::new(Arc::clone(&self.store), Arc::clone(&self.clock), name, self.id)
    }

    /// Who fills the search leads in its store: a lease can fence nothing but what lies beside it.
    pub(crate) fn search_leader(&self) -> Leader {
        Leader::new(Arc::clone(&self.search_store), Arc::clone(&self.clock), crate::search::LEADER, self.id)
    }

    /// Repeats a pass, by the timer and whenever there is new work.
    pub(crate) fn keep<F>(self: &Arc<Self>, name: &'static str, pause: Duration, pass: F)
    where
        F: Fn(Arc<Self>) -> kernel::BoxFuture<'static, Pass> + Send + 'static,
    {
        self.repeat(name, pause, Some(Arc::clone(&self.store)), pass);
    }

    /// Repeats a pass by the timer alone: new work is no reason to look more often.
    pub(crate) fn keep_by_timer<F>(self: &Arc<Self>, name: &'static str, pause: Duration, pass: F)
    where
        F: Fn(Arc<Self>) -> kernel::BoxFuture<'static, Pass> + Send + 'static,
    {
        self.repeat(name, pause, None, pass);
    }

    fn repeat<F>(
        self: &Arc<Self>,
        name: &'static str,
        pause: Duration,
        signal: Option<Arc<dyn Store>>,
        pass: F,
    ) where
        F: Fn(Arc<Self>) -> kernel::BoxFuture<'static, Pass> + Send + 'static,
    {
        let pace = Pace { store: signal, clock: Arc::clone(&self.clock), stopping: self.stop.subscribe() };
        let node = Arc::clone(self);
        let again = move || pass(Arc::clone(&node));
        self.work.spawn(name, Box::pin(pace.keep(name, pause, again)));
    }
}

async fn sequence(leader: &Leader, store: &dyn Store) -> Pass {
    match leader.lease().await {
        Ok(None) => Pass::Done,
        Ok(Some(lease)) => {
            let numbered = store.sequence(&lease, SEQUENCE_LIMIT).await;
            match &numbered {
                Ok(count) => ::metrics::counter!("journal_positions_total").increment(*count),
                Err(_) => leader.doubt(),
            }
            Pass::of(numbered.map(|count| usize::try_from(count).unwrap_or(usize::MAX)), SEQUENCE_LIMIT)
        }
        Err(reason) => Pass::Failed(reason),
    }
}

async fn forget_claims(leader: &Leader, store: &dyn Store) -> Pass {
    match leader.lease().await {
        Ok(None) => Pass::Done,
        Ok(Some(lease)) => {
            let forgotten = store.forget_claims(&lease, CLAIMS_KEPT, CLAIMS_LIMIT).await;
            if forgotten.is_err() {
                leader.doubt();
            }
            Pass::of(forgotten.map(|count| usize::try_from(count).unwrap_or(usize::MAX)), CLAIMS_LIMIT)
        }
        Err(reason) => Pass::Failed(reason),
    }
}

async fn tell(leader: &Leader, bank: &Bank, node: &Node) -> Pass {
    match leader.lease().await {
        Ok(None) => Pass::Done,
        Ok(Some(_)) => {
            let told = bank::deliver_notices(bank, &node.payments, node.clock.as_ref(), PASS_LIMIT).await;
            Pass::of(Ok::<_, String>(told), PASS_LIMIT)
        }
        Err(reason) => Pass::Failed(reason),
    }
}

fn secret_source(config: &Config) -> Result<SecretSource, StartError> {
    Ok(match (&config.encryption_key, &config.database.url) {
        (Some(text), _) => SecretSource::Configured(ServerSecret::parse(text.expose())?),
        (None, None) => SecretSource::KeyFile(config.database.folder.join(KEY_FILE)),
        (None, Some(_)) => SecretSource::Database,
    })
}

/// Where browsers reach it: as configured, else where it listens.
pub fn public_url(config: &Config) -> String {
    if let Some(url) = &config.server.public_url {
        return url.clone();
    }
    let host = match config.server.host.as_str() {
        // Listening everywhere is no address to go to.
        "0.0.0.0" | "::" => "127.0.0.1".to_owned(),
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_owned(),
    };
    let scheme = if config.server.tls.cert.is_some() { "https" } else { "http" };
    format!("{scheme}://{host}:{}", config.server.port)
}

fn payments_settings(config: &Config, public_url: &str) -> PaymentsSettings {
    let (operation, payment) = (&config.operation, &config.payment);
    PaymentsSettings {
        send_deadline: operation.send_deadline,
        reply_timeout: operation.reply_timeout,
        margin: operation.margin,
        answer_within: config.server.answer_within,
        lookup_first: operation.lookup_first,
        lookup_longest: operation.lookup_longest,
        horizon: operation.horizon,
        repeat_charges_within: operation.repeat_charges_within,
        calls_at_once: operation.calls_at_once,
        record_exchanges: operation.record_exchanges,
        upi_expires_in: payment.upi.expires_in,
        payment_expires_in: payment.expires_in,
        unattached_methods_expire_in: payment.unattached_methods_expire_in,
        event_age_max: config.webhooks.max_age,
        public_url: public_url.to_owned(),
        defaults: MerchantSettings {
            return_url: payment.return_url.clone(),
            statement_descriptor: payment.descriptor(),
            late_success: payment.late_success,
            default_provider: payment.default_gateway.clone(),
            upi_payee: Payee { vpa: payment.upi.payee_vpa.clone(), name: payment.upi.payee_name.clone() },
            auto_capture: payment.auto_capture,
            capture_delay_seconds: payment.capture_delay_seconds,
            tds_threshold: payment.tds_threshold,
            limits: config.limits.clone(),
            vault_cards: config.vault.save_cards,
            routes: config.routing.routes.clone(),
            version: 0,
        },
    }
}
