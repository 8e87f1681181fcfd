//! How much a merchant may take.

use std::collections::BTreeMap;

use crate::config::key::DefaultValue::Unset;
use crate::config::key::{Key, Section, key, put};
use crate::config::read::{AMOUNT, AMOUNTS};

pub(super) const SECTION: Section = Section {
    name: "limits",
    about: "How much every merchant may take, in whole minor units. What is absent is not limited. A \
            merchant's own settings go before.",
    keys: &[
        Key {
            is_table: true,
            set: |config, raw, environment| {
                // Each layer adds currencies to those of the layers below it.
                let mut amounts = BTreeMap::default();
                put(&mut amounts, (AMOUNTS.read)(raw, environment))?;
                config.limits.max_transaction_amount.append(&mut amounts);
                Ok(())
            },
            ..key!(
                "limits.max_transaction_amount",
                [],
                AMOUNTS => limits.max_transaction_amount,
                Unset("{ USD = 1000000, INR = 50000000 }"),
                "At most so much in one payment, by currency."
            )
        },
        key!(
            "limits.daily_volume_limit",
            [],
            AMOUNT => limits.daily_volume,
            Unset("100000000"),
            "At most so much a day (UTC), in each currency for itself."
        ),
        key!(
            "limits.monthly_volume_limit",
            [],
            AMOUNT => limits.monthly_volume,
            Unset("2000000000"),
            "At most so much a month (UTC), in each currency for itself."
        ),
    ],
};
