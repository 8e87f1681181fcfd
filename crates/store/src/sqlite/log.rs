//! A look at the write-ahead log that a crash left behind, before SQLite takes it.
//!
//! SQLite reads a log up to the first frame that does not fit and forgets the rest without a word. At
//! the log's end that is right: what a crash tore was never confirmed to anybody. In the middle it would
//! lose commits that were. The two can be told apart: every commit is on the disk before the next begins,
//! so behind a frame that does not fit there is at most the one commit that was being written. Two
//! commits in a row behind it mean that the disk lost something in front of them.
//!
//! Format: <https://www.sqlite.org/fileformat2.html#walformat>.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::OpenError;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;
/// The first word of a log; the last bit says in which byte order it is summed.
const MAGIC: u32 = 0x377f_0682;
/// A log that another process writes meanwhile may look damaged for a moment.
const LOOKS: u32 = 5;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

/// Refuses a database whose log has lost confirmed commits.
pub(super) fn check(database: &Path) -> Result<(), OpenError> {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    let path = PathBuf::from(name);
    let mut damage = look(&path)?;
    for _ in 1..LOOKS {
        if damage.is_none() {
            return Ok(());
        }
        std::thread::park_timeout(BETWEEN_LOOKS);
        damage = look(&path)?;
    }
    damage.map_or(Ok(()), |frame| Err(OpenError::DamagedLog { path: path.display().to_string(), frame }))
}

/// The first frame that is damaged, from 1; 0 is the header.
fn look(path: &Path) -> Result<Option<u64>, OpenError> {
    let failed =
        |error: std::io::Error| OpenError::Database(format!("{} cannot be read: {error}", path.display()));
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let length = file.metadata().map_err(failed)?.len();
    let mut file = std::io::BufReader::with_capacity(1 << 18, file);
    let mut header = [0; HEADER_BYTES];
    if !fill(&mut file, &mut header).map_err(failed)? {
        return Ok(None);
    }
    let Some(log) = Log::of(&header) else {
        // A header alone protects nothing, and one that never reached the disk is empty.
        let frames = length > u64::try_from(HEADER_BYTES + FRAME_HEADER_BYTES).unwrap_or(u64::MAX);
        return Ok((frames && header != [0; HEADER_BYTES]).then_some(0));
    };
    log.first_damaged(&mut file).map_err(failed)
}

/// What a log's header says.
struct Log {
    big_endian: bool,
    page_bytes: usize,
    salts: [u8; 8],
    sum: Sum,
}

type Sum = (u32, u32);

impl Log {
    /// `None` if it is no header.
    fn of(header: &[u8; HEADER_BYTES]) -> Option<Self> {
        let magic = word(header, 0);
        let page_bytes = usize::try_from(word(header, 8)).ok()?;
        let is_size = page_bytes.is_power_of_two() && (512..=65536).contains(&page_bytes);
        let mut log = Self {
            big_endian: magic & 1 == 1,
            page_bytes,
            salts: header.get(16..24)?.try_into().ok()?,
            sum: (0, 0),
        };
        log.sum = log.add((0, 0), header.get(..24)?);
        let fits = log.sum == (word(header, 24), word(header, 28));
        (magic & !1 == MAGIC && is_size && fits).then_some(log)
    }

    /// Adds bytes to a running sum, eight at a time.
    fn add(&self, (mut first, mut second): Sum, bytes: &[u8]) -> Sum {
        let read = |bytes: &[u8; 4]| {
            if self.big_endian { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) }
        };
        let (words, _) = bytes.as_chunks::<4>();
        let (pairs, _) = words.as_chunks::<2>();
        for [left, right] in pairs {
            first = first.wrapping_add(read(left)).wrapping_add(second);
            second = second.wrapping_add(read(right)).wrapping_add(first);
        }
        (first, second)
    }

    fn first_damaged(&self, file: &mut impl Read) -> std::io::Result<Option<u64>> {
        let mut frame = vec![0; FRAME_HEADER_BYTES + self.page_bytes];
        // The sum up to the last frame of this log; `None` if the last one was of another.
        let mut before = Some(self.sum);
        let mut first_bad = None;
        // Commits in a row behind the first frame that does not fit, and whether the last frame is one.
        let (mut commits, mut number) = (0, 0);
        let mut begins_with_commit = false;
        while fill(file, &mut frame)? {
            number += 1;
            let (head, page) = frame.split_at(FRAME_HEADER_BYTES);
            let is_of_this_log = head.get(8..16) == Some(&self.salts[..]);
            let is_commit = word(head, 4) != 0;
            let said = (word(head, 16), word(head, 20));
            let fits = is_of_this_log
                && before.is_some_and(|sum| {
                    self.add(self.add(sum, head.get(..8).unwrap_or_default()), page) == said
                });
            before = is_of_this_log.then_some(said);
            if fits && first_bad.is_none() {
                continue;
            }
            if fits {
                commits += u32::from(is_commit) + u32::from(std::mem::take(&mut begins_with_commit));
                if commits >= 2 {
                    return Ok(first_bad);
                }
            } else {
                first_bad = first_bad.or(Some(number));
                // What it says of itself counts once the next frame fits behind it.
                (commits, begins_with_commit) = (0, is_of_this_log && is_commit);
            }
        }
        Ok(None)
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..).and_then(<[u8]>::first_chunk::<4>);
    found.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

/// Fills the buffer; `false` if the file ends before.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match file.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
