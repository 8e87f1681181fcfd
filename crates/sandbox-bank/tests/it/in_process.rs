use std::time::Duration;

use kernel::{
    Auth, Clock, Credentials, Deadline, Effect, Exchange, Exchanged, Method, Monotonic, Request, Timestamp,
};
use sandbox_bank::{BankConfig, InProcess};

use crate::shop::{Shop, charge_body};

fn request(token: &str, auth: Auth) -> Request {
    Request {
        step: "charge",
        key: "c".to_owned(),
        effect: Effect::Repeatable,
        method: Method::Post,
        url: "http://sandbox.invalid/v1/charges".to_owned(),
        headers: vec![("idempotency-key".to_owned(), "c".to_owned())],
        body: charge_body("c", token, true).to_string().into_bytes(),
        auth,
        carries_card: false,
    }
}

fn deadline(shop: &Shop) -> Deadline {
    Deadline {
        monotonic: Monotonic(shop.clock.monotonic().0 + Duration::from_secs(10)),
        wall: shop.now().plus(Duration::from_secs(10)),
        reply_within: Duration::from_secs(20),
    }
}

async fn exchange(shop: &Shop, request: &Request, deadline: Deadline) -> Exchanged {
    let credentials = Credentials::new(vec![("api_key".to_owned(), shop.keys.api_key.clone())]);
    InProcess::new(shop.bank.clone(), shop.clock.clone()).exchange(request, &credentials, deadline).await
}

#[tokio::test]
async fn a_request_reaches_the_bank_with_its_key() {
    let shop = Shop::new();
    let exchanged = exchange(&shop, &request("tok_visa", Auth::Bearer("api_key")), deadline(&shop)).await;
    assert!(matches!(exchanged, Exchanged::Replied(reply) if reply.status == 200));
    let exchanged = exchange(&shop, &request("tok_visa", Auth::None), deadline(&shop)).await;
    assert!(matches!(exchanged, Exchanged::Replied(reply) if reply.status == 401));
}

#[tokio::test]
async fn past_the_deadline_or_without_the_secret_nothing_is_sent() {
    let shop = Shop::new();
    let asked = request("tok_visa", Auth::Bearer("api_key"));
    let late = [
        Deadline { monotonic: shop.clock.monotonic(), ..deadline(&shop) },
        Deadline { wall: shop.now(), ..deadline(&shop) },
        Deadline { wall: Timestamp::from_micros(0), ..deadline(&shop) },
    ];
    for deadline in late {
        assert!(matches!(exchange(&shop, &asked, deadline).await, Exchanged::NotSent(_)));
    }
    let asked = request("tok_visa", Auth::Bearer("no_such_secret"));
    assert!(matches!(exchange(&shop, &asked, deadline(&shop)).await, Exchanged::NotSent(_)));
    assert_eq!(shop.bank.statement(shop.now()).await.unwrap(), []);
}

#[tokio::test]
async fn a_silence_is_maybe_sent_whether_it_was_done_or_not() {
    for (token, charges) in [("tok_timeout_before", 0), ("tok_timeout_after", 1)] {
        let shop = Shop::new();
        let asked = request(token, Auth::Bearer("api_key"));
        assert!(matches!(exchange(&shop, &asked, deadline(&shop)).await, Exchanged::MaybeSent(_)));
        assert_eq!(shop.bank.statement(shop.now()).await.unwrap().len(), charges, "{token}");
    }
}

#[tokio::test]
async fn a_slow_answer_is_awaited_as_long_as_the_caller_does() {
    for (slow_reply, is_awaited) in [(Duration::from_secs(20), true), (Duration::from_secs(21), false)] {
        let shop = Shop::with(BankConfig { slow_reply, ..BankConfig::default() });
        let begin = shop.clock.monotonic();
        let asked = request("tok_slow", Auth::Bearer("api_key"));
        let exchanged = exchange(&shop, &asked, deadline(&shop)).await;
        assert_eq!(matches!(exchanged, Exchanged::Replied(_)), is_awaited);
        assert_eq!(shop.clock.monotonic().0, begin.0 + Duration::from_secs(20));
    }
}
