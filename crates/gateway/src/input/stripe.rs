//! Stripe's names of what has another name here, for whoever moves an integration over.

/// Its name, and what stands here instead.
const NAMES: &[(&str, &str)] = &[
    ("amount_to_capture", "amount"),
    ("amount_to_refund", "amount"),
    ("billing_details", "billing_address"),
    ("charge", "payment_id"),
    ("client_reference_id", "order_id"),
    ("created[gt]", "created_from"),
    ("created[gte]", "created_from"),
    ("created[lt]", "created_to"),
    ("created[lte]", "created_to"),
    ("customer", "customer_id"),
    ("default_source", "default_payment_method"),
    ("ending_before", "cursor"),
    ("final_capture", "final"),
    ("frozen_time", "now"),
    ("payment_intent", "payment_id"),
    ("payment_method_data", "payment_method"),
    ("receipt_email", "customer_email"),
    ("setup_future_usage", "save_payment_method"),
    ("shipping", "shipping_address"),
    ("source", "payment_method"),
    ("starting_after", "cursor"),
    ("statement_descriptor_suffix", "statement_descriptor"),
];

/// Stripe's names of what is not needed here, each with the reason.
const NEEDLESS: &[(&str, &str)] = &[
    ("automatic_payment_methods", "a payment takes every method that its provider does"),
    ("confirmation_method", "a payment is confirmed with either kind of key"),
    ("error_on_requires_action", "send `off_session` where nobody can answer a challenge"),
    ("expand", "answers are whole"),
    ("payment_method_types", "a payment takes every method that its provider does"),
    ("use_stripe_sdk", "`next_action` says what the customer must do"),
];

/// ` At Stripe …`, if the name is Stripe's and `known` has what it means.
pub(super) fn hint(name: &str, known: &[&str]) -> Option<String> {
    if let Some((_, ours)) = NAMES.iter().find(|(theirs, ours)| *theirs == name && known.contains(ours)) {
        return Some(format!(" What Stripe calls so is `{ours}` here."));
    }
    if name == "card" && known.contains(&"card_number") {
        return Some(" What Stripe puts into `card` stands beside `type` here.".to_owned());
    }
    let (_, why) = NEEDLESS.iter().find(|(theirs, _)| *theirs == name)?;
    Some(format!(" Stripe knows it; here leave it out: {why}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{PAYMENT_FILTERS, REFUND_FILTERS, tables};

    #[test]
    fn each_of_our_names_is_a_field_somewhere() {
        let bodies = [
            &tables::CREATE,
            &tables::CAPTURE,
            &tables::WITH_PAYMENT,
            &tables::UPDATE_CUSTOMER,
            &tables::CLOCK,
            &tables::CONFIRM,
        ];
        for (theirs, ours) in NAMES {
            let in_a_body = bodies.iter().any(|body| body.fields.contains(ours));
            let in_a_query = PAYMENT_FILTERS.contains(ours) || REFUND_FILTERS.contains(ours);
            assert!(in_a_body || in_a_query, "{theirs} leads to {ours}, which is nowhere");
        }
    }
}
