//! Whatever comes in: an answer, never a panic and never a 5xx.

use axum::body::Body;
use axum::http::{HeaderValue, Method, Request};
use gateway::routes;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::world::{CARD, Ids, World, filled};

/// A valid body with bytes changed, or no body at all.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let valid = prop::sample::select(vec![
        CARD,
        r#"{"amount_paisa": 100, "payment_method": "UPI", "payment_details": {"vpa": "success@upi"}}"#,
        r#"{"payment_method": {"type": "card", "token": "tok_visa"}, "gateway": "sandbox"}"#,
        r#"{"amount": 100, "reason": "x", "metadata": {"a": 1.5, "b": "c"}}"#,
        r#"{"payment_id": "pay_01h455vb4pex5vsknk084sn02q", "amount": 5}"#,
        r#"{"amount": 5, "final": true}"#,
        r#"{"user_id": "u", "type": "CARD", "details": {"card_number": "4242424242424242",
            "expiry_month": "12", "expiry_year": "25", "cvv": "123"}, "display_name": "d"}"#,
        r#"{"payment_method": "pm_01h455vb4pex5vsknk084sn02q"}"#,
        r#"{"payment_method": {"id": "pm_01h455vb4pex5vsknk084sn02q"}, "amount": 5, "currency": "USD"}"#,
        r#"{"reference": "r", "name": "N", "email": "a@b", "address": {"city": "C"},
            "metadata": {"a": null}}"#,
        "{}",
    ]);
    let splice = (any::<prop::sample::Index>(), 0_usize..4, prop::collection::vec(any::<u8>(), 0..4));
    let spliced = (valid, prop::collection::vec(splice, 0..3)).prop_map(|(text, splices)| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, length, with) in splices {
            let start = at.index(bytes.len() + 1);
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, with);
        }
        bytes
    });
    prop_oneof![4 => spliced, 1 => prop::collection::vec(any::<u8>(), 0..64)]
}

fn segment() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("pay_01h455vb4pex5vsknk084sn02q".to_owned()),
        "[a-z_0-9%]{0,30}".prop_filter("a path", |text| !text.contains('%')),
        Just("cus_01h455vb4pex5vsknk084sn02q".to_owned()),
        Just("%00".to_owned()),
        Just("%F0%9F%98%80".to_owned()),
    ]
}

#[test]
fn nothing_that_comes_in_is_our_fault() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let world = runtime.block_on(World::start());
    let places: Vec<(Method, String)> =
        routes().into_iter().map(|route| (route.method, route.path)).collect();
    let headers = prop::collection::vec(
        (
            prop::sample::select(vec![
                "idempotency-key",
                "content-type",
                "x-request-id",
                "traceparent",
                "accept",
            ]),
            prop::collection::vec(any::<u8>(), 0..40),
        ),
        0..3,
    );
    let request = (prop::sample::select(places), segment(), "[a-z_=&%+0-9]{0,20}", headers, body());
    let mut runner = TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let run = runner.run(&request, |((method, path), id, query, headers, body)| {
        let uri = format!("{}?{query}", filled(&path, Ids::all(&id)));
        let mut request = Request::builder().method(method).uri(uri);
        request = request.header("authorization", format!("Bearer {}", world.key));
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                request = request.header(name, value);
            }
        }
        let request = request.body(Body::from(body)).unwrap();
        let reply = runtime.block_on(world.send(request));
        prop_assert!(reply.status.as_u16() < 500, "{}: {}", path, reply.text());
        if reply.status.is_client_error() && !path.starts_with("/return") {
            reply.problem();
        }
        // The documentation shows the number itself; everything else would only have repeated it.
        prop_assert!(path == "/openapi.json" || !reply.text().contains("4242424242424242"));
        Ok(())
    });
    run.unwrap();
}
