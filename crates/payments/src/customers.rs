//! Customers: made, read, listed, changed, deleted; and found or made when a payment names one.

use kernel::{Claim, Duplicate, Filter, Id, Lane, Outcome, Query, Scope, Timestamp, Versioned};
use serde_json::json;
use uuid::Uuid;
use vault::{Keys, Purpose};

use crate::account::{hex, unhex};
use crate::command::{Caller, CustomerRef};
use crate::customer::{CUSTOMER, Customer, CustomerKind, Profile};
use crate::filter::within;
use crate::list::{Dated, Span, page};
use crate::method::{AccountToken, PAYMENT_METHOD, PaymentMethod, PaymentMethodKind};
use crate::methods::{Holder, no_such_method};
use crate::patch::{MetadataPatch, Patch};
use crate::pay::DECIDE_TRIES;
use crate::payer::Address;
use crate::payment::{CustomerLink, MethodSummary};
use crate::rejection::{PaymentsError, Rejection};
use crate::service::{Page, Payments, refused};
use crate::vaulted::Vaulted;
use crate::writing::{Done, Writing};

/// Makes a customer.
#[derive(Clone, Debug, Default)]
pub struct NewCustomer {
    /// The merchant's own reference.
    pub reference: Option<String>,
    /// What is known of them.
    pub profile: Profile,
}

/// Changes a customer: what is not named stays.
#[derive(Clone, Debug, Default)]
pub struct CustomerPatch {
    /// The merchant's own reference. Given once, it stays.
    pub reference: Patch<String>,
    /// Their name.
    pub name: Patch<String>,
    /// Their e-mail address.
    pub email: Patch<String>,
    /// Their telephone number.
    pub phone: Patch<String>,
    /// Where they live, as a whole.
    pub address: Patch<Address>,
    /// The merchant's words.
    pub description: Patch<String>,
    /// The merchant's own data, entry by entry.
    pub metadata: MetadataPatch,
    /// Which of their methods is charged when a payment names none.
    pub default_method: Patch<Id<PaymentMethodKind>>,
}

/// Which customers are listed.
#[derive(Clone, Debug, Default)]
pub struct CustomerFilter {
    /// The one of this reference.
    pub reference: Option<String>,
    /// Those of this e-mail address; case does not count.
    pub email: Option<String>,
    /// Made then or later.
    pub created_from: Option<Timestamp>,
    /// Made then or before.
    pub created_to: Option<Timestamp>,
}

/// A method that a reserve keeps for the customer.
pub(crate) enum Keep {
    /// A new one.
    New {
        /// What may be shown of it.
        summary: MethodSummary,
        /// What it is called at the account that charges.
        token: Option<AccountToken>,
        /// Its id and its card, if that is in the vault.
        vaulted: Option<Vaulted>,
    },
    /// One that is nobody's yet, with the token that was just made of it.
    Attach(Id<PaymentMethodKind>, Option<AccountToken>),
    /// The token that was just made of a stored one; it stays whose it is.
    Learn(Id<PaymentMethodKind>, AccountToken),
}

/// Who pays, and what the reserve writes about them.
#[derive(Default)]
pub(crate) struct Payer {
    pub(crate) link: Option<CustomerLink>,
    pub(crate) aside: Option<Writing>,
    /// The method that is kept.
    pub(crate) kept: Option<Id<PaymentMethodKind>>,
}

/// A customer as it is shown to its merchant.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomerView {
    /// The stored object.
    pub customer: Customer,
    /// What is known of them.
    pub profile: Profile,
}

impl Dated for Customer {
    fn uuid(&self) -> Uuid {
        self.id.uuid()
    }

    fn created_at(&self) -> Timestamp {
        self.created_at
    }
}

impl Payments {
    /// Makes a customer. Two that ask for one reference at the same time make one.
    pub async fn customer_create(
        &self,
        caller: &Caller,
        new: NewCustomer,
        claim: Option<Claim>,
    ) -> Result<Done<CustomerView>, PaymentsError> {
        let made = self.customer_create_now(caller, new, claim.as_ref()).await;
        self.customer_done(caller.scope, claim.as_ref(), made).await
    }

    /// One customer.
    pub async fn customer_get(
        &self,
        scope: Scope,
        named: &CustomerRef,
    ) -> Result<CustomerView, PaymentsError> {
        self.view(scope, self.customer_of(scope, named).await?.record)
    }

    /// What the merchant calls a customer; `None` also for one that does not exist.
    pub async fn customer_reference(
        &self,
        scope: Scope,
        named: &CustomerRef,
    ) -> Result<Option<String>, PaymentsError> {
        Ok(self.customer_find(scope, named).await?.and_then(|found| found.record.reference))
    }

    /// Customers, newest first.
    pub async fn customer_list(
        &self,
        scope: Scope,
        filter: CustomerFilter,
        after: Option<Id<CustomerKind>>,
        limit: u32,
    ) -> Result<Page<CustomerView>, PaymentsError> {
        let email = filter.email.as_deref().map(|email| self.email_mac(scope, email)).transpose()?;
        let by_reference = filter.reference.as_deref().map(|text| Filter::equal("reference", text));
        let by_email = email.as_deref().map(|mac| Filter::equal("email_mac", mac));
        let (index, store) = (by_reference.or(by_email), self.store.of(scope));
        let read = |below, count| {
            let query = page(&CUSTOMER, scope, index.as_ref(), below, count);
            async {
                let found = store.find::<Customer>(query).await?;
                Ok(found.into_iter().map(|versioned| versioned.record).collect())
            }
        };
        let holds = |customer: &Customer| {
            customer.deleted_at.is_none()
                && filter.reference.as_ref().is_none_or(|text| customer.reference.as_ref() == Some(text))
                && email.as_ref().is_none_or(|mac| customer.email_mac.as_ref() == Some(mac))
                && within(customer.created_at, filter.created_from, filter.created_to)
        };
        let below = self.start_below::<Customer>(scope, filter.created_to, after.map(Id::uuid)).await?;
        let span = Span { below, from: filter.created_from, limit, at_once: 0 };
        let Page { items, next } = self.narrowed(span, read, holds).await?;
        let shown = items.into_iter().map(|customer| self.view(scope, customer));
        Ok(Page { items: shown.collect::<Result<_, _>>()?, next })
    }

    /// Changes a customer.
    pub async fn customer_update(
        &self,
        caller: &Caller,
        named: &CustomerRef,
        patch: CustomerPatch,
        claim: Option<Claim>,
    ) -> Result<Done<CustomerView>, PaymentsError> {
        let changed = self.customer_update_now(caller, named, patch, claim.as_ref()).await;
        self.customer_done(caller.scope, claim.as_ref(), changed).await
    }

    /// Deletes a customer and its methods. Payments keep their links; everything personal is gone, and the
    /// reference is free for a new customer.
    pub async fn customer_delete(
        &self,
        caller: &Caller,
        named: &CustomerRef,
        claim: Option<Claim>,
    ) -> Result<Done<Id<CustomerKind>>, PaymentsError> {
        match self.customer_delete_now(caller, named, claim.as_ref()).await {
            Ok(object) => Ok(Done { object, replayed: false }),
            Err(error) => {
                let known = self.answered_before(claim.as_ref()).await?.ok_or(error)?;
                let damaged = |_| PaymentsError::Internal("an answer cannot be read".to_owned());
                Ok(Done { object: Id::parse(&known.subject).map_err(damaged)?, replayed: true })
            }
        }
    }

    async fn customer_create_now(
        &self,
        caller: &Caller,
        new: NewCustomer,
        claim: Option<&Claim>,
    ) -> Result<CustomerView, PaymentsError> {
        let mut writing = self.writing(caller, Lane::Reserve).await?;
        let id = Id::from_uuid(self.ids.uuid());
        let mut customer = Customer::new(id, new.reference, writing.now());
        self.seal(caller.scope, &mut customer, &new.profile)?;
        self.note(&mut writing, &mut customer, "customer.created", json!({}));
        writing.insert(&customer)?;
        writing.answer(claim, id, &customer)?;
        match self.write(writing).await {
            Outcome::Committed { .. } => Ok(CustomerView { customer, profile: new.profile }),
            other => Err(refused_customer(other)),
        }
    }

    async fn customer_update_now(
        &self,
        caller: &Caller,
        named: &CustomerRef,
        patch: CustomerPatch,
        claim: Option<&Claim>,
    ) -> Result<CustomerView, PaymentsError> {
        let scope = caller.scope;
        for _ in 0..DECIDE_TRIES {
            let Versioned { record, version, .. } = self.customer_of(scope, named).await?;
            let CustomerView { mut customer, mut profile } = self.view(scope, record)?;
            let before = (customer.clone(), profile.clone());
            let patch = patch.clone();
            refer(&mut customer, patch.reference)?;
            patch.name.apply(&mut profile.name);
            patch.email.apply(&mut profile.email);
            patch.phone.apply(&mut profile.phone);
            patch.address.apply(&mut profile.address);
            patch.description.apply(&mut profile.description);
            patch.metadata.merge(&mut profile.metadata)?;
            if let Patch::Set(method) = patch.default_method {
                self.check_is_theirs(scope, &customer, method).await?;
            }
            patch.default_method.apply(&mut customer.default_method);
            let fields = changed_fields(&before, &customer, &profile);
            let mut writing = self.writing(caller, Lane::Reserve).await?;
            writing.about(&customer);
            if !fields.is_empty() {
                customer.updated_at = writing.now();
                self.seal(scope, &mut customer, &profile)?;
                self.note(&mut writing, &mut customer, "customer.updated", json!({"fields": fields}));
                writing.update(&customer, version)?;
            }
            writing.answer(claim, customer.id, &customer)?;
            if fields.is_empty() && claim.is_none() {
                return Ok(CustomerView { customer, profile });
            }
            match self.write(writing).await {
                Outcome::Committed { .. } => return Ok(CustomerView { customer, profile }),
                Outcome::Conflict => {}
                other => return Err(refused_customer(other)),
            }
        }
        Err(PaymentsError::Busy)
    }

    async fn customer_delete_now(
        &self,
        caller: &Caller,
        named: &CustomerRef,
        claim: Option<&Claim>,
    ) -> Result<Id<CustomerKind>, PaymentsError> {
        for _ in 0..DECIDE_TRIES {
            let Versioned { record: mut customer, version, .. } =
                self.customer_of(caller.scope, named).await?;
            let methods = self.methods_of(caller.scope, customer.id).await?;
            let mut writing = self.writing(caller, Lane::Reserve).await?;
            writing.about(&customer);
            for method in &methods {
                writing.remove(&method.record, method.version);
            }
            let gone = methods.iter().map(|method| &method.record);
            self.release_with(&mut writing, caller.scope, gone)?;
            let body = json!({"payment_methods": methods.len()});
            self.note(&mut writing, &mut customer, "customer.deleted", body);
            customer.delete(writing.now());
            writing.update(&customer, version)?;
            writing.answer(claim, customer.id, &json!({}))?;
            match self.write(writing).await {
                Outcome::Committed { .. } => return Ok(customer.id),
                Outcome::Conflict => {}
                other => return Err(refused_customer(other)),
            }
        }
        Err(PaymentsError::Busy)
    }

    /// What was done now, or before under the same claim. A customer that was deleted meanwhile is not
    /// shown again.
    pub(crate) async fn customer_done(
        &self,
        scope: Scope,
        claim: Option<&Claim>,
        done: Result<CustomerView, PaymentsError>,
    ) -> Result<Done<CustomerView>, PaymentsError> {
        let error = match done {
            Ok(object) => return Ok(Done { object, replayed: false }),
            Err(error) => error,
        };
        let known = self.answered_before(claim).await?.ok_or(error)?;
        let customer: Customer = serde_json::from_str(known.snapshot.get())
            .map_err(|_| PaymentsError::Internal("an answer cannot be read".to_owned()))?;
        self.customer_of(scope, &CustomerRef::Id(customer.id)).await?;
        Ok(Done { object: self.view(scope, customer)?, replayed: true })
    }

    /// A customer that exists.
    pub(crate) async fn customer_of(
        &self,
        scope: Scope,
        named: &CustomerRef,
    ) -> Result<Versioned<Customer>, PaymentsError> {
        let found = self.customer_find(scope, named).await?;
        found.ok_or_else(|| Rejection::NotFound("customer").into())
    }

    /// A customer, if it exists.
    pub(crate) async fn customer_find(
        &self,
        scope: Scope,
        named: &CustomerRef,
    ) -> Result<Option<Versioned<Customer>>, PaymentsError> {
        let found = match named {
            CustomerRef::Id(id) => self.store.of(scope).get::<Customer>(vec![(*id).into()]).await?,
            CustomerRef::Reference(reference) => {
                let query = Query::oldest(&CUSTOMER, scope, 1);
                let query = query.with(Filter::equal("reference", reference.as_str()));
                self.store.of(scope).find::<Customer>(query).await?.into_iter().next()
            }
        };
        Ok(found.filter(|found| found.record.deleted_at.is_none()))
    }

    /// All methods of a customer, oldest first.
    pub(crate) async fn methods_of(
        &self,
        scope: Scope,
        customer: Id<CustomerKind>,
    ) -> Result<Vec<Versioned<PaymentMethod>>, PaymentsError> {
        let query = Query::oldest(&PAYMENT_METHOD, scope, crate::customer::METHODS_MAX + 1);
        Ok(self.store.of(scope).find(query.with(Filter::equal("customer", customer))).await?)
    }

    async fn check_is_theirs(
        &self,
        scope: Scope,
        customer: &Customer,
        method: Id<PaymentMethodKind>,
    ) -> Result<(), PaymentsError> {
        let found = self.store.of(scope).get::<PaymentMethod>(vec![method.into()]).await?;
        if found.ok_or_else(no_such_method)?.record.customer == Some(customer.id) {
            return Ok(());
        }
        let message = "the customer has no payment method of this id".to_owned();
        Err(Rejection::Invalid { param: "/default_payment_method", message }.into())
    }

    /// The customer that a command names, made in the same commit if its reference is new; and the method
    /// that the commit keeps for them.
    pub(crate) async fn customer(
        &self,
        caller: &Caller,
        named: Option<&CustomerRef>,
        keep: Option<&Keep>,
    ) -> Result<Payer, PaymentsError> {
        if named.is_none() && !matches!(keep, Some(Keep::Learn(..))) {
            return Ok(Payer::default());
        }
        let mut writing = self.writing(caller, Lane::Reserve).await?;
        let (mut has_learned, mut gets) = (false, None);
        match keep {
            None => {}
            Some(Keep::Learn(id, token)) => {
                let mut found = self.method_of(caller.scope, *id).await?;
                has_learned = found.record.learn_token(token);
                if has_learned {
                    writing.update(&found.record, found.version)?;
                }
            }
            Some(Keep::New { summary, token, vaulted }) => {
                gets = Some((self.new_method(&writing, summary.clone(), token.clone(), *vaulted), None));
            }
            Some(Keep::Attach(id, token)) => {
                let mut found = self.method_of(caller.scope, *id).await?;
                token.as_ref().map(|token| found.record.learn_token(token));
                gets = Some((found.record, Some(found.version)));
            }
        }
        let Some(named) = named else {
            return Ok(Payer { aside: has_learned.then_some(writing), ..Payer::default() });
        };
        let holder = self.holder(caller, &mut writing, named, true).await?;
        let link = Some(holder.link());
        let Some((mut method, version)) = gets else {
            if holder.version.is_some() {
                return Ok(Payer { link, aside: has_learned.then_some(writing), kept: None });
            }
            writing.insert(&holder.customer)?;
            return Ok(Payer { link, aside: Some(writing), kept: None });
        };
        if method.customer.is_some() || method.detached_at.is_some() {
            return Err(Rejection::MethodNotUsable("somebody else changed it at the same time").into());
        }
        self.give(&mut writing, holder, &mut method, "payment_method.attached")?;
        match version {
            None => writing.insert(&method)?,
            Some(version) => writing.update(&method, version)?,
        }
        Ok(Payer { link, aside: Some(writing), kept: Some(method.id) })
    }

    /// A customer who gets something in this commit: as it stands, or made if the reference is new and the
    /// command may make customers.
    pub(crate) async fn holder(
        &self,
        caller: &Caller,
        writing: &mut Writing,
        named: &CustomerRef,
        creates: bool,
    ) -> Result<Holder, PaymentsError> {
        if let Some(found) = self.customer_find(caller.scope, named).await? {
            return Ok(Holder { customer: found.record, version: Some(found.version) });
        }
        let (CustomerRef::Reference(reference), true) = (named, creates) else {
            return Err(Rejection::NotFound("customer").into());
        };
        let id = Id::from_uuid(self.ids.uuid());
        let mut customer = Customer::new(id, Some(reference.clone()), writing.now());
        self.note(writing, &mut customer, "customer.created", json!({}));
        Ok(Holder { customer, version: None })
    }

    fn keys(&self, scope: Scope) -> Result<&Keys, PaymentsError> {
        self.vault.keys(scope.mode).map_err(|error| PaymentsError::Internal(error.to_string()))
    }

    /// An address as it is looked for: case does not count, and the MAC of one merchant is not another's.
    fn email_mac(&self, scope: Scope, email: &str) -> Result<String, PaymentsError> {
        let email = email.to_lowercase();
        let whose = scope.to_bytes();
        let parts = [b"customer email".as_slice(), whose.as_slice(), email.as_bytes()];
        Ok(hex(&self.keys(scope)?.mac(Purpose::Search, &parts)))
    }

    fn seal(&self, scope: Scope, customer: &mut Customer, profile: &Profile) -> Result<(), PaymentsError> {
        customer.email_mac =
            profile.email.as_deref().map(|email| self.email_mac(scope, email)).transpose()?;
        if *profile == Profile::default() {
            customer.sealed = None;
            return Ok(());
        }
        let internal = |error: serde_json::Error| PaymentsError::Internal(error.to_string());
        let plain = serde_json::to_vec(profile).map_err(internal)?;
        customer.sealed = Some(self.seal_bytes(scope, &place(customer.id), &plain)?);
        Ok(())
    }

    fn view(&self, scope: Scope, customer: Customer) -> Result<CustomerView, PaymentsError> {
        let profile = match &customer.sealed {
            None => Profile::default(),
            Some(sealed) => {
                let plain = self.open_bytes(scope, &place(customer.id), sealed)?;
                // The category alone: serde's full message can quote data.
                serde_json::from_slice(&plain)
                    .map_err(|_| PaymentsError::Internal("a profile cannot be read".to_owned()))?
            }
        };
        Ok(CustomerView { customer, profile })
    }

    /// Seals small data for one place, in hexadecimal.
    pub(crate) fn seal_bytes(
        &self,
        scope: Scope,
        place: &str,
        plain: &[u8],
    ) -> Result<String, PaymentsError> {
        let sealed = self.keys(scope)?.seal(self.random.as_ref(), scope, place, plain);
        Ok(hex(&sealed.map_err(|error| PaymentsError::Internal(error.to_string()))?))
    }

    /// Opens what [`Payments::seal_bytes`] made for the same place.
    pub(crate) fn open_bytes(
        &self,
        scope: Scope,
        place: &str,
        sealed: &str,
    ) -> Result<Vec<u8>, PaymentsError> {
        let bytes =
            unhex(sealed).ok_or_else(|| PaymentsError::Internal("a sealed text is damaged".into()))?;
        let opened = self.keys(scope)?.open(scope, place, &bytes);
        opened.map_err(|error| PaymentsError::Internal(error.to_string()))
    }
}

/// Where a profile is sealed for.
fn place(id: Id<CustomerKind>) -> String {
    format!("{id}/profile")
}

/// A reference names the customer in payments that exist: one that was given stays.
fn refer(customer: &mut Customer, patch: Patch<String>) -> Result<(), Rejection> {
    match (patch, &customer.reference) {
        (Patch::Keep, _) | (Patch::Clear, None) => Ok(()),
        (Patch::Set(reference), None) => {
            customer.reference = Some(reference);
            Ok(())
        }
        (Patch::Set(reference), Some(known)) if reference == *known => Ok(()),
        (Patch::Set(_) | Patch::Clear, Some(_)) => {
            let message = "the customer has a reference, and payments name it: it cannot be changed";
            Err(Rejection::Invalid { param: "/reference", message: message.to_owned() })
        }
    }
}

/// The names of what differs, for the event; never the values.
fn changed_fields(before: &(Customer, Profile), after: &Customer, profile: &Profile) -> Vec<&'static str> {
    let (customer, known) = before;
    let differs = [
        ("reference", customer.reference != after.reference),
        ("name", known.name != profile.name),
        ("email", known.email != profile.email),
        ("phone", known.phone != profile.phone),
        ("address", known.address != profile.address),
        ("description", known.description != profile.description),
        ("metadata", known.metadata != profile.metadata),
        ("default_payment_method", customer.default_method != after.default_method),
    ];
    differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

/// The only value of a customer that must be new is its reference.
fn refused_customer(outcome: Outcome) -> PaymentsError {
    match outcome {
        Outcome::Duplicate(Duplicate::Row { table }) if table == CUSTOMER.name => {
            Rejection::CustomerExists.into()
        }
        other => refused(other),
    }
}
