//! Cards kept and revealed, on every store: once per number and scope, whoever asks at the same time,
//! and never under another place or key.

use std::sync::Arc;

use kernel::{Mode, Scope};
use serde_json::Value;
use store::Fault;
use vault::VaultError;

use crate::card_world::{AMEX, CardWorld, VISA, holder, number, scope, state, worlds};

#[tokio::test(flavor = "multi_thread")]
async fn a_card_is_kept_once_in_its_scope_and_nowhere_in_plain() {
    for world in worlds("once").await {
        let vault = world.start().await.unwrap();
        let first = vault.keep(scope(1), holder(1), &number(VISA)).await.unwrap();
        assert_eq!(vault.keep(scope(1), holder(1), &number(VISA)).await.unwrap(), first, "asked again");
        assert_eq!(vault.keep(scope(1), holder(2), &number(VISA)).await.unwrap(), first, "another method");
        let other = vault.keep(scope(1), holder(3), &number(AMEX)).await.unwrap();
        let elsewhere = vault.keep(scope(2), holder(4), &number(VISA)).await.unwrap();
        assert_ne!(first, other);
        assert_ne!(first, elsewhere, "what one merchant has is not another's");
        for (whose, of, token, text) in [
            (scope(1), holder(1), first, VISA),
            (scope(1), holder(2), first, VISA),
            (scope(1), holder(3), other, AMEX),
            (scope(2), holder(4), elsewhere, VISA),
        ] {
            assert_eq!(vault.reveal(whose, of, token).await.unwrap(), Some(number(text)), "{}", world.name);
        }
        // Neither the holder nor the token alone, nor another scope, opens it.
        assert_eq!(vault.reveal(scope(1), holder(3), first).await.unwrap(), None);
        assert_eq!(vault.reveal(scope(2), holder(1), first).await.unwrap(), None);
        assert_eq!(vault.reveal(scope(1), holder(9), first).await.unwrap(), None);
        let cards = world.cards().await;
        assert_eq!(cards.len(), 3);
        let prints: Vec<_> = cards.iter().map(|row| row.columns[0].clone()).collect();
        assert!(prints[0] != prints[1] && prints[1] != prints[2] && prints[0] != prints[2]);
        for table in 0..3 {
            for row in world.rows(table).await {
                let text = String::from_utf8_lossy(&row.state).into_owned() + &format!("{:?}", row.columns);
                for plain in [VISA, AMEX, &VISA[..12], &AMEX[..12], "34323432"] {
                    assert!(!text.contains(plain), "{text}");
                }
            }
        }
        // A restart over the same files and rows.
        let again = world.start().await.unwrap();
        assert_eq!(again.reveal(scope(1), holder(2), first).await.unwrap(), Some(number(VISA)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shown_fingerprint_is_the_same_for_ever_and_for_nobody_else() {
    let world = CardWorld::memory("shown");
    let vault = world.start().await.unwrap();
    let shown = vault.shown_fingerprint(scope(1), VISA);
    assert_eq!(shown.len(), 32);
    assert_ne!(vault.shown_fingerprint(scope(1), AMEX), shown);
    assert_ne!(vault.shown_fingerprint(scope(2), VISA), shown, "not comparable between merchants");
    let live = Scope { mode: Mode::Live, ..scope(1) };
    assert_ne!(vault.shown_fingerprint(live, VISA), shown, "nor between modes");
    // What is in the vault is another one: the two databases together show no more than each alone.
    vault.keep(scope(1), holder(1), &number(VISA)).await.unwrap();
    let kept = state(&world.cards().await[0])["kept"]["fingerprint"].as_str().unwrap().to_owned();
    assert!(!kept.starts_with(&shown), "{kept} {shown}");
    // A rotation and a restart change nothing, another vault has another key.
    vault.rotate().await.unwrap();
    assert_eq!(vault.shown_fingerprint(scope(1), VISA), shown);
    assert_eq!(world.start().await.unwrap().shown_fingerprint(scope(1), VISA), shown);
    let elsewhere = CardWorld::seeded("shown-elsewhere", 8).start().await.unwrap();
    assert_ne!(elsewhere.shown_fingerprint(scope(1), VISA), shown);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_keep_one_number_together_all_get_one_token() {
    for world in worlds("race").await {
        let nodes = [world.start().await.unwrap(), world.start().await.unwrap()];
        let keeping = (0..24_u128).map(|count| {
            let vault = Arc::clone(&nodes[usize::try_from(count % 2).unwrap()]);
            async move { vault.keep(scope(1), holder(100 + count), &number(VISA)).await.unwrap() }
        });
        let tokens = futures_util::future::join_all(keeping).await;
        assert!(tokens.iter().all(|token| *token == tokens[0]), "{}: {tokens:?}", world.name);
        assert_eq!(world.cards().await.len(), 1);
        for count in 0..24 {
            let shown = nodes[0].reveal(scope(1), holder(100 + count), tokens[0]).await.unwrap();
            assert_eq!(shown, Some(number(VISA)));
        }
    }
}

/// One digit of a hexadecimal text changed.
fn flip(value: &mut Value, at: usize) {
    let mut text = value.as_str().unwrap().to_owned();
    let digit = if &text[at..=at] == "0" { "1" } else { "0" };
    text.replace_range(at..=at, digit);
    *value = text.into();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_touched_row_is_refused_whatever_was_touched() {
    let world = CardWorld::memory("tamper");
    let vault = world.start().await.unwrap();
    let mut tokens = Vec::new();
    for (count, text) in [(1, VISA), (2, AMEX)] {
        tokens.push(vault.keep(scope(1), holder(count), &number(text)).await.unwrap());
    }
    let strange = vault.keep(scope(2), holder(3), &number(VISA)).await.unwrap();
    let rows = world.cards().await;
    let kept = |id: &str| {
        let row = rows.iter().find(|row| state(row)["id"] == id).unwrap();
        state(row)["kept"].clone()
    };
    let [own, other] = [tokens[0], tokens[1]].map(|token| kept(&token.to_string()));
    let foreign = kept(&strange.to_string());
    let mut touched: Vec<(&str, Value)> = Vec::new();
    for field in ["number", "data_key"] {
        let length = own[field].as_str().unwrap().len();
        // The form's byte, the nonce, the text, the tag.
        for at in [1, 3, 30, length - 1] {
            let mut kept = own.clone();
            flip(&mut kept[field], at);
            touched.push((field, kept));
        }
        let mut cut = own.clone();
        cut[field] = own[field].as_str().unwrap()[..20].into();
        touched.push((field, cut));
        for from in [&other, &foreign] {
            let mut swapped = own.clone();
            swapped[field] = from[field].clone();
            touched.push((field, swapped));
        }
    }
    let mut renamed = own.clone();
    flip(&mut renamed["fingerprint"], 5);
    touched.push(("fingerprint", renamed));
    touched.push(("another card's all", other.clone()));
    touched.push(("the same card of another merchant", foreign));
    for (what, kept) in touched {
        world.tamper(scope(1), tokens[0], |state, _| state["kept"] = kept).await;
        let refused = vault.reveal(scope(1), holder(1), tokens[0]).await.unwrap_err();
        assert!(matches!(refused, VaultError::Sealed | VaultError::Damaged(_)), "{what}: {refused}");
        let message = refused.to_string();
        assert!(!message.contains("4242"), "{message}");
    }
    let mut unknown = own.clone();
    unknown["kek"] = "kek_01h455vb4pex5vsknk084sn02q".into();
    world.tamper(scope(1), tokens[0], |state, _| state["kept"] = unknown).await;
    let refused = vault.reveal(scope(1), holder(1), tokens[0]).await.unwrap_err();
    assert!(matches!(refused, VaultError::NoKey(_)), "{refused}");
    world.tamper(scope(1), tokens[0], |state, _| state["kept"] = own).await;
    assert_eq!(vault.reveal(scope(1), holder(1), tokens[0]).await.unwrap(), Some(number(VISA)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_that_was_made_to_lie_hands_out_nobody_elses_card() {
    let world = CardWorld::memory("lie");
    let vault = world.start().await.unwrap();
    let visa = vault.keep(scope(1), holder(1), &number(VISA)).await.unwrap();
    let amex = vault.keep(scope(1), holder(2), &number(AMEX)).await.unwrap();
    let rows = world.cards().await;
    let of_amex = rows.iter().find(|row| row.key == [amex.into()]).unwrap().columns[0].clone();
    world.tamper(scope(1), amex, |_, columns| columns[0] = kernel::Cell::Null).await;
    world.tamper(scope(1), visa, |_, columns| columns[0] = of_amex).await;
    let refused = vault.keep(scope(1), holder(3), &number(AMEX)).await.unwrap_err();
    assert!(matches!(refused, VaultError::Sealed), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_failed_keeps_nothing_and_one_whose_answer_was_lost_keeps_it_once() {
    let world = CardWorld::memory("faults");
    let vault = world.start().await.unwrap();
    let memory = world.memory.as_ref().unwrap();
    memory.inject(Fault::FailsBefore);
    let failed = vault.keep(scope(1), holder(1), &number(VISA)).await.unwrap_err();
    assert!(matches!(failed, VaultError::Unavailable(_)), "{failed}");
    assert!(world.cards().await.is_empty());
    for fault in [Fault::LostAfter, Fault::LostBefore, Fault::Loses(kernel::Outcome::Conflict)] {
        memory.inject(fault);
        let kept = vault.keep(scope(1), holder(1), &number(VISA)).await;
        let token = match kept {
            Err(VaultError::Unavailable(_)) => vault.keep(scope(1), holder(1), &number(VISA)).await,
            other => other,
        };
        let token = token.unwrap();
        assert_eq!(vault.reveal(scope(1), holder(1), token).await.unwrap(), Some(number(VISA)));
        assert_eq!(world.cards().await.len(), 1);
    }
}
