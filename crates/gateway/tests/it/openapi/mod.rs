//! The OpenAPI document against routes, parser and answers.

mod bodies;
mod code;
mod document;
pub(crate) mod need;
mod pages;
mod samples;
