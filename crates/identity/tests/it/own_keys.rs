//! Keys that a key makes: nothing that can do more than it, and nothing of another world.

use std::borrow::Cow;
use std::time::Duration;

use identity::{AccessScope, IdentityError, KeyKind, KeyStatus, NewKey, Principal};
use kernel::{Actor, Claim, Clock as _, Mode, Scope};

use crate::world::{Installation, Node, merchant};

const ACTOR: Actor = Actor::Node;
const DAY: Duration = Duration::from_hours(24);

fn claim(scope: Scope, key: &str, mac: u8) -> Claim {
    let route = Cow::Borrowed("POST /api-keys");
    Claim {
        scope,
        key: key.to_owned(),
        route,
        mac: vec![mac],
        mac_before: None,
        operation: None,
        answer: None,
    }
}

/// Whoever holds a new key like this.
async fn holder(node: &Node, scope: Scope, wanted: NewKey) -> Principal {
    let (_, text) = node.identity.create_key(scope, wanted, &ACTOR, None).await.unwrap();
    node.identity.authenticate(text.expose()).await.unwrap()
}

fn secret(scopes: &str) -> NewKey {
    let scopes = scopes.split_whitespace().map(|word| word.parse::<AccessScope>().unwrap());
    NewKey { scopes: scopes.collect(), ..KeyKind::Secret.into() }
}

fn from(addresses: &str) -> NewKey {
    let allowed_ips = addresses.split_whitespace().map(|text| text.parse().unwrap()).collect();
    NewKey { allowed_ips, ..KeyKind::Secret.into() }
}

fn living(life: Duration) -> NewKey {
    NewKey { expires_in: Some(life), ..KeyKind::Secret.into() }
}

#[tokio::test]
async fn a_key_makes_and_follows_none_that_can_do_more_than_itself() {
    let installation = Installation::new();
    let node = installation.node();
    let scope = merchant(&node).await.scope(Mode::Test);
    let publishable = NewKey::from(KeyKind::Publishable);
    for (own, wanted, refused) in [
        (secret(""), secret(""), ""),
        (secret(""), publishable.clone(), ""),
        (secret("api_keys:write refunds:write"), secret("refunds:write"), ""),
        (secret("api_keys:write refunds:write"), secret("refunds:write refunds:read"), "scopes"),
        (secret("api_keys:write"), secret(""), "scopes"),
        (secret("api_keys:write"), publishable.clone(), "scopes"),
        (secret("api_keys:write payment_methods:write payments:read payments:write"), publishable, ""),
        (from("10.0.0.0/8"), from("10.1.0.0/16 10.2.0.1"), ""),
        (from("10.0.0.0/8"), from("10.1.0.0/16 192.0.2.1"), "allowed_ips"),
        (from("10.1.0.0/16"), from("10.0.0.0/8"), "allowed_ips"),
        (from("10.0.0.0/8"), secret(""), "allowed_ips"),
        (secret(""), from("10.0.0.0/8"), ""),
        (living(DAY), living(DAY / 2), ""),
        (living(DAY), living(DAY * 2), "expires_in"),
        (living(DAY), secret(""), "expires_in"),
    ] {
        let by = holder(&node, scope, own.clone()).await;
        let field = |error: IdentityError| match error {
            IdentityError::BeyondOwn { field, .. } => field,
            other => panic!("{other:?}"),
        };
        let made = node.identity.own_key_create(&by, wanted.clone(), &ACTOR, None).await;
        assert_eq!(made.map_or_else(field, |_| ""), refused, "{own:?} {wanted:?}");
        // Nor does it get the text of one by rotating it.
        let (other, _) = node.identity.create_key(scope, wanted.clone(), &ACTOR, None).await.unwrap();
        let rotated = node.identity.own_key_rotate(&by, other.id, DAY, &ACTOR, None).await;
        assert_eq!(rotated.map_or_else(field, |_| ""), refused, "{own:?} {wanted:?}");
        // It may end it, whatever that could do.
        let (ended, replayed) = node.identity.own_key_revoke(&by, other.id, &ACTOR, None).await.unwrap();
        assert_eq!((ended.status(installation.ports.now()), replayed), (KeyStatus::Revoked, false));
    }
}

#[tokio::test]
async fn a_key_does_not_end_itself_but_follows_itself_with_time_to_spare() {
    let installation = Installation::new();
    let node = installation.node();
    let scope = merchant(&node).await.scope(Mode::Test);
    let by = holder(&node, scope, living(DAY)).await;
    let revoked = node.identity.own_key_revoke(&by, by.key, &ACTOR, None).await;
    assert!(matches!(revoked, Err(IdentityError::OwnEnd)), "{revoked:?}");
    let at_once = node.identity.own_key_rotate(&by, by.key, Duration::from_secs(3599), &ACTOR, None).await;
    assert!(matches!(at_once, Err(IdentityError::OwnEnd)), "{at_once:?}");
    let followed = node.identity.own_key_rotate(&by, by.key, Duration::from_hours(1), &ACTOR, None).await;
    assert_eq!(followed.unwrap().key.replaces, Some(by.key));
}

#[tokio::test]
async fn another_worlds_keys_and_another_merchants_are_unknown() {
    let installation = Installation::new();
    let node = installation.node();
    let (ours, theirs) = (merchant(&node).await, merchant(&node).await);
    let test = ours.scope(Mode::Test);
    let by = holder(&node, test, secret("")).await;
    for other in [ours.scope(Mode::Live), theirs.scope(Mode::Test)] {
        let (key, _) = node.identity.create_key(other, KeyKind::Secret, &ACTOR, None).await.unwrap();
        let unknown = |error: IdentityError| assert!(matches!(error, IdentityError::UnknownKey), "{error:?}");
        unknown(node.identity.own_key(test, key.id).await.unwrap_err());
        unknown(node.identity.own_key_rotate(&by, key.id, DAY, &ACTOR, None).await.unwrap_err());
        unknown(node.identity.own_key_revoke(&by, key.id, &ACTOR, None).await.unwrap_err());
        assert_eq!(
            node.identity.own_key(other, key.id).await.unwrap().status(installation.ports.now()),
            KeyStatus::Active
        );
    }
    let made = node.identity.own_key_create(&by, secret(""), &ACTOR, None).await.unwrap();
    assert_eq!(made.key.scope, test);
}

#[tokio::test]
async fn a_repeat_shows_the_key_without_its_text_and_makes_no_second() {
    let installation = Installation::new();
    let node = installation.node();
    let scope = merchant(&node).await.scope(Mode::Test);
    let by = holder(&node, scope, secret("")).await;
    let create = |mac| node.identity.own_key_create(&by, secret(""), &ACTOR, Some(claim(scope, "k", mac)));
    let first = create(1).await.unwrap();
    assert!(first.text.is_some() && !first.replayed);
    let again = create(1).await.unwrap();
    assert_eq!((again.key.id, again.text.is_none(), again.replayed), (first.key.id, true, true));
    assert!(matches!(create(2).await, Err(IdentityError::KeyReused)), "another body");
    assert_eq!(node.identity.own_keys(scope, None, 10).await.unwrap().keys.len(), 2);

    let id = first.key.id;
    let rotate = || node.identity.own_key_rotate(&by, id, Duration::ZERO, &ACTOR, Some(claim(scope, "r", 3)));
    let rotated = rotate().await.unwrap();
    // The old one has ended: without its key the same request is refused, with it answered as before.
    let again = rotate().await.unwrap();
    assert_eq!((again.key.id, again.text.is_none(), again.replayed), (rotated.key.id, true, true));
    let bare = node.identity.own_key_rotate(&by, id, Duration::ZERO, &ACTOR, None).await;
    assert!(matches!(bare, Err(IdentityError::KeyEnded)), "{bare:?}");
    let revoke = || node.identity.own_key_revoke(&by, rotated.key.id, &ACTOR, Some(claim(scope, "v", 4)));
    assert!(!revoke().await.unwrap().1);
    assert!(revoke().await.unwrap().1);
}

#[tokio::test]
async fn pages_are_of_one_world_and_whole() {
    let installation = Installation::new();
    let node = installation.node();
    let ours = merchant(&node).await;
    let test = ours.scope(Mode::Test);
    let mut ids = Vec::new();
    for number in 0..230 {
        let mode = if number % 3 == 0 { Mode::Live } else { Mode::Test };
        let (key, _) =
            node.identity.create_key(ours.scope(mode), KeyKind::Secret, &ACTOR, None).await.unwrap();
        ids.extend((mode == Mode::Test).then_some(key.id));
    }
    ids.reverse();
    for limit in [1, 7, 100, 200] {
        let (mut seen, mut below) = (Vec::new(), None);
        loop {
            let page = node.identity.own_keys(test, below, limit).await.unwrap();
            assert!(page.keys.len() <= limit);
            seen.extend(page.keys.iter().map(|key| key.id));
            below = page.next;
            if below.is_none() {
                break;
            }
        }
        assert_eq!(seen, ids, "{limit}");
    }
}
