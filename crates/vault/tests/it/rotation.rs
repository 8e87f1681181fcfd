//! Rotation of the key-encryption key: every card is readable at every step, whoever dies at it.

use std::sync::Arc;
use std::time::Duration;

use store::Fault;
use vault::VaultError;
use vault::cards::{
    CardToken, CardVault, KekId, KeyEncryption as _, Rewrapped, Rotation, SETTLE, SoftwareKeystore,
};

use crate::card_world::{CardWorld, holder, numbered, scope, worlds};

async fn fill(vault: &CardVault, count: u64) -> Vec<CardToken> {
    let mut tokens = Vec::new();
    for at in 0..count {
        tokens.push(vault.keep(scope(1), holder(u128::from(at) + 1), &numbered(at)).await.unwrap());
    }
    tokens
}

/// What a start right now would find: every key is there, every card opens.
async fn all_open(world: &CardWorld, tokens: &[CardToken]) -> Arc<CardVault> {
    let vault = world.start().await.unwrap();
    for (at, token) in (0..).zip(tokens) {
        let shown = vault.reveal(scope(1), holder(at + 1), *token).await.unwrap();
        assert_eq!(shown, Some(numbered(u64::try_from(at).unwrap())), "card {at} in {}", world.name);
    }
    vault
}

async fn keys(world: &CardWorld) -> Vec<KekId> {
    let (path, unlock) = (world.keystore_path(), world.unlock());
    let keystore = SoftwareKeystore::open(&path, &unlock, world.keystore_ports()).unwrap().unwrap();
    keystore.keys().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dies_at_any_step_the_next_start_goes_on() {
    for world in worlds("steps").await {
        let vault = world.start().await.unwrap();
        let tokens = fill(&vault, 7).await;
        let first = vault.status().await.unwrap().current;
        // A key was made, and the rotation died: the next one takes it.
        let prepared = vault.prepare().await.unwrap();
        let vault = all_open(&world, &tokens).await;
        assert_eq!(vault.status().await.unwrap().unused, [prepared]);
        assert_eq!(vault.rotate().await.unwrap(), Rotation::Begun(prepared));
        assert_eq!(keys(&world).await, [first, prepared]);
        // It became the current one, and nothing was wrapped anew.
        let vault = all_open(&world, &tokens).await;
        assert_eq!(vault.status().await.unwrap().retiring, [(first, 7)]);
        assert_eq!(vault.rotate().await.unwrap(), Rotation::UnderWay(prepared));
        // Some were.
        assert_eq!(vault.rewrap(3, Duration::ZERO).await.unwrap(), Rewrapped { cards: 3, retired: 0 });
        let vault = all_open(&world, &tokens).await;
        assert_eq!(vault.status().await.unwrap().retiring, [(first, 4)]);
        // All were, and the old key is kept until no node can be using it.
        assert_eq!(vault.rewrap(100, SETTLE).await.unwrap().cards, 4);
        assert_eq!(vault.rewrap(100, SETTLE).await.unwrap(), Rewrapped::default(), "{}", world.name);
        let vault = all_open(&world, &tokens).await;
        assert_eq!(vault.status().await.unwrap().retiring, [(first, 0)]);
        assert!(!vault.destroy_retired(first).await.unwrap(), "not retired yet");
        assert_eq!(vault.rewrap(100, Duration::ZERO).await.unwrap(), Rewrapped { cards: 0, retired: 1 });
        // It is retired, and still in the keystore.
        let vault = all_open(&world, &tokens).await;
        let status = vault.status().await.unwrap();
        assert_eq!((status.current, status.retiring.len(), status.retired.len()), (prepared, 0, 1));
        assert_eq!(vault.rewrap(100, Duration::ZERO).await.unwrap(), Rewrapped::default());
        assert!(vault.destroy_retired(first).await.unwrap());
        assert_eq!(keys(&world).await, [prepared]);
        let vault = all_open(&world, &tokens).await;
        assert!(matches!(vault.rotate().await.unwrap(), Rotation::Begun(_)), "and again");
        all_open(&world, &tokens).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_the_database_says_when_a_key_has_settled() {
    let world = CardWorld::memory("settle");
    let vault = world.start().await.unwrap();
    vault.rotate().await.unwrap();
    world.clock.advance(SETTLE.checked_sub(Duration::from_secs(1)).unwrap());
    assert_eq!(vault.rewrap(10, SETTLE).await.unwrap().retired, 0);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(vault.rewrap(10, SETTLE).await.unwrap().retired, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_of_a_rotation_that_fails_changes_nothing_and_is_made_up_for() {
    let world = CardWorld::memory("rotation-faults");
    let vault = world.start().await.unwrap();
    let tokens = fill(&vault, 4).await;
    let memory = world.memory.as_ref().unwrap();
    memory.inject(Fault::FailsBefore);
    let failed = vault.rotate().await.unwrap_err();
    assert!(matches!(failed, VaultError::Unavailable(_)), "{failed}");
    assert_eq!(keys(&world).await.len(), 2, "the key was made, and waits");
    let vault = all_open(&world, &tokens).await;
    memory.inject(Fault::LostAfter);
    assert!(matches!(vault.rotate().await.unwrap(), Rotation::Begun(_)));
    assert_eq!(keys(&world).await.len(), 2, "and no third one");
    for fault in [Fault::FailsBefore, Fault::LostAfter, Fault::Loses(kernel::Outcome::Conflict)] {
        memory.inject(fault);
        let _ = vault.rewrap(2, Duration::ZERO).await;
        all_open(&world, &tokens).await;
    }
    memory.inject(Fault::FailsBefore);
    while vault.rewrap(2, Duration::ZERO).await.is_err() {}
    while vault.rewrap(2, Duration::ZERO).await.unwrap() != Rewrapped::default() {}
    let status = all_open(&world, &tokens).await.status().await.unwrap();
    assert_eq!((status.retiring.len(), status.retired.len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_rotate_while_cards_come_and_go_lose_none() {
    for world in worlds("nodes").await {
        let nodes = [world.start().await.unwrap(), world.start().await.unwrap()];
        let mut tokens = fill(&nodes[0], 20).await;
        let (one, other) = tokio::join!(nodes[0].rotate(), nodes[1].rotate());
        let begun = [one.unwrap(), other.unwrap()];
        let current = nodes[0].status().await.unwrap().current;
        let wins = begun.iter().filter(|rotation| **rotation == Rotation::Begun(current)).count();
        assert_eq!(wins, 1, "{}: {begun:?}", world.name);
        assert!(begun.contains(&Rotation::UnderWay(current)), "{begun:?}");
        let wrapping = |vault: Arc<CardVault>| async move {
            for _ in 0..8 {
                vault.rewrap(5, SETTLE).await.unwrap();
            }
        };
        let coming = async {
            let mut made = Vec::new();
            // The second node may still believe in the key before: its cards are found by a later pass.
            for at in 20..30 {
                let card = holder(u128::from(at) + 1);
                made.push(nodes[1].keep(scope(1), card, &numbered(at)).await.unwrap());
            }
            made
        };
        let wrapped = tokio::join!(wrapping(Arc::clone(&nodes[0])), wrapping(Arc::clone(&nodes[1])), coming);
        tokens.extend(wrapped.2);
        while nodes[0].rewrap(50, Duration::ZERO).await.unwrap() != Rewrapped::default() {}
        let vault = all_open(&world, &tokens).await;
        let status = vault.status().await.unwrap();
        assert_eq!((status.retiring.len(), status.retired.len()), (0, 1), "{}", world.name);
        let kek = kernel::Cell::from(current);
        assert!(world.cards().await.iter().all(|row| row.columns[1] == kek), "{}", world.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_the_new_key_says_so_and_goes_on_once_it_has_it() {
    let world = CardWorld::memory("late");
    let vault = world.start().await.unwrap();
    let tokens = fill(&vault, 2).await;
    // A second node with a copy of the keystore from before the rotation.
    let copy = world.folder.file("copy.keystore");
    std::fs::copy(world.keystore_path(), &copy).unwrap();
    let late = SoftwareKeystore::open(&copy, &world.unlock(), world.keystore_ports()).unwrap().unwrap();
    let late = world.start_with(late).await.unwrap();
    vault.rotate().await.unwrap();
    vault.rewrap(100, SETTLE).await.unwrap();
    let refused = late.reveal(scope(1), holder(1), tokens[0]).await.unwrap_err();
    assert!(matches!(refused, VaultError::NoKey(_)), "{refused}");
    world.clock.advance(Duration::from_secs(6));
    let refused = late.keep(scope(1), holder(9), &numbered(9)).await.unwrap_err();
    assert!(matches!(refused, VaultError::NoKey(_)), "{refused}");
    std::fs::copy(world.keystore_path(), &copy).unwrap();
    assert_eq!(late.reveal(scope(1), holder(1), tokens[0]).await.unwrap(), Some(numbered(0)));
    late.keep(scope(1), holder(9), &numbered(9)).await.unwrap();
}
