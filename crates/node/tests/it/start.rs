//! A node from its start to its stop, on SQLite in a folder of its own.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use node::config::BankPlace;
use node::{Config, Node};

/// Removed with the test.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("{name}-{}", std::process::id());
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }

    pub(crate) fn config(&self) -> Config {
        let mut config = Config::defaults().unwrap();
        config.database.folder.clone_from(&self.0);
        config
    }

    async fn start(&self) -> Arc<Node> {
        node::start(self.config(), node::host::ports()).await.unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_start_makes_a_key_once() {
    let folder = Folder::new("first");
    let node = folder.start().await;
    assert!(node.first_start().await.unwrap().is_some());
    assert!(node.first_start().await.unwrap().is_none());
    node.run_background();
    assert_eq!(node.stop(Duration::from_secs(5)).await, 0, "the loops end");

    let node = folder.start().await;
    assert!(node.first_start().await.unwrap().is_none());
    assert!(node.check_books().await.unwrap().is_clean());
    node.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_no_longer_than_it_may() {
    let folder = Folder::new("stop");
    let node = folder.start().await;
    node.tasks.spawn("endless", Box::pin(std::future::pending()));
    assert_eq!(node.stop(Duration::from_millis(50)).await, 1, "one task is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bank_is_where_the_configuration_says() {
    let folder = Folder::new("bank");
    for (place, is_here, has_file) in [
        (BankPlace::Memory, true, false),
        (BankPlace::Address("http://127.0.0.1:1".to_owned()), false, false),
        (BankPlace::Store, true, true),
    ] {
        let config = {
            let mut config = folder.config();
            config.sandbox.bank = place;
            config
        };
        let node = node::start(config, node::host::ports()).await.unwrap();
        assert_eq!((node.bank.is_some(), folder.0.join("bank.db").exists()), (is_here, has_file));
        node.stop(Duration::from_secs(5)).await;
    }
}
