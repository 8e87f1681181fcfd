//! `florin seed`.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use gateway::input::{capture, create_payment, new_customer, read_body, refund};
use kernel::{Actor, Id, Merchant, Mode};
use node::{Config, Node};
use payments::Caller;
use serde_json::json;

use super::{merchant_of, on_runtime, operator};
use crate::failure::Failure;
use crate::output;

/// Fills a merchant's test world with demo data, through the services that the API uses.
#[derive(Debug, Args)]
pub(crate) struct Seed {
    /// Whose; may be left out while there is one merchant
    #[arg(long, value_name = "ID")]
    merchant: Option<Id<Merchant>>,
    /// Also where the test world has payments already
    #[arg(long)]
    force: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// References and what is known of them; nobody lives at example.com.
const CUSTOMERS: [(&str, &str); 4] = [
    ("demo-ada", "Ada Example"),
    ("demo-bola", "Bola Example"),
    ("demo-chen", "Chen Example"),
    ("demo-devi", "Devi Example"),
];

/// What happens to a payment once it is made.
#[derive(Clone, Copy)]
enum Then {
    Nothing,
    Capture(&'static str),
    Refund(&'static str),
    Cancel,
}

/// Order, body beside customer and order, and what follows: every status that a test world reaches by
/// itself, in several currencies.
const PAYMENTS: [(&str, &str, Then); 14] = [
    ("paid-1", r#""amount": 2599, "currency": "USD", "payment_method": "tok_visa""#, Then::Nothing),
    ("paid-2", r#""amount": 4900, "currency": "EUR", "payment_method": "tok_mastercard""#, Then::Nothing),
    ("paid-3", r#""amount": 12000, "currency": "JPY", "payment_method": "tok_visa""#, Then::Nothing),
    ("paid-4", r#""amount": 1250, "currency": "KWD", "payment_method": "tok_visa""#, Then::Nothing),
    (
        "paid-5",
        r#""amount": 99900, "currency": "INR", "payment_method": {"type": "upi", "vpa": "demo@paytm"}"#,
        Then::Nothing,
    ),
    (
        "held",
        r#""amount": 8000, "currency": "USD", "payment_method": "tok_visa", "capture_method": "manual""#,
        Then::Nothing,
    ),
    (
        "captured-in-part",
        r#""amount": 8000, "currency": "GBP", "payment_method": "tok_visa", "capture_method": "manual""#,
        Then::Capture(r#"{"amount": 5000}"#),
    ),
    (
        "released",
        r#""amount": 3100, "currency": "USD", "payment_method": "tok_visa", "capture_method": "manual""#,
        Then::Cancel,
    ),
    (
        "refunded",
        r#""amount": 1500, "currency": "USD", "payment_method": "tok_visa""#,
        Then::Refund(r#"{"reason": "Sent back"}"#),
    ),
    (
        "refunded-in-part",
        r#""amount": 7500, "currency": "EUR", "payment_method": "tok_visa""#,
        Then::Refund(r#"{"amount": 2500, "reason": "One of three came broken"}"#),
    ),
    (
        "declined",
        r#""amount": 4200, "currency": "USD", "payment_method": "tok_generic_decline""#,
        Then::Nothing,
    ),
    (
        "no-funds",
        r#""amount": 42000, "currency": "USD", "payment_method": "tok_insufficient_funds""#,
        Then::Nothing,
    ),
    ("disputed", r#""amount": 6600, "currency": "USD", "payment_method": "tok_dispute_lost""#, Then::Nothing),
    ("open", r#""amount": 1800, "currency": "USD""#, Then::Nothing),
];

impl Seed {
    pub(crate) fn run(&self, config: Config) -> Result<(), Failure> {
        on_runtime(async {
            // Like a first start, so that it works in an empty folder too.
            let node = node::start(config, node::host::ports()).await?;
            let result = self.fill(&node).await;
            node.stop(Duration::from_secs(10)).await;
            result
        })
    }

    async fn fill(&self, node: &Arc<Node>) -> Result<(), Failure> {
        let key = node.first_start().await?;
        let merchant = merchant_of(node, self.merchant).await?;
        let scope = node.identity.merchant(merchant).await?.scope(Mode::Test);
        if !self.force && !node.payments.list(scope, None, 1).await?.items.is_empty() {
            return Err(Failure::Failed(
                "this test world has payments already: make a merchant for the demo with `florin merchant \
                 create`, or say --force"
                    .to_owned(),
            ));
        }
        node.open_sandbox(merchant).await?;
        node.run_background();
        let caller = Caller { scope, actor: Actor::Operator(operator()), trace_id: None, scenario: None };
        let run: String = node.ids.uuid().simple().to_string().chars().rev().take(6).collect();
        for (reference, name) in CUSTOMERS {
            let email = format!("{reference}@example.com");
            let body = json!({"reference": format!("{reference}-{run}"), "name": name, "email": email});
            let body = body.to_string();
            let new = new_customer(&read_body(body.as_bytes()).map_err(refused)?).map_err(refused)?;
            node.payments.customer_create(&caller, new, None).await?;
        }
        let mut made = Vec::new();
        for ((order, fields, then), (reference, _)) in PAYMENTS.into_iter().zip(CUSTOMERS.iter().cycle()) {
            let body = format!(
                "{{{fields}, \"customer_id\": \"{reference}-{run}\", \"order_id\": \"{order}-{run}\", \
                 \"description\": \"Demo order {order}\"}}"
            );
            let status = pay(node, &caller, &body, then).await?;
            made.push(json!({"order_id": format!("{order}-{run}"), "status": status}));
            if output::is_watched() {
                output::over(&format!("{} of {} payments", made.len(), PAYMENTS.len()));
            }
        }
        if output::is_watched() {
            output::over("");
        }
        if self.json {
            let key = key.as_ref().map(|key| key.expose().clone());
            output::json(&json!({"merchant_id": merchant, "key": key, "payments": made}));
            return Ok(());
        }
        output::line(&format!("{} customers and {} payments were made", CUSTOMERS.len(), made.len()));
        if let Some(key) = key {
            output::line(&format!("key       {}", key.expose()));
            output::remark("The key is shown now and never again.");
        }
        Ok(())
    }
}

/// Makes one payment and what follows; answers its status.
async fn pay(node: &Node, caller: &Caller, body: &str, then: Then) -> Result<&'static str, Failure> {
    let command =
        create_payment(&read_body(body.as_bytes()).map_err(refused)?, caller.scope).map_err(refused)?;
    let made = node.payments.create(caller, command, None).await?;
    let id = made.payment.id;
    let changed = match then {
        Then::Nothing => made,
        Then::Cancel => node.payments.cancel(caller, id, None).await?,
        Then::Capture(body) => {
            let command = capture(&read_body(body.as_bytes()).map_err(refused)?).map_err(refused)?.command;
            node.payments.capture(caller, id, command, None).await?
        }
        Then::Refund(body) => {
            let input = refund(&read_body(body.as_bytes()).map_err(refused)?, false).map_err(refused)?;
            node.payments.refund(caller, id, input.command, None).await?
        }
    };
    Ok(changed.payment.status().as_str())
}

/// The demo's own bodies are well formed; a policy of the configuration may still refuse one.
#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands it over")]
fn refused(problem: gateway::Problem) -> Failure {
    Failure::Failed(format!("a demo payment was refused: {problem:?}"))
}
