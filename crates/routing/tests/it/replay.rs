//! What other rules would have made of what is over.

use kernel::{Currency, Money};
use routing::{Facts, Past, Replay};
use serde_json::Map;

use crate::world::{candidates, facts, id, read};

#[test]
fn the_difference_is_in_success_and_cost() {
    let metadata = Map::new();
    let past = |account, succeeded, fee, minor| Past {
        facts: Facts { amount: Money::new(minor, Currency::EUR), ..facts(&metadata) },
        account: id(account),
        succeeded,
        fee,
    };
    // East made half of its payments succeed and kept 3 %; west three of four for 1 %.
    let all = [
        past("east", true, Some(30), 1_000),
        past("east", false, None, 1_000),
        past("west", true, Some(20), 2_000),
        past("west", true, Some(20), 2_000),
        past("west", true, Some(20), 2_000),
        past("west", false, None, 2_000),
    ];
    let judged = |rules: &str| {
        let routes = read(rules);
        let mut replay = Replay::new(&routes);
        for past in &all {
            replay.observe(past);
        }
        for past in &all {
            replay.judge(past, &candidates(), || 0);
        }
        replay.finish()
    };
    let report = judged("[[rule]]\nname = 'a'\norder = ['west', 'east']");
    assert_eq!((report.payments, report.moved, report.unknown), (6, 2, 0));
    assert_eq!(report.succeeded_before, 4_000);
    assert_eq!(report.succeeded_after, 3_000 + 2 * 750, "those that stay as they were, the others by rate");
    assert_eq!((report.accounts["east"].before, report.accounts["east"].after), (2, 0));
    assert_eq!((report.accounts["west"].before, report.accounts["west"].after), (4, 6));
    let costs = report.costs[&Currency::EUR];
    // Each of the two that moved would cost 1 % of 1,000 three times of four.
    assert_eq!((costs.before, costs.after, costs.unknown), (30 + 60, 60 + 15, 0), "{costs:?}");
    // Where nothing was ever charged nothing is known.
    let report = judged("[[rule]]\nname = 'a'\norder = 'north'");
    assert_eq!((report.payments, report.moved, report.unknown), (0, 0, 6));
    // The same rules change nothing.
    let report =
        judged("[[rule]]\nname = 'a'\nwhen = { currency = 'EUR', amount_from = 2000 }\norder = 'west'");
    assert_eq!((report.payments, report.moved), (6, 0));
    assert_eq!(report.succeeded_before, report.succeeded_after);
}

#[test]
fn a_price_list_says_what_no_provider_told() {
    let metadata = Map::new();
    let past = |account| Past { facts: facts(&metadata), account: id(account), succeeded: true, fee: None };
    let routes = read(
        "[[cost]]\naccount = 'east'\nbasis_points = 300\n[[cost]]\naccount = 'west'\nbasis_points = 100\n\
         [[rule]]\nname = 'a'\ncheapest = ['east', 'west']",
    );
    let mut replay = Replay::new(&routes);
    let all = [past("east"), past("west")];
    for past in &all {
        replay.observe(past);
    }
    for past in &all {
        replay.judge(past, &candidates(), || 0);
    }
    let costs = replay.finish().costs[&Currency::EUR];
    assert_eq!((costs.before, costs.after, costs.unknown), (40, 20, 0));
}
