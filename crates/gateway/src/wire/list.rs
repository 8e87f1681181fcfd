//! A page of a list.

use serde::Serialize;

/// `{"object": "list", …}`
#[derive(Debug, Serialize)]
pub struct ListObject<T> {
    object: &'static str,
    data: Vec<T>,
    has_more: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl<T> ListObject<T> {
    /// A page; `next_cursor` continues after its last entry, if there is more.
    pub const fn new(data: Vec<T>, next_cursor: Option<String>) -> Self {
        Self { object: "list", data, has_more: next_cursor.is_some(), next_cursor }
    }
}
