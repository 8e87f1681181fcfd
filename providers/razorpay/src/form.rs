//! The form that a payer's browser sends to Razorpay's checkout page: made from an order alone, so that a
//! look-up makes the same one. Source: razorpay.com/docs, "Hosted checkout, integration steps".

use std::collections::BTreeMap;

use provider_kit::{Action, ActionRequired, Outcome, ProviderAccount};

use crate::profile::KEY_ID;
use crate::request::{base, note};
use crate::wire::Order;

/// What stands above the amount where the account has no name.
const NAME: &str = "Payment";

/// Asks the payer to pay an order on Razorpay's page.
pub(crate) fn ask(account: &ProviderAccount, order: &Order) -> Outcome {
    let name = account.setting("business_name");
    let back = order.note(note::RETURN);
    let amount = order.amount.to_string();
    let recurring =
        if order.note(note::CUSTOMER).is_empty() || order.note(note::SAVES).is_empty() { "" } else { "1" };
    let fields = [
        ("key_id", account.setting(KEY_ID)),
        ("order_id", &order.id),
        ("amount", &amount),
        ("currency", &order.currency),
        ("name", if name.is_empty() { NAME } else { name }),
        ("method", order.note(note::METHOD)),
        ("customer_id", order.note(note::CUSTOMER)),
        ("recurring", recurring),
        ("callback_url", back),
        ("cancel_url", back),
    ];
    let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
    let fields: BTreeMap<String, String> =
        given.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let url = format!("{}/v1/checkout/embedded", base(account));
    Outcome::ActionRequired(ActionRequired {
        action: Action::Form { url, fields },
        reference: Some(order.id.clone()),
    })
}
