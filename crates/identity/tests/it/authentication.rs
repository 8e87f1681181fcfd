//! Who a key says is calling, how soon a revoked one is dead, and what it costs.

use std::sync::atomic::Ordering;

use identity::{AccessScopes, AuthenticationError, KeyKind, Principal};
use kernel::Mode;

use crate::world::{Installation, Node, merchant, operator};

async fn key(node: &Node, mode: Mode, kind: KeyKind) -> (Principal, String) {
    let merchant = merchant(node).await;
    let (key, text) = node.identity.create_key(merchant.scope(mode), kind, &operator(), None).await.unwrap();
    let principal = Principal {
        scope: merchant.scope(mode),
        key: key.id,
        kind,
        scopes: AccessScopes::UNRESTRICTED,
        allowed_ips: None,
        expires_at: None,
    };
    (principal, text.expose().clone())
}

fn reads(node: &Node) -> u64 {
    node.line().reads.swap(0, Ordering::Relaxed)
}

#[tokio::test]
async fn a_key_opens_its_world_on_every_node() {
    let installation = Installation::new();
    let (here, there) = (installation.node(), installation.node());
    for (mode, kind, prefix) in [
        (Mode::Test, KeyKind::Secret, "sk_test_"),
        (Mode::Live, KeyKind::Secret, "sk_live_"),
        (Mode::Test, KeyKind::Publishable, "pk_test_"),
        (Mode::Live, KeyKind::Publishable, "pk_live_"),
    ] {
        let (principal, text) = key(&here, mode, kind).await;
        assert!(text.starts_with(prefix), "{mode:?} {kind:?}");
        assert_eq!(here.identity.authenticate(&text).await.unwrap(), principal);
        assert_eq!(there.identity.authenticate(&text).await.unwrap(), principal);
    }
}

#[tokio::test]
async fn a_test_key_with_another_prefix_is_no_live_key() {
    let installation = Installation::new();
    let node = installation.node();
    let (_, text) = key(&node, Mode::Test, KeyKind::Secret).await;
    for prefix in ["sk_live_", "pk_test_", "pk_live_"] {
        let forged = text.replace("sk_test_", prefix);
        let refused = node.identity.authenticate(&forged).await;
        assert!(matches!(refused, Err(AuthenticationError::Unknown)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_revoked_key_is_dead_at_once_here_and_within_five_seconds_everywhere() {
    let installation = Installation::new();
    let (here, there) = (installation.node(), installation.node());
    let (principal, text) = key(&here, Mode::Test, KeyKind::Secret).await;
    assert_eq!(here.identity.authenticate(&text).await.unwrap(), principal);
    assert_eq!(there.identity.authenticate(&text).await.unwrap(), principal);
    let merchant = principal.scope.merchant;
    here.identity.revoke_key(merchant, principal.key, &operator(), None).await.unwrap();
    let refused = here.identity.authenticate(&text).await;
    assert!(matches!(refused, Err(AuthenticationError::Revoked)), "{refused:?}");
    installation.ports.pass(2_999);
    assert_eq!(there.identity.authenticate(&text).await.unwrap(), principal, "cached");
    installation.ports.pass(2_001);
    let refused = there.identity.authenticate(&text).await;
    assert!(matches!(refused, Err(AuthenticationError::Revoked)), "{refused:?}");
}

#[tokio::test]
async fn a_key_in_use_costs_a_read_every_three_seconds() {
    let installation = Installation::new();
    let node = installation.node();
    let (principal, text) = key(&node, Mode::Test, KeyKind::Secret).await;
    reads(&node);
    for _ in 0..10 {
        for _ in 0..100 {
            assert_eq!(node.identity.authenticate(&text).await.unwrap(), principal);
        }
        assert_eq!(reads(&node), 1);
        installation.ports.pass(3_000);
    }
}

#[tokio::test]
async fn while_the_store_is_away_known_keys_live_to_the_end_of_their_five_seconds() {
    let installation = Installation::new();
    let node = installation.node();
    let (principal, text) = key(&node, Mode::Test, KeyKind::Secret).await;
    assert_eq!(node.identity.authenticate(&text).await.unwrap(), principal);
    node.line().cut.store(true, Ordering::Relaxed);
    installation.ports.pass(4_999);
    assert_eq!(node.identity.authenticate(&text).await.unwrap(), principal);
    installation.ports.pass(1);
    let away = node.identity.authenticate(&text).await;
    assert!(matches!(away, Err(AuthenticationError::Store(_))), "503, not 401: {away:?}");
    node.line().cut.store(false, Ordering::Relaxed);
    assert_eq!(node.identity.authenticate(&text).await.unwrap(), principal);
}

#[tokio::test]
async fn guesses_are_read_once_and_nonsense_never() {
    let installation = Installation::new();
    let node = installation.node();
    let guess = format!("sk_test_{}", "x".repeat(43));
    for _ in 0..10 {
        let refused = node.identity.authenticate(&guess).await;
        assert!(matches!(refused, Err(AuthenticationError::Unknown)), "{refused:?}");
    }
    assert_eq!(reads(&node), 1);
    for text in ["", "sk_test_", "sk_test_4eC39HqLyjWDarjtT1zdp7dc", &"x".repeat(1_000_000)] {
        let refused = node.identity.authenticate(text).await;
        assert!(matches!(refused, Err(AuthenticationError::Form)), "{refused:?}");
    }
    assert_eq!(reads(&node), 0);
}

#[tokio::test]
async fn without_a_live_secret_there_are_no_live_keys() {
    let installation = Installation::without_live_secret();
    let node = installation.node();
    let merchant = merchant(&node).await;
    let refused =
        node.identity.create_key(merchant.scope(Mode::Live), KeyKind::Secret, &operator(), None).await;
    assert!(matches!(refused, Err(identity::IdentityError::Vault(_))), "{refused:?}");
    let refused = node.identity.authenticate(&format!("sk_live_{}", "x".repeat(43))).await;
    assert!(matches!(refused, Err(AuthenticationError::NoLive)), "{refused:?}");
    assert_eq!(reads(&node), 0);
}
