//! The key file beside an embedded store: 64 hexadecimal digits, readable by its owner alone.

use std::path::Path;

use kernel::Random;

use crate::private_file::{self, failure};
use crate::{ServerSecret, VaultError};

/// A key file is some 65 bytes; more than this is no key file.
const LENGTH_LIMIT: u64 = 4096;

/// Reads the secret in the file; `None` if there is no file.
///
/// Refuses a file that others than its owner can read, and what is no secret.
pub fn load(path: &Path) -> Result<Option<ServerSecret>, VaultError> {
    let Some(text) = private_file::read(path, LENGTH_LIMIT)? else { return Ok(None) };
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
    private_file::create(path, &ServerSecret::generate(random).to_hex(), random)?;
    // Whoever won, the file decides.
    load(path)?.ok_or_else(|| failure(path, "vanished while it was made"))
}
