//! Which provider account charges.

use crate::config::key::DefaultValue::Unset;
use crate::config::key::{Section, key};
use crate::config::read::FILE;

pub(super) const SECTION: Section = Section {
    name: "routing",
    about: "Which provider account charges, where there are several.",
    keys: &[key!(
        "routing.file",
        [],
        FILE => routing.file,
        Unset("\"routes.toml\""),
        "The file of the rules (docs/routing.md), checked at the start. Without it payment.default_gateway \
         charges, else the oldest account. A merchant's own rules go before, and a merchant's own default \
         provider too."
    )],
};
