//! A provider's page of the documentation: what its set-up needs, and the tables that its code works
//! by. The page is made from them, so that it cannot say something else.

use std::fmt::Write as _;

use kernel::Currency;

use crate::outcome::{Advice, DeclineCode};
use crate::profile::{AmountLimit, Currencies, Profile, Repeat};

/// What a page says beside the capability table.
#[derive(Clone, Copy, Debug)]
pub struct Guide {
    /// What to do at the provider and here, in Markdown, with headings of the second level.
    pub set_up: &'static str,
    /// The settings of an account.
    pub settings: &'static [SettingRow],
    /// The provider's words for declines.
    pub declines: &'static [DeclineRow],
    /// What a reader should know of how it works here, in Markdown, with headings of the second level.
    pub notes: &'static str,
}

/// One setting of an account.
#[derive(Clone, Copy, Debug)]
pub struct SettingRow {
    /// Its name in the configuration.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
}

/// One word of a provider's for a decline, and what becomes of it here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeclineRow {
    /// The provider's word.
    pub word: &'static str,
    /// Ours.
    pub code: DeclineCode,
    /// What a merchant may do.
    pub advice: Advice,
}

/// The page of a provider.
pub fn page(profile: &Profile, guide: &Guide) -> String {
    let Profile { id, name, .. } = profile;
    let mut page = format!(
        "# {name}\n\n<!-- Written by `cargo xtask gen-docs` from the tables of `providers/{id}`; do not \
         edit. -->\n\n"
    );
    page.push_str(guide.set_up.trim());
    page.push_str("\n\n## Settings\n\n| setting | meaning |\n|---|---|\n");
    for SettingRow { name, help } in guide.settings {
        row(&mut page, &[&format!("`{name}`"), help]);
    }
    page.push_str("\n## What it can do\n\n| | |\n|---|---|\n");
    for (what, says) in capabilities(profile) {
        row(&mut page, &[what, &says]);
    }
    page.push_str("\n## Currencies and amounts\n\n");
    page.push_str(&currencies(profile));
    page.push('\n');
    page.push_str(guide.notes.trim());
    page.push_str(
        "\n\n## Declines\n\nAn answer carries our code as `decline_code` with its advice; the provider's own \
         word and the network's code are kept beside it. A word that is not in this table is a \
         `generic_decline`.\n\n| the provider says | `decline_code` | advice |\n|---|---|---|\n",
    );
    for DeclineRow { word, code, advice } in guide.declines {
        row(&mut page, &[&format!("`{word}`"), &format!("`{}`", code.as_str()), advice_words(*advice)]);
    }
    page
}

fn row(page: &mut String, cells: &[&str]) {
    // Writing into a text does not fail.
    let _ = writeln!(page, "| {} |", cells.join(" | "));
}

const fn advice_words(advice: Advice) -> &'static str {
    match advice {
        Advice::RetryNow => "`retry_now`: the same again, at once or at another provider",
        Advice::RetryLater => "`retry_later`: the same again, after hours or days",
        Advice::OtherMethod => "`other_method`: with another payment method",
        Advice::Never => "`never`: not again",
    }
}

fn capabilities(profile: &Profile) -> Vec<(&'static str, String)> {
    let methods: Vec<_> = profile.methods.iter().map(|method| method.as_str()).collect();
    let can: Vec<_> = profile.capabilities.iter().map(|capability| capability.as_str()).collect();
    let repeat = |repeat: &Repeat| match repeat {
        Repeat::Keyed { valid_for } => format!("same key, within {}", hours(valid_for.as_secs())),
        Repeat::ByReference => "never twice under one reference".to_owned(),
        Repeat::Never => "only looked up".to_owned(),
    };
    let mut repeats: Vec<String> = profile.repeats.iter().map(|(_, how)| repeat(how)).collect();
    repeats.dedup();
    vec![
        ("methods", methods.join(", ")),
        ("capabilities", can.join(", ")),
        ("a call whose answer was lost", repeats.join("; ")),
        ("\"not found\" is proof after", hours(profile.visibility.as_secs())),
        ("an authorization holds for", hours(profile.authorization_valid_for.as_secs())),
    ]
}

fn hours(seconds: u64) -> String {
    match seconds {
        seconds if seconds >= 172_800 && seconds % 86_400 == 0 => format!("{} days", seconds / 86_400),
        seconds if seconds >= 3600 && seconds % 3600 == 0 => {
            format!("{} h", seconds / 3600)
        }
        seconds if seconds >= 60 && seconds % 60 == 0 => format!("{} minutes", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}

fn currencies(profile: &Profile) -> String {
    let mut text = match profile.currencies {
        Currencies::All => "All of ISO 4217.\n".to_owned(),
        Currencies::Only(list) => {
            let codes: Vec<_> = list.iter().map(|currency| currency.code()).collect();
            let lines: Vec<_> = codes.chunks(20).map(|line| line.join(" ")).collect();
            format!("{} currencies:\n\n{}\n", codes.len(), lines.join("\n"))
        }
    };
    let AmountLimit { minimum, maximum } = profile.limits.usual;
    let _ = write!(
        text,
        "\nOne charge is from {minimum} to {maximum} minor units, where the table does not say otherwise. \
         What the provider cannot express is refused with 422 before anything is sent.\n\n\
         | currency | from | to | multiples of |\n|---|---|---|---|\n"
    );
    let limited = profile.limits.by_currency.iter().map(|(currency, _)| *currency);
    let mut listed: Vec<Currency> =
        limited.chain(profile.amount_steps.iter().map(|(currency, _)| *currency)).collect();
    listed.sort_unstable_by_key(|currency| currency.code());
    listed.dedup();
    for currency in listed {
        let AmountLimit { minimum, maximum } = profile.limits.of(currency);
        let step = profile.amount_step(currency);
        row(&mut text, &[currency.code(), &minimum.to_string(), &maximum.to_string(), &step.to_string()]);
    }
    text
}
