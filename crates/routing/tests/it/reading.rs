//! Each mistake in a file is refused with the line, the key and what is allowed.

use std::time::Duration;

use kernel::Currency;
use routing::{BinRange, Ended, Routes, Strategy};

use crate::world::{names, read};

#[test]
fn a_whole_file_is_read() {
    let routes = read(
        r#"
        [fallback]
        attempts = 2
        after = ["not_sent", "declined"]

        [health]
        calls_min = 3
        failed_percent = 60
        open_for_seconds = 10

        [[cost]]
        account = "east"
        when = { brand = "amex" }
        basis_points = 350

        [[cost]]
        account = "east"
        basis_points = 150
        fixed = { EUR = 25 }

        [[cost]]
        account = "west"
        basis_points = 290

        [[rule]]
        name = "large"
        when = { currency = "EUR", amount_from = 100000, metadata = { channel = ["web", "app"] } }
        order = ["east", "west"]

        [[rule]]
        name = "old BINs"
        when = { bin = ["42", "400000-409999"], mode = "live" }
        cheapest = ["east", "west"]

        [[rule]]
        name = "rest"
        best = ["east", "north"]
        explore_percent = 5
        "#,
    );
    assert_eq!(routes.fallback.after, [Ended::NotSent, Ended::Retryable]);
    assert!(routes.fallback.allows(1, Ended::NotSent));
    assert!(!routes.fallback.allows(2, Ended::NotSent), "two accounts, and not a third");
    assert!(!routes.fallback.allows(1, Ended::Refused), "it is not named");
    assert_eq!(routes.health.open_for, Duration::from_secs(10));
    assert_eq!(routes.costs.len(), 3);
    assert_eq!(routes.costs[1].fixed[&Currency::EUR], 25);
    let bins = &routes.rules[1].when.bins;
    let wanted = [BinRange { first: 420_000, last: 429_999 }, BinRange { first: 400_000, last: 409_999 }];
    assert_eq!(bins, &wanted);
    assert_eq!(routes.rules[2].line, 35);
    assert!(matches!(&routes.rules[2].strategy, Strategy::Best { explore_percent: 5, .. }));
}

/// The file, the line of the mistake, the key, and words of what is allowed.
const MISTAKES: &[(&str, usize, &str, &str)] = &[
    ("[[rule]\n", 1, "the file", "it is no TOML"),
    ("", 1, "rule", "there is no [[rule]]"),
    ("[[rules]]\nname = 'a'\norder = 'east'", 1, "rules", "did you mean rule?"),
    ("[[rule]]\nnam = 'a'\norder = 'east'", 2, "rule.nam", "did you mean name?"),
    ("[[rule]]\norder = 'east'", 1, "rule.name", "a rule has a name"),
    ("[[rule]]\nname = 'a/b'\norder = 'east'", 2, "rule.name", "letters, digits"),
    ("[[rule]]\nname = 'a'", 1, "rule.order", "one of: order, split, best, cheapest"),
    ("[[rule]]\nname = 'a'\norder = 'east'\nsplit = { east = 1, west = 1 }", 4, "rule.split", "in one way"),
    ("[[rule]]\nname = 'a'\norder = 'eats'", 3, "rule.order", "did you mean east?"),
    ("[[rule]]\nname = 'a'\norder = 'stripe'", 3, "rule.order", "there is: east, west, north"),
    ("[[rule]]\nname = 'a'\norder = ['east', 'east']", 3, "rule.order", "`east` stands there twice"),
    ("[[rule]]\nname = 'a'\norder = []", 3, "rule.order", "the list is empty"),
    ("[[rule]]\nname = 'a'\norder = 7", 3, "rule.order", "a text in quotes, or a list"),
    ("[[rule]]\nname = 'a'\nbest = 'east'", 3, "rule.best", "use `order`"),
    ("[[rule]]\nname = 'a'\nsplit = { east = 1 }", 3, "rule.split", "between two accounts"),
    ("[[rule]]\nname = 'a'\nsplit = { east = 0, west = 1 }", 3, "rule.split.east", "from 1 to 1000000"),
    ("[[rule]]\nname = 'a'\nsplit = { east = 1, up = 1 }", 3, "rule.split.up", "there is no account `up`"),
    ("[[rule]]\nname = 'a'\norder = 'east'\nexplore_percent = 5", 4, "rule.explore_percent", "to `best`"),
    ("[[rule]]\nname = 'a'\ncheapest = ['east', 'west']", 3, "rule.cheapest", "what payments cost at `east`"),
    ("[[rule]]\nname = 'a'\norder = 'east'\nwhen = 1", 4, "rule.when", "it is a table"),
    ("[[rule]]\nname = 'a'\norder = 'east'\nwhen.currncy = 'EUR'", 4, "rule.when.currncy", "mean currency?"),
    ("[[rule]]\nname = 'a'\norder = 'east'\nwhen.currency = 'EURO'", 4, "rule.when.currency", "ISO 4217"),
    ("[[rule]]\nname = 'a'\norder = 'east'\nwhen.country = 'de'", 4, "rule.when.country", "capital letters"),
    ("[[rule]]\nname = 'a'\norder = 'east'\nwhen.brand = 'vise'", 4, "rule.when.brand", "visa, mastercard"),
    ("[[rule]]\nname = 'a'\norder = 'east'\nwhen.method = 'cash'", 4, "rule.when.method", "card, upi"),
    ("[[rule]]\nname = 'a'\norder = 'east'\nwhen.mode = 'prod'", 4, "rule.when.mode", "test, live"),
    ("[[rule]]\nname = 'a'\norder = 'east'\nwhen.bin = '4242424'", 4, "rule.when.bin", "one to six digits"),
    ("[[rule]]\nname = 'a'\norder = 'east'\nwhen.bin = '45-42'", 4, "rule.when.bin", "a range such as"),
    (
        "[[rule]]\nname = 'a'\norder = 'east'\nwhen.amount_from = 5",
        4,
        "rule.when.amount_from",
        "minor units of a",
    ),
    (
        "[[rule]]\nname = 'a'\norder = 'east'\n[rule.when]\ncurrency = ['EUR', 'JPY']\namount_to = 5",
        6,
        "rule.when.amount_to",
        "several with as many digits",
    ),
    (
        "[[rule]]\nname = 'a'\norder = 'east'\n[rule.when]\ncurrency = 'EUR'\namount_from = 9\namount_to = 8",
        7,
        "rule.when.amount_to",
        "below amount_from",
    ),
    (
        "[[rule]]\nname = 'a'\norder = 'east'\n[rule.when]\nmethod = 'upi'\nbrand = 'visa'",
        5,
        "rule.when.method",
        "are of cards",
    ),
    (
        "[[rule]]\nname = 'a'\norder = 'east'\n[[rule]]\nname = 'a'\nwhen.mode = 'live'\norder = 'west'",
        5,
        "rule.name",
        "the rule of line 1 has this name",
    ),
    (
        "[[rule]]\nname = 'a'\norder = 'east'\n[[rule]]\nname = 'b'\nwhen.mode = 'live'\norder = 'west'",
        4,
        "rule",
        "never reached: every payment that fits it fits the rule `a` of line 1",
    ),
    ("[fallback]\nattempts = 9\n[[rule]]\nname = 'a'\norder = 'east'", 2, "fallback.attempts", "from 1 to 5"),
    ("[fallback]\nafter = 'unknown'\n[[rule]]\nname = 'a'\norder = 'east'", 2, "fallback.after", "not_sent"),
    ("[health]\ncalls = 9\n[[rule]]\nname = 'a'\norder = 'east'", 2, "health.calls", "calls_min"),
    ("[[cost]]\nbasis_points = 1\n[[rule]]\nname = 'a'\norder = 'east'", 1, "cost.account", "whose price"),
    (
        "[[cost]]\naccount = 'east'\n[[cost]]\naccount = 'east'\nbasis_points = 1",
        3,
        "cost",
        "never reached: the one of line 1",
    ),
    ("[[cost]]\naccount = 'east'\nfixed = { XXY = 1 }", 3, "cost.fixed.XXY", "ISO 4217"),
];

#[test]
fn each_mistake_names_its_place_and_what_is_allowed() {
    for (text, line, key, allowed) in MISTAKES {
        let error = Routes::read("routes.toml", text, &names()).map(|_| text).unwrap_err();
        assert_eq!(
            (error.file.as_str(), error.line, error.key.as_str()),
            ("routes.toml", *line, *key),
            "{text}"
        );
        assert!(error.what.contains(allowed), "{text}\n{error}");
    }
}

/// A later rule is reached exactly if some payment fits it that no single rule before it takes.
#[test]
fn what_leaves_something_to_a_rule_does_not_hide_it() {
    for (first, later) in [
        ("currency = 'EUR'", "currency = ['EUR', 'USD']"),
        ("currency = 'EUR'", "method = 'card'"),
        ("currency = 'EUR', amount_from = 100", "currency = 'EUR', amount_from = 99"),
        ("currency = 'EUR', amount_to = 100", "currency = 'EUR'"),
        ("bin = '4242'", "bin = '42'"),
        ("metadata = { a = 'x' }", "metadata = { a = ['x', 'y'] }"),
        ("metadata = { a = 'x', b = 'y' }", "metadata = { a = 'x' }"),
        ("country = 'DE', brand = 'visa'", "country = 'DE'"),
    ] {
        read(&two(first, later));
    }
    for (first, later) in [
        ("currency = ['EUR', 'USD']", "currency = 'EUR', method = 'card'"),
        ("currency = 'EUR', amount_from = 100", "currency = 'EUR', amount_from = 100, amount_to = 200"),
        ("bin = '42'", "bin = ['4242', '425000-425999']"),
        ("metadata = { a = ['x', 'y'] }", "metadata = { a = 'y', b = 'z' }"),
    ] {
        let error = Routes::read("routes.toml", &two(first, later), &names()).unwrap_err();
        assert!(error.what.contains("never reached"), "{first} then {later}: {error}");
    }
}

fn two(first: &str, later: &str) -> String {
    format!(
        "[[rule]]\nname = 'first'\nwhen = {{ {first} }}\norder = 'east'\n\
         [[rule]]\nname = 'later'\nwhen = {{ {later} }}\norder = 'west'\n"
    )
}

#[test]
fn what_looks_like_a_card_number_is_not_repeated() {
    let text = "[[rule]]\nname = 'a'\norder = '4242424242424242'";
    let error = Routes::read("routes.toml", text, &names()).unwrap_err().to_string();
    assert!(!error.contains("42424242"), "{error}");
}
