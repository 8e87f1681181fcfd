//! The simulated bank.

use crate::config::key::DefaultValue::Is;
use crate::config::key::{Section, key};
use crate::config::read::{ACCOUNT_NAMES, BANK_PLACE, BASIS_POINTS, DURATION, PER_MILLE};

pub(super) const SECTION: Section = Section {
    name: "sandbox",
    about: "The simulated bank behind the sandbox provider.",
    keys: &[
        key!(
            "sandbox.bank",
            [],
            BANK_PLACE => sandbox.bank,
            Is("\"store\""),
            "Where it runs: \"store\" (here, in a store of its own), \"memory\" (here, nothing outlives \
             the process, one node alone) or the address of a `florin sandbox serve`."
        ),
        key!(
            "sandbox.accounts",
            [],
            ACCOUNT_NAMES => sandbox.accounts,
            Is("[]"),
            "The names of further accounts that each test world has at the bank, to try routing with: \
             [\"east\", \"west\"]. The first one is called sandbox."
        ),
        key!(
            "sandbox.upi_delay",
            [],
            DURATION => sandbox.upi_delay,
            Is("\"2s\""),
            "After which a UPI payer decides."
        ),
        key!(
            "sandbox.latency",
            [],
            DURATION => sandbox.latency,
            Is("\"0ms\""),
            "Added to every answer."
        ),
        key!(
            "sandbox.fee_basis_points",
            [],
            BASIS_POINTS => sandbox.fee_basis_points,
            Is("0"),
            "What it keeps of each amount, in ten-thousandths."
        ),
    ],
};

pub(super) const FAULTS: Section = Section {
    name: "sandbox.faults",
    about: "Of a thousand requests (notices, for the last two), how many go wrong in which way.",
    keys: &[
        key!(
            "sandbox.faults.timeout_before",
            [],
            PER_MILLE => sandbox.faults.timeout_before,
            Is("0"),
            "No answer, and nothing was done."
        ),
        key!(
            "sandbox.faults.timeout_after",
            [],
            PER_MILLE => sandbox.faults.timeout_after,
            Is("0"),
            "No answer, but it was done."
        ),
        key!(
            "sandbox.faults.server_error_before",
            [],
            PER_MILLE => sandbox.faults.server_error_before,
            Is("0"),
            "A 500, and nothing was done."
        ),
        key!(
            "sandbox.faults.server_error_after",
            [],
            PER_MILLE => sandbox.faults.server_error_after,
            Is("0"),
            "A 500, but it was done."
        ),
        key!(
            "sandbox.faults.garbage",
            [],
            PER_MILLE => sandbox.faults.garbage,
            Is("0"),
            "It was done, and the answer cannot be read."
        ),
        key!(
            "sandbox.faults.slow",
            [],
            PER_MILLE => sandbox.faults.slow,
            Is("0"),
            "The answer is right, and late."
        ),
        key!(
            "sandbox.faults.duplicate_notice",
            [],
            PER_MILLE => sandbox.faults.duplicate_notice,
            Is("0"),
            "A notice comes twice."
        ),
        key!(
            "sandbox.faults.late_notice",
            [],
            PER_MILLE => sandbox.faults.late_notice,
            Is("0"),
            "A notice comes late."
        ),
    ],
};
