//! The sandbox bank's place: in this process, or behind the transport like any other provider.

use std::sync::Arc;
use std::time::Duration;

use kernel::{BoxFuture, Clock, Credentials, Deadline, Exchange, Exchanged, Id, Random, Request};
use payments::{Exchanges, NewAccount, Payments, Taken};
use provider_kit::{Account, Delivery, ProviderAccount};
use sandbox_bank::{Bank, BankConfig, IN_PROCESS_URL, InProcess, Keys, OutgoingNotice};
use transport::{Settings, Transport};

use crate::Ports;
use crate::config::{BankPlace, Config};
use crate::stores::Stores;
use crate::traces::Traced;

/// The provider that the bank stands behind.
pub(crate) const PROVIDER: &str = "sandbox";

/// Everything about the bank that the configuration says, for a bank reached at `public_url`.
pub fn bank_config(config: &Config, public_url: &str) -> BankConfig {
    BankConfig {
        public_url: public_url.to_owned(),
        upi_delay: config.sandbox.upi_delay,
        latency: config.sandbox.latency,
        fee_basis_points: config.sandbox.fee_basis_points,
        faults: config.sandbox.faults,
        upi_valid_for: config.payment.upi.expires_in,
        // A caller that waits longer than its own time-out learns nothing more.
        silence: config.operation.reply_timeout.saturating_add(Duration::from_secs(5)),
        ..BankConfig::default()
    }
}

/// The bank of this process, if it is here.
pub(crate) fn open(config: &Config, ports: &Ports, stores: &Stores, public_url: &str) -> Option<Arc<Bank>> {
    let settings = bank_config(config, public_url);
    let (random, ids) = (Arc::clone(&ports.random), Arc::clone(&ports.ids));
    match (&config.sandbox.bank, &stores.bank) {
        (BankPlace::Store, Some(store)) => {
            Some(Arc::new(Bank::new(Arc::clone(store), settings, random, ids)))
        }
        (BankPlace::Memory, _) => Some(Arc::new(Bank::in_memory(settings, random, ids))),
        (BankPlace::Store | BankPlace::Address(_), _) => None,
    }
}

/// A test world's account at the bank: the first, or one with a name of its own. What is stored names no
/// host of the bank's: where the bank runs is a setting of the node ([`Ways`]), not of the account.
pub(crate) fn new_account(random: &dyn Random, public_url: &str, name: Option<&str>) -> NewAccount {
    let keys = Keys::draw(random);
    let notice_url = format!("{public_url}/webhooks/{PROVIDER}/{{account}}");
    let name = name.map(|name| ("name".to_owned(), name.to_owned()));
    NewAccount {
        provider: PROVIDER.to_owned(),
        identity: keys.identity.to_string(),
        settings: [("notice_url".to_owned(), notice_url)].into_iter().chain(name).collect(),
        secrets: vec![
            ("api_key".to_owned(), keys.api_key),
            ("webhook_secret".to_owned(), keys.webhook_secret),
        ],
    }
}

/// The way out, to addresses that the operator configured.
pub(crate) fn transport(ports: &Ports, is_traced: bool) -> Arc<dyn Exchange> {
    let transport = Arc::new(Transport::new(Settings::default(), Arc::clone(&ports.clock), None));
    if is_traced { Arc::new(Traced(transport)) } else { transport }
}

/// The way out for commands that call a server of ours, or somebody else's, over HTTP.
pub fn outgoing(ports: &Ports) -> Arc<dyn Exchange> {
    transport(ports, false)
}

/// Calls go to the bank, wherever it runs, or out through the transport.
pub(crate) struct Ways {
    bank: Arc<dyn Exchange>,
    transport: Arc<dyn Exchange>,
}

impl Ways {
    pub(crate) fn new(
        place: &BankPlace,
        bank: Option<&Arc<Bank>>,
        transport: Arc<dyn Exchange>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let bank: Arc<dyn Exchange> = match (bank, place) {
            (Some(bank), _) => Arc::new(InProcess::new(Arc::clone(bank), Arc::clone(clock))),
            (None, BankPlace::Address(address)) => {
                Arc::new(Elsewhere { address: address.clone(), transport: Arc::clone(&transport) })
            }
            // Without a bank its invalid host answers nobody.
            (None, BankPlace::Store | BankPlace::Memory) => Arc::clone(&transport),
        };
        Self { bank, transport }
    }

    /// One way to all providers.
    pub(crate) fn all(way: Arc<dyn Exchange>) -> Self {
        Self { bank: Arc::clone(&way), transport: way }
    }
}

impl Exchanges for Ways {
    fn of(&self, account: &ProviderAccount) -> Arc<dyn Exchange> {
        Arc::clone(if account.provider == PROVIDER { &self.bank } else { &self.transport })
    }

    fn clock_request(&self, account: &ProviderAccount, offset: Duration) -> Option<Request> {
        (account.provider == PROVIDER).then(|| sandbox_bank::clock_request(offset))
    }
}

/// The way to a bank in a process of its own: its address takes the place of the one that requests to
/// a bank in this process have. What was written down of a request (its MAC is without the host)
/// stays true when the bank moves.
struct Elsewhere {
    address: String,
    transport: Arc<dyn Exchange>,
}

impl Exchange for Elsewhere {
    fn exchange<'a>(
        &'a self,
        request: &'a Request,
        credentials: &'a Credentials,
        deadline: Deadline,
    ) -> BoxFuture<'a, Exchanged> {
        Box::pin(async move {
            let path = request.url.strip_prefix(IN_PROCESS_URL).unwrap_or(&request.url);
            let moved = Request { url: format!("{}{path}", self.address), ..request.clone() };
            self.transport.exchange(&moved, credentials, deadline).await
        })
    }
}

/// Hands the bank's due notices to the inbox, as raw as if they had come over HTTP. Answers how many
/// there were. Two nodes may do it at the same time: a notice that comes twice changes nothing.
pub(crate) async fn deliver_notices(
    bank: &Bank,
    payments: &Payments,
    clock: &dyn Clock,
    limit: u32,
) -> usize {
    let due = bank.due_notices(clock.now(), limit).await;
    let count = due.len();
    for notice in due {
        let OutgoingNotice { id, url, headers, body, .. } = notice;
        let taken = match url.as_deref().and_then(account_of) {
            Some(account) => {
                let delivery = Delivery { headers, body, received_at: clock.now() };
                payments.receive(PROVIDER, account, delivery).await
            }
            // Nobody asked to be told.
            None => Ok(Taken::Stored),
        };
        match taken {
            Ok(Taken::Stored) => bank.acknowledge(&id, clock.now()).await,
            // Like a provider that is answered 403: it tries again, for a while.
            Ok(Taken::Refused(_)) => bank.postpone(&id, clock.now()).await,
            Err(error) => {
                tracing::warn!(%error, "a notice of the sandbox bank was not taken");
                bank.postpone(&id, clock.now()).await;
            }
        }
    }
    count
}

/// The account of a webhook address of ours: `…/webhooks/sandbox/pa_01k…`.
fn account_of(url: &str) -> Option<Id<Account>> {
    Id::parse(url.rsplit('/').next()?).ok()
}
