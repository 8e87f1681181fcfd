//! The HTTP edge over a node: routes, strict input, problem documents, the shapes of answers.
//!
//! A request goes through one pipeline: its id, its address, its key, its limits and what it may do,
//! parse, one call of a service, shape. Handlers are thin; what they are handed is typed, what they
//! answer is a wire struct or a [`Problem`], and the outermost layer renders it. No SQL, no provider by
//! name and no decision about money is here.

mod admission;
mod api;
mod body;
mod browser;
mod call;
mod client;
mod client_secret;
mod cors;
mod drain;
pub mod input;
mod measure;
mod monitor;
mod monitoring;
pub mod openapi;
mod outermost;
mod patient;
pub mod problem;
mod quota;
mod reply;
mod router;
mod sandbox;
mod seats;
mod server;
mod tls;
mod trace;
mod webhooks;
pub mod wire;

pub use client::{Client, mark_encrypted, mark_peer};
pub use monitor::metrics_router;
pub use problem::Problem;
pub use router::{Access, Route, router, routes};
pub use sandbox::sandbox_router;
pub use server::{GatewayError, serve, serve_router};
pub use tls::{Tls, TlsError};
