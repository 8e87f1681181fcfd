//! A PostgreSQL cluster of the test's own, which may be restarted and lost.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/pg");

/// Stopped and removed at the end.
pub(crate) struct Cluster(PathBuf);

impl Cluster {
    /// Starts one; `None` where no test has PostgreSQL.
    pub(crate) fn start() -> Option<Self> {
        std::env::var_os(testkit::URL_VARIABLE)?;
        let cluster = Self::named();
        cluster.script(&["start"]);
        Some(cluster)
    }

    /// Starts a synchronous standby of this one.
    pub(crate) fn standby(&self) -> Self {
        let standby = Self::named();
        standby.script(&["follow", &self.0.display().to_string()]);
        standby
    }

    fn named() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        // Outside the checkout: PostgreSQL may run as a user who cannot enter that.
        Self(PathBuf::from(format!("/var/tmp/florin-chaos-{}-{number}", std::process::id())))
    }

    /// Runs `scripts/pg` for this cluster: what it printed.
    pub(crate) fn script(&self, arguments: &[&str]) -> String {
        let output = Command::new(SCRIPT).args(arguments).env("FLORIN_PG_DIR", &self.0).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The folder of its data.
    pub(crate) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// Its URL.
    pub(crate) fn url(&self) -> String {
        self.script(&["url"])
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> String {
        let url = self.url();
        let (_, rest) = url.rsplit_once('@').unwrap();
        rest.split('/').next().unwrap().to_owned()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let _ = Command::new(SCRIPT).arg("stop").env("FLORIN_PG_DIR", &self.0).output();
    }
}
