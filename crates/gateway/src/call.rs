//! One authenticated request, between its key and its service.

use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use identity::{AuthenticationError, KeyKind, Principal};
use kernel::{Actor, Claim, Id, Kind, Mode, Scope};
use limits::Verdict;
use node::Node;
use payments::{Caller, CustomerRef, PaymentKind};
use sandbox_bank::SCENARIOS;
use vault::{Keys, Purpose};

use crate::body;
use crate::client::Client;
use crate::client_secret::is_client_secret;
use crate::input::{self, Node as Json, Parameters};
use crate::problem::{Problem, catalogue as code, from_payments, not_found};
use crate::quota::{self, Attempt};
use crate::router::Access;
use crate::trace::TraceId;

/// The field and query parameter by which a browser shows that it was handed a payment.
const CLIENT_SECRET: &str = "client_secret";

/// An authenticated request.
pub(crate) struct Call {
    /// The node that serves it.
    pub(crate) node: Arc<Node>,
    principal: Principal,
    client: Client,
    quota: Option<Verdict>,
    parts: Parts,
    body: Option<Body>,
    ids: Vec<String>,
    /// What the sandbox is to play with this request.
    scenario: Option<String>,
}

impl Call {
    /// Finds out who is calling, and whether they may use a route of this access. Nothing of the
    /// request is judged before.
    pub(crate) async fn begin(node: Arc<Node>, request: Request, access: Access) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let client = Client::of(&parts, &node.config.server.trusted_proxies);
        let principal = authenticate(&node, &parts.headers, client).await?;
        if !principal.admits(client.address) {
            return Err(Problem::plain(&code::ADDRESS_NOT_ALLOWED));
        }
        // A live key over plain HTTP from another machine has been read by everybody on the way.
        if principal.scope.mode == Mode::Live && !client.is_private {
            return Err(Problem::plain(&code::INSECURE_TRANSPORT));
        }
        let quota = quota::count_key(&node, &principal, client.address).await?;
        check_access(&principal, access).map_err(|problem| problem.quota_of(quota))?;
        let ids = match RawPathParams::from_request_parts(&mut parts, &()).await {
            Ok(params) => params.iter().map(|(_, value)| value.to_owned()).collect(),
            // Not UTF-8: no id of ours.
            Err(_) => vec![String::new()],
        };
        let scenario = scenario(&parts.headers, principal.scope.mode)?;
        let mut call = Self { node, principal, client, quota, parts, body: Some(body), ids, scenario };
        if call.is_browser() && matches!(access, Access::ClientSecret(_)) {
            call.require_client_secret().await.map_err(|problem| problem.quota_of(quota))?;
        }
        Ok(call)
    }

    /// What is left of the key's limit, where it has one.
    pub(crate) const fn quota(&self) -> Option<Verdict> {
        self.quota
    }

    /// Counts an attempt to charge, and refuses one too many. `payer` is the address that the
    /// merchant's server names; a browser's is its own.
    pub(crate) async fn count_attempt(
        &mut self,
        order: Option<&str>,
        customer: Option<&str>,
        payer: Option<IpAddr>,
    ) -> Result<(), Problem> {
        let payer = if self.is_browser() { self.client.address } else { payer };
        let idempotency_key = idempotency_key(&self.parts.headers)?;
        let attempt = Attempt { order, customer, payer, idempotency_key };
        quota::count_attempt(&self.node, self.scope(), attempt).await
    }

    /// Under which name the attempts of a customer are counted: by the merchant's own where there is one, so
    /// that whoever is named by our id is the same customer. One that does not exist is judged later.
    pub(crate) async fn counted_as(
        &mut self,
        customer: Option<&CustomerRef>,
    ) -> Result<Option<String>, Problem> {
        Ok(match customer {
            None => None,
            Some(CustomerRef::Reference(reference)) => Some(reference.clone()),
            Some(named @ CustomerRef::Id(id)) if quota::counts_attempts(&self.node, self.scope()) => {
                let found = self.node.payments.customer_reference(self.scope(), named).await;
                Some(found.map_err(from_payments)?.unwrap_or_else(|| id.to_string()))
            }
            Some(CustomerRef::Id(id)) => Some(id.to_string()),
        })
    }

    /// Counts an attempt to charge a payment that exists: its order and customer are its own.
    pub(crate) async fn count_confirm(
        &mut self,
        id: Id<PaymentKind>,
        payer: Option<IpAddr>,
    ) -> Result<(), Problem> {
        if !quota::counts_attempts(&self.node, self.scope()) {
            return Ok(());
        }
        let payment = self.node.payments.get(self.scope(), id).await.map_err(from_payments)?;
        let order = payment.order_id.clone().unwrap_or_else(|| id.to_string());
        let customer = payment
            .customer
            .as_ref()
            .map(|link| link.reference.clone().unwrap_or_else(|| link.id.to_string()));
        self.count_attempt(Some(&order), customer.as_deref(), payer).await
    }

    /// Whether a publishable key came: answers are reduced to what a browser may see.
    pub(crate) fn is_browser(&self) -> bool {
        self.principal.kind == KeyKind::Publishable
    }

    /// Refuses a browser that lacks the client secret of the payment in the path. The body, if it
    /// has one, is read here and kept for the handler.
    async fn require_client_secret(&mut self) -> Result<(), Problem> {
        let given = if self.parts.method == Method::GET {
            let known = Parameters::parse(self.query(), &[CLIENT_SECRET], &[])?;
            known.get(CLIENT_SECRET).map(str::to_owned)
        } else {
            let bytes = self.read_body().await?;
            let given = client_secret_of(&input::read_body(&bytes)?).map(str::to_owned);
            self.body = Some(Body::from(bytes));
            given
        };
        let given = given.ok_or_else(|| Problem::plain(&code::CLIENT_SECRET_REQUIRED).at(CLIENT_SECRET))?;
        self.check_client_secret(&given)
    }

    /// Refuses a body with a client secret that is not that of the payment in the path: a secret key
    /// needs none, but a wrong one means that something was mixed up.
    pub(crate) fn check_body(&self, body: &Json<'_>) -> Result<(), Problem> {
        client_secret_of(body).map_or(Ok(()), |given| self.check_client_secret(given))
    }

    /// Refuses what is not the client secret of the payment in the path.
    pub(crate) fn check_client_secret(&self, given: &str) -> Result<(), Problem> {
        let keys = self.keys()?;
        let id = self.ids.first().and_then(|text| Id::parse(text).ok());
        if id.is_some_and(|id| is_client_secret(given, id, keys)) {
            return Ok(());
        }
        Err(Problem::plain(&code::WRONG_CLIENT_SECRET).at(CLIENT_SECRET))
    }

    /// The world that the key opens.
    pub(crate) const fn scope(&self) -> Scope {
        self.principal.scope
    }

    /// Who is calling.
    pub(crate) const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The keys of that world.
    pub(crate) fn keys(&self) -> Result<&Keys, Problem> {
        self.node.vault.keys(self.scope().mode).map_err(|error| Problem::internal(error.to_string()))
    }

    /// On whose behalf services run.
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            scope: self.scope(),
            actor: Actor::Key(self.principal.key.to_string()),
            trace_id: self.parts.extensions.get::<TraceId>().map(|trace| trace.as_str().to_owned()),
            scenario: self.scenario.clone(),
        }
    }

    /// The id in the path. What is no id is an id that is not found.
    pub(crate) fn id<T: Kind>(&self, what: &'static str) -> Result<Id<T>, Problem> {
        self.ids.first().and_then(|text| Id::parse(text).ok()).ok_or_else(|| not_found(what))
    }

    /// The name in the path, as it is.
    pub(crate) fn name(&self) -> &str {
        self.ids.first().map_or("", String::as_str)
    }

    /// Refuses a live key, where only test worlds have what is asked for.
    pub(crate) fn check_test_mode(&self) -> Result<(), Problem> {
        if self.scope().mode == Mode::Live { Err(Problem::plain(&code::TEST_MODE_ONLY)) } else { Ok(()) }
    }

    /// The query string, still encoded.
    pub(crate) fn query(&self) -> Option<&str> {
        self.parts.uri.query()
    }

    /// Reads the body.
    pub(crate) async fn read_body(&mut self) -> Result<Bytes, Problem> {
        let Some(body) = self.body.take() else { return Ok(Bytes::new()) };
        let bytes = body::read(
            body,
            body::API_BYTES_MAX,
            self.node.config.server.read_timeout,
            self.node.clock.as_ref(),
        )
        .await?;
        if !bytes.is_empty() {
            body::check_is_json(&self.parts.headers)?;
        }
        Ok(bytes)
    }

    /// The claim of the request's idempotency key, if it has one: bound to the route, to what the path
    /// names and to the canonical body.
    pub(crate) fn claim(
        &self,
        route: &'static str,
        subject: &str,
        body: &Json<'_>,
    ) -> Result<Option<Claim>, Problem> {
        let Some(key) = idempotency_key(&self.parts.headers)? else { return Ok(None) };
        let keys = self.keys()?;
        let mac_of = |fingerprint: &dyn Fn(&str) -> String| {
            let canonical = input::canonical(body, fingerprint);
            let parts = [route.as_bytes(), subject.as_bytes(), canonical.as_slice()];
            keys.mac(Purpose::Idempotency, &parts).to_vec()
        };
        let has_card = Cell::new(false);
        let without_vault = |digits: &str| keys.fingerprint(digits);
        let mac = mac_of(&|digits| {
            has_card.set(true);
            let of_vault =
                self.node.cards.as_ref().map(|cards| cards.shown_fingerprint(self.scope(), digits));
            of_vault.unwrap_or_else(|| without_vault(digits))
        });
        // The same request may have come before the vault did.
        let came_later = has_card.get() && self.node.cards.is_some();
        let mac_before = came_later.then(|| mac_of(&without_vault));
        Ok(Some(Claim {
            scope: self.scope(),
            // A browser's keys are a space of their own, which no header can name: a page never takes, or
            // learns of, a key of the merchant's server.
            key: if self.is_browser() { format!("browser {key}") } else { key.to_owned() },
            route: route.into(),
            mac,
            mac_before,
            operation: None,
            answer: None,
        }))
    }
}

/// Who holds the key that came. What comes without a valid one is counted by its address.
async fn authenticate(node: &Node, headers: &HeaderMap, client: Client) -> Result<Principal, Problem> {
    let text = bearer(headers);
    quota::check_address(node, client.address, text.as_ref().ok().copied()).await?;
    let problem = match text {
        Ok(text) => match node.identity.authenticate(text).await {
            Ok(principal) => return Ok(principal),
            Err(error @ AuthenticationError::Store(_)) => return Err(refused(error)),
            Err(error) => refused(error),
        },
        Err(problem) => problem,
    };
    quota::count_address(node, client.address).await?;
    Err(problem)
}

/// The text of a body's `client_secret`.
fn client_secret_of<'t>(body: &'t Json<'_>) -> Option<&'t str> {
    let Json::Object(members) = body else { return None };
    match members.iter().find(|(name, _)| name == CLIENT_SECRET) {
        Some((_, Json::Text(text))) => Some(text),
        _ => None,
    }
}

/// Whether a key may use a route at all. A client secret is judged later, for it takes the body.
fn check_access(principal: &Principal, access: Access) -> Result<(), Problem> {
    let is_secret = principal.kind == KeyKind::Secret;
    let scope = match access {
        Access::Public | Access::Monitoring => return Ok(()),
        Access::Publishable(_) | Access::ClientSecret(_) if !is_secret => return Ok(()),
        Access::Secret(_) if !is_secret => return Err(Problem::plain(&code::PUBLISHABLE_KEY)),
        Access::Secret(scope) | Access::Publishable(scope) | Access::ClientSecret(scope) => scope,
    };
    if principal.scopes.allow(scope) {
        return Ok(());
    }
    Err(Problem::new(&code::MISSING_SCOPE, format!("This key lacks the scope `{scope}`.")))
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = given.next() else { return Err(Problem::plain(&code::MISSING_API_KEY)) };
    let invalid = || {
        Problem::new(
            &code::INVALID_API_KEY,
            "Send one `Authorization: Bearer …` header, with the key as it is: not `Basic`.",
        )
    };
    if given.next().is_some() {
        return Err(invalid());
    }
    let (scheme, text) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(invalid)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(text.trim()) } else { Err(invalid()) }
}

fn refused(error: AuthenticationError) -> Problem {
    match error {
        AuthenticationError::Form => Problem::new(
            &code::INVALID_API_KEY,
            "This is no API key: they begin with `sk_` or `pk_`, then `test_` or `live_`, and are longer; \
             it was mistyped or cut off.",
        ),
        AuthenticationError::Unknown => Problem::new(&code::INVALID_API_KEY, "There is no such API key."),
        AuthenticationError::Revoked => Problem::new(&code::INVALID_API_KEY, "This API key was revoked."),
        AuthenticationError::Expired => Problem::new(&code::INVALID_API_KEY, "This API key has expired."),
        AuthenticationError::NoLive => Problem::new(
            &code::INVALID_API_KEY,
            "This installation serves no live keys: its operator has set no server secret.",
        ),
        AuthenticationError::Store(error) => {
            Problem::plain(&code::UNAVAILABLE).retry_after(2).log(error.to_string())
        }
    }
}

/// 1 to 255 visible ASCII characters.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut given = headers.get_all("idempotency-key").iter();
    let Some(value) = given.next() else { return Ok(None) };
    let fits = (1..=255).contains(&value.len()) && value.as_bytes().iter().all(u8::is_ascii_graphic);
    match value.to_str() {
        Ok(key) if fits && given.next().is_none() => Ok(Some(key)),
        _ => Err(Problem::plain(&code::INVALID_IDEMPOTENCY_KEY).at("Idempotency-Key")),
    }
}

/// The header that names a scenario of the sandbox bank.
pub(crate) const SCENARIO: &str = "X-Florin-Sandbox-Scenario";

/// What the sandbox is to play with this request: for test worlds, where every fault of a provider can
/// be had on demand.
fn scenario(headers: &HeaderMap, mode: Mode) -> Result<Option<String>, Problem> {
    let mut given = headers.get_all(SCENARIO).iter();
    let Some(value) = given.next() else { return Ok(None) };
    let refuse = |detail: String| Err(Problem::new(&code::INVALID_SCENARIO, detail).at(SCENARIO));
    if mode == Mode::Live {
        return refuse(format!("`{SCENARIO}` is for test keys: nothing is played with real money."));
    }
    let name = value.to_str().ok().filter(|_| given.next().is_none());
    if let Some(scenario) = name.and_then(|name| SCENARIOS.iter().find(|scenario| scenario.name == name)) {
        Ok(Some(scenario.name.to_owned()))
    } else {
        let names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        refuse(format!("`{SCENARIO}` must name one scenario: {}.", names.join(", ")))
    }
}
