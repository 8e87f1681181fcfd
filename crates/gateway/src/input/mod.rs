//! From bytes to typed commands: strict, and exact about what is wrong and where.
//!
//! [`json`] reads the body into a borrowed tree, [`fields`] gives typed access to it with JSON
//! pointers, the other files make one command each. Unknown fields are refused with the nearest known
//! name; fields that are known but not served yet are refused too, never ignored.

mod amount;
mod api_key;
mod canonical;
mod capture;
mod cursor;
mod customer;
mod event;
mod fields;
mod filter;
mod increment;
pub mod json;
mod metadata;
mod method;
mod nearest;
pub(crate) mod payer;
mod payment;
mod query;
mod refund;
mod stripe;
mod test_clock;
mod text;
mod update;
mod url;

pub use amount::{currency, minor_units};
pub use api_key::{key_overlap, new_key};
pub use canonical::canonical;
pub use capture::{CaptureInput, capture};
pub use cursor::{
    CursorKind, decode_cursor, decode_cursor_of, decode_timeline_cursor, encode_cursor, encode_cursor_of,
    encode_timeline_cursor,
};
pub use customer::{
    CUSTOMER_FILTERS, customer_filter, customer_named, customer_patch, customer_ref, new_customer,
};
pub use event::{EventInput, event};
pub use fields::{Fields, Schema};
pub use filter::{PAYMENT_FILTERS, REFUND_FILTERS, payment_filter, refund_filter};
pub use increment::{IncrementInput, increment};
pub use json::{JsonError, Node, parse};
pub use method::{attaching, is_vpa, named_method, new_method};
pub use payment::{confirm_payment, create_payment};
pub use query::{Parameters, limit};
pub use refund::{RefundInput, nothing, refund};
pub use test_clock::move_clock;
pub use text::{TextRule, check_text};
pub use update::{UpdateInput, update_payment};
pub use url::absolute_url;

pub(crate) use amount::MINOR_UNITS_MAX;
pub(crate) use filter::TEXT_MAX as FILTER_TEXT_MAX;
pub(crate) use query::LIMIT_MAX;
pub(crate) use url::URL_LENGTH_MAX;

use crate::problem::{Problem, catalogue as code};

/// The parser's tables of fields, which the OpenAPI document is held against.
pub(crate) mod tables {
    pub(crate) use super::api_key::{
        CREATE as CREATE_KEY, KINDS as KEY_KINDS, LIFE_SECONDS_MAX as KEY_LIFE_SECONDS_MAX, NETWORKS_MAX,
        OVERLAP_SECONDS_MAX as KEY_OVERLAP_SECONDS_MAX, ROTATE as ROTATE_KEY,
    };
    pub(crate) use super::capture::CAPTURE;

    /// The query parameters of a list of API keys.
    pub(crate) const KEY_LIST: &[&str] = &["limit", "cursor"];
    pub(crate) use super::customer::{CREATE as CREATE_CUSTOMER, UPDATE as UPDATE_CUSTOMER};
    pub(crate) use super::event::{EVENT, SECONDS_MAX, SIGNATURE, TX_ID};
    pub(crate) use super::increment::INCREMENT;
    pub(crate) use super::method::{ATTACH, CARD, HOSTED, NAMED, PAYPAL, TOKENIZE, UPI};

    /// The query parameters of a list of payment methods.
    pub(crate) const METHOD_LIST: &[&str] = &["limit", "cursor"];
    pub(crate) use super::payer::ADDRESS;
    pub(crate) use super::payment::{CONFIRM, CREATE, DELAY_SECONDS_MAX};
    pub(crate) use super::refund::{NOTHING, OF_PAYMENT, WITH_PAYMENT};
    pub(crate) use super::test_clock::{ADVANCE_SECONDS_MAX, CLOCK};
    pub(crate) use super::update::UPDATE;
}

/// Reads a body as an object's tree. An empty body is an empty object: a capture of all that is left
/// needs no words.
pub fn read_body(bytes: &[u8]) -> Result<Node<'_>, Problem> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Node::Object(Vec::new()));
    }
    parse(bytes).map_err(|error| {
        let place = format!("Line {}, column {}: {}.", error.line, error.column, error.reason);
        let problem = Problem::new(&code::INVALID_JSON, place).on_line(error.line, error.column);
        // The pointer quotes names of the body; one that holds a card number is not repeated.
        if nearest::is_quotable(&error.pointer) { problem.at(error.pointer) } else { problem }
    })
}
