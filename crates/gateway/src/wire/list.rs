//! A page of a list.

use schemars::JsonSchema;
use serde::Serialize;

/// `{"object": "list", …}`
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "{T}List")]
pub struct ListObject<T> {
    /// Always `list`.
    object: &'static str,
    /// This page, newest first. One request looks at a bounded number of objects: where hardly any
    /// matches the filters, a page has fewer than `limit` or none, and `has_more` alone says whether it is
    /// the last.
    data: Vec<T>,
    /// Whether there is a page behind this one.
    has_more: bool,
    /// Send it as `cursor` to get the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl<T> ListObject<T> {
    /// A page; `next_cursor` continues where it ended, if there is more.
    pub const fn new(data: Vec<T>, next_cursor: Option<String>) -> Self {
        Self { object: "list", data, has_more: next_cursor.is_some(), next_cursor }
    }
}
