//! One client of the closed loop.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::BenchError;
use crate::clock;
use crate::connection::{Answer, Broken, Connection};
use crate::journal::{Entry, Journal};
use crate::options::{Method, Mix, Operation, Options, Stop};
use crate::payments::{Payments, refund_amount};
use crate::recorder::Recorder;
use crate::request::Script;
use crate::verdict::{Verdict, judge};

/// A client remembers at least so many of its payments.
const PAYMENTS_MIN: usize = 128;
/// How long a client waits before it sends again; it doubles from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// A target, ready to be sent to; shared by its clients.
pub(crate) struct Route {
    pub(crate) name: String,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) script: Script,
}

/// What all clients of a thread share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) recorder: Arc<Mutex<Recorder>>,
    pub(crate) journal: Option<Arc<Journal>>,
    pub(crate) stop: Stop,
}

/// When a client may send, and what of it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// Requests that begin from here on are measured.
    pub(crate) measure_from: Instant,
    /// No request begins after this.
    pub(crate) end: Instant,
    /// Nothing is awaited after this.
    pub(crate) give_up_at: Instant,
}

/// How a request ended.
pub(crate) enum End {
    Good,
    /// Status and code of an answer that is not what was asked for.
    Bad(u16, String),
    Unanswered,
}

/// The order of a client's operations: exactly the mix, evenly spread, without chance.
struct Rota([(Operation, i64, i64); Operation::ALL.len()]);

impl Rota {
    /// Clients start at different places of the same sequence, so that they do not all create at once.
    fn new(mix: Mix, client: usize) -> Self {
        let mut rota = Self(Operation::ALL.map(|operation| (operation, i64::from(mix.weight(operation)), 0)));
        let places = rota.0.iter().map(|(_, weight, _)| usize::try_from(*weight).unwrap_or(1)).sum::<usize>();
        for _ in 0..client % places.clamp(1, 1_000) {
            rota.next();
        }
        rota
    }

    /// Each operation earns its weight each turn; the richest one is next and pays the whole pot.
    fn next(&mut self) -> Operation {
        let mut pot = 0;
        for (_, weight, credit) in &mut self.0 {
            *credit += *weight;
            pot += *weight;
        }
        match self.0.iter_mut().max_by_key(|(_, _, credit)| *credit) {
            Some((operation, _, credit)) => {
                *credit -= pot;
                *operation
            }
            None => Operation::Create,
        }
    }
}

/// The connection of a client, opened when there is none.
struct Line {
    route: Arc<Route>,
    connection: Option<Connection>,
}

impl Line {
    async fn open(&mut self, shared: &Shared) -> Result<(), Broken> {
        let connection = Connection::open(&self.route.addresses).await?;
        shared.recorder.lock().totals.connections += 1;
        self.connection = Some(connection);
        Ok(())
    }

    /// One send. Afterwards the connection is used again only if the server keeps it.
    async fn exchange(&mut self, request: &[u8], shared: &Shared) -> Result<Answer<'_>, Broken> {
        if !self.connection.as_ref().is_some_and(Connection::is_reusable) {
            self.connection = None;
            self.open(shared).await?;
        }
        match &mut self.connection {
            Some(connection) => connection.exchange(request).await,
            None => Err(Broken::Closed),
        }
    }
}

/// The request that a client is about: its bytes, and what they mean.
struct Asked {
    operation: Operation,
    request: Vec<u8>,
    /// Empty for a get.
    key: String,
    /// The payment that the request names; empty where it makes one.
    payment: Vec<u8>,
}

/// One client: its connection, its place in its sequence, and what it has seen.
pub(crate) struct Client {
    line: Line,
    asked: Asked,
    rota: Rota,
    book: Book,
    key_prefix: String,
    keys_used: u64,
    request_timeout: Duration,
}

impl Client {
    pub(crate) fn new(
        number: usize,
        run_id: &str,
        route: Arc<Route>,
        shared: Shared,
        options: &Options,
    ) -> Self {
        Self {
            line: Line { route, connection: None },
            asked: Asked {
                operation: Operation::Create,
                request: Vec::with_capacity(1024),
                key: String::with_capacity(64),
                payment: Vec::with_capacity(64),
            },
            rota: Rota::new(options.mix, number),
            book: Book {
                payments: Payments::new(options.prefill_per_client().max(PAYMENTS_MIN)),
                method: options.method,
                amount_minor: options.amount_minor,
                shared,
            },
            key_prefix: format!("bench-{run_id}-{number}-"),
            keys_used: 0,
            request_timeout: options.request_timeout,
        }
    }

    /// Connects and makes the first payments; anything but success ends the run before it begins.
    pub(crate) async fn prepare(&mut self, payments: usize) -> Result<(), BenchError> {
        let opened = clock::within(self.request_timeout, self.line.open(&self.book.shared)).await;
        if let Err(broken) = opened.unwrap_or(Err(Broken::TimedOut)) {
            let target = self.line.route.name.clone();
            return Err(BenchError::Unreachable { target, reason: broken.to_string() });
        }
        for _ in 0..payments {
            if self.book.shared.stop.is_asked() {
                break;
            }
            let give_up_at = clock::now() + self.request_timeout;
            match self.perform(Operation::Create, give_up_at, false).await? {
                End::Good => {}
                End::Bad(status, code) => {
                    return Err(BenchError::Prefill(format!("the server answered {status} {code}")));
                }
                End::Unanswered => return Err(BenchError::Prefill("the server does not answer".to_owned())),
            }
        }
        Ok(())
    }

    /// The closed loop.
    pub(crate) async fn run(mut self, window: Window, stop_on_error: bool) -> Result<(), BenchError> {
        while !self.book.shared.stop.is_asked() {
            let now = clock::now();
            if now >= window.end {
                break;
            }
            let operation = self.rota.next();
            let end = self.perform(operation, window.give_up_at, now >= window.measure_from).await?;
            match end {
                End::Bad(..) if stop_on_error => self.book.shared.stop.stop(),
                End::Good | End::Bad(..) => {}
                // There is no time left to send again, and therefore none to begin anew.
                End::Unanswered => break,
            }
        }
        Ok(())
    }

    /// One request until its answer, sent again under the same key as long as sends are lost.
    async fn perform(
        &mut self,
        wish: Operation,
        give_up_at: Instant,
        measured: bool,
    ) -> Result<End, BenchError> {
        self.compose(wish);
        let begun = clock::now();
        let mut now = begun;
        let mut pause = FIRST_PAUSE;
        let mut sends = 0;
        loop {
            sends += 1;
            let patience = self.request_timeout.min(give_up_at.saturating_duration_since(now));
            let sent = self.line.exchange(&self.asked.request, &self.book.shared);
            match clock::within(patience, sent).await.unwrap_or(Err(Broken::TimedOut)) {
                Ok(answer) => {
                    let latency = clock::now() - begun;
                    if let Some(end) = self.book.settle(&self.asked, &answer, latency, measured, sends)? {
                        return Ok(end);
                    }
                }
                Err(broken) => self.book.shared.recorder.lock().broke(broken),
            }
            now = clock::now();
            if self.book.shared.stop.is_asked() || now + pause >= give_up_at {
                self.book.give_up(&self.asked, sends)?;
                return Ok(End::Unanswered);
            }
            clock::pause(pause).await;
            now += pause;
            pause = (pause * 2).min(LONGEST_PAUSE);
            self.book.shared.recorder.lock().totals.retries += 1;
        }
    }

    /// Writes the next request. Where there is nothing to ask for, something is made.
    fn compose(&mut self, wish: Operation) {
        let script = &self.line.route.script;
        let asked = &mut self.asked;
        let payments = &mut self.book.payments;
        asked.key.clear();
        asked.payment.clear();
        asked.operation = match wish {
            Operation::Create | Operation::Authorize => wish,
            Operation::Get | Operation::Refund => {
                let found = match wish {
                    Operation::Get => payments.next_to_get(),
                    _ => payments.next_to_refund(refund_amount(self.book.amount_minor)),
                };
                asked.payment.extend_from_slice(found.unwrap_or_default());
                if found.is_some() { wish } else { Operation::Create }
            }
            Operation::Capture | Operation::Void => match payments.next_held() {
                Some(held) => {
                    asked.payment = held;
                    wish
                }
                None => Operation::Authorize,
            },
        };
        if asked.operation != Operation::Get {
            self.keys_used += 1;
            asked.key.push_str(&self.key_prefix);
            // Writing into a string cannot fail.
            let _ = write!(asked.key, "{}", self.keys_used);
        }
        match asked.operation {
            Operation::Create => script.create(&mut asked.request, &asked.key),
            Operation::Get => script.get(&mut asked.request, &asked.payment),
            Operation::Refund => script.refund(&mut asked.request, &asked.payment, &asked.key),
            Operation::Authorize => script.authorize(&mut asked.request, &asked.key),
            Operation::Capture => script.capture(&mut asked.request, &asked.payment, &asked.key),
            Operation::Void => script.void(&mut asked.request, &asked.payment, &asked.key),
        }
    }
}

/// What a client does with answers: it counts them, remembers payments, and writes the journal.
struct Book {
    payments: Payments,
    method: Method,
    amount_minor: u64,
    shared: Shared,
}

impl Book {
    /// Takes an answer; `None` when it is not the one to wait for.
    fn settle(
        &mut self,
        asked: &Asked,
        answer: &Answer<'_>,
        latency: Duration,
        measured: bool,
        sends: u32,
    ) -> Result<Option<End>, BenchError> {
        let operation = asked.operation;
        let verdict = judge(operation, self.method, &asked.payment, answer.status, answer.body);
        // A send before this one arrived after all and is not finished: the answer to it is what to wait
        // for.
        if sends > 1 && verdict.is_key_in_use(answer.status) {
            return Ok(None);
        }
        {
            let mut recorder = self.shared.recorder.lock();
            recorder.answered(operation, latency, measured, verdict.fault.is_none());
            if let Some(code) = &verdict.fault {
                recorder.fault(operation, answer.status, code, answer.body);
            }
        }
        if let (None, Some(id)) = (&verdict.fault, verdict.id) {
            match operation {
                Operation::Create | Operation::Capture => self.payments.remember(id, self.amount_minor),
                Operation::Authorize => self.payments.hold(id),
                Operation::Get | Operation::Refund | Operation::Void => {}
            }
        }
        if let Some(journal) = &self.shared.journal {
            self.write(journal, asked, Some((answer.status, &verdict)), sends)?;
        }
        Ok(Some(match verdict.fault {
            None => End::Good,
            Some(code) => End::Bad(answer.status, code.into_owned()),
        }))
    }

    /// Says that a request got no answer: it may have happened or not.
    fn give_up(&self, asked: &Asked, sends: u32) -> Result<(), BenchError> {
        self.shared.recorder.lock().totals.unanswered += 1;
        match &self.shared.journal {
            Some(journal) => self.write(journal, asked, None, sends),
            None => Ok(()),
        }
    }

    fn write(
        &self,
        journal: &Journal,
        asked: &Asked,
        answer: Option<(u16, &Verdict<'_>)>,
        sends: u32,
    ) -> Result<(), BenchError> {
        let text = |bytes: &'_ [u8]| String::from_utf8_lossy(bytes).into_owned();
        let id = answer.and_then(|(_, verdict)| verdict.id).map(text);
        let state = answer.and_then(|(_, verdict)| verdict.state).map(text);
        let named = (!asked.payment.is_empty()).then(|| text(&asked.payment));
        let about_refund = asked.operation == Operation::Refund;
        let (payment_id, refund_id) = if about_refund { (named, id) } else { (named.or(id), None) };
        let (payment_status, refund_status) = if about_refund { (None, state) } else { (state, None) };
        journal.append(&Entry {
            key: (!asked.key.is_empty()).then_some(&asked.key),
            request: asked.operation,
            status: answer.map(|(status, _)| status),
            payment_id: payment_id.as_deref(),
            payment_status: payment_status.as_deref(),
            refund_id: refund_id.as_deref(),
            refund_status: refund_status.as_deref(),
            amount: match asked.operation {
                Operation::Create | Operation::Authorize | Operation::Capture => Some(self.amount_minor),
                Operation::Get | Operation::Void => None,
                Operation::Refund => Some(refund_amount(self.amount_minor)),
            },
            code: answer.and_then(|(_, verdict)| verdict.fault.as_deref()),
            sends,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may panic")]

    use super::*;

    fn sequence(mix: &str, client: usize, length: usize) -> String {
        let mut rota = Rota::new(mix.parse().unwrap(), client);
        (0..length).map(|_| rota.next().name().chars().next().unwrap()).collect()
    }

    #[test]
    fn the_mix_is_exact_and_spread() {
        assert_eq!(sequence("create=1", 5, 4), "cccc");
        assert_eq!(sequence("get=1", 5, 4), "gggg");
        for client in 0..12 {
            let twice = sequence("create=8,get=1,refund=1", client, 20);
            for (letter, count) in [('c', 16), ('g', 2), ('r', 2)] {
                assert_eq!(twice.matches(letter).count(), count, "client {client}: {twice}");
            }
        }
        assert!(!sequence("create=2,get=2", 0, 20).contains("cc"));
        assert_ne!(sequence("create=1,get=1", 0, 4), sequence("create=1,get=1", 1, 4));
    }
}
