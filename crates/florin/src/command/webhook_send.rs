//! `florin webhook send`: a simulator of what providers and other systems send.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use kernel::{
    Auth, Clock, Credentials, Deadline, Effect, Exchange, Exchanged, Header, Id, Kind, Method, Request,
    Scope, Secret, Timestamp,
};
use node::{Config, Node};
use payments::PaymentKind;
use provider_kit::{Account, ProviderAccount};
use serde_json::{Value, json};

use super::{on_runtime, with_node, worlds};
use crate::failure::Failure;
use crate::output;

/// How long one answer is awaited.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long ago a stale delivery was signed: longer than anybody's tolerance.
const STALE: Duration = Duration::from_hours(1);

/// Sends deliveries to a server, signed as a provider or another system signs them.
#[derive(Debug, Args)]
pub(crate) struct Send {
    /// A provider's name, or `payments` for signed events of another system
    #[arg(value_name = "PROVIDER")]
    provider: String,
    /// Where the server is; without it, where the configuration says
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// To which account's address; may be left out while there is one
    #[arg(long, value_name = "ID")]
    account: Option<Id<Account>>,
    /// What each delivery is; several take turns
    #[arg(long, value_enum, default_values_t = [What::Valid], value_delimiter = ',')]
    kind: Vec<What>,
    /// How many
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    count: u32,
    /// At most so many a second; without it, one after another as fast as they are answered
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rate: Option<u32>,
    #[command(flatten)]
    event: EventOptions,
    #[command(flatten)]
    notice: NoticeOptions,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Signed events (payments)")]
struct EventOptions {
    /// The shared secret; without it, that of the configuration or of the account
    #[arg(long, value_name = "SECRET", env = "FLORIN_WEBHOOK_SECRET", hide_env_values = true)]
    secret: Option<String>,
    /// What the ids begin with; a number is added. Without it, something new each time
    #[arg(long, value_name = "TEXT")]
    tx_id: Option<String>,
    /// The amount in major units
    #[arg(long, default_value = "99.90", value_name = "DECIMAL")]
    amount: String,
    /// Of the amount
    #[arg(long, default_value = "USD", value_name = "CODE")]
    currency: String,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Providers' notices")]
struct NoticeOptions {
    /// What it tells, in the provider's words
    #[arg(long, value_name = "EVENT", requires = "payment")]
    event: Option<String>,
    /// Of the newest charge of this payment
    #[arg(long, value_name = "ID", conflicts_with = "body")]
    payment: Option<Id<PaymentKind>>,
    /// A body of your own
    #[arg(long, value_name = "FILE")]
    body: Option<PathBuf>,
}

/// What a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum What {
    /// As it should be.
    Valid,
    /// Changed after it was signed.
    Tampered,
    /// Signed an hour ago.
    Stale,
    /// The last valid one again.
    Duplicate,
}

impl What {
    /// What a server should answer.
    const fn expected(self) -> u16 {
        match self {
            Self::Valid | Self::Duplicate => 200,
            Self::Tampered => 403,
            Self::Stale => 408,
        }
    }

    fn word(self) -> String {
        self.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
    }
}

/// A delivery, ready to be sent.
#[derive(Clone)]
struct Outgoing {
    headers: Vec<Header>,
    body: Vec<u8>,
}

/// Marks made-up ids of events.
enum MadeUp {}

impl Kind for MadeUp {
    const PREFIX: &'static str = "tx";
}

impl Send {
    pub(crate) fn run(self, config: Config) -> Result<(), Failure> {
        if self.provider == payments::EVENTS {
            return self.send_events(config);
        }
        if self.notice.payment.is_none() && self.notice.body.is_none() {
            return Err(Failure::Usage(
                "say what it is about: --payment pay_… and --event, or --body FILE".to_owned(),
            ));
        }
        with_node(config, |node| async move { self.send_notices(&node).await })
    }

    fn base(&self, config: &Config) -> String {
        self.url.clone().unwrap_or_else(|| node::public_url(config)).trim_end_matches('/').to_owned()
    }

    fn send_events(self, config: Config) -> Result<(), Failure> {
        let base = self.base(&config);
        let known = self.event.secret.clone().map(Secret::new).or_else(|| match self.account {
            Some(_) => None,
            None => config.webhooks.hmac_secret.clone(),
        });
        let secret = match (known, self.account) {
            (Some(secret), _) => secret,
            (None, Some(account)) => {
                with_node(
                    config,
                    |node| async move { Ok(node.payments.event_source(account).await?.secret) },
                )?
            }
            (None, None) => {
                return Err(Failure::Usage(
                    "there is no secret: set HMAC_SECRET_KEY, or give --secret or --account".to_owned(),
                ));
            }
        };
        let url = match self.account {
            Some(account) => format!("{base}/webhooks/payments/{account}"),
            None => format!("{base}/webhooks/payments"),
        };
        on_runtime(async move {
            let ports = node::host::ports();
            let started: Id<MadeUp> = Id::from_uuid(ports.ids.uuid());
            let prefix = self.event.tx_id.clone().unwrap_or_else(|| started.to_string());
            let clock = Arc::clone(&ports.clock);
            let make = |number: u32, what: What| {
                std::future::ready(Ok(self.make_event(&secret, &prefix, number, what, clock.now())))
            };
            let sender = Sender { way: node::outgoing(&ports), clock: Arc::clone(&ports.clock), url };
            self.stream(&sender, make).await
        })
    }

    fn make_event(
        &self,
        secret: &Secret<String>,
        prefix: &str,
        number: u32,
        what: What,
        now: Timestamp,
    ) -> Outgoing {
        let EventOptions { amount, currency, .. } = &self.event;
        let tx_id = format!("{prefix}-{number}");
        let at = if what == What::Stale { now.minus(STALE) } else { now };
        let timestamp = at.as_seconds();
        let signature = payments::sign_event(secret, &timestamp.to_string(), &tx_id, amount, currency);
        // Behind the signature: another last digit, with as many of them.
        let amount = if what == What::Tampered { altered(amount) } else { amount.clone() };
        let body = format!(
            "{{\"tx_id\":{},\"amount\":{amount},\"currency\":{},\"timestamp\":{timestamp},\
             \"signature\":\"{signature}\"}}",
            json!(tx_id),
            json!(currency)
        );
        Outgoing { headers: Vec::new(), body: body.into_bytes() }
    }

    async fn send_notices(self, node: &Arc<Node>) -> Result<(), Failure> {
        let (scope, account) = self.account_at(node).await?;
        let base = self.base(&node.config);
        let url = format!("{base}/webhooks/{}/{}", account.provider, account.id);
        let sender =
            Sender { way: node::outgoing(&node::host::ports()), clock: Arc::clone(&node.clock), url };
        let body = match &self.notice.body {
            None => None,
            Some(path) => Some(
                std::fs::read(path)
                    .map_err(|error| Failure::Usage(format!("{} cannot be read: {error}", path.display())))?,
            ),
        };
        let (send, body) = (&self, &body);
        let make = |_: u32, what: What| {
            let account = account.id;
            async move { send.make_notice(node, scope, account, body.as_deref(), what).await }
        };
        self.stream(&sender, make).await
    }

    async fn make_notice(
        &self,
        node: &Node,
        scope: Scope,
        account: Id<Account>,
        body: Option<&[u8]>,
        what: What,
    ) -> Result<Outgoing, Failure> {
        let mut body = match (body, self.notice.payment) {
            (Some(body), _) => body.to_vec(),
            (None, Some(payment)) => {
                let event = self.notice.event.as_deref().unwrap_or_default();
                node.payments.sample_notice(scope, account, payment, event).await?
            }
            (None, None) => Vec::new(),
        };
        let now = node.clock.now();
        let at = if what == What::Stale { now.minus(STALE) } else { now };
        let headers = node.payments.signed_headers(scope, account, at, &body).await?;
        if what == What::Tampered {
            body.push(b' ');
        }
        Ok(Outgoing { headers, body })
    }

    /// The account that is named, or the provider's only one.
    async fn account_at(&self, node: &Node) -> Result<(Scope, ProviderAccount), Failure> {
        if let Some(first) = node.identity.merchants().await?.first() {
            node.open_configured(first.id).await?;
        }
        let mut found = Vec::new();
        for scope in worlds(node).await? {
            let accounts = node.payments.accounts(scope).await?.into_iter();
            let here = accounts.filter(|account| account.provider == self.provider);
            found.extend(here.map(|account| (scope, account)));
        }
        if let Some(id) = self.account {
            found.retain(|(_, account)| account.id == id);
        }
        match found.len() {
            1 => found.pop().ok_or_else(|| Failure::Failed("an account vanished".to_owned())),
            0 => Err(Failure::Usage(format!("there is no account at {}", self.provider))),
            several => Err(Failure::Usage(format!(
                "there are {several} accounts at {}: name one with --account pa_…",
                self.provider
            ))),
        }
    }

    /// Sends them one after another, in the pace that was asked for, and says what was answered.
    async fn stream<F, M>(&self, sender: &Sender, make: M) -> Result<(), Failure>
    where
        M: Fn(u32, What) -> F,
        F: Future<Output = Result<Outgoing, Failure>>,
    {
        let began = sender.clock.monotonic();
        let mut answers: BTreeMap<(String, u16), u32> = BTreeMap::new();
        let (mut unexpected, mut last_valid, mut last_answer) = (0_u32, None::<Outgoing>, Value::Null);
        for number in 0..self.count {
            if let Some(rate) = self.rate {
                let due = Duration::from_secs(1).saturating_mul(number) / rate;
                let passed = sender.clock.monotonic().0.saturating_sub(began.0);
                sender.clock.sleep(due.saturating_sub(passed)).await;
            }
            let turn = usize::try_from(number).unwrap_or(0) % self.kind.len().max(1);
            let what = self.kind.get(turn).copied().unwrap_or(What::Valid);
            let outgoing = match (what, &last_valid) {
                (What::Duplicate, Some(last)) => last.clone(),
                _ => make(number, what).await?,
            };
            if matches!(what, What::Valid | What::Duplicate) {
                last_valid = Some(outgoing.clone());
            }
            let (status, body) = sender.send(outgoing).await?;
            unexpected += u32::from(status != what.expected());
            *answers.entry((what.word(), status)).or_insert(0) += 1;
            last_answer = serde_json::from_slice(&body).unwrap_or(Value::Null);
        }
        let took = sender.clock.monotonic().0.saturating_sub(began.0);
        self.report(&answers, took, unexpected, &last_answer);
        if unexpected == 0 {
            return Ok(());
        }
        Err(Failure::Failed(format!("{unexpected} of {} were not answered as they should be", self.count)))
    }

    fn report(
        &self,
        answers: &BTreeMap<(String, u16), u32>,
        took: Duration,
        unexpected: u32,
        last_answer: &Value,
    ) {
        if self.json {
            let answers: Vec<Value> = answers
                .iter()
                .map(|((kind, status), count)| json!({"kind": kind, "status": status, "count": count}))
                .collect();
            return output::json(&json!({
                "sent": self.count, "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                "answers": answers, "unexpected": unexpected, "last_answer": last_answer,
            }));
        }
        for ((kind, status), count) in answers {
            output::line(&format!("{count} {kind}: answered {status}"));
        }
        if self.count == 1 {
            output::line(&last_answer.to_string());
        }
    }
}

/// The decimal with another last digit.
fn altered(amount: &str) -> String {
    let other = if amount.ends_with('1') { '2' } else { '1' };
    let mut altered: String = amount.chars().take(amount.chars().count().saturating_sub(1)).collect();
    altered.push(other);
    altered
}

/// Where deliveries go, over a connection that is kept.
struct Sender {
    way: Arc<dyn Exchange>,
    clock: Arc<dyn Clock>,
    url: String,
}

impl Sender {
    async fn send(&self, outgoing: Outgoing) -> Result<(u16, Vec<u8>), Failure> {
        let mut headers = outgoing.headers;
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        let request = Request {
            step: "send",
            key: String::new(),
            effect: Effect::Once,
            method: Method::Post,
            url: self.url.clone(),
            headers,
            body: outgoing.body,
            auth: Auth::None,
            carries_card: false,
        };
        let deadline = Deadline {
            monotonic: kernel::Monotonic(self.clock.monotonic().0.saturating_add(ANSWER_WITHIN)),
            wall: self.clock.now().plus(ANSWER_WITHIN),
            reply_within: ANSWER_WITHIN,
        };
        match self.way.exchange(&request, &Credentials::default(), deadline).await {
            Exchanged::Replied(reply) => Ok((reply.status, reply.body)),
            Exchanged::NotSent(reason) | Exchanged::MaybeSent(reason) => {
                Err(Failure::Failed(format!("{} does not answer: {reason}", self.url)))
            }
        }
    }
}
