//! Payment methods: made of a card or a token, attached to a customer, read, detached, deleted.

use kernel::{Claim, Filter, Id, Lane, Outcome, Scope, Versioned};
use provider_kit::{Outcome as Told, RefusalCause};
use serde_json::json;

use crate::capabilities::kind_of;
use crate::command::{Caller, CustomerRef, MethodInput};
use crate::customer::{Customer, METHODS_MAX};
use crate::instrument::Token;
use crate::list::page;
use crate::method::{AccountToken, PAYMENT_METHOD, PaymentMethod, PaymentMethodKind};
use crate::pay::DECIDE_TRIES;
use crate::payment::{CustomerLink, LastError, MethodSummary};
use crate::rejection::{PaymentsError, Rejection};
use crate::service::{Page, Payments, refused};
use crate::vaulted::Vaulted;
use crate::writing::{Done, Writing};

/// Makes a stored method.
#[derive(Clone, Debug)]
pub struct NewMethod {
    /// Of what; not of another stored method.
    pub method: MethodInput,
    /// Whose it becomes.
    pub customer: Option<CustomerRef>,
    /// What the customer calls it.
    pub display_name: Option<String>,
    /// At this provider, not the default one.
    pub provider: Option<String>,
}

/// What is attached to a customer.
#[derive(Clone, Debug)]
pub enum Attaching {
    /// A method that is nobody's yet.
    Stored(Id<PaymentMethodKind>),
    /// A new one.
    New(Box<NewMethod>),
}

/// A method as it is shown to its merchant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodView {
    /// The stored object.
    pub method: PaymentMethod,
    /// What the customer calls it.
    pub display_name: Option<String>,
    /// Whose it is.
    pub customer: Option<CustomerLink>,
    /// Whether it is charged when a payment names the customer alone.
    pub is_default: bool,
}

/// A customer who gets a method, as read or just made.
pub(crate) struct Holder {
    pub(crate) customer: Customer,
    pub(crate) version: Option<i64>,
}

impl Holder {
    pub(crate) fn link(&self) -> CustomerLink {
        CustomerLink { id: self.customer.id, reference: self.customer.reference.clone() }
    }
}

impl Payments {
    /// Makes a method: the provider keeps the card, and we keep its token. Moves no money.
    pub async fn method_tokenize(
        &self,
        caller: &Caller,
        new: NewMethod,
        claim: Option<Claim>,
    ) -> Result<Done<MethodView>, PaymentsError> {
        let made = self.tokenize_now(caller, new, true, claim.as_ref()).await;
        self.method_done(caller.scope, claim.as_ref(), made).await
    }

    /// One method.
    pub async fn method_get(
        &self,
        scope: Scope,
        id: Id<PaymentMethodKind>,
    ) -> Result<MethodView, PaymentsError> {
        let found = self.method_of(scope, id).await?;
        self.method_view(scope, found.record).await
    }

    /// A customer's methods, newest first.
    pub async fn method_list(
        &self,
        scope: Scope,
        named: &CustomerRef,
        after: Option<Id<PaymentMethodKind>>,
        limit: u32,
    ) -> Result<Page<MethodView>, PaymentsError> {
        let customer = self.customer_of(scope, named).await?.record;
        let of_customer = Filter::equal("customer", customer.id);
        let one_more = limit.saturating_add(1);
        let query = page(&PAYMENT_METHOD, scope, Some(&of_customer), after.map(Id::uuid), one_more);
        let found = self.store.of(scope).find::<PaymentMethod>(query).await?;
        let shown = found.into_iter().map(|method| self.shown(scope, method.record, Some(&customer)));
        Ok(Page::cut(shown.collect::<Result<_, _>>()?, limit, |view| view.method.id.uuid()))
    }

    /// Gives a customer a method: one that is nobody's, or a new one.
    pub async fn method_attach(
        &self,
        caller: &Caller,
        named: &CustomerRef,
        what: Attaching,
        claim: Option<Claim>,
    ) -> Result<Done<MethodView>, PaymentsError> {
        let attached = match what {
            Attaching::Stored(id) => self.attach_now(caller, named, id, claim.as_ref()).await,
            Attaching::New(mut new) => {
                // Whom nobody knows gets no method: only payments and tokens make customers in passing.
                self.customer_of(caller.scope, named).await?;
                new.customer = Some(named.clone());
                self.tokenize_now(caller, *new, false, claim.as_ref()).await
            }
        };
        self.method_done(caller.scope, claim.as_ref(), attached).await
    }

    /// Takes a method from its customer for good: it can be read, and never be charged again.
    pub async fn method_detach(
        &self,
        caller: &Caller,
        id: Id<PaymentMethodKind>,
        claim: Option<Claim>,
    ) -> Result<Done<MethodView>, PaymentsError> {
        let detached = self.part_now(caller, id, false, claim.as_ref()).await;
        self.method_done(caller.scope, claim.as_ref(), detached).await
    }

    /// Deletes a method. Payments keep what they show of it.
    pub async fn method_delete(
        &self,
        caller: &Caller,
        id: Id<PaymentMethodKind>,
        claim: Option<Claim>,
    ) -> Result<Done<Id<PaymentMethodKind>>, PaymentsError> {
        match self.part_now(caller, id, true, claim.as_ref()).await {
            Ok(_) => Ok(Done { object: id, replayed: false }),
            Err(error) => {
                self.answered_before(claim.as_ref()).await?.ok_or(error)?;
                Ok(Done { object: id, replayed: true })
            }
        }
    }

    async fn tokenize_now(
        &self,
        caller: &Caller,
        new: NewMethod,
        creates_customer: bool,
        claim: Option<&Claim>,
    ) -> Result<MethodView, PaymentsError> {
        let scope = caller.scope;
        // A repeat needs no second token.
        if self.answered_before(claim).await?.is_some() {
            return Err(Rejection::KeyInUse.into());
        }
        let preferred = self.merchant(scope).await?.default_provider.clone();
        let opened = self.accounts.pick(scope, new.provider.as_deref(), preferred.as_deref()).await?;
        let kind = kind_of(&new.method);
        if !opened.provider.profile().methods.contains(&kind) {
            let message = format!("{} does not take {}", opened.provider.profile().name, kind.as_str());
            return Err(Rejection::Invalid { param: "/type", message }.into());
        }
        let mut summary = self.summarise(scope, &new.method);
        let mut vaulted = None;
        let token = match new.method {
            MethodInput::Card(card) => {
                let told = self.tokenize(&opened, self.ids.uuid(), card.clone()).await?;
                let Token { token, facts } = told.map_err(|report| not_tokenized(report.outcome()))?;
                if let (MethodSummary::Card(card), Some(facts)) = (&mut summary, facts) {
                    card.learn(&facts);
                }
                vaulted = self.vault_card(scope, &card).await?;
                Some(token)
            }
            MethodInput::Token(token) => Some(token),
            MethodInput::Paypal { token } => token,
            MethodInput::Upi { .. } | MethodInput::Hosted { .. } | MethodInput::Stored(_) => None,
        };
        let tokens = token.map(|token| AccountToken { account: opened.account.id, token });
        for _ in 0..DECIDE_TRIES {
            let mut writing = self.writing(caller, Lane::Reserve).await?;
            let mut method = self.new_method(&writing, summary.clone(), tokens.clone(), vaulted);
            if let Some(name) = &new.display_name {
                method.sealed = Some(self.seal_bytes(scope, &place(method.id), name.as_bytes())?);
            }
            let holder = if let Some(named) = &new.customer {
                let holder = self.holder(caller, &mut writing, named, creates_customer).await?;
                Some(self.give(&mut writing, holder, &mut method, "payment_method.attached")?)
            } else {
                let body = json!({"payment_method": method.id, "type": kind.as_str()});
                self.note_alone(&mut writing, &mut method, "payment_method.created", body);
                self.end_with(&mut writing, caller, &method)?;
                None
            };
            writing.insert(&method)?;
            writing.answer(claim, method.id, &method)?;
            match self.write(writing).await {
                Outcome::Committed { .. } => return self.shown(scope, method, holder.as_ref()),
                Outcome::Conflict => {}
                // Somebody made the customer meanwhile: it is there now.
                Outcome::Duplicate(kernel::Duplicate::Row { table })
                    if table == crate::customer::CUSTOMER.name => {}
                other => return Err(refused(other)),
            }
        }
        Err(PaymentsError::Busy)
    }

    async fn attach_now(
        &self,
        caller: &Caller,
        named: &CustomerRef,
        id: Id<PaymentMethodKind>,
        claim: Option<&Claim>,
    ) -> Result<MethodView, PaymentsError> {
        let scope = caller.scope;
        for _ in 0..DECIDE_TRIES {
            let mut writing = self.writing(caller, Lane::Reserve).await?;
            let holder = self.holder(caller, &mut writing, named, false).await?;
            let found = self.store.of(scope).get::<PaymentMethod>(vec![id.into()]).await?;
            let Versioned { record: mut method, version, .. } = found.ok_or_else(no_such_method)?;
            may_be_attached(&method, &holder.customer)?;
            let holder = if method.customer.is_some() {
                if claim.is_none() {
                    return self.shown(scope, method, Some(&holder.customer));
                }
                holder.customer
            } else {
                let customer = self.give(&mut writing, holder, &mut method, "payment_method.attached")?;
                writing.update(&method, version)?;
                customer
            };
            writing.answer(claim, method.id, &method)?;
            match self.write(writing).await {
                Outcome::Committed { .. } => return self.shown(scope, method, Some(&holder)),
                Outcome::Conflict => {}
                other => return Err(refused(other)),
            }
        }
        Err(PaymentsError::Busy)
    }

    /// Detaches a method, or deletes it.
    async fn part_now(
        &self,
        caller: &Caller,
        id: Id<PaymentMethodKind>,
        deletes: bool,
        claim: Option<&Claim>,
    ) -> Result<MethodView, PaymentsError> {
        let scope = caller.scope;
        for _ in 0..DECIDE_TRIES {
            let Versioned { record: mut method, version, .. } = self.method_of(scope, id).await?;
            if method.detached_at.is_some() && !deletes {
                return Err(Rejection::MethodState("the payment method is detached already").into());
            }
            let mut writing = self.writing(caller, Lane::Reserve).await?;
            let kind = if deletes { "payment_method.deleted" } else { "payment_method.detached" };
            let body = json!({"payment_method": id});
            match method.customer {
                Some(customer) => {
                    let found = self.customer_of(scope, &CustomerRef::Id(customer)).await?;
                    let mut customer = found.record;
                    customer.methods = customer.methods.saturating_sub(1);
                    customer.default_method = customer.default_method.filter(|default| *default != id);
                    self.note(&mut writing, &mut customer, kind, body);
                    writing.about(&customer);
                    writing.update(&customer, found.version)?;
                }
                None => self.note_alone(&mut writing, &mut method, kind, body),
            }
            self.release_with(&mut writing, scope, std::iter::once(&method))?;
            if deletes {
                writing.remove(&method, version);
            } else {
                method.detach(writing.now());
                writing.update(&method, version)?;
            }
            writing.answer(claim, id, &method)?;
            match self.write(writing).await {
                Outcome::Committed { .. } => return self.shown(scope, method, None),
                Outcome::Conflict => {}
                other => return Err(refused(other)),
            }
        }
        Err(PaymentsError::Busy)
    }

    /// A new method with a token at one account; its id is the one that its card was vaulted for.
    pub(crate) fn new_method(
        &self,
        writing: &Writing,
        summary: MethodSummary,
        token: Option<AccountToken>,
        vaulted: Option<Vaulted>,
    ) -> PaymentMethod {
        PaymentMethod {
            id: vaulted.map_or_else(|| Id::from_uuid(self.ids.uuid()), |vaulted| vaulted.method),
            summary,
            tokens: token.into_iter().collect(),
            vaulted: vaulted.map(|vaulted| vaulted.card),
            sealed: None,
            customer: None,
            network_transaction_id: None,
            events: 0,
            created_at: writing.now(),
            detached_at: None,
        }
    }

    /// Makes a method a customer's, in this commit.
    pub(crate) fn give(
        &self,
        writing: &mut Writing,
        holder: Holder,
        method: &mut PaymentMethod,
        kind: &'static str,
    ) -> Result<Customer, PaymentsError> {
        let Holder { mut customer, version } = holder;
        if customer.methods >= METHODS_MAX {
            return Err(Rejection::TooManyMethods { most: METHODS_MAX }.into());
        }
        customer.methods += 1;
        method.customer = Some(customer.id);
        let body = json!({"payment_method": method.id, "type": method.summary.kind().as_str()});
        self.note(writing, &mut customer, kind, body);
        match version {
            None => writing.insert(&customer)?,
            Some(version) => writing.update(&customer, version)?,
        }
        Ok(customer)
    }

    /// What was done now, or before under the same claim. A method that was deleted meanwhile is not
    /// shown again.
    async fn method_done(
        &self,
        scope: Scope,
        claim: Option<&Claim>,
        done: Result<MethodView, PaymentsError>,
    ) -> Result<Done<MethodView>, PaymentsError> {
        let error = match done {
            Ok(object) => return Ok(Done { object, replayed: false }),
            Err(error) => error,
        };
        let known = self.answered_before(claim).await?.ok_or(error)?;
        let method: PaymentMethod = serde_json::from_str(known.snapshot.get())
            .map_err(|_| PaymentsError::Internal("an answer cannot be read".to_owned()))?;
        self.method_of(scope, method.id).await?;
        Ok(Done { object: self.method_view(scope, method).await?, replayed: true })
    }

    /// A method that exists.
    pub(crate) async fn method_of(
        &self,
        scope: Scope,
        id: Id<PaymentMethodKind>,
    ) -> Result<Versioned<PaymentMethod>, PaymentsError> {
        let found = self.store.of(scope).get::<PaymentMethod>(vec![id.into()]).await?;
        found.ok_or_else(|| Rejection::NotFound("payment method").into())
    }

    async fn method_view(&self, scope: Scope, method: PaymentMethod) -> Result<MethodView, PaymentsError> {
        let customer = match method.customer {
            Some(id) => self.customer_find(scope, &CustomerRef::Id(id)).await?,
            None => None,
        };
        self.shown(scope, method, customer.map(|found| found.record).as_ref())
    }

    fn shown(
        &self,
        scope: Scope,
        method: PaymentMethod,
        customer: Option<&Customer>,
    ) -> Result<MethodView, PaymentsError> {
        let display_name = match &method.sealed {
            None => None,
            Some(sealed) => {
                let plain = self.open_bytes(scope, &place(method.id), sealed)?;
                let text = String::from_utf8(plain);
                Some(text.map_err(|_| PaymentsError::Internal("a name cannot be read".to_owned()))?)
            }
        };
        let customer = customer.filter(|customer| method.customer == Some(customer.id));
        let link =
            |customer: &Customer| CustomerLink { id: customer.id, reference: customer.reference.clone() };
        Ok(MethodView {
            display_name,
            customer: customer.map(link),
            is_default: customer.is_some_and(|customer| customer.default_method == Some(method.id)),
            method,
        })
    }
}

/// Where a display name is sealed for.
fn place(id: Id<PaymentMethodKind>) -> String {
    format!("{id}/display_name")
}

/// One answer for what does not exist and for what is another merchant's.
pub(crate) const fn no_such_method() -> Rejection {
    Rejection::NotFound("payment method")
}

fn may_be_attached(method: &PaymentMethod, customer: &Customer) -> Result<(), Rejection> {
    if method.detached_at.is_some() {
        return Err(Rejection::MethodNotUsable("it was detached: make a new one of the card"));
    }
    match method.customer {
        Some(other) if other != customer.id => {
            Err(Rejection::MethodState("the payment method belongs to another customer"))
        }
        _ => Ok(()),
    }
}

/// Why a provider kept no card.
fn not_tokenized(told: Option<&Told>) -> Rejection {
    let error = match told {
        Some(Told::Declined(decline)) => LastError {
            code: "card_declined".to_owned(),
            decline_code: Some(decline.code.as_str().to_owned()),
            network_code: decline.network_code.clone(),
            advice: Some(decline.advice),
        },
        Some(Told::Refused { cause, .. }) => crate::apply::refused(*cause),
        Some(_) => crate::apply::refused(RefusalCause::Rule),
        None => {
            LastError { code: "not_sent".to_owned(), decline_code: None, network_code: None, advice: None }
        }
    };
    Rejection::NotTokenized(error)
}
