//! The API's routes, by area and verb. A handler parses, calls one service method and shapes.

mod outcome;
mod payments;
mod refunds;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::routing::{MethodFilter, on};
use node::Node;

use crate::call::Call;
use crate::input::Parameters;
use crate::problem::Problem;
use crate::reply::Answer;
use crate::router::{Access, Route};

/// The API's routes below `root`.
pub(crate) fn routes(root: &'static str) -> Vec<Route> {
    let at = |path: &str| format!("{root}{path}");
    vec![
        change(at("/payments"), payments::create::create),
        read(at("/payments"), payments::list::list),
        read(at("/payments/search"), payments::list::search),
        read(at("/payments/{id}"), payments::get::get),
        change(at("/payments/{id}/confirm"), payments::confirm::confirm),
        change(at("/payments/{id}/capture"), payments::capture::capture),
        change(at("/payments/{id}/cancel"), payments::cancel::cancel),
        // The same thing in the words of card networks.
        change(at("/payments/{id}/void"), payments::cancel::cancel),
        change(at("/payments/{id}/refund"), payments::refund::refund),
        change(at("/refunds"), refunds::create::create),
        read(at("/refunds"), refunds::list::list),
        read(at("/refunds/{id}"), refunds::get::get),
    ]
}

fn read<F, A>(path: String, handler: F) -> Route
where
    F: Fn(Call) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    route(Method::GET, MethodFilter::GET, path, handler)
}

fn change<F, A>(path: String, handler: F) -> Route
where
    F: Fn(Call) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    route(Method::POST, MethodFilter::POST, path, handler)
}

/// The pipeline of every API route: who is calling, then the handler.
fn route<F, A>(method: Method, filter: MethodFilter, path: String, handler: F) -> Route
where
    F: Fn(Call) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let is_idempotent = method != Method::GET;
    let pipeline = move |State(node): State<Arc<Node>>, request: Request| {
        let handler = handler.clone();
        async move {
            let answer = match Call::begin(node, request).await {
                Ok(call) if is_idempotent => match Parameters::parse(call.query(), &[], &[]) {
                    Ok(_) => handler(call).await,
                    Err(problem) => Err(problem),
                },
                Ok(call) => handler(call).await,
                Err(problem) => Err(problem),
            };
            answer.unwrap_or_else(Problem::into_answer)
        }
    };
    Route { method, path, access: Access::SecretKey, is_idempotent, handler: on(filter, pipeline) }
}
