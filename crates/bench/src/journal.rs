//! The journal: every answer as one line of JSON, for tests that kill the server and then ask what is
//! true.
//!
//! A line reaches the operating system before the client sends its next request, so that the journal
//! holds everything that the client was told, whatever dies afterwards.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use parking_lot::Mutex;
use serde::Serialize;

use crate::BenchError;
use crate::options::Operation;

/// One line. A field that does not apply is left out.
#[derive(Serialize)]
pub(crate) struct Entry<'a> {
    /// The idempotency key; a get has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<&'a str>,
    pub(crate) request: Operation,
    /// The HTTP status, or null when no answer came until the end: what was asked may have happened or
    /// not.
    pub(crate) status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment_status: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refund_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refund_status: Option<&'a str>,
    /// What was asked for, in minor units; a get asks for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) amount: Option<u64>,
    /// Why the answer is not what was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<&'a str>,
    /// How often the request was sent, the answered send included.
    pub(crate) sends: u32,
}

/// The open file and its line buffer, shared by all clients.
pub(crate) struct Journal {
    path: String,
    inner: Mutex<(File, Vec<u8>)>,
}

impl Journal {
    /// Opens the file for appending; several runs may share one.
    pub(crate) fn open(path: &Path) -> Result<Self, BenchError> {
        let shown = path.display().to_string();
        match OpenOptions::new().create(true).append(true).open(path) {
            Ok(file) => Ok(Self { path: shown, inner: Mutex::new((file, Vec::new())) }),
            Err(source) => Err(BenchError::Journal { path: shown, source }),
        }
    }

    /// Appends a line with one write.
    pub(crate) fn append(&self, entry: &Entry<'_>) -> Result<(), BenchError> {
        let mut inner = self.inner.lock();
        let (file, line) = &mut *inner;
        line.clear();
        serde_json::to_writer(&mut *line, entry)
            .map_err(std::io::Error::from)
            .and_then(|()| {
                line.push(b'\n');
                file.write_all(line)
            })
            .map_err(|source| BenchError::Journal { path: self.path.clone(), source })
    }
}
