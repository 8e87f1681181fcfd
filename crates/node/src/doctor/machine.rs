//! Checks of the machine: the folder, its disk, the port, the clock's keeper.

use std::fs::OpenOptions;
use std::io;
use std::net::{TcpListener, ToSocketAddrs as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use super::{Finding, fail, ok, warn};
use crate::FolderLock;
use crate::config::Config;

const MEGABYTE: u64 = 1024 * 1024;
/// Less than this is gone in hours.
const SPACE_WANTED: u64 = 1024 * MEGABYTE;
/// Less than this, and SQLite itself may fail.
const SPACE_NEEDED: u64 = 100 * MEGABYTE;

/// The data folder, and the permissions of what is in it.
pub(super) fn folder(folder: &Path) -> Vec<Finding> {
    let check = "data folder";
    let shown = folder.display();
    let metadata = match std::fs::metadata(folder) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return vec![not_there(folder)],
        Err(error) => {
            return vec![fail(check, format!("{shown}: {error}"), "let the user of the server read it")];
        }
    };
    if !metadata.is_dir() {
        return vec![fail(check, format!("{shown} is no folder"), "set database.folder to one")];
    }
    if let Err(error) = try_to_write(folder) {
        let next = format!("let the user of the server write there: `chown` or `chmod u+rwx {shown}`");
        return vec![fail(check, format!("{shown} cannot be written: {error}"), next)];
    }
    let mut findings = vec![match metadata.permissions().mode() & 0o777 {
        mode if mode & 0o022 != 0 => warn(
            check,
            format!("others may write to {shown} (mode {mode:04o})"),
            format!("`chmod go-w {shown}`"),
        ),
        _ => ok(check, format!("{shown} can be written")),
    }];
    let key_file = folder.join("server.key");
    if let Ok(metadata) = std::fs::metadata(&key_file)
        && metadata.permissions().mode() & 0o077 != 0
    {
        let (found, next) = (key_file.display(), format!("`chmod 600 {}`", key_file.display()));
        findings.push(fail("key file", format!("others may read {found}"), next));
    }
    if let Some(holder) = FolderLock::holder(folder) {
        findings.push(ok("server", format!("runs: {holder}")));
    }
    findings
}

fn not_there(folder: &Path) -> Finding {
    let above = nearest(folder);
    match try_to_write(&above) {
        Ok(()) => ok("data folder", format!("{} will be made by the first start", folder.display())),
        Err(error) => {
            let found = format!("{} cannot be made in {}: {error}", folder.display(), above.display());
            fail("data folder", found, "make it for the user of the server, or set database.folder")
        }
    }
}

/// The folder itself, or what exists above it.
fn nearest(folder: &Path) -> PathBuf {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    let found = whole.ancestors().find(|path| path.exists()).map(Path::to_path_buf);
    found.unwrap_or_else(|| PathBuf::from("/"))
}

fn try_to_write(folder: &Path) -> io::Result<()> {
    let path = folder.join(format!(".florin-doctor-{}", std::process::id()));
    OpenOptions::new().write(true).create_new(true).open(&path)?;
    std::fs::remove_file(path)
}

/// What is left on the disk of the folder.
pub(super) fn free_space(folder: &Path) -> Finding {
    let check = "disk";
    let place = nearest(folder);
    let free = match rustix::fs::statvfs(&place) {
        Ok(disk) => disk.f_bavail.saturating_mul(disk.f_frsize),
        Err(error) => return warn(check, format!("free space is not known: {error}"), "look with `df`"),
    };
    let found = format!("{} MB free at {}", free / MEGABYTE, place.display());
    if free < SPACE_NEEDED {
        fail(check, found, "make room: a full disk stops payments")
    } else if free < SPACE_WANTED {
        warn(check, found, "make room soon: a full disk stops payments")
    } else {
        ok(check, found)
    }
}

/// Whether the server could listen where it is told to.
pub(super) fn port(config: &Config) -> Finding {
    let (check, host, port) = ("port", &config.server.host, config.server.port);
    let place = format!("{host} port {port}");
    let addresses = match (host.as_str(), port).to_socket_addrs() {
        Ok(addresses) => addresses.collect::<Vec<_>>(),
        Err(error) => {
            return fail(check, format!("{host} is no address of this machine: {error}"), "set server.host");
        }
    };
    match TcpListener::bind(addresses.as_slice()) {
        Ok(_) => ok(check, format!("{place} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            let served = config.database.url.is_none().then(|| FolderLock::holder(&config.database.folder));
            match served.flatten() {
                Some(holder) => ok(check, format!("{place} is taken, and a server runs: {holder}")),
                None => warn(
                    check,
                    format!("{place} is taken"),
                    "by a running Florin: all is well; by another program: set server.port to a free one",
                ),
            }
        }
        Err(error) => {
            fail(check, format!("cannot listen on {place}: {error}"), "set server.host and server.port")
        }
    }
}

/// Whether something keeps the clock right. Where nothing shows, nothing is proven: in a container the
/// host keeps it.
pub(super) fn time_sync() -> Finding {
    let keepers = [
        "/run/systemd/timesync/synchronized",
        "/run/chrony/chronyd.pid",
        "/run/chronyd.pid",
        "/run/ntpd.pid",
        "/run/openntpd.pid",
    ];
    match keepers.into_iter().find(|path| Path::new(path).exists()) {
        Some(path) => ok("time", format!("the clock is kept right ({path})")),
        None => warn(
            "time",
            "nothing on this machine shows that its clock is kept right",
            "run chrony or systemd-timesyncd; in a container the host does it, and all is well",
        ),
    }
}
