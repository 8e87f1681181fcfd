//! The HTTP edge over a node: routes, strict input, problem documents, the shapes of answers.
//!
//! A request goes through one pipeline: its id, its key and what it may do, parse, one call of a service, shape. Handlers
//! are thin; what they are handed is typed, what they answer is a wire struct or a [`Problem`], and
//! the outermost layer renders it. No SQL, no provider by name and no decision about money is here.

mod api;
mod body;
mod browser;
mod call;
mod client_secret;
pub mod input;
pub mod openapi;
mod outermost;
pub mod problem;
mod reply;
mod router;
mod sandbox;
mod server;
mod webhooks;
pub mod wire;

pub use problem::Problem;
pub use router::{Access, Route, router, routes};
pub use sandbox::sandbox_router;
pub use server::{GatewayError, serve, serve_router};
