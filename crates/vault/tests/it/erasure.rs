//! Releasing: the last holder takes the card's data key with it, and nothing opens the card again.

use std::sync::Arc;
use std::time::Duration;

use vault::cards::{KeyEncryption as _, SoftwareKeystore};

use crate::card_world::{CardWorld, VISA, holder, number, scope, state, worlds};

#[tokio::test(flavor = "multi_thread")]
async fn the_last_release_destroys_the_card_and_leaves_the_proof() {
    for world in worlds("erase").await {
        let vault = world.start().await.unwrap();
        let token = vault.keep(scope(1), holder(1), &number(VISA)).await.unwrap();
        vault.keep(scope(1), holder(2), &number(VISA)).await.unwrap();
        let before = state(&world.cards().await[0]);
        vault.release(scope(1), holder(1)).await.unwrap();
        assert_eq!(vault.reveal(scope(1), holder(1), token).await.unwrap(), None, "not the first one's now");
        assert_eq!(vault.reveal(scope(1), holder(2), token).await.unwrap(), Some(number(VISA)));
        vault.release(scope(1), holder(2)).await.unwrap();
        vault.release(scope(1), holder(2)).await.unwrap();
        assert_eq!(vault.reveal(scope(1), holder(2), token).await.unwrap(), None);
        let rows = world.cards().await;
        let after = state(&rows[0]);
        assert!(after.get("kept").is_none() && after["destroyed_at"].is_i64(), "{after}");
        assert!(rows[0].columns.iter().all(|cell| *cell == kernel::Cell::Null));
        let text = String::from_utf8(rows[0].state.clone()).unwrap();
        for gone in ["number", "data_key", "fingerprint"] {
            assert!(!text.contains(before["kept"][gone].as_str().unwrap()), "{gone}");
        }
        // Whoever brings the old holder back in the store opens nothing with it either.
        assert!(world.rows(2).await.is_empty());
        // The same number later is another card.
        let anew = vault.keep(scope(1), holder(3), &number(VISA)).await.unwrap();
        assert_ne!(anew, token);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_from_before_opens_until_the_key_encryption_key_is_destroyed() {
    let world = CardWorld::memory("copy");
    let vault = world.start().await.unwrap();
    let token = vault.keep(scope(1), holder(1), &number(VISA)).await.unwrap();
    let (old, copy) = (vault.status().await.unwrap().current, world.cards().await.remove(0));
    let copied = state(&copy)["kept"].clone();
    vault.release(scope(1), holder(1)).await.unwrap();
    vault.keep(scope(1), holder(2), &number(VISA)).await.unwrap();
    vault.rotate().await.unwrap();
    while vault.rewrap(10, Duration::ZERO).await.unwrap() != vault::cards::Rewrapped::default() {}
    // The old row comes back, as from a copy of the database: its key still opens it.
    let open = |keystore: SoftwareKeystore| {
        let kept = copied.clone();
        async move {
            let bytes = |text: &str| -> Vec<u8> {
                let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
                (0..text.len()).step_by(2).map(pair).collect()
            };
            let mut place = Vec::new();
            let (whose, card, kek) = (scope(1).to_bytes(), token.uuid(), old.uuid());
            let parts: [&[u8]; 5] = [b"card data key", b"1", &whose, card.as_bytes(), kek.as_bytes()];
            for part in parts {
                place.extend_from_slice(&(part.len() as u64).to_be_bytes());
                place.extend_from_slice(part);
            }
            let wrapped = bytes(kept["data_key"].as_str().unwrap());
            keystore.unwrap(old, &place, &wrapped).await.is_ok()
        }
    };
    let keystore = || {
        let (path, unlock) = (world.keystore_path(), world.unlock());
        SoftwareKeystore::open(&path, &unlock, world.keystore_ports()).unwrap().unwrap()
    };
    assert!(open(keystore()).await, "a copy from before can be read: that is why old keys are destroyed");
    assert!(vault.destroy_retired(old).await.unwrap());
    assert!(!open(keystore()).await);
    let current = vault.status().await.unwrap().current;
    assert!(!vault.destroy_retired(current).await.unwrap(), "never the one that is used");
    world.start().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn keeping_and_releasing_at_the_same_time_never_destroys_what_is_held() {
    for world in worlds("churn").await {
        let nodes = [world.start().await.unwrap(), world.start().await.unwrap()];
        for round in 0..12_u128 {
            let leaving = holder(round * 2 + 1_000);
            let coming = holder(round * 2 + 1_001);
            nodes[0].keep(scope(1), leaving, &number(VISA)).await.unwrap();
            let (kept, released) = tokio::join!(
                {
                    let vault = Arc::clone(&nodes[0]);
                    async move { vault.keep(scope(1), coming, &number(VISA)).await.unwrap() }
                },
                {
                    let vault = Arc::clone(&nodes[1]);
                    async move { vault.release(scope(1), leaving).await.unwrap() }
                }
            );
            let () = released;
            let shown = nodes[1].reveal(scope(1), coming, kept).await.unwrap();
            assert_eq!(shown, Some(number(VISA)), "{} in round {round}", world.name);
            nodes[1].release(scope(1), coming).await.unwrap();
            assert_eq!(nodes[0].reveal(scope(1), coming, kept).await.unwrap(), None);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_nobody_confirms_is_asked_about_after_an_hour() {
    let world = CardWorld::memory("confirm");
    let vault = world.start().await.unwrap();
    for count in 1..=3 {
        vault.keep(scope(1), holder(count), &number(VISA)).await.unwrap();
    }
    vault.confirm(scope(1), holder(2)).await.unwrap();
    assert!(vault.unconfirmed(10).await.unwrap().is_empty(), "not before its time");
    world.clock.advance(Duration::from_mins(61));
    let asked: Vec<_> = vault.unconfirmed(10).await.unwrap().iter().map(|found| found.holder).collect();
    assert_eq!(asked, [holder(1), holder(3)]);
    vault.confirm(scope(1), holder(1)).await.unwrap();
    vault.confirm(scope(1), holder(1)).await.unwrap();
    vault.release(scope(1), holder(3)).await.unwrap();
    vault.confirm(scope(1), holder(3)).await.unwrap();
    assert!(vault.unconfirmed(10).await.unwrap().is_empty());
}
