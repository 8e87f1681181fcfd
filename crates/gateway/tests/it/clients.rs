//! Who is calling: the connection's peer, or whom a trusted proxy says it speaks for.

use axum::http::{HeaderMap, HeaderName};
use gateway::Client;
use kernel::Network;

fn client(peer: &str, headers: &[(&str, &str)]) -> (String, bool) {
    let trusted: Vec<Network> = ["10.0.0.0/8", "fd00::/8"].map(|text| text.parse().unwrap()).into();
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
    }
    let client = Client::behind(peer.parse().unwrap(), &map, &trusted);
    (client.address.unwrap().to_string(), client.is_private)
}

#[test]
fn only_a_trusted_proxy_is_believed() {
    let lies = [("x-forwarded-for", "203.0.113.9"), ("x-forwarded-proto", "https")];
    assert_eq!(client("198.51.100.7", &lies), ("198.51.100.7".to_owned(), false));
    assert_eq!(client("127.0.0.1", &lies), ("127.0.0.1".to_owned(), true));
    assert_eq!(client("10.0.0.1", &lies), ("203.0.113.9".to_owned(), true));
    let forwarded = [("forwarded", "for=203.0.113.9;proto=https")];
    assert_eq!(client("198.51.100.7", &forwarded), ("198.51.100.7".to_owned(), false));
    assert_eq!(client("10.0.0.1", &forwarded), ("203.0.113.9".to_owned(), true));
}

#[test]
fn the_caller_is_the_nearest_hop_that_is_no_proxy_of_ours() {
    for (header, value, address) in [
        // What the caller wrote himself stands further left, and is never reached.
        ("x-forwarded-for", "1.2.3.4, 203.0.113.9", "203.0.113.9"),
        ("x-forwarded-for", "1.2.3.4, 203.0.113.9, 10.1.1.1", "203.0.113.9"),
        ("x-forwarded-for", "203.0.113.9:4711", "203.0.113.9"),
        ("x-forwarded-for", "[2001:db8::9]:4711", "2001:db8::9"),
        ("x-forwarded-for", "2001:db8::9", "2001:db8::9"),
        ("x-forwarded-for", "::ffff:203.0.113.9", "203.0.113.9"),
        ("x-forwarded-for", "203.0.113.9, nonsense", "10.0.0.1"),
        ("x-forwarded-for", "203.0.113.9, nonsense, 10.2.2.2", "10.2.2.2"),
        ("x-forwarded-for", "", "10.0.0.1"),
        ("x-forwarded-for", "10.3.3.3", "10.3.3.3"),
        ("forwarded", "for=1.2.3.4, for=\"[2001:db8::9]:4711\";by=10.0.0.1", "2001:db8::9"),
        ("forwarded", "FOR=203.0.113.9", "203.0.113.9"),
        ("forwarded", "for=unknown", "10.0.0.1"),
        ("forwarded", "for=_hidden", "10.0.0.1"),
    ] {
        assert_eq!(client("10.0.0.1", &[(header, value)]).0, address, "{value}");
    }
    // Two lines are one list.
    let lines = [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "203.0.113.9")];
    assert_eq!(client("10.0.0.1", &lines).0, "203.0.113.9");
    // One of the two headers is the caller's own: neither is believed.
    let both = [("x-forwarded-for", "203.0.113.9"), ("forwarded", "for=1.2.3.4")];
    assert_eq!(client("10.0.0.1", &both).0, "10.0.0.1");
}

#[test]
fn a_proxy_that_says_http_was_read_by_others() {
    for (headers, is_private) in [
        (vec![], true),
        (vec![("x-forwarded-proto", "https")], true),
        (vec![("x-forwarded-proto", "http")], false),
        (vec![("x-forwarded-proto", "https, http")], false),
        (vec![("forwarded", "for=203.0.113.9;proto=http")], false),
        (vec![("forwarded", "for=203.0.113.9;proto=https;host=x")], true),
        (
            vec![
                ("forwarded", "for=203.0.113.9"),
                ("x-forwarded-for", "1.2.3.4"),
                ("x-forwarded-proto", "http"),
            ],
            false,
        ),
    ] {
        assert_eq!(client("10.0.0.1", &headers).1, is_private, "{headers:?}");
    }
}
