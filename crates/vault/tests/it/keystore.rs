//! The keystore file: made once, opened by what sealed it, backed up, restored, lost, and swapped.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use kernel::Secret;
use vault::VaultError;
use vault::cards::{KeyEncryption as _, SoftwareKeystore, Unlock};

use crate::card_world::{CardWorld, VISA, holder, number, scope};

fn passphrase(text: &str) -> Unlock {
    Unlock::Passphrase(Secret::new(text.to_owned()))
}

#[tokio::test]
async fn a_passphrase_opens_what_it_made_and_no_other_does() {
    let world = CardWorld::memory("passphrase");
    let (path, ports) = (world.keystore_path(), world.keystore_ports());
    let right = passphrase("correct horse battery");
    let made = SoftwareKeystore::open_or_create(&path, &right, ports.clone()).unwrap();
    let keys = made.keys().await.unwrap();
    assert_eq!(keys.len(), 1);
    let again = SoftwareKeystore::open(&path, &right, ports.clone()).unwrap().unwrap();
    assert_eq!(again.keys().await.unwrap(), keys);
    let wrong = SoftwareKeystore::open(&path, &passphrase("correct horse batterz"), ports.clone());
    assert!(matches!(wrong, Err(VaultError::WrongUnlock { what: "passphrase", .. })), "{wrong:?}");
    let other = SoftwareKeystore::open(&path, &world.unlock(), ports.clone());
    assert!(matches!(other, Err(VaultError::OtherUnlock("a passphrase"))), "{other:?}");
    let text = fs::read_to_string(&path).unwrap();
    assert!(!text.contains("correct horse"), "{text}");
    let short =
        SoftwareKeystore::open_or_create(&world.folder.file("other"), &passphrase("eleven char"), ports);
    assert!(matches!(short, Err(VaultError::Passphrase)));
    assert!(!world.folder.file("other").exists());
}

#[tokio::test]
async fn the_files_are_their_owners_alone_and_a_wider_mode_is_refused() {
    let world = CardWorld::memory("modes");
    let vault = world.start().await.unwrap();
    vault.rotate().await.unwrap();
    for name in ["vault.keystore", "vault.key", "vault.keystore.lock"] {
        let mode = fs::metadata(world.folder.file(name)).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{name}");
    }
    let left: Vec<String> = world.folder.names();
    assert_eq!(left.len(), 3, "no draft is left: {left:?}");
    for name in ["vault.keystore", "vault.key"] {
        fs::set_permissions(world.folder.file(name), fs::Permissions::from_mode(0o640)).unwrap();
        let refused = world.start().await.unwrap_err();
        assert!(matches!(refused, VaultError::KeyFileExposed { mode: 0o640, .. }), "{refused}");
        fs::set_permissions(world.folder.file(name), fs::Permissions::from_mode(0o600)).unwrap();
    }
    world.start().await.unwrap();
}

#[tokio::test]
async fn two_that_make_a_keystore_together_have_one() {
    let world = CardWorld::memory("together");
    let (path, unlock) = (world.keystore_path(), world.unlock());
    let make = || {
        let (path, unlock, ports) = (path.clone(), unlock.clone(), world.keystore_ports());
        std::thread::spawn(move || SoftwareKeystore::open_or_create(&path, &unlock, ports).unwrap())
    };
    let making: Vec<_> = (0..8).map(|_| make()).collect();
    let mut keys = Vec::new();
    for keystore in making {
        keys.push(keystore.join().unwrap().keys().await.unwrap());
    }
    assert!(keys.iter().all(|held| held == &keys[0] && held.len() == 1), "{keys:?}");
}

#[tokio::test]
async fn a_restored_copy_opens_what_a_lost_keystore_closed() {
    let world = CardWorld::memory("restore");
    let vault = world.start().await.unwrap();
    let token = vault.keep(scope(1), holder(1), &number(VISA)).await.unwrap();
    let names = ["vault.keystore", "vault.key"];
    for name in names {
        fs::copy(world.folder.file(name), world.folder.file(&format!("{name}.copy"))).unwrap();
    }
    // Each lost alone, and both: no start, and nothing new in their place.
    for lost in [&names[..1], &names[1..], &names[..]] {
        for name in lost {
            fs::remove_file(world.folder.file(name)).unwrap();
        }
        let (path, unlock, ports) = (world.keystore_path(), world.unlock(), world.keystore_ports());
        match SoftwareKeystore::open(&path, &unlock, ports) {
            Ok(found) => assert!(found.is_none(), "{lost:?}"),
            Err(error) => assert!(matches!(error, VaultError::NoKeyFile(_)), "{error}"),
        }
        assert!(lost.iter().all(|name| !world.folder.file(name).exists()));
        for name in lost {
            fs::copy(world.folder.file(&format!("{name}.copy")), world.folder.file(name)).unwrap();
        }
        let restored = world.start().await.unwrap();
        assert_eq!(restored.reveal(scope(1), holder(1), token).await.unwrap(), Some(number(VISA)));
    }
}

#[tokio::test]
async fn a_new_keystore_is_never_taken_for_the_one_that_is_lost() {
    let world = CardWorld::memory("new");
    let vault = world.start().await.unwrap();
    vault.keep(scope(1), holder(1), &number(VISA)).await.unwrap();
    for name in ["vault.keystore", "vault.key"] {
        fs::remove_file(world.folder.file(name)).unwrap();
    }
    // Somebody makes a new one: it has not got the key, and says which one is missing.
    let refused = world.start().await.unwrap_err();
    assert!(matches!(refused, VaultError::NoKey(_)), "{refused}");
    assert!(refused.to_string().contains("restore the keystore"), "{refused}");
}

#[tokio::test]
async fn every_field_of_the_file_is_guarded() {
    let world = CardWorld::memory("fields");
    world.start().await.unwrap();
    let (path, whole) = (world.keystore_path(), fs::read_to_string(world.keystore_path()).unwrap());
    let other = CardWorld::memory("fields-other");
    other.start().await.unwrap();
    let foreign: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(other.keystore_path()).unwrap()).unwrap();
    let file: serde_json::Value = serde_json::from_str(&whole).unwrap();
    let changes: [(&str, serde_json::Value); 6] = [
        ("/florin_keystore", 2.into()),
        ("/id", foreign["id"].clone()),
        ("/check", foreign["check"].clone()),
        ("/keys/0/id", foreign["keys"][0]["id"].clone()),
        ("/keys/0/sealed", foreign["keys"][0]["sealed"].clone()),
        ("/seal", serde_json::json!({"by": "nobody"})),
    ];
    for (field, value) in changes {
        let mut touched = file.clone();
        // Counted ids of two worlds may be equal: then there is nothing to touch.
        if *touched.pointer(field).unwrap() == value {
            *touched.pointer_mut(field).unwrap() = "kek_01h455vb4pex5vsknk084sn02q".into();
        } else {
            *touched.pointer_mut(field).unwrap() = value;
        }
        fs::write(&path, touched.to_string()).unwrap();
        let refused = world.start().await.unwrap_err();
        assert!(
            matches!(refused, VaultError::KeyFile { .. } | VaultError::WrongUnlock { .. }),
            "{field}: {refused}"
        );
    }
    fs::write(&path, whole).unwrap();
    world.start().await.unwrap();
}
