//! The sandbox bank as a process of its own: like a real provider it is reached over HTTP, and tells
//! over HTTP.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use kernel::{
    Auth, Clock, Credentials, Deadline, Effect, Exchange, Exchanged, Method, Request, Store, Tasks,
};
use sandbox_bank::{Bank, OutgoingNotice};
use tokio::sync::watch;

use crate::background::{Pace, Pass};
use crate::config::Config;
use crate::work::Work;
use crate::{Ports, StartError, bank_config, stores};

const PASS_LIMIT: u32 = 100;
/// How long whoever is told may take to answer.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// A bank without a node.
pub struct LoneBank {
    /// The bank.
    pub bank: Arc<Bank>,
    /// The clocks.
    pub clock: Arc<dyn Clock>,
    /// Work that a stopping process waits for.
    pub tasks: Arc<dyn Tasks>,
    store: Option<Arc<dyn Store>>,
    exchange: Arc<dyn Exchange>,
    notify: Option<String>,
    work: Work,
    stop: watch::Sender<bool>,
}

impl LoneBank {
    /// Opens a bank that people reach at `public_url`. It keeps its records in `file`, or in memory.
    /// Notices go where each charge asked for them; with `notify`, that scheme and host take the
    /// place of the asked ones.
    pub fn open(
        config: &Config,
        ports: &Ports,
        public_url: &str,
        file: Option<&Path>,
        notify: Option<String>,
    ) -> Result<Self, StartError> {
        let settings = bank_config(config, public_url);
        let (random, ids) = (Arc::clone(&ports.random), Arc::clone(&ports.ids));
        let store = file.map(|file| stores::open_bank_file(file, ports)).transpose()?;
        let bank = match &store {
            Some(store) => Bank::new(Arc::clone(store), settings, random, ids),
            None => Bank::in_memory(settings, random, ids),
        };
        let work = Work::new(Arc::clone(&ports.tasks));
        Ok(Self {
            bank: Arc::new(bank),
            clock: Arc::clone(&ports.clock),
            tasks: Arc::new(work.clone()),
            store,
            exchange: crate::bank::transport(ports, false),
            notify,
            work,
            stop: watch::Sender::new(false),
        })
    }

    /// Starts telling. Call it once.
    pub fn run_background(self: &Arc<Self>) {
        let (clock, stopping) = (Arc::clone(&self.clock), self.stop.subscribe());
        let pace = Pace { store: self.store.clone(), clock, stopping };
        let this = Arc::clone(self);
        let pass = move || {
            let this = Arc::clone(&this);
            Box::pin(async move { this.tell().await }) as kernel::BoxFuture<'static, Pass>
        };
        self.work.spawn("notices", Box::pin(pace.keep("notices", Duration::from_millis(200), pass)));
    }

    /// Ends telling, waits at most `within` for work in flight, and closes the file.
    pub async fn stop(&self, within: Duration) {
        self.stop.send_replace(true);
        tokio::select! {
            () = self.work.finished() => {}
            () = self.clock.sleep(within) => {}
        }
        if let Some(store) = &self.store {
            store.close().await;
        }
    }

    async fn tell(&self) -> Pass {
        let due = self.bank.due_notices(self.clock.now(), PASS_LIMIT).await;
        let count = due.len();
        for notice in due {
            let OutgoingNotice { id, url, headers, body, .. } = notice;
            let is_taken = match url {
                Some(url) => self.post(self.moved(url), headers, body).await,
                // Nobody asked to be told.
                None => true,
            };
            if is_taken {
                self.bank.acknowledge(&id, self.clock.now()).await;
            } else {
                self.bank.postpone(&id, self.clock.now()).await;
            }
        }
        Pass::of(Ok::<_, String>(count), PASS_LIMIT)
    }

    /// The address with the scheme and host that `notify` says.
    fn moved(&self, url: String) -> String {
        let Some(notify) = &self.notify else { return url };
        let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
        path.map_or_else(|| notify.clone(), |(_, path)| format!("{notify}/{path}"))
    }

    async fn post(&self, url: String, headers: Vec<kernel::Header>, body: Vec<u8>) -> bool {
        let request = Request {
            step: "notice",
            key: String::new(),
            effect: Effect::Repeatable,
            method: Method::Post,
            url,
            headers,
            body,
            auth: Auth::None,
            carries_card: false,
        };
        let deadline = Deadline {
            monotonic: kernel::Monotonic(self.clock.monotonic().0.saturating_add(TOLD_WITHIN)),
            wall: self.clock.now().plus(TOLD_WITHIN),
            reply_within: TOLD_WITHIN,
        };
        match self.exchange.exchange(&request, &Credentials::default(), deadline).await {
            Exchanged::Replied(reply) => (200..300).contains(&reply.status),
            Exchanged::NotSent(reason) | Exchanged::MaybeSent(reason) => {
                tracing::debug!(reason, "a notice was not taken");
                false
            }
        }
    }
}
