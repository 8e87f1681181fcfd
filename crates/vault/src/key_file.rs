//! The key file beside an embedded store: 64 hexadecimal digits, readable by its owner alone.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use kernel::Random;

use crate::secret::to_hex;
use crate::{ServerSecret, VaultError};

/// A key file is some 65 bytes; more than this is no key file.
const LENGTH_LIMIT: u64 = 4096;

/// Reads the secret in the file; `None` if there is no file.
///
/// Refuses a file that others than its owner can read, and what is no secret.
pub fn load(path: &Path) -> Result<Option<ServerSecret>, VaultError> {
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
    let mut text = String::new();
    file.take(LENGTH_LIMIT).read_to_string(&mut text).map_err(failed)?;
    let secret = ServerSecret::parse(&text).map_err(|error| failure(path, &error.to_string()))?;
    Ok(Some(secret))
}

/// Reads the secret in the file, or makes a new one there with mode 0600.
///
/// On return it is on disk, name and content. Of two processes that start together one makes the
/// file and both read it; a crash leaves either no file under this name or a whole one.
pub fn load_or_create(path: &Path, random: &dyn Random) -> Result<ServerSecret, VaultError> {
    if let Some(secret) = load(path)? {
        return Ok(secret);
    }
    let mut nonce = [0; 8];
    random.fill(&mut nonce);
    let draft = sibling(path, &to_hex(&nonce));
    let secret = ServerSecret::generate(random);
    let made = create(path, &draft, &secret);
    let cleaned = fs::remove_file(&draft);
    made.and(cleaned).map_err(|error| failure(path, &error.to_string()))?;
    sync_folder(path).map_err(|error| failure(path, &error.to_string()))?;
    // Whoever won, the file decides.
    load(path)?.ok_or_else(|| failure(path, "vanished while it was made"))
}

fn create(path: &Path, draft: &Path, secret: &ServerSecret) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    writeln!(file, "{}", secret.to_hex())?;
    file.sync_all()?;
    // A link, unlike a rename, never replaces the file of somebody who was first.
    match fs::hard_link(draft, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

fn sibling(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{suffix}"));
    PathBuf::from(name)
}

fn failure(path: &Path, reason: &str) -> VaultError {
    VaultError::KeyFile { path: path.to_owned(), reason: reason.to_owned() }
}
