//! All routes of a node in one table, and the router that serves them.

use std::sync::Arc;

use axum::Router;
use axum::http::Method;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use identity::AccessScope;
use node::Node;

use crate::cors::Cors;
use crate::outermost::{Outermost, method_not_allowed, outermost, route_not_found};
use crate::{api, browser, monitor, monitoring, openapi, sandbox, webhooks};

/// The API answers with and without its version.
const API_ROOTS: [&str; 2] = ["/api/v1", "/api"];

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody: what comes is verified otherwise, or nothing is at stake.
    Public,
    /// Secret keys that have the scope.
    Secret(AccessScope),
    /// Those, and publishable keys.
    Publishable(AccessScope),
    /// Those, and publishable keys that come with the client secret of the payment in the path: in
    /// the body's `client_secret`, or in the query's when there is no body.
    ClientSecret(AccessScope),
    /// Who has the monitoring key, in `X-API-Key`.
    Monitoring,
}

/// One method of one path.
#[derive(Clone)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: String,
    /// Who may use it.
    pub access: Access,
    /// Whether it takes an idempotency key.
    pub is_idempotent: bool,
    pub(crate) handler: MethodRouter<Arc<Node>>,
}

/// Every route of a node, but for the sandbox bank's: what is not here does not exist.
pub fn routes() -> Vec<Route> {
    let public = |method, path: &str, handler| Route {
        method,
        path: path.to_owned(),
        access: Access::Public,
        is_idempotent: false,
        handler,
    };
    let mut routes: Vec<Route> = API_ROOTS.into_iter().flat_map(api::routes).collect();
    routes.extend(api::routes_beside());
    routes.extend([
        public(Method::GET, "/", get(openapi::pages::root)),
        public(Method::GET, "/health", get(monitor::health)),
        public(Method::GET, "/ready", get(monitor::ready)),
        public(Method::GET, "/metrics", get(monitor::metrics)),
        public(Method::GET, "/return/{payment}", get(browser::return_to)),
        public(Method::POST, "/return/{payment}", post(browser::return_to)),
        public(Method::POST, "/webhooks/payments", post(webhooks::event::receive)),
        public(Method::POST, "/webhooks/payments/{account}", post(webhooks::event::receive_of)),
        public(Method::POST, "/webhooks/{provider}", post(webhooks::notice::receive_for_one)),
        public(Method::POST, "/webhooks/{provider}/{account}", post(webhooks::notice::receive)),
        public(Method::GET, "/openapi.json", get(openapi::serve)),
        public(Method::GET, "/docs", get(openapi::pages::swagger)),
        public(Method::GET, "/docs/errors", get(openapi::pages::error_reference)),
        public(Method::GET, "/docs/assets/{name}", get(openapi::pages::asset)),
        public(Method::GET, "/redoc", get(openapi::pages::redoc)),
    ]);
    routes.extend([
        with_monitoring_key("/monitoring/errors", get(monitoring::errors)),
        with_monitoring_key("/monitoring/health", get(monitoring::health)),
    ]);
    routes
}

fn with_monitoring_key(path: &str, handler: MethodRouter<Arc<Node>>) -> Route {
    let path = path.to_owned();
    Route { method: Method::GET, path, access: Access::Monitoring, is_idempotent: false, handler }
}

/// The router over a node, the sandbox bank's routes included if the bank runs in this process.
pub fn router(node: Arc<Node>) -> Router {
    let outer = Outermost::of(&node);
    let (bank, clock) = (node.bank.clone(), Arc::clone(&node.clock));
    let table = routes();
    let cors = Cors::new(&node.config.server.allowed_origins, &table);
    let mut router = Router::new();
    for route in table {
        router = router.route(&route.path, route.handler);
    }
    let mut router = router.with_state(node);
    if let Some(bank) = bank {
        router = router.merge(sandbox::routes(bank, clock));
    }
    let router = router
        .fallback(route_not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(outer, outermost));
    // Around everything else, so that a page can read refusals, too.
    match cors {
        Some(cors) => router.layer(from_fn_with_state(cors, crate::cors::cors)),
        None => router,
    }
}
