//! The key file: made once, kept private, never replaced.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use vault::{VaultError, key_file};

use crate::world::{Counter, Folder};

#[test]
fn is_made_once_with_mode_0600_and_read_again() {
    let folder = Folder::new("made-once");
    let path = folder.file("server.key");
    assert!(key_file::load(&path).unwrap().is_none());
    let first = key_file::load_or_create(&path, &Counter::default()).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_to_string(&path).unwrap().trim().len(), 64);
    // Another source of randomness: a second secret would differ.
    let random = Counter::default();
    kernel::Ids::uuid(&random);
    assert_eq!(key_file::load_or_create(&path, &random).unwrap(), first);
    assert_eq!(key_file::load(&path).unwrap().unwrap(), first);
    assert_eq!(folder.names(), ["server.key"], "no draft stays");
}

#[test]
fn starts_that_race_read_the_same_secret() {
    let folder = Folder::new("race");
    let path = folder.file("server.key");
    let random = Counter::default();
    let secrets: Vec<_> = std::thread::scope(|scope| {
        let starts: Vec<_> =
            (0..8).map(|_| scope.spawn(|| key_file::load_or_create(&path, &random).unwrap())).collect();
        starts.into_iter().map(|start| start.join().unwrap()).collect()
    });
    assert!(secrets.windows(2).all(|pair| pair[0] == pair[1]));
    assert_eq!(folder.names(), ["server.key"]);
}

#[test]
fn a_file_that_others_can_read_is_refused_with_the_remedy() {
    let folder = Folder::new("exposed");
    let path = folder.file("server.key");
    key_file::load_or_create(&path, &Counter::default()).unwrap();
    for mode in [0o640, 0o604, 0o620, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = key_file::load_or_create(&path, &Counter::default()).unwrap_err();
        assert!(matches!(error, VaultError::KeyFileExposed { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("chmod 600 {}", path.display())), "{error}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(key_file::load(&path).unwrap().is_some(), "stricter than needed is fine");
}

#[test]
fn what_is_no_secret_is_refused_and_stays_as_it_is() {
    let folder = Folder::new("damaged");
    let path = folder.file("server.key");
    for text in ["", "half a sec"] {
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let error = key_file::load_or_create(&path, &Counter::default()).unwrap_err();
        assert!(matches!(error, VaultError::KeyFile { .. }), "{error:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    let nowhere = folder.file("no/such/folder/server.key");
    assert!(matches!(
        key_file::load_or_create(&nowhere, &Counter::default()),
        Err(VaultError::KeyFile { .. })
    ));
    assert!(matches!(key_file::load(&folder.file("")), Err(VaultError::KeyFile { .. })), "a folder");
}
