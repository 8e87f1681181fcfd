//! Access tokens by client credentials (RFC 6749, section 4.4): had when they are needed, kept in memory
//! while they are good, never recorded.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use kernel::{Auth, Credentials, Deadline, Effect, Exchanged, Method, Monotonic, Reply, Request, Secret};
use parking_lot::Mutex;
use serde_json::Value;

use crate::deadline::{remaining, within};
use crate::transport::Transport;

/// A token is not used in the last minute of its life: a request under way must still find it good.
const SPARE: Duration = Duration::from_mins(1);

/// A token whose server does not say for how long is used for so long.
const LIFE_UNSAID: Duration = Duration::from_mins(5);

/// Whose token: a digest of the address and the client's id and secret, so that changed credentials never
/// go on under an old token, and no secret is kept for this.
type Key = [u8; 32];

/// A token, and until when it is used.
#[derive(Clone)]
struct Token {
    text: Arc<Secret<String>>,
    until: Monotonic,
}

/// One client's token. Whoever holds it asks for a new one; others wait for that one.
type Place = Arc<tokio::sync::Mutex<Option<Token>>>;

/// The tokens of all clients.
#[derive(Default)]
pub(crate) struct Tokens(Mutex<HashMap<Key, Place>>);

/// Where a token came from.
struct Had {
    token: Token,
    /// Somebody used it before: it may have been taken back since.
    is_old: bool,
}

impl Transport {
    /// Sends one request, with an access token where its authentication needs one.
    pub(crate) async fn run_authorized(
        &self,
        request: &Request,
        credentials: &Credentials,
        deadline: Deadline,
    ) -> Exchanged {
        let Auth::OAuth { client_id, client_secret, token_url } = &request.auth else {
            return self.run(request, credentials, None, deadline).await;
        };
        let asked = Request {
            step: "token",
            key: String::new(),
            effect: Effect::Read,
            method: Method::Post,
            url: token_url.clone(),
            headers: vec![
                ("accept".to_owned(), "application/json".to_owned()),
                ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ],
            body: b"grant_type=client_credentials".to_vec(),
            auth: Auth::Basic(client_id, client_secret),
            carries_card: false,
        };
        let place = match self.place(client_id, client_secret, token_url, credentials) {
            Ok(place) => place,
            Err(reason) => return Exchanged::NotSent(reason),
        };
        let Had { token, is_old } = match self.token(&place, &asked, credentials, deadline, None).await {
            Ok(had) => had,
            Err(instead) => return instead,
        };
        let came = self.run(request, credentials, Some(&token.text), deadline).await;
        // Whoever answers 401 has not done it. A new token that is refused as well is the answer.
        let is_refused = matches!(&came, Exchanged::Replied(reply) if reply.status == 401);
        if !is_refused || !is_old {
            return came;
        }
        match self.token(&place, &asked, credentials, deadline, Some(&token)).await {
            Ok(Had { token, .. }) => self.run(request, credentials, Some(&token.text), deadline).await,
            Err(_) => came,
        }
    }

    fn place(
        &self,
        client_id: &str,
        client_secret: &str,
        token_url: &str,
        credentials: &Credentials,
    ) -> Result<Place, String> {
        let mut parts = token_url.as_bytes().to_vec();
        for name in [client_id, client_secret] {
            let secret = credentials.get(name).ok_or_else(|| format!("the account has no `{name}`"))?;
            parts.extend_from_slice(digest(&SHA256, secret.expose().as_bytes()).as_ref());
        }
        let mut key: Key = [0; 32];
        key.copy_from_slice(digest(&SHA256, &parts).as_ref());
        let mut places = self.shared.tokens.0.lock();
        // Credentials are rolled: what nobody holds and is over is not kept for ever.
        let now = self.shared.clock.monotonic();
        places.retain(|known, place| {
            let is_over = |token: &Token| token.until <= now;
            *known == key || !place.try_lock().is_ok_and(|token| token.as_ref().is_none_or(is_over))
        });
        Ok(Arc::clone(places.entry(key).or_default()))
    }

    /// A token that is good, other than the one that was `refused`. `Err` is the answer in its place.
    async fn token(
        &self,
        place: &Place,
        asked: &Request,
        credentials: &Credentials,
        deadline: Deadline,
        refused: Option<&Token>,
    ) -> Result<Had, Exchanged> {
        let clock = self.shared.clock.as_ref();
        let late = || Exchanged::NotSent("no access token in time".to_owned());
        let left = remaining(&deadline, clock);
        let mut place = within(clock, left, place.lock()).await.ok_or_else(late)?;
        let is_good = |token: &&Token| {
            let is_refused = refused.is_some_and(|refused| Arc::ptr_eq(&refused.text, &token.text));
            token.until > clock.monotonic() && !is_refused
        };
        if let Some(token) = place.as_ref().filter(is_good).cloned() {
            return Ok(Had { token, is_old: true });
        }
        let began = clock.monotonic();
        let reply = match self.run(asked, credentials, None, deadline).await {
            Exchanged::Replied(reply) => reply,
            // Of the request itself not one byte left.
            Exchanged::NotSent(reason) | Exchanged::MaybeSent(reason) => {
                return Err(Exchanged::NotSent(format!("no access token: {reason}")));
            }
        };
        let Some(token) = read(&reply, began) else {
            return Err(match reply.status {
                400..=499 => Exchanged::Replied(reply),
                status => Exchanged::NotSent(format!("no access token: the answer was {status}")),
            });
        };
        *place = Some(token.clone());
        Ok(Had { token, is_old: false })
    }
}

fn read(reply: &Reply, began: Monotonic) -> Option<Token> {
    if reply.status != 200 {
        return None;
    }
    let answer: Value = serde_json::from_slice(&reply.body).ok()?;
    let text = answer.get("access_token")?.as_str().filter(|text| !text.is_empty())?.to_owned();
    let life = answer.get("expires_in").and_then(Value::as_u64).map_or(LIFE_UNSAID, Duration::from_secs);
    let until = Monotonic(began.0 + life.saturating_sub(SPARE));
    Some(Token { text: Arc::new(Secret::new(text)), until })
}
