//! The shapes of answers: wire structs that borrow from the model and go straight to bytes.
//!
//! A field that does not apply is left out. Model types are never serialised as they are: a stored
//! form may change, an answer may not.

mod action;
mod address;
mod api_key;
mod browser_payment;
mod customer;
mod dispute;
mod list;
mod method;
mod payment;
mod provider;
mod qr;
mod refund;
mod test_clock;
mod timeline;
mod transaction;

use kernel::Timestamp;
use serde::{Serialize, Serializer};

pub use action::ActionObject;
pub use address::AddressObject;
pub use api_key::ApiKeyObject;
pub use browser_payment::BrowserPaymentObject;
pub use customer::{CustomerObject, DeletedObject};
pub use list::ListObject;
pub use method::{MethodObject, TokenizedObject};
pub use payment::PaymentObject;
pub use provider::ProviderObject;
pub use qr::qr_data_url;
pub use refund::RefundObject;
pub use test_clock::TestClockObject;
pub use timeline::MomentObject;
pub use transaction::TransactionObject;

/// An instant as RFC 3339 text.
#[derive(Clone, Copy, Debug)]
pub struct At(pub Timestamp);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
