//! The folder of an embedded store: one `serve` at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

use crate::StartError;

const LOCK_FILE: &str = "serve.lock";

/// Held by the one `serve` of a folder. The operating system releases it with the process, however
/// that ends, so a lock file that lies around means nothing.
#[derive(Debug)]
pub struct FolderLock {
    file: File,
}

impl FolderLock {
    /// Makes the folder if there is none, and locks it; refused while another process serves it,
    /// which is named.
    pub fn take(folder: &Path) -> Result<Self, StartError> {
        let failed = |error: io::Error| StartError::Folder {
            folder: folder.display().to_string(),
            reason: error.to_string(),
        };
        std::fs::create_dir_all(folder).map_err(failed)?;
        let path = folder.join(LOCK_FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).map_err(failed)?;
                let holder = if holder.is_empty() { "another process" } else { holder.trim() };
                return Err(StartError::Served {
                    folder: folder.display().to_string(),
                    holder: holder.to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut lock = Self { file };
        lock.say(&format!("process {}", std::process::id())).map_err(failed)?;
        Ok(lock)
    }

    /// Who serves a folder now, if anybody does. Changes nothing.
    pub fn holder(folder: &Path) -> Option<String> {
        let mut file = OpenOptions::new().read(true).open(folder.join(LOCK_FILE)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).ok()?;
                Some(holder.trim().to_owned())
            }
            _ => None,
        }
    }

    /// Adds where this process listens to what a second one is told.
    pub fn announce(&mut self, address: &str) -> io::Result<()> {
        self.say(&format!("process {} at {address}", std::process::id()))
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        writeln!(self.file, "{text}")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failing test may panic")]
    use super::*;

    #[test]
    fn a_second_is_refused_and_told_of_the_first() {
        let folder = std::env::temp_dir().join(format!("florin-lock-{}", std::process::id()));
        let mut first = FolderLock::take(&folder).unwrap();
        first.announce("http://127.0.0.1:8000").unwrap();
        let refused = FolderLock::take(&folder).unwrap_err().to_string();
        let process = std::process::id();
        assert!(refused.contains(&format!("process {process} at http://127.0.0.1:8000")), "{refused}");
        drop(first);
        FolderLock::take(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
