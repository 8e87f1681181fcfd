//! The OpenAPI document, generated from the types that the handlers read and write.

pub(crate) mod form;
