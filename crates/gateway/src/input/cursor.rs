//! The opaque cursor of lists: the last id of a page, marked with what the list holds.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::problem::{Problem, catalogue as code};

/// What a list holds; a cursor of one list is refused by another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CursorKind {
    /// Payments.
    Payments,
    /// Refunds.
    Refunds,
}

impl CursorKind {
    /// The mark; its first bit pattern also stands for the form, so that another can follow.
    const fn mark(self) -> u8 {
        match self {
            Self::Payments => 1,
            Self::Refunds => 2,
        }
    }
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
    id.and_then(|(_, id)| Uuid::from_slice(id).ok()).ok_or_else(|| {
        let detail = "`cursor` is none that this list gave: send `next_cursor` of the page before, as it is.";
        Problem::new(&code::INVALID_PARAMETER, detail).at("cursor")
    })
}
