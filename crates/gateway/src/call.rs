//! One authenticated request, between its key and its service.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts as _, RawPathParams, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use bytes::Bytes;
use identity::{AuthenticationError, KeyKind, Principal};
use kernel::{Actor, Claim, Id, Kind, Mode, Scope};
use node::Node;
use payments::Caller;
use sandbox_bank::SCENARIOS;
use vault::{Keys, Purpose};

use crate::body;
use crate::client_secret::is_client_secret;
use crate::input::{self, Node as Json, Parameters};
use crate::problem::{Problem, catalogue as code, not_found};
use crate::router::Access;

/// The field and query parameter by which a browser shows that it was handed a payment.
const CLIENT_SECRET: &str = "client_secret";

/// Who is at the other end of the connection; put into each request by the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// An authenticated request.
pub(crate) struct Call {
    /// The node that serves it.
    pub(crate) node: Arc<Node>,
    principal: Principal,
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
        let text = bearer(&parts.headers)?;
        let principal = node.identity.authenticate(text).await.map_err(refused)?;
        if !principal.admits(peer_address(&parts)) {
            return Err(Problem::plain(&code::ADDRESS_NOT_ALLOWED));
        }
        check_access(&principal, access)?;
        if principal.scope.mode == Mode::Live && comes_from_afar(&parts) {
            return Err(Problem::plain(&code::INSECURE_TRANSPORT));
        }
        let ids = match RawPathParams::from_request_parts(&mut parts, &()).await {
            Ok(params) => params.iter().map(|(_, value)| value.to_owned()).collect(),
            // Not UTF-8: no id of ours.
            Err(_) => vec![String::new()],
        };
        let scenario = scenario(&parts.headers, principal.scope.mode)?;
        let mut call = Self { node, principal, parts, body: Some(body), ids, scenario };
        if call.is_browser() && matches!(access, Access::ClientSecret(_)) {
            call.require_client_secret().await?;
        }
        Ok(call)
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

    /// The keys of that world.
    pub(crate) fn keys(&self) -> Result<&Keys, Problem> {
        self.node.vault.keys(self.scope().mode).map_err(|error| Problem::internal(error.to_string()))
    }

    /// On whose behalf services run.
    pub(crate) fn caller(&self) -> Caller {
        Caller {
            scope: self.scope(),
            actor: Actor::Key(self.principal.key.to_string()),
            trace_id: trace_id(&self.parts.headers),
            scenario: self.scenario.clone(),
        }
    }

    /// The id in the path. What is no id is an id that is not found.
    pub(crate) fn id<T: Kind>(&self, what: &'static str) -> Result<Id<T>, Problem> {
        self.ids.first().and_then(|text| Id::parse(text).ok()).ok_or_else(|| not_found(what))
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
        let bytes = body::read(body, body::API_BYTES_MAX, self.node.clock.as_ref()).await?;
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
        let canonical = input::canonical(body, &|digits| keys.fingerprint(digits));
        let parts = [route.as_bytes(), subject.as_bytes(), canonical.as_slice()];
        Ok(Some(Claim {
            scope: self.scope(),
            // A browser's keys are a space of their own, which no header can name: a page never takes, or
            // learns of, a key of the merchant's server.
            key: if self.is_browser() { format!("browser {key}") } else { key.to_owned() },
            route: route.into(),
            mac: keys.mac(Purpose::Idempotency, &parts).to_vec(),
            operation: None,
            answer: None,
        }))
    }
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
        Access::Public => return Ok(()),
        Access::Unrestricted if principal.is_unrestricted() => return Ok(()),
        Access::Unrestricted if is_secret => return Err(Problem::plain(&code::RESTRICTED_KEY)),
        Access::Publishable(_) | Access::ClientSecret(_) if !is_secret => return Ok(()),
        Access::Secret(_) | Access::Unrestricted if !is_secret => {
            return Err(Problem::plain(&code::PUBLISHABLE_KEY));
        }
        Access::Secret(scope) | Access::Publishable(scope) | Access::ClientSecret(scope) => scope,
        Access::Unrestricted => return Err(Problem::plain(&code::RESTRICTED_KEY)),
    };
    if principal.scopes.allow(scope) {
        return Ok(());
    }
    Err(Problem::new(&code::MISSING_SCOPE, format!("This key lacks the scope `{scope}`.")))
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = given.next() else { return Err(Problem::plain(&code::MISSING_API_KEY)) };
    let invalid = || Problem::new(&code::INVALID_API_KEY, "Send one `Authorization: Bearer …` header.");
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
            "This is no API key: keys begin with `sk_test_` or `sk_live_`.",
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

/// From where the request came; unknown only where no connection is, in tests of the router alone.
fn peer_address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get::<Peer>().map(|peer| peer.0.ip().to_canonical())
}

/// A live key over plain HTTP from another machine has been read by everybody on the way. TLS ends in
/// a proxy on this machine.
fn comes_from_afar(parts: &Parts) -> bool {
    parts.extensions.get::<Peer>().is_some_and(|peer| !peer.0.ip().to_canonical().is_loopback())
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
const SCENARIO: &str = "X-Florin-Sandbox-Scenario";

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
    match name.and_then(|name| SCENARIOS.iter().find(|scenario| scenario.name == name)) {
        Some(scenario) => Ok(Some(scenario.name.to_owned())),
        None => {
            let names: Vec<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
            refuse(format!("`{SCENARIO}` must name one scenario: {}.", names.join(", ")))
        }
    }
}

/// The trace of W3C Trace Context's `traceparent`, if it is a whole one.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = text.split('-');
    let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let whole = is_hex(version, 2) && is_hex(trace, 32) && is_hex(span, 16) && is_hex(flags, 2);
    (whole && version != "ff" && trace.bytes().any(|byte| byte != b'0')).then(|| trace.to_owned())
}
