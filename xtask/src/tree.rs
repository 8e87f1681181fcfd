//! The files of the checkout, as the checks see them: a path and its text.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// One text file.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// Relative to the top of the checkout, with `/` between the parts.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// The last part of the path.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// What stands after the last dot of the name; "sh" for an extensionless file that starts with `#!`.
    pub(crate) fn extension(&self) -> &str {
        match self.name().rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => extension,
            _ if self.text.starts_with("#!") => "sh",
            _ => "",
        }
    }

    /// Every line with its number, counted from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// All text files that are tracked or about to be (untracked, but not ignored), sorted by path.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

impl Tree {
    /// Reads the checkout at `top`. Files that are not UTF-8 (images, archives) are left out.
    pub(crate) fn read(top: &Path) -> Result<Self, String> {
        // A checkout may belong to another user than the one who checks it; nothing is written here.
        let listed = Command::new("git")
            .args(["-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(top)
            .output()
            .map_err(|error| format!("cannot run git, which knows the tracked files: {error}"))?;
        if !listed.status.success() {
            return Err(format!("git ls-files failed: {}", String::from_utf8_lossy(&listed.stderr)));
        }
        let mut paths: Vec<String> = String::from_utf8_lossy(&listed.stdout)
            .split('\0')
            .filter(|path| !path.is_empty())
            .map(str::to_owned)
            .collect();
        paths.sort();
        paths.dedup();
        let files = paths
            .into_iter()
            // A file that is listed but gone was deleted and not committed yet.
            .filter_map(|path| Some(File { text: fs::read_to_string(top.join(&path)).ok()?, path }))
            .collect();
        Ok(Self { files })
    }

    /// The file at exactly this path.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(path, text)| File { path: (*path).into(), text: (*text).into() });
        Self { files: files.collect() }
    }
}

/// The top of the checkout that this program was built from, or is run for by `cargo xtask`.
pub(crate) fn top() -> PathBuf {
    let manifest =
        env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    manifest.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Runs cargo at the top of the checkout and hands back what it printed.
pub(crate) fn cargo(top: &Path, arguments: &[&str]) -> Result<String, String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let ran = Command::new(cargo)
        .args(arguments)
        .current_dir(top)
        .output()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        return Err(format!("cargo {} failed: {said}", arguments.join(" ")));
    }
    String::from_utf8(ran.stdout).map_err(|error| format!("cargo printed no UTF-8: {error}"))
}
