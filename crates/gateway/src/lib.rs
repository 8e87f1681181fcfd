//! The HTTP edge over a node: routes, strict input, problem documents, the shapes of answers.
//!
//! A request goes through one pipeline: its id, its key, parse, one call of a service, shape. Handlers
//! are thin; what they are handed is typed, what they answer is a wire struct or a [`Problem`], and
//! the outermost layer renders it. No SQL, no provider by name and no decision about money is here.

pub mod input;
pub mod problem;
pub mod wire;

pub use problem::Problem;
