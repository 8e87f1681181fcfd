//! Opening: which secret a store accepts, at its first start and at every later one.

use kernel::{Mode, Outcome};
use vault::{Opened, Purpose, SecretSource, ServerSecret, TestSecret, VaultError, open};

use crate::world::{Counter, Folder, Shelf};

fn configured(byte: u8) -> SecretSource {
    SecretSource::Configured(ServerSecret::from_bytes([byte; 32]))
}

async fn start(shelf: &Shelf, random: &Counter, source: &SecretSource) -> Result<Opened, VaultError> {
    open(shelf, random, random, source).await
}

fn mac(opened: &Opened, mode: Mode) -> [u8; 32] {
    opened.vault.keys(mode).unwrap().mac(Purpose::ApiKey, &[b"x"])
}

#[tokio::test]
async fn a_configured_secret_serves_both_worlds_and_no_other_opens_the_store() {
    let (shelf, random) = (Shelf::default(), Counter::default());
    let first = start(&shelf, &random, &configured(1)).await.unwrap();
    assert_eq!(first.test_secret, TestSecret::Given);
    assert!(first.vault.has_live());
    let again = start(&shelf, &random, &configured(1)).await.unwrap();
    assert_eq!(mac(&first, Mode::Test), mac(&again, Mode::Test));
    assert_eq!(mac(&first, Mode::Live), mac(&again, Mode::Live));
    let other = start(&shelf, &random, &configured(2)).await;
    assert!(matches!(other, Err(VaultError::OtherSecret(Mode::Test))), "{other:?}");
    let none = start(&shelf, &random, &SecretSource::Database).await;
    assert!(matches!(none, Err(VaultError::MissingSecret(Mode::Test))), "{none:?}");
    assert_eq!(shelf.states().len(), 2);
    let hex = "01".repeat(32);
    assert!(shelf.states().iter().all(|state| !state.contains(&hex)), "a given secret is never stored");
}

#[tokio::test]
async fn without_a_secret_the_database_keeps_one_for_the_test_worlds_alone() {
    let (shelf, random) = (Shelf::default(), Counter::default());
    let first = start(&shelf, &random, &SecretSource::Database).await.unwrap();
    assert_eq!(first.test_secret, TestSecret::InDatabase);
    assert!(matches!(first.vault.keys(Mode::Live), Err(VaultError::NoLiveSecret)));
    let again = start(&shelf, &random, &SecretSource::Database).await.unwrap();
    assert_eq!(mac(&first, Mode::Test), mac(&again, Mode::Test));

    // Configured later: the live worlds take it, the test worlds stay as they are.
    let later = start(&shelf, &random, &configured(3)).await.unwrap();
    assert_eq!(mac(&first, Mode::Test), mac(&later, Mode::Test));
    assert_eq!(later.test_secret, TestSecret::InDatabase);
    assert!(later.vault.has_live());
    let other = start(&shelf, &random, &configured(4)).await;
    assert!(matches!(other, Err(VaultError::OtherSecret(Mode::Live))), "{other:?}");
    let none = start(&shelf, &random, &SecretSource::Database).await;
    assert!(matches!(none, Err(VaultError::MissingSecret(Mode::Live))), "{none:?}");
}

#[tokio::test]
async fn a_lost_key_file_is_not_replaced_beside_a_written_store() {
    let (shelf, random, folder) = (Shelf::default(), Counter::default(), Folder::new("lost"));
    let path = folder.file("server.key");
    let source = SecretSource::KeyFile(path.clone());
    let first = start(&shelf, &random, &source).await.unwrap();
    assert!(first.vault.has_live());
    assert_eq!(mac(&first, Mode::Live), mac(&start(&shelf, &random, &source).await.unwrap(), Mode::Live));
    std::fs::remove_file(&path).unwrap();
    let lost = start(&shelf, &random, &source).await;
    assert!(matches!(lost, Err(VaultError::MissingSecret(Mode::Test))), "{lost:?}");
    assert!(!path.exists(), "a new file would never open anything");
}

#[tokio::test]
async fn of_two_nodes_that_start_together_the_first_decides() {
    let random = Counter::default();
    let rival = Shelf::default();
    let rivals = start(&rival, &random, &SecretSource::Database).await.unwrap();
    let shelf = Shelf::default();
    shelf.overtake_next(rival.as_changes());
    let ours = start(&shelf, &random, &SecretSource::Database).await.unwrap();
    assert_eq!(mac(&ours, Mode::Test), mac(&rivals, Mode::Test));

    // With another configured secret the loser is refused.
    let rival = Shelf::default();
    start(&rival, &random, &configured(1)).await.unwrap();
    let shelf = Shelf::default();
    shelf.overtake_next(rival.as_changes());
    let refused = start(&shelf, &random, &configured(2)).await;
    assert!(matches!(refused, Err(VaultError::OtherSecret(_))), "{refused:?}");
}

#[tokio::test]
async fn a_store_that_does_not_write_opens_nothing() {
    let (shelf, random) = (Shelf::default(), Counter::default());
    shelf.fail_next(Outcome::NotCommitted("disk full".to_owned()));
    let failed = start(&shelf, &random, &SecretSource::Database).await;
    assert!(matches!(failed, Err(VaultError::NotWritten(_))), "{failed:?}");
    assert!(shelf.states().is_empty());
}
