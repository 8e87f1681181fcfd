//! The write-ahead log that a crash leaves behind: torn at its end, or damaged before it.

use std::path::PathBuf;

use kernel::{Cell, Lane};
use store::OpenError;
use uuid::Uuid;

use crate::bench::{Bench, THING, committed, options, schema, scope, subject, thing};
use crate::host::{TestClock, TestIds};

/// The header of a log, and one frame.
const HEADER: u64 = 32;
const FRAME: u64 = 24 + 4096;

/// A database and its log as a crash leaves them, to be opened again and again.
struct Left {
    folder: PathBuf,
    log: Vec<u8>,
    /// Each commit's record, and the length of the log behind it.
    commits: Vec<(Uuid, u64)>,
}

impl Drop for Left {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

impl Left {
    /// Twelve commits, one after the other; then the machine is gone.
    async fn behind() -> Self {
        let bench = Bench::sqlite();
        let file = bench.file().unwrap();
        let log = file.with_file_name("store.db-wal");
        let mut commits = Vec::new();
        for _ in 0..12 {
            let id = bench.id();
            let commit = bench.commit(Lane::Settle, |changes| {
                changes.subject = Some(subject(id));
                changes.insert.push(thing(id, "a"));
            });
            committed(commit.await);
            commits.push((id, std::fs::metadata(&log).unwrap().len()));
        }
        let folder = file.parent().unwrap().with_extension("left");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::copy(&file, folder.join("store.db")).unwrap();
        Self { folder, log: std::fs::read(&log).unwrap(), commits }
    }

    /// Opens it with this log: which commits are there.
    async fn open(&self, log: &[u8]) -> Result<Vec<bool>, OpenError> {
        let folder = self.folder.join("opened");
        drop(std::fs::remove_dir_all(&folder));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("store.db");
        std::fs::copy(self.folder.join("store.db"), &file).unwrap();
        std::fs::write(folder.join("store.db-wal"), log).unwrap();
        let opened = store::open_sqlite(&file, schema(), options(&TestClock::new(), &TestIds::new()));
        if opened.is_err() {
            assert_eq!(std::fs::read(folder.join("store.db-wal")).unwrap(), log, "nothing was touched");
        }
        let store = opened?;
        let mut there = Vec::new();
        for (id, _) in &self.commits {
            there.push(store.get(&THING, scope(), vec![Cell::Uuid(*id)]).await.unwrap().is_some());
        }
        Ok(there)
    }

    /// Whether each commit lies before this offset of the log.
    fn before(&self, offset: u64) -> Vec<bool> {
        self.commits.iter().map(|(_, end)| *end <= offset).collect()
    }

    /// The log with other bytes at this offset.
    fn scribbled(&self, offset: u64) -> Vec<u8> {
        let mut log = self.log.clone();
        for byte in &mut log[usize::try_from(offset).unwrap()..][..8] {
            *byte = !*byte;
        }
        log
    }
}

#[tokio::test]
async fn a_torn_tail_costs_what_was_not_whole() {
    let left = Left::behind().await;
    assert_eq!(left.open(&left.log).await.unwrap(), [true; 12]);
    let (first, last) = (left.commits[0].1, left.commits[11].1);
    for (_, end) in &left.commits {
        for length in [*end, end - 1, end - FRAME, end + 1].map(|length| length.min(last)) {
            let kept = left.open(&left.log[..usize::try_from(length).unwrap()]).await.unwrap();
            assert_eq!(kept, left.before(length), "{length} of {last}");
        }
    }
    // No log, a log that only just began, and one whose first page never reached the disk.
    for log in [Vec::new(), left.log[..20].to_vec(), vec![0; 40_000]] {
        left.open(&log).await.unwrap();
    }
    assert!(first > HEADER);
}

#[tokio::test]
async fn the_last_commit_may_be_damaged_and_no_other() {
    let left = Left::behind().await;
    let (before_last, last) = (left.commits[10].1, left.commits[11].1);
    // Its own frames, header and page: it was never confirmed if the disk does not have them.
    for offset in [last - 100, last - FRAME + 8, before_last + 100, before_last + 16] {
        let kept = left.open(&left.scribbled(offset)).await.unwrap();
        assert_eq!(kept, left.before(before_last), "{offset}");
    }
    for (number, (_, end)) in left.commits[..10].iter().enumerate() {
        for offset in [end - 100, end - FRAME + 8, end - FRAME + 16] {
            let refused = left.open(&left.scribbled(offset)).await.unwrap_err();
            let frame = (end - HEADER) / FRAME;
            assert!(
                matches!(&refused, OpenError::DamagedLog { frame: found, .. } if *found == frame),
                "commit {number} at {offset}: {refused}, not frame {frame}"
            );
        }
    }
    for offset in [0, 16, 24] {
        let refused = left.open(&left.scribbled(offset)).await.unwrap_err();
        assert!(matches!(refused, OpenError::DamagedLog { frame: 0, .. }), "{refused}");
    }
}
