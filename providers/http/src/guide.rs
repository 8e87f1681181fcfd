//! The page of the protocol.

use provider_kit::{Advice, DeclineCode, DeclineRow, Guide, SettingRow};

const fn setting(name: &'static str, help: &'static str) -> SettingRow {
    SettingRow { name, help }
}

const fn decline(word: &'static str, code: DeclineCode, advice: Advice) -> DeclineRow {
    DeclineRow { word, code, advice }
}

pub(crate) static GUIDE: Guide = Guide {
    set_up: include_str!("guide/set_up.md"),
    settings: &[
        setting("payment.http.base_url", "Where the adapter is: what all paths below begin with."),
        setting(
            "payment.http.signing_secret",
            "What requests are signed with, by value, `file:` or `env:`; shared with the adapter alone.",
        ),
        setting(
            "payment.http.webhook_secret",
            "What its notices are signed with: `whsec_` and base64, or any text, which is used as its bytes. \
             While it is rolled, both with a comma between.",
        ),
        setting(
            "payment.http.capabilities",
            "What the adapter has of the capabilities below, with commas between; all, without it. What is \
             not listed is refused before anything is sent.",
        ),
        setting(
            "payment.http.environment",
            "`test` or `live`: in which world it charges. `live`, without it.",
        ),
        setting("payment.http.enabled", "`false`: it is not charged, and what is open is finished."),
    ],
    declines: &[
        decline("expired_card", DeclineCode::ExpiredCard, Advice::OtherMethod),
        decline("generic_decline", DeclineCode::GenericDecline, Advice::OtherMethod),
        decline("insufficient_funds", DeclineCode::InsufficientFunds, Advice::RetryLater),
    ],
    notes: include_str!("guide/notes.md"),
};
