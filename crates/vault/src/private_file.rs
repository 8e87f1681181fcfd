//! Files that hold keys: readable by their owner alone, whole or absent after a crash.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use kernel::Random;
use zeroize::Zeroizing;

use crate::VaultError;
use crate::secret::to_hex;

/// Reads such a file; `None` if there is none.
///
/// Refuses a file that others than its owner can read, and one longer than `longest` bytes.
pub(crate) fn read(path: &Path, longest: u64) -> Result<Option<Zeroizing<String>>, VaultError> {
    let failed = |error: io::Error| failure(path, &error.to_string());
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    // Asked of the open file, not of the path, so that nobody can swap it in between.
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(failure(path, "is no regular file"));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(VaultError::KeyFileExposed { path: path.to_owned(), mode });
    }
    if metadata.len() > longest {
        return Err(failure(path, "is too long to be one"));
    }
    let mut text = Zeroizing::new(String::new());
    file.take(longest).read_to_string(&mut text).map_err(failed)?;
    Ok(Some(text))
}

/// Makes the file with mode 0600, unless there is one already: then that one stays. On return its name
/// and content are on disk.
pub(crate) fn create(path: &Path, text: &str, random: &dyn Random) -> Result<(), VaultError> {
    place(path, text, random, |draft| match fs::hard_link(draft, path) {
        // A link, unlike a rename, never replaces the file of somebody who was first.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => fs::remove_file(draft),
        Err(error) => Err(error),
        Ok(()) => fs::remove_file(draft),
    })
}

/// Puts a new content in the file's place. After a crash either the old or the new one is there, whole.
pub(crate) fn replace(path: &Path, text: &str, random: &dyn Random) -> Result<(), VaultError> {
    place(path, text, random, |draft| fs::rename(draft, path))
}

fn place(
    path: &Path,
    text: &str,
    random: &dyn Random,
    put: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), VaultError> {
    let mut nonce = [0; 8];
    random.fill(&mut nonce);
    let draft = sibling(path, &to_hex(&nonce));
    let placed = write(&draft, text).and_then(|()| put(&draft)).and_then(|()| sync_folder(path));
    placed.map_err(|error| {
        let _ = fs::remove_file(&draft);
        failure(path, &error.to_string())
    })
}

fn write(draft: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    writeln!(file, "{text}")?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// A file beside this one, named after it.
pub(crate) fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{suffix}"));
    PathBuf::from(name)
}

pub(crate) fn failure(path: &Path, reason: &str) -> VaultError {
    VaultError::KeyFile { path: path.to_owned(), reason: reason.to_owned() }
}
