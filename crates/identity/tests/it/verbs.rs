//! Creating and revoking: what is stored, what is announced, what is refused, and repeats.

use std::borrow::Cow;
use std::time::Duration;

use identity::{AccessScope, AuthenticationError, IdentityError, KeyKind, NewKey};
use kernel::{Answer, Claim, Mode, Outcome, Scope};
use store::Fault;

use crate::world::{Installation, merchant, operator};

fn claim(scope: Scope, key: &str) -> Claim {
    Claim {
        scope,
        key: key.to_owned(),
        route: Cow::Borrowed("POST /keys"),
        mac: vec![1],
        mac_before: None,
        operation: None,
        answer: None,
    }
}

#[tokio::test]
async fn names_are_judged_once_here() {
    let installation = Installation::new();
    let node = installation.node();
    assert_eq!(merchant(&node).await.name, "Ada & Co");
    let long = "x".repeat(201);
    for name in ["", "  ", "a\nb", "a\0b", "pay 4242 4242 4242 4242", &long] {
        let refused = node.identity.create_merchant(name, &operator(), None).await;
        assert!(matches!(refused, Err(IdentityError::Name)), "{name:?}");
    }
    assert!(node.identity.create_merchant(&"é".repeat(200), &operator(), None).await.is_ok());
    assert_eq!(installation.rows(&identity::MERCHANT).await.len(), 2);
}

#[tokio::test]
async fn the_text_of_a_key_is_stored_nowhere() {
    let installation = Installation::new();
    let node = installation.node();
    let scope = merchant(&node).await.scope(Mode::Live);
    let claim = claim(scope, "k1");
    let (key, text) =
        node.identity.create_key(scope, KeyKind::Secret, &operator(), Some(claim)).await.unwrap();
    let secret = text.expose().strip_prefix("sk_live_").unwrap();
    for table in [&identity::API_KEY, &kernel::JOURNAL, &kernel::CLAIM] {
        let rows = installation.rows(table).await;
        assert!(!rows.is_empty());
        assert!(!format!("{rows:?}").contains(secret), "{}", table.name);
        for row in rows {
            let text = String::from_utf8_lossy(&row.state).into_owned();
            assert!(!text.contains(secret), "{}", table.name);
        }
    }
    assert!(!format!("{key:?} {text:?}").contains(secret));
    assert_eq!(node.identity.keys(scope.merchant).await.unwrap(), [key]);
}

#[tokio::test]
async fn a_repeat_of_an_idempotency_key_writes_nothing_and_finds_the_answer() {
    let installation = Installation::new();
    let node = installation.node();
    let scope = merchant(&node).await.scope(Mode::Test);
    let create = |key| node.identity.create_key(scope, KeyKind::Secret, &OPERATOR, Some(claim(scope, key)));
    let (first, text) = create("k1").await.unwrap();
    assert!(matches!(create("k1").await, Err(IdentityError::Claimed)));
    assert_eq!(node.identity.keys(scope.merchant).await.unwrap().len(), 1);
    create("k2").await.unwrap();

    let rows = installation.rows(&kernel::CLAIM).await;
    let answer = rows.first().and_then(|row| row.columns.get(3)).and_then(|cell| cell.as_bytes()).unwrap();
    assert!(!String::from_utf8_lossy(answer).contains(text.expose().as_str()));
    let answer: Answer = serde_json::from_slice(answer).unwrap();
    assert_eq!((answer.subject, answer.version), (first.id.to_string(), 1));
    assert_eq!(answer.outcome.get(), "\"created\"");
}

const OPERATOR: kernel::Actor = kernel::Actor::Node;

#[tokio::test]
async fn another_merchants_key_is_unknown() {
    let installation = Installation::new();
    let node = installation.node();
    let (one, other) = (merchant(&node).await, merchant(&node).await);
    let (key, _) =
        node.identity.create_key(one.scope(Mode::Test), KeyKind::Secret, &operator(), None).await.unwrap();
    let refused = node.identity.revoke_key(other.id, key.id, &operator(), None).await;
    assert!(matches!(refused, Err(IdentityError::UnknownKey)), "{refused:?}");
    let nobody = Scope { merchant: kernel::Id::from_uuid(uuid::Uuid::max()), mode: Mode::Test };
    let refused = node.identity.create_key(nobody, KeyKind::Secret, &operator(), None).await;
    assert!(matches!(refused, Err(IdentityError::UnknownMerchant)), "{refused:?}");
}

#[tokio::test]
async fn a_key_is_revoked_once_and_announced_once() {
    let installation = Installation::new();
    let node = installation.node();
    let scope = merchant(&node).await.scope(Mode::Test);
    let (key, _) = node.identity.create_key(scope, KeyKind::Secret, &operator(), None).await.unwrap();
    installation.ports.pass(5);
    // Somebody else changes it meanwhile: decided anew.
    installation.memory.inject(Fault::Loses(Outcome::Conflict));
    let revoked = node.identity.revoke_key(scope.merchant, key.id, &operator(), None).await.unwrap();
    assert!(revoked.revoked_at.is_some());
    installation.ports.pass(5);
    let again = claim(scope, "k1");
    let same = node.identity.revoke_key(scope.merchant, key.id, &operator(), Some(&again)).await.unwrap();
    assert_eq!(same, revoked);
    let repeat = node.identity.revoke_key(scope.merchant, key.id, &operator(), Some(&again)).await;
    assert!(matches!(repeat, Err(IdentityError::Claimed)), "{repeat:?}");
    assert_eq!(
        installation.events().await,
        [("api_key.created", 1), ("api_key.revoked", 2), ("merchant.created", 1)]
            .map(|(kind, sequence)| (kind.to_owned(), sequence))
    );
}

#[tokio::test]
async fn a_failed_write_changes_nothing_and_a_full_queue_says_so() {
    let installation = Installation::new();
    let node = installation.node();
    let scope = merchant(&node).await.scope(Mode::Test);
    let create = || node.identity.create_key(scope, KeyKind::Secret, &OPERATOR, None);
    installation.memory.inject(Fault::FailsBefore);
    assert!(matches!(create().await, Err(IdentityError::NotWritten(_))));
    installation.memory.inject(Fault::Loses(Outcome::Overloaded));
    assert!(matches!(create().await, Err(IdentityError::Busy)));
    assert!(node.identity.keys(scope.merchant).await.unwrap().is_empty());
    installation.memory.inject(Fault::LostAfter);
    let (_, text) = create().await.unwrap();
    assert!(node.identity.authenticate(text.expose()).await.is_ok());
    assert_eq!(node.identity.keys(scope.merchant).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_rotated_key_works_on_until_its_overlap_ends_and_its_successor_is_alike() {
    let installation = Installation::new();
    let (here, there) = (installation.node(), installation.node());
    let scope = merchant(&here).await.scope(Mode::Test);
    let wanted = NewKey {
        scopes: [AccessScope::PaymentsRead].into_iter().collect(),
        expires_in: Some(Duration::from_mins(1)),
        allowed_ips: vec!["10.0.0.0/8".parse().unwrap()],
        ..KeyKind::Secret.into()
    };
    let (old, old_text) = here.identity.create_key(scope, wanted, &operator(), None).await.unwrap();
    assert!(there.identity.authenticate(old_text.expose()).await.is_ok());
    installation.ports.pass(1_000);
    // Somebody else changes it meanwhile: decided anew, and one successor made.
    installation.memory.inject(Fault::Loses(Outcome::Conflict));
    let again = claim(scope, "k1");
    let rotate = |node: &crate::world::Node| {
        let (identity, again) = (node.identity.clone(), again.clone());
        async move {
            let overlap = Duration::from_secs(10);
            identity.rotate_key(scope.merchant, old.id, overlap, &operator(), Some(&again)).await
        }
    };
    let rotated = rotate(&here).await.unwrap();
    assert_eq!(here.identity.keys(scope.merchant).await.unwrap().len(), 2);
    assert_eq!((rotated.key.replaces, rotated.key.scopes), (Some(old.id), old.scopes));
    assert_eq!(rotated.key.allowed_ips, old.allowed_ips);
    let end = |seconds: u64| Some(kernel::Timestamp::default().plus(Duration::from_secs(seconds)));
    assert_eq!((rotated.old.expires_at, rotated.key.expires_at), (end(11), end(61)), "as long a life");

    // A repeat of the idempotency key makes nothing.
    assert!(matches!(rotate(&here).await, Err(IdentityError::Claimed)));

    installation.ports.pass(9_999);
    for text in [&old_text, &rotated.text] {
        for node in [&here, &there] {
            assert!(node.identity.authenticate(text.expose()).await.is_ok());
        }
    }
    installation.ports.pass(1);
    for node in [&here, &there] {
        let ended = node.identity.authenticate(old_text.expose()).await;
        assert!(matches!(ended, Err(AuthenticationError::Expired)), "{ended:?}");
        assert!(node.identity.authenticate(rotated.text.expose()).await.is_ok());
    }
    let ended = rotate(&here).await;
    assert!(matches!(ended, Err(IdentityError::KeyEnded)), "{ended:?}");
    assert_eq!(
        installation.events().await,
        [("api_key.created", 1), ("api_key.created", 1), ("api_key.rotated", 2), ("merchant.created", 1)]
            .map(|(kind, sequence)| (kind.to_owned(), sequence))
    );
}

#[tokio::test]
async fn an_end_by_time_is_exact_however_fresh_the_cache() {
    let installation = Installation::new();
    let node = installation.node();
    let scope = merchant(&node).await.scope(Mode::Live);
    let wanted = NewKey { expires_in: Some(Duration::from_millis(1_500)), ..KeyKind::Secret.into() };
    let (_, text) = node.identity.create_key(scope, wanted, &operator(), None).await.unwrap();
    assert!(node.identity.authenticate(text.expose()).await.is_ok());
    installation.ports.pass(1_499);
    assert!(node.identity.authenticate(text.expose()).await.is_ok());
    installation.ports.pass(1);
    let ended = node.identity.authenticate(text.expose()).await;
    assert!(matches!(ended, Err(AuthenticationError::Expired)), "{ended:?}");
}

#[tokio::test]
async fn a_key_is_bound_to_its_addresses_and_restricted_by_any_of_its_limits() {
    let installation = Installation::new();
    let node = installation.node();
    let scope = merchant(&node).await.scope(Mode::Test);
    let principal = |wanted: NewKey| {
        let identity = node.identity.clone();
        async move {
            let (_, text) = identity.create_key(scope, wanted, &operator(), None).await.unwrap();
            identity.authenticate(text.expose()).await.unwrap()
        }
    };
    let new = || NewKey::from(KeyKind::Secret);
    assert!(principal(new()).await.admits(None));
    let bound = principal(NewKey { allowed_ips: vec!["10.0.0.0/8".parse().unwrap()], ..new() }).await;
    for (address, admitted) in [("10.1.2.3", true), ("11.1.2.3", false), ("::ffff:10.1.2.3", true)] {
        assert_eq!(bound.admits(Some(address.parse().unwrap())), admitted, "{address}");
    }
    assert!(!bound.admits(None), "who does not say from where is let in nowhere");
}
