//! The opaque cursor of lists: the last id of a page, marked with what the list holds and by what it was
//! narrowed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Timestamp;
use payments::TimelineCursor;
use uuid::Uuid;

use crate::problem::{Problem, catalogue as code};

/// The mark of a timeline's cursor, which is a place in time and no id.
const TIMELINE: u8 = 255;

/// What a list holds; a cursor of one list is refused by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CursorKind {
    /// Payments.
    Payments,
    /// Refunds.
    Refunds,
    /// Payments that a search found.
    Search,
    /// Customers.
    Customers,
    /// Payment methods of a customer.
    PaymentMethods,
    /// API keys.
    ApiKeys,
}

impl CursorKind {
    /// The mark; its first bit pattern also stands for the form, so that another can follow.
    const fn mark(self) -> u8 {
        match self {
            Self::Payments => 1,
            Self::Refunds => 2,
            Self::Search => 3,
            Self::Customers => 4,
            Self::PaymentMethods => 5,
            Self::ApiKeys => 6,
        }
    }
}

/// The cursor that continues, in a list with these filters, after `last`. `filters` is their canonical
/// text, empty for none.
pub fn encode_cursor_of(kind: CursorKind, filters: &str, last: Uuid) -> String {
    if filters.is_empty() {
        return encode_cursor(kind, last);
    }
    let mut bytes = vec![kind.mark()];
    bytes.extend_from_slice(&digest(filters).to_be_bytes());
    bytes.extend_from_slice(last.as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor of a list with these filters back. One of other filters is refused: what it would
/// continue is another list.
pub fn decode_cursor_of(kind: CursorKind, filters: &str, text: &str) -> Result<Uuid, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    let read = bytes.split_first().filter(|(mark, _)| **mark == kind.mark()).and_then(|(_, rest)| {
        let (own, id) = rest.split_at_checked(rest.len().checked_sub(16)?)?;
        Some((own.to_vec(), Uuid::from_slice(id).ok()?))
    });
    let expected = if filters.is_empty() { Vec::new() } else { digest(filters).to_be_bytes().to_vec() };
    match read {
        Some((own, id)) if own == expected => Ok(id),
        Some((own, _)) if matches!(own.len(), 0 | 4) => {
            let detail = "`cursor` belongs to a list with other filters: send it with those of the page that \
                          gave it, or leave it out.";
            Err(Problem::new(&code::INVALID_PARAMETER, detail).at("cursor"))
        }
        _ => Err(not_ours()),
    }
}

/// The cursor that continues a payment's timeline after this place.
pub fn encode_timeline_cursor(payment: Uuid, last: TimelineCursor) -> String {
    let mut bytes = vec![TIMELINE];
    bytes.extend_from_slice(&digest(&payment.to_string()).to_be_bytes());
    bytes.extend_from_slice(&last.at.as_micros().to_be_bytes());
    bytes.push(last.rank);
    bytes.extend_from_slice(&last.number.to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a timeline's cursor back.
pub fn decode_timeline_cursor(payment: Uuid, text: &str) -> Result<TimelineCursor, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    let read = || {
        let (mark, rest) = bytes.split_first()?;
        let (own, rest) = rest.split_first_chunk::<4>()?;
        let (at, rest) = rest.split_first_chunk::<8>()?;
        let (rank, rest) = rest.split_first()?;
        let at = Timestamp::from_micros(i64::from_be_bytes(*at));
        let number = u32::from_be_bytes(rest.try_into().ok()?);
        let is_ours = *mark == TIMELINE && u32::from_be_bytes(*own) == digest(&payment.to_string());
        is_ours.then_some(TimelineCursor { at, rank: *rank, number })
    };
    read().ok_or_else(not_ours)
}

/// FNV-1a, 32 bits: tells a caller's mistake, and keeps nothing secret.
fn digest(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// The cursor that continues after `last`.
pub fn encode_cursor(kind: CursorKind, last: Uuid) -> String {
    let mut bytes = [0; 17];
    if let Some((mark, id)) = bytes.split_first_mut() {
        *mark = kind.mark();
        id.copy_from_slice(last.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor back.
pub fn decode_cursor(kind: CursorKind, text: &str) -> Result<Uuid, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok();
    let id = bytes.as_deref().and_then(<[u8]>::split_first).filter(|(mark, _)| **mark == kind.mark());
    id.and_then(|(_, id)| Uuid::from_slice(id).ok()).ok_or_else(not_ours)
}

fn not_ours() -> Problem {
    let detail = "`cursor` is none that this list gave: send `next_cursor` of the page before, as it is.";
    Problem::new(&code::INVALID_PARAMETER, detail).at("cursor")
}
