//! A small driver: step, exchange, distil, step. The real one, which commits before it sends, is in
//! `payments`; this one keeps a recording instead.

use std::collections::BTreeMap;
use std::time::Duration;

use kernel::{Credentials, Deadline, Distilled, Exchange, Exchanged, Monotonic, Reply, Request, Timestamp};

use super::Fake;
use crate::account::ProviderAccount;
use crate::call::{Call, Instrument, Lookup, Tokenize, Upstream};
use crate::outcome::Outcome;
use crate::provider::{Context, Provider, Step};

/// A call has at most so many steps.
const STEPS_MAX: usize = 8;

/// What goes wrong on the way, at the first request of a call that is no [`kernel::Effect::Read`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The request is lost; the caller cannot know.
    TimeoutBefore,
    /// The reply is lost.
    TimeoutAfter,
    /// The reply's body is replaced by something that breaks off.
    Garbage,
    /// The reply is replaced by a gateway's 502 page.
    ServerErrorAfter,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With an outcome.
    Done(Outcome),
    /// It wants to be asked again then.
    Waits(Timestamp),
    /// A request was certainly not sent.
    NotSent(String),
    /// A request was maybe sent, and no answer came.
    MaybeSent,
    /// It has more steps than a call may have.
    TooManySteps,
}

/// One request of a call, and what is kept of its answer.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The request.
    pub request: Request,
    /// The answer, if one came.
    pub reply: Option<Reply>,
    /// What was kept of it.
    pub distilled: Option<Distilled>,
}

/// A call that was driven.
#[derive(Clone, Debug)]
pub struct Driven {
    /// Its context, for a repeat.
    pub cx: Context,
    /// How it ended.
    pub end: End,
    /// What was sent and kept, in order.
    pub recorded: Vec<Recorded>,
}

/// What a call needs beside itself.
pub struct Way<'a> {
    /// The provider.
    pub provider: &'a dyn Provider,
    /// Carries the requests.
    pub exchange: &'a dyn Exchange,
    /// Whose call.
    pub account: &'a ProviderAccount,
    /// That account's secrets.
    pub credentials: &'a Credentials,
}

impl Driven {
    /// Whether any of its requests does something: what only reads loses nothing on the way.
    pub fn has_effect(&self) -> bool {
        self.recorded.iter().any(|recorded| recorded.request.effect != kernel::Effect::Read)
    }

    /// The replies that a repeat of the call begins with: those that were committed before the step
    /// whose answer is missing or means nothing.
    pub fn committed(&self) -> Vec<Distilled> {
        let mut replies: Vec<Distilled> =
            self.recorded.iter().filter_map(|recorded| recorded.distilled.clone()).collect();
        if let End::Done(Outcome::Unknown { .. }) = self.end {
            replies.pop();
        }
        replies
    }
}

/// Drives one call to its end, on from the replies that were committed before.
pub async fn drive(
    way: &Way<'_>,
    cx: Context,
    call: &Call,
    committed: Vec<Distilled>,
    fault: Fault,
) -> Driven {
    let mut recorded: Vec<Recorded> = Vec::new();
    let mut replies = committed;
    let mut fault = fault;
    let end = loop {
        let request = match way.provider.step(&cx, way.account, call, &replies) {
            Step::Done(outcome) => break End::Done(outcome),
            Step::Wait(until) => break End::Waits(until),
            Step::Send(_) if recorded.len() == STEPS_MAX => break End::TooManySteps,
            Step::Send(request) => request,
        };
        let struck = if request.effect == kernel::Effect::Read {
            Fault::None
        } else {
            std::mem::replace(&mut fault, Fault::None)
        };
        let exchanged = exchange(way, &request, struck).await;
        let (reply, end) = match exchanged {
            Exchanged::Replied(reply) => (Some(reply), None),
            Exchanged::NotSent(reason) => (None, Some(End::NotSent(reason))),
            Exchanged::MaybeSent(_) => (None, Some(End::MaybeSent)),
        };
        let distilled = reply.as_ref().map(|reply| way.provider.distill(request.step, reply));
        replies.extend(distilled.clone());
        recorded.push(Recorded { request, reply, distilled });
        if let Some(end) = end {
            break end;
        }
    };
    Driven { cx, end, recorded }
}

async fn exchange(way: &Way<'_>, request: &Request, fault: Fault) -> Exchanged {
    let lost = || Exchanged::MaybeSent("no answer within the time-out".to_owned());
    if fault == Fault::TimeoutBefore {
        return lost();
    }
    match (way.exchange.exchange(request, way.credentials, forever()).await, fault) {
        (Exchanged::Replied(_), Fault::TimeoutAfter) => lost(),
        (Exchanged::Replied(reply), Fault::Garbage) => Exchanged::Replied(broken(reply)),
        (Exchanged::Replied(_), Fault::ServerErrorAfter) => Exchanged::Replied(Reply {
            status: 502,
            headers: vec![("content-type".to_owned(), "text/html".to_owned())],
            body: b"<html><body>Bad Gateway</body></html>".to_vec(),
        }),
        (exchanged, _) => exchanged,
    }
}

/// A deadline that no test meets.
pub(super) const fn forever() -> Deadline {
    Deadline {
        monotonic: Monotonic(Duration::MAX),
        wall: Timestamp::from_micros(i64::MAX),
        reply_within: Duration::from_secs(20),
    }
}

/// Breaks off in the middle, and carries what a database cannot hold.
fn broken(reply: Reply) -> Reply {
    let mut body = reply.body;
    body.truncate(body.len() / 2);
    body.extend_from_slice(b"\0\xff");
    Reply { body, ..reply }
}

/// The suite's workplace: makes references, tokens and look-ups, and keeps every recording.
pub(super) struct Bench<'a> {
    pub(super) provider: &'a dyn Provider,
    pub(super) fake: &'a dyn Fake,
    pub(super) account: ProviderAccount,
    pub(super) credentials: Credentials,
    pub(super) recorded: Vec<Recorded>,
    /// `Debug` of everything that a log could show.
    pub(super) printed: Vec<String>,
    /// What the steps of each call were answered, by its reference: what a look-up would find stored.
    told: BTreeMap<String, Vec<Distilled>>,
    count: u32,
}

impl<'a> Bench<'a> {
    pub(super) fn new(provider: &'a dyn Provider, fake: &'a dyn Fake) -> Self {
        let (account, credentials) = (fake.account(), fake.credentials());
        Self {
            provider,
            fake,
            account,
            credentials,
            recorded: Vec::new(),
            printed: Vec::new(),
            told: BTreeMap::new(),
            count: 0,
        }
    }

    /// A new reference: 25 letters and digits.
    pub(super) fn reference(&mut self) -> String {
        self.count += 1;
        format!("conformance{:014}", self.count)
    }

    /// A context of its own for a new call.
    pub(super) fn context(&mut self) -> Context {
        self.count += 1;
        let mut nonce = [0; 16];
        for (place, byte) in nonce.iter_mut().zip(self.count.to_be_bytes()) {
            *place = byte;
        }
        Context { now: self.fake.clock().now(), nonce }
    }

    pub(super) async fn drive(&mut self, call: &Call, fault: Fault) -> Driven {
        let (cx, credentials) = (self.context(), self.credentials.clone());
        self.drive_in(cx, call, Vec::new(), fault, &credentials).await
    }

    /// The same call again, as after a crash: in its context, on from what was committed.
    pub(super) async fn repeat(&mut self, call: &Call, driven: &Driven) -> Driven {
        let credentials = self.credentials.clone();
        self.drive_in(driven.cx, call, driven.committed(), Fault::None, &credentials).await
    }

    /// The customer of this call has consented: it goes on from what was committed and that word, as it
    /// does in `payments`.
    pub(super) async fn go_on(
        &mut self,
        call: &Call,
        driven: &Driven,
        reference: &str,
        fault: Fault,
    ) -> Driven {
        let mut committed = driven.committed();
        let consent = serde_json::json!({"reference": reference});
        committed.push(Distilled::of(crate::outcome::CONSENTED, &consent));
        let credentials = self.credentials.clone();
        self.drive_in(driven.cx, call, committed, fault, &credentials).await
    }

    /// Drives with credentials that are nobody's.
    pub(super) async fn drive_as_stranger(&mut self, call: &Call, strange: &Credentials) -> Driven {
        let cx = self.context();
        self.drive_in(cx, call, Vec::new(), Fault::None, strange).await
    }

    async fn drive_in(
        &mut self,
        cx: Context,
        call: &Call,
        committed: Vec<Distilled>,
        fault: Fault,
        credentials: &Credentials,
    ) -> Driven {
        let way = Way {
            provider: self.provider,
            exchange: self.fake.exchange(),
            account: &self.account,
            credentials,
        };
        let driven = drive(&way, cx, call, committed, fault).await;
        self.recorded.extend_from_slice(&driven.recorded);
        if !matches!(call, Call::Lookup(_)) {
            self.told.entry(call.reference().to_owned()).or_default().extend(driven.committed());
        }
        self.printed.push(format!("{call:?} {driven:?} {:?}", self.credentials));
        driven
    }

    /// Drives to an outcome, or says what came instead.
    pub(super) async fn outcome(&mut self, call: &Call) -> Result<Outcome, String> {
        match self.drive(call, Fault::None).await.end {
            End::Done(outcome) => Ok(outcome),
            other => Err(format!("{:?} ended with {other:?}", call.verb())),
        }
    }

    /// A card behind a token of the provider.
    pub(super) async fn token(&mut self, card: crate::call::Card) -> Result<Instrument, String> {
        let reference = self.reference();
        let call = Call::Tokenize(Tokenize { reference, card });
        match self.outcome(&call).await? {
            Outcome::Tokenized { token, .. } => Ok(Instrument::CardToken { token }),
            other => Err(format!("tokenizing gave {other:?}")),
        }
    }

    /// Looks up what became of a call.
    pub(super) async fn look_up(&mut self, call: &Call) -> Result<Outcome, String> {
        let mut lookup = look_up_of(call).ok_or("this call moves nothing and is not looked up")?;
        lookup.replies = self.told.get(call.reference()).cloned().unwrap_or_default();
        self.outcome(&Call::Lookup(lookup)).await
    }
}

fn look_up_of(call: &Call) -> Option<Lookup> {
    let (amount, capture) = match call {
        Call::Charge(call) => (call.amount, Some(call.capture)),
        Call::Capture(call) => (call.amount, None),
        Call::Void(call) => (call.amount, None),
        Call::Refund(call) => (call.amount, None),
        Call::Increment(call) => (call.amount, None),
        // A cancel moves nothing: any amount will do.
        Call::Cancel(_) => (kernel::Money::zero(kernel::Currency::USD), None),
        Call::Tokenize(_) | Call::Lookup(_) => return None,
    };
    let (reference, verb) = (call.reference().to_owned(), call.verb());
    let charge = call.charge().cloned();
    Some(Lookup { reference, provider_reference: None, verb, capture, amount, charge, replies: Vec::new() })
}

/// Names a charge by both references.
pub(super) fn upstream(call: &Call, outcome: &Outcome) -> Upstream {
    let provider_reference = match outcome {
        Outcome::Approved(approved) => Some(approved.reference.clone()),
        Outcome::ActionRequired(required) => required.reference.clone(),
        Outcome::Pending { reference } => reference.clone(),
        _ => None,
    };
    Upstream { reference: call.reference().to_owned(), provider_reference }
}
