//! Who is at the other end: the connection's peer, or whom a trusted proxy says it speaks for.

use std::net::{IpAddr, SocketAddr};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Request};
use kernel::Network;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED: HeaderName = HeaderName::from_static("forwarded");

/// Who is at the other end of the connection; put into each request by the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) SocketAddr);

/// Says who is at the other end of the connection that brought a request: what [`crate::serve`] does
/// for its own connections, for whoever drives the router otherwise.
pub fn mark_peer<B>(request: &mut Request<B>, peer: SocketAddr) {
    request.extensions_mut().insert(Peer(peer));
}

/// That the connection which brought a request was encrypted by this server; put into each by it.
#[derive(Clone, Copy, Debug)]
struct Encrypted;

/// Says that this server encrypted the connection which brought a request, as [`mark_peer`] says whose it
/// is.
pub fn mark_encrypted<B>(request: &mut Request<B>) {
    request.extensions_mut().insert(Encrypted);
}

/// Whoever sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// From where; `None` where no connection is, in tests of the router alone.
    pub address: Option<IpAddr>,
    /// Whether nobody on the way could read it: it came over TLS to this server or to a trusted proxy, or
    /// from this machine.
    pub is_private: bool,
}

impl Client {
    /// Of a request. What its headers say counts only if the connection is a trusted proxy's.
    pub(crate) fn of(parts: &Parts, trusted: &[Network]) -> Self {
        match parts.extensions.get::<Peer>() {
            Some(Peer(peer)) => {
                let peer = peer.ip().to_canonical();
                let client = Self::behind(peer, &parts.headers, trusted);
                // Of a request that a proxy brings, the way to the proxy is what could be read.
                let is_direct = !trusted.iter().any(|network| network.contains(peer));
                let is_encrypted = is_direct && parts.extensions.get::<Encrypted>().is_some();
                Self { is_private: client.is_private || is_encrypted, ..client }
            }
            None => Self { address: None, is_private: true },
        }
    }

    /// At the end of a connection from `peer` that brought these headers.
    pub fn behind(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> Self {
        let is_trusted = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
        if !is_trusted(peer) {
            return Self { address: Some(peer), is_private: peer.is_loopback() };
        }
        let (hops, protocol) = match (headers.contains_key(X_FORWARDED_FOR), headers.contains_key(FORWARDED))
        {
            (_, false) => (
                words(headers, &X_FORWARDED_FOR).map(|word| address(&word)).collect(),
                words(headers, &X_FORWARDED_PROTO).last(),
            ),
            (false, true) => forwarded(headers),
            // A proxy writes one of the two; the other would be the caller's own words.
            (true, true) => (Vec::new(), words(headers, &X_FORWARDED_PROTO).last()),
        };
        // From the nearest hop on: the first that is no proxy of ours is the caller. What lies beyond it
        // is the caller's own invention, and a hop that cannot be read ends what is known.
        let mut client = peer;
        for hop in hops.into_iter().rev() {
            let Some(hop) = hop else { break };
            client = hop;
            if !is_trusted(hop) {
                break;
            }
        }
        // The proxy's silence is its operator's word that it ends TLS; its `http` is not.
        let is_private = protocol.is_none_or(|protocol| protocol.eq_ignore_ascii_case("https"));
        Self { address: Some(client), is_private }
    }
}

/// The comma-separated words of all headers of a name, in order.
fn words<'a>(headers: &'a HeaderMap, name: &'a HeaderName) -> impl Iterator<Item = String> + 'a {
    let values = headers.get_all(name).iter();
    values.flat_map(|value| {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        text.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>()
    })
}

/// An address as proxies write it: bare, with a port, or an IPv6 one in brackets.
fn address(word: &str) -> Option<IpAddr> {
    let bracketed = word.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(inside, _)| inside);
    let bare = bracketed.unwrap_or(word);
    let parsed = bare.parse::<IpAddr>().ok();
    parsed.or_else(|| word.parse::<SocketAddr>().ok().map(|it| it.ip())).map(|ip| ip.to_canonical())
}

/// RFC 7239: the addresses of `for`, and the protocol of the nearest hop.
fn forwarded(headers: &HeaderMap) -> (Vec<Option<IpAddr>>, Option<String>) {
    let parameter = |element: &str, wanted: &str| {
        let mut pairs = element.split(';').filter_map(|pair| pair.trim().split_once('='));
        let value = pairs.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value);
        value.map(|value| value.trim_matches('"').to_owned())
    };
    let elements: Vec<String> = words(headers, &FORWARDED).collect();
    let hops = elements.iter().map(|element| address(&parameter(element, "for")?)).collect();
    (hops, elements.last().and_then(|element| parameter(element, "proto")))
}
