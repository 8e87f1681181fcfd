//! The API's routes, by area and verb. A route says who may use it; a handler
//! parses, calls one service method and shapes.

mod api_keys;
mod customers;
mod methods;
mod outcome;
pub(crate) mod payments;
mod policy;
mod providers;
pub(crate) mod refunds;
mod test_clock;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::routing::{MethodFilter, on};
use identity::AccessScope::{
    AccountsRead, ApiKeysRead, ApiKeysWrite, CustomersRead, CustomersWrite, PaymentMethodsWrite,
    PaymentsRead, PaymentsWrite, RefundsRead, RefundsWrite, TestWrite,
};
use node::Node;

use crate::call::Call;
use crate::input::Parameters;
use crate::quota;
use crate::reply::Answer;
use crate::router::Access::{self, ClientSecret, Publishable, Secret};
use crate::router::Route;
use crate::webhooks;

/// The API's routes below `root`.
pub(crate) fn routes(root: &'static str) -> Vec<Route> {
    let at = |path: &str| format!("{root}{path}");
    vec![
        change(at("/payments"), Secret(PaymentsWrite), payments::create::create),
        read(at("/payments"), Secret(PaymentsRead), payments::list::list),
        read(at("/payments/search"), Secret(PaymentsRead), payments::list::search),
        read(at("/payments/{id}"), ClientSecret(PaymentsRead), payments::get::get),
        read(at("/payments/{id}/timeline"), Secret(PaymentsRead), payments::timeline::timeline),
        patch(at("/payments/{id}"), Secret(PaymentsWrite), payments::update::update),
        change(at("/payments/{id}/confirm"), ClientSecret(PaymentsWrite), payments::confirm::confirm),
        change(at("/payments/{id}/capture"), Secret(PaymentsWrite), payments::capture::capture),
        change(at("/payments/{id}/increment"), Secret(PaymentsWrite), payments::increment::increment),
        change(at("/payments/{id}/cancel"), Secret(PaymentsWrite), payments::cancel::cancel),
        // The same thing in the words of card networks.
        change(at("/payments/{id}/void"), Secret(PaymentsWrite), payments::cancel::cancel),
        change(at("/payments/{id}/refund"), Secret(RefundsWrite), payments::refund::refund),
        change(at("/customers"), Secret(CustomersWrite), customers::create::create),
        read(at("/customers"), Secret(CustomersRead), customers::list::list),
        read(at("/customers/{id}"), Secret(CustomersRead), customers::get::get),
        patch(at("/customers/{id}"), Secret(CustomersWrite), customers::update::update),
        delete(at("/customers/{id}"), Secret(CustomersWrite), customers::delete::delete),
        read(at("/customers/{id}/payment_methods"), Secret(CustomersRead), methods::list::list),
        change(at("/customers/{id}/payment_methods"), Secret(PaymentMethodsWrite), methods::attach::attach),
        change(
            at("/customers/{id}/default_payment_method"),
            Secret(CustomersWrite),
            customers::set_default::set_default,
        ),
        // The same list by the name of the user.
        read(at("/users/{id}/payment-methods"), Secret(CustomersRead), methods::list::list),
        change(
            at("/payment-methods/tokenize"),
            Publishable(PaymentMethodsWrite),
            methods::tokenize::tokenize,
        ),
        read(at("/payment-methods/{id}"), Secret(CustomersRead), methods::get::get),
        change(at("/payment-methods/{id}/detach"), Secret(PaymentMethodsWrite), methods::detach::detach),
        delete(at("/payment-methods/{id}"), Secret(PaymentMethodsWrite), methods::delete::delete),
        change(at("/refunds"), Secret(RefundsWrite), refunds::create::create),
        read(at("/refunds"), Secret(RefundsRead), refunds::list::list),
        read(at("/refunds/{id}"), Secret(RefundsRead), refunds::get::get),
        read(at("/test/clock"), Secret(TestWrite), test_clock::read),
        change(at("/test/clock"), Secret(TestWrite), test_clock::advance),
        read(at("/providers"), Secret(AccountsRead), providers::list::list),
        change(at("/api-keys"), Secret(ApiKeysWrite), api_keys::create::create),
        read(at("/api-keys"), Secret(ApiKeysRead), api_keys::list::list),
        read(at("/api-keys/{id}"), Secret(ApiKeysRead), api_keys::get::get),
        change(at("/api-keys/{id}/rotate"), Secret(ApiKeysWrite), api_keys::rotate::rotate),
        change(at("/api-keys/{id}/revoke"), Secret(ApiKeysWrite), api_keys::revoke::revoke),
    ]
}

/// Routes with the API's keys that stand beside it, under the names of other systems.
pub(crate) fn routes_beside() -> Vec<Route> {
    vec![read("/transaction/{tx_id}".to_owned(), Secret(PaymentsRead), webhooks::event::get)]
}

fn read<F, A>(path: String, access: Access, handler: F) -> Route
where
    F: Fn(Call) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    route((Method::GET, MethodFilter::GET), path, access, handler)
}

fn change<F, A>(path: String, access: Access, handler: F) -> Route
where
    F: Fn(Call) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    route((Method::POST, MethodFilter::POST), path, access, handler)
}

fn patch<F, A>(path: String, access: Access, handler: F) -> Route
where
    F: Fn(Call) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    route((Method::PATCH, MethodFilter::PATCH), path, access, handler)
}

fn delete<F, A>(path: String, access: Access, handler: F) -> Route
where
    F: Fn(Call) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    route((Method::DELETE, MethodFilter::DELETE), path, access, handler)
}

/// The pipeline of every API route: who is calling and whether they may, then the handler.
fn route<F, A>((method, filter): (Method, MethodFilter), path: String, access: Access, handler: F) -> Route
where
    F: Fn(Call) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Answer> + Send + 'static,
{
    let is_idempotent = method != Method::GET;
    let pipeline = move |State(node): State<Arc<Node>>, request: Request| {
        let handler = handler.clone();
        async move {
            let call = match Call::begin(node, request, access).await {
                Ok(call) => call,
                Err(problem) => return problem.into_answer(),
            };
            let quota = call.quota();
            let strict = match call.query() {
                Some(query) if is_idempotent => Parameters::parse(Some(query), &[], &[]).map(|_| ()),
                _ => Ok(()),
            };
            let answer = match strict {
                Ok(()) => handler(call).await,
                Err(problem) => Err(problem),
            };
            match answer {
                Ok(mut response) => {
                    if let Some(quota) = quota {
                        quota::write(&quota, response.headers_mut());
                    }
                    response
                }
                Err(problem) => problem.quota_of(quota).into_answer(),
            }
        }
    };
    Route { method, path, access, is_idempotent, handler: on(filter, pipeline) }
}
