//! What browsers see that are no merchant's: the way back from a provider.

mod page;
mod return_to;

pub(crate) use page::{html, redirect};
pub(crate) use return_to::return_to;
