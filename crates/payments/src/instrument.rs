//! Instruments: what a method becomes at the account that charges it, and how it may be shown.

use std::sync::Arc;

use kernel::{Id, Scope, Timestamp};
use provider_kit::{
    Call, Card, CardFacts, Context, Decline, DeclineCode, Initiator, Instrument, MethodKind, Outcome as Told,
    Tokenize, Verb,
};
use uuid::Uuid;

use crate::account::Opened;
use crate::apply::Report;
use crate::capabilities::kind_of;
use crate::command::{CustomerRef, MethodInput, OffSession};
use crate::customers::Keep;
use crate::draft::Draft;
use crate::exchanges::told_well;
use crate::method::{AccountToken, PaymentMethod, PaymentMethodKind};
use crate::methods::no_such_method;
use crate::operation::{OperationId, OperationStatus, StoredCall};
use crate::payment::{CardSummary, MethodSummary, Payment, PaymentKind, PinnedInstrument};
use crate::rejection::{PaymentsError, Rejection};
use crate::service::Payments;

/// An instrument ready for the reserve; or why it can never be charged.
pub(crate) struct Ready {
    pub(crate) instrument: Instrument,
    /// Known before any call: an expired card, a refused tokenization.
    pub(crate) failure: Option<Report>,
    /// A token that was just made of a stored method: the reserve writes it down.
    pub(crate) learned: Option<AccountToken>,
}

impl Ready {
    fn token(token: String) -> Self {
        Self { instrument: Instrument::CardToken { token }, failure: None, learned: None }
    }

    const fn paypal(token: Option<String>) -> Self {
        Self { instrument: Instrument::Paypal { token }, failure: None, learned: None }
    }

    /// A stored method by its token, else its owner is asked.
    fn hosted(method: MethodKind, at: Option<&String>, token: Option<&str>) -> Self {
        if let Some(token) = token {
            return Self::token(token.to_owned());
        }
        Self { instrument: Instrument::Hosted { method, at: at.cloned() }, failure: None, learned: None }
    }

    fn failed(failure: Report) -> Self {
        Self { failure: Some(failure), ..Self::token(String::new()) }
    }
}

/// A provider's token of a card, and what it tells of the card.
pub(crate) struct Token {
    pub(crate) token: String,
    pub(crate) facts: Option<Box<CardFacts>>,
}

/// With what a command charges, before an account is picked.
pub(crate) enum Source {
    /// What came with the request.
    Given(MethodInput),
    /// What was stored before.
    Stored(Box<PaymentMethod>),
    /// What was given when the payment was made, to be charged later.
    Own(Box<PinnedInstrument>, MethodSummary),
}

impl Source {
    /// Which method.
    pub(crate) const fn kind(&self) -> MethodKind {
        match self {
            Self::Given(method) => kind_of(method),
            Self::Stored(method) => method.summary.kind(),
            Self::Own(_, summary) => summary.kind(),
        }
    }

    /// The stored method.
    pub(crate) const fn stored(&self) -> Option<&PaymentMethod> {
        match self {
            Self::Given(_) | Self::Own(..) => None,
            Self::Stored(method) => Some(method),
        }
    }

    /// Who asks for the charge. What the merchant says of the first one goes before what we know.
    pub(crate) fn initiator(&self, off_session: Option<&OffSession>) -> Initiator {
        let known = self.stored().and_then(|method| method.network_transaction_id.as_ref());
        off_session.map_or(Initiator::Customer, |off| Initiator::Merchant {
            network_transaction_id: off.network_transaction_id.as_ref().or(known).cloned(),
        })
    }

    /// What a reserve that saves the method writes: a new one of what the provider made a token of, or
    /// the customer of one that is nobody's.
    pub(crate) fn kept(&self, opened: &Opened, ready: &Ready, summary: &MethodSummary) -> Option<Keep> {
        match (self, &ready.instrument) {
            _ if ready.failure.is_some() => None,
            (Self::Stored(method), _) if method.customer.is_none() => {
                Some(Keep::Attach(method.id, ready.learned.clone()))
            }
            (Self::Stored(_), _) => self.learned(ready),
            (Self::Given(_) | Self::Own(..), Instrument::CardToken { token }) => {
                let token = AccountToken { account: opened.account.id, token: token.clone() };
                Some(Keep::New { summary: summary.clone(), token: Some(token), vaulted: None })
            }
            // Of what is paid on a page the charge itself makes a token, where the provider has one.
            (Self::Given(_) | Self::Own(..), Instrument::Upi { .. } | Instrument::Hosted { .. }) => {
                Some(Keep::New { summary: summary.clone(), token: None, vaulted: None })
            }
            // Without a token the charge itself makes one, once its owner agrees.
            (Self::Given(_) | Self::Own(..), Instrument::Paypal { token }) => {
                let account = opened.account.id;
                let token = token.clone().map(|token| AccountToken { account, token });
                Some(Keep::New { summary: summary.clone(), token, vaulted: None })
            }
        }
    }

    /// What any reserve with a stored method writes: the token that was just made of it.
    pub(crate) fn learned(&self, ready: &Ready) -> Option<Keep> {
        let token = ready.learned.clone().filter(|_| ready.failure.is_none());
        self.stored().zip(token).map(|(method, token)| Keep::Learn(method.id, token))
    }
}

impl Payments {
    /// With what a command charges: the method that it names, or off session its customer's default one.
    /// A stored method is one of this scope, still attached or nobody's, and not another customer's.
    pub(crate) async fn source(
        &self,
        scope: Scope,
        method: Option<&MethodInput>,
        customer: Option<&CustomerRef>,
        off_session: bool,
    ) -> Result<Option<Source>, PaymentsError> {
        let owner = match customer {
            Some(named) if method.is_none() || matches!(method, Some(MethodInput::Stored(_))) => {
                self.customer_find(scope, named).await?.map(|found| found.record)
            }
            _ => None,
        };
        let id = match method {
            Some(MethodInput::Stored(id)) => *id,
            Some(given) => return Ok(Some(Source::Given(given.clone()))),
            None if !off_session => return Ok(None),
            None => {
                owner.as_ref().and_then(|owner| owner.default_method).ok_or(Rejection::MethodNotUsable(
                    "the customer has no default payment method: send `payment_method`",
                ))?
            }
        };
        let found = self.store.of(scope).get::<PaymentMethod>(vec![id.into()]).await?;
        let method = found.ok_or_else(no_such_method)?.record;
        if method.detached_at.is_some() {
            return Err(Rejection::MethodNotUsable("it was detached").into());
        }
        if customer.is_some() && method.customer.is_some() && method.customer != owner.map(|owner| owner.id) {
            return Err(Rejection::MethodNotUsable("it belongs to another customer").into());
        }
        let needs_payer = match method.summary {
            MethodSummary::Upi { .. } => {
                Some("UPI asks the payer each time, and cannot be charged `off_session`")
            }
            MethodSummary::Paypal | MethodSummary::Hosted { .. } if method.tokens.is_empty() => {
                Some("its owner has not agreed yet to be charged `off_session`")
            }
            MethodSummary::Paypal | MethodSummary::Hosted { .. } | MethodSummary::Card(_) => None,
        };
        if let Some(reason) = needs_payer.filter(|_| off_session) {
            return Err(Rejection::MethodNotUsable(reason).into());
        }
        Ok(Some(Source::Stored(Box::new(method))))
    }

    /// The account that charges: as [`crate::account::Accounts::pick`] says, among those where a stored
    /// method has a token; where none has one, or another provider is asked for, the vault makes one.
    /// Refused while too many of its calls are under way.
    pub(crate) async fn account_for(
        &self,
        scope: Scope,
        source: Option<&Source>,
        asked: Option<&str>,
        preferred: Option<&str>,
    ) -> Result<Arc<Opened>, PaymentsError> {
        let opened = self.choose_account(scope, source, asked, preferred).await?;
        opened.check_room(self.settings.calls_at_once)?;
        Ok(opened)
    }

    async fn choose_account(
        &self,
        scope: Scope,
        source: Option<&Source>,
        asked: Option<&str>,
        preferred: Option<&str>,
    ) -> Result<Arc<Opened>, PaymentsError> {
        if let Some(Source::Own(pinned, _)) = source {
            let opened = self.accounts.pinned(scope, pinned.account).await?;
            if asked.is_some_and(|asked| asked != opened.account.provider) {
                return Err(Rejection::MethodNotUsable("the asked provider has no token of it").into());
            }
            return Ok(opened);
        }
        let picked = self.accounts.pick(scope, asked, preferred).await?;
        let Some(method) = source.and_then(Source::stored) else { return Ok(picked) };
        if method.is_known_at(picked.account.id) {
            return Ok(picked);
        }
        let can_tokenize = self.can_tokenize(method, &picked);
        if asked.is_some() {
            let reason = "the asked provider has no token of it";
            return if can_tokenize { Ok(picked) } else { Err(Rejection::MethodNotUsable(reason).into()) };
        }
        let accounts = self.accounts.of(scope).await?;
        let other = accounts.iter().find(|opened| method.is_known_at(opened.account.id)).cloned();
        let other = other.or_else(|| can_tokenize.then_some(picked));
        let reason = "no provider account of this merchant and mode has a token of it";
        other.ok_or_else(|| Rejection::MethodNotUsable(reason).into())
    }

    /// Judges an instrument and, where the provider makes tokens, makes one. Moves no money. Whether a
    /// stored card has expired is for its issuer to say: issuers renew cards behind a token.
    pub(crate) async fn ready(
        &self,
        opened: &Opened,
        id: Id<PaymentKind>,
        source: &Source,
    ) -> Result<Ready, PaymentsError> {
        let vpa = match source {
            Source::Given(MethodInput::Token(known)) => return Ok(Ready::token(known.clone())),
            Source::Stored(method) => match &method.summary {
                MethodSummary::Upi { vpa } => vpa.clone(),
                MethodSummary::Paypal => {
                    let known = method.token_at(opened.account.id).map(str::to_owned);
                    return Ok(Ready::paypal(known));
                }
                MethodSummary::Hosted { method: kind, at } => {
                    return Ok(Ready::hosted(*kind, at.as_ref(), method.token_at(opened.account.id)));
                }
                MethodSummary::Card(_) => return self.ready_stored(opened, id, method).await,
            },
            Source::Own(pinned, summary) => {
                let expired = has_expired(summary, self.now(opened.scope).await?);
                let decline = || Report::Told(Told::Declined(Decline::of(DeclineCode::ExpiredCard)));
                let instrument = pinned.instrument.clone();
                return Ok(Ready { instrument, failure: expired.then(decline), learned: None });
            }
            Source::Given(MethodInput::Upi { vpa }) => vpa.clone(),
            Source::Given(MethodInput::Paypal { token }) => return Ok(Ready::paypal(token.clone())),
            Source::Given(MethodInput::Hosted { method, at }) => {
                return Ok(Ready::hosted(*method, at.as_ref(), None));
            }
            Source::Given(MethodInput::Stored(_)) => return Err(no_such_method().into()),
            Source::Given(MethodInput::Card(card)) => {
                let now = self.now(opened.scope).await?;
                let made = if is_expired(card, now) {
                    let decline = Decline::of(DeclineCode::ExpiredCard);
                    Err(Report::Told(Told::Declined(decline)))
                } else {
                    self.tokenize(opened, id.uuid(), card.clone()).await?
                };
                return Ok(made.map_or_else(Ready::failed, |made| Ready::token(made.token)));
            }
        };
        let payee = self.merchant(opened.scope).await?.upi_payee.clone();
        Ok(Ready { instrument: Instrument::Upi { vpa, payee }, failure: None, learned: None })
    }

    /// A stored card at an account: by its token there, else by one that is made of it now.
    async fn ready_stored(
        &self,
        opened: &Opened,
        id: Id<PaymentKind>,
        method: &PaymentMethod,
    ) -> Result<Ready, PaymentsError> {
        if let Some(known) = method.token_at(opened.account.id) {
            return Ok(Ready::token(known.to_owned()));
        }
        let made = self.tokenize_stored(opened, id.uuid(), method).await?;
        Ok(made.map_or_else(Ready::failed, |made| {
            let token = AccountToken { account: opened.account.id, token: made.token.clone() };
            Ready { learned: Some(token), ..Ready::token(made.token) }
        }))
    }

    /// An instrument for a charge that comes later, at the account that will make it. Whether a card has
    /// expired is judged then.
    pub(crate) async fn pinned(
        &self,
        opened: &Opened,
        id: Id<PaymentKind>,
        source: &Source,
    ) -> Result<PinnedInstrument, PaymentsError> {
        let instrument = if let Source::Given(MethodInput::Card(card)) = source {
            let made = self.tokenize(opened, id.uuid(), card.clone()).await?;
            Instrument::CardToken { token: made.map_err(not_taken)?.token }
        } else {
            let ready = self.ready(opened, id, source).await?;
            ready.failure.map_or(Ok(ready.instrument), |failure| Err(not_taken(failure)))?
        };
        Ok(PinnedInstrument { account: opened.account.id, instrument })
    }

    /// Refuses a payment's own instrument if it is that of a stored method which was detached or deleted
    /// since: its owner has taken it back.
    pub(crate) async fn check_still_stored(
        &self,
        scope: Scope,
        payment: &Payment,
    ) -> Result<(), PaymentsError> {
        let Some(id) = payment.method_id else { return Ok(()) };
        let found = self.store.of(scope).get::<PaymentMethod>(vec![id.into()]).await?;
        if found.is_some_and(|found| found.record.detached_at.is_none()) {
            return Ok(());
        }
        Err(Rejection::MethodNotUsable("it was detached or deleted since the payment was made").into())
    }

    /// Asks an account's provider to keep a card. The outer error is ours, the inner one the provider's.
    pub(crate) async fn tokenize(
        &self,
        opened: &Opened,
        of: Uuid,
        card: Card,
    ) -> Result<Result<Token, Report>, PaymentsError> {
        let mut nonce = [0; 16];
        self.random.fill(&mut nonce);
        let context = Context { now: self.now(opened.scope).await?, nonce };
        let payment = Id::from_uuid(of);
        let reference = OperationId { payment, kind: crate::OperationKind::Sale, ordinal: 0 }.reference();
        let call = Call::Tokenize(Tokenize { reference, card });
        // What is tokenized for no payment has no timeline; its records are found by nobody and few.
        let mut talk = self.conversation(payment, None, Verb::Tokenize);
        let told = self.ask(opened, &context, &call, &mut talk).await;
        self.keep(opened, talk, told.as_ref().is_ok_and(told_well)).await;
        Ok(match told {
            Ok(Told::Tokenized { token, card }) => Ok(Token { token, facts: card }),
            Ok(outcome @ (Told::Declined(_) | Told::Refused { .. })) => Err(Report::Told(outcome)),
            Ok(_) => Err(Report::NotSent("the provider made no token".to_owned())),
            Err(reason) => Err(Report::NotSent(reason)),
        })
    }

    /// How the method of a source may be shown.
    pub(crate) fn summary(&self, scope: Scope, source: &Source) -> MethodSummary {
        match source {
            Source::Given(method) => self.summarise(scope, method),
            Source::Stored(method) => method.summary.clone(),
            Source::Own(_, summary) => summary.clone(),
        }
    }

    /// How a method may be shown.
    pub(crate) fn summarise(&self, scope: Scope, method: &MethodInput) -> MethodSummary {
        match method {
            MethodInput::Upi { vpa } => MethodSummary::Upi { vpa: vpa.clone() },
            MethodInput::Paypal { .. } => MethodSummary::Paypal,
            MethodInput::Hosted { method, at } => MethodSummary::Hosted { method: *method, at: at.clone() },
            MethodInput::Token(_) | MethodInput::Stored(_) => MethodSummary::Card(CardSummary::default()),
            MethodInput::Card(card) => {
                // Under the card vault's key: with the server secret and this database alone, the digits
                // that are not stored could be tried out.
                let digits = card.number.digits().expose();
                let fingerprint = self.cards.as_ref().map(|cards| cards.shown_fingerprint(scope, digits));
                MethodSummary::Card(CardSummary {
                    brand: Some(card.number.brand()),
                    last4: Some(card.number.last4().to_owned()),
                    bin: Some(card.number.bin().to_owned()),
                    exp_month: Some(card.exp_month),
                    exp_year: Some(card.exp_year),
                    fingerprint,
                    ..CardSummary::default()
                })
            }
        }
    }

    /// The first successful charge with a stored method gives it what the provider tells of the card, and,
    /// where the customer began it, what the network wants to see later: written by the settle of that
    /// charge. What cannot be read now is learned from the next one.
    pub(crate) async fn learn_method(&self, draft: &mut Draft, id: OperationId) {
        let Some(FirstCharge { method, link, token }) = first_charge(draft, id) else { return };
        let read = self.store.of(draft.scope).get::<PaymentMethod>(vec![method.into()]).await;
        let Ok(Some(mut found)) = read else { return };
        let before = found.record.clone();
        found.record.network_transaction_id = found.record.network_transaction_id.or(link);
        if let Some(token) = token.filter(|_| found.record.detached_at.is_none()) {
            found.record.learn_token(&token);
        }
        if let (MethodSummary::Card(card), Some(MethodSummary::Card(paid))) =
            (&mut found.record.summary, &draft.payment.method)
        {
            card.learn(&paid.facts());
        }
        if found.record == before {
            return;
        }
        let mut learned = self.writing_of(draft);
        if learned.update(&found.record, found.version).is_ok() {
            draft.aside = Some(learned);
        }
    }
}

/// Why there is no instrument for later.
fn not_taken(failure: Report) -> PaymentsError {
    match failure {
        Report::NotSent(reason) | Report::MaybeSent(reason) => PaymentsError::Unavailable(reason),
        Report::Told(_) | Report::Decided(_) => {
            let message = "the provider does not take this card".to_owned();
            Rejection::Invalid { param: "/payment_method", message }.into()
        }
    }
}

/// What a charge that succeeded says of the stored method that it charged.
struct FirstCharge {
    method: Id<PaymentMethodKind>,
    /// The network's id, if its customer began the charge.
    link: Option<String>,
    /// What the charge itself made of it, to be charged by later.
    token: Option<AccountToken>,
}

fn first_charge(draft: &Draft, id: OperationId) -> Option<FirstCharge> {
    let method = draft.payment.method_id?;
    let operation = draft.operation(id).filter(|operation| operation.status == OperationStatus::Succeeded)?;
    let StoredCall::Charge(charge) = &operation.call else { return None };
    let link = operation.network_transaction_id.clone().filter(|_| charge.initiator.is_customer());
    let account = operation.account;
    let token = operation.token.clone().map(|token| AccountToken { account, token });
    Some(FirstCharge { method, link, token })
}

/// A card is good to the end of its month.
fn is_expired(card: &Card, now: Timestamp) -> bool {
    is_over(card.exp_year, card.exp_month, now)
}

/// Whether a card that was typed in earlier has expired meanwhile.
fn has_expired(method: &MethodSummary, now: Timestamp) -> bool {
    let MethodSummary::Card(CardSummary { exp_month: Some(month), exp_year: Some(year), .. }) = method else {
        return false;
    };
    is_over(*year, *month, now)
}

fn is_over(exp_year: u16, exp_month: u8, now: Timestamp) -> bool {
    let (year, month, _) = now.civil_date();
    (i32::from(exp_year), i32::from(exp_month)) < (i32::from(year), i32::from(month))
}
