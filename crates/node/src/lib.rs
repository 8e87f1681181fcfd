//! A node: one process's composition of everything, without its HTTP.

pub mod config;
pub mod host;
