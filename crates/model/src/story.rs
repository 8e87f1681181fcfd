//! The stories that are told to the end in all ways: small, so that all ways can be gone.

use crate::bank::Does;
use crate::state::Command;

/// What a client wants, what the bank may answer, and how much may go wrong.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts that hold or not, each for itself")]
pub struct Story {
    /// Its name.
    pub name: &'static str,
    /// What the client asks for, each under a key of its own, in any order, again and at once.
    pub commands: &'static [Command],
    /// What the bank does with a request that it does not know.
    pub bank: &'static [Does],
    /// The payment was charged before.
    pub is_charged: bool,
    /// The bank keeps keys for a while, so that the same bytes may go out again.
    pub repeats: bool,
    /// How many effect steps a call has.
    pub steps: u8,
    /// The bank may undo a charge.
    pub reverses: bool,
    /// Refunds may also be made at the bank's dashboard.
    pub dashboard: bool,
    /// The bank's notices of refunds do not name our reference.
    pub anonymous_notices: bool,
    /// How many things may go wrong.
    pub faults: u8,
}

const BASE: Story = Story {
    name: "",
    commands: &[],
    bank: &[Does::Move, Does::Decline],
    is_charged: false,
    repeats: false,
    steps: 1,
    reverses: false,
    dashboard: false,
    anonymous_notices: false,
    faults: 2,
};

impl Story {
    /// Two charges of one payment at a bank that can be asked, but not asked again.
    pub const CHARGE: Self =
        Self { name: "charge", commands: &[Command::Charge, Command::Charge], reverses: true, ..BASE };
    /// The same where a repeat under the same key is safe for a while.
    pub const REPEAT: Self =
        Self { name: "repeat", commands: &[Command::Charge, Command::Charge], repeats: true, ..BASE };
    /// The same where a call has two steps.
    pub const STEPS: Self =
        Self { name: "steps", commands: &[Command::Charge, Command::Charge], steps: 2, ..BASE };
    /// The bank asks the customer, or decides later.
    pub const LATER: Self = Self {
        name: "later",
        commands: &[Command::Charge, Command::Charge],
        bank: &[Does::AskCustomer, Does::TakeOn],
        faults: 1,
        ..BASE
    };
    /// A charge, and a cancel at any moment.
    pub const CANCEL: Self = Self { name: "cancel", commands: &[Command::Charge, Command::Cancel], ..BASE };
    /// A capture and a void of one authorization.
    pub const HOLD: Self =
        Self { name: "hold", commands: &[Command::Capture, Command::Void], is_charged: true, ..BASE };
    /// Two refunds of 2 on 3, and one of 1 at the bank's dashboard.
    pub const REFUND: Self = Self {
        name: "refund",
        commands: &[Command::Refund(2), Command::Refund(2)],
        is_charged: true,
        dashboard: true,
        anonymous_notices: true,
        ..BASE
    };

    /// All stories.
    pub const ALL: [Self; 7] =
        [Self::CHARGE, Self::REPEAT, Self::STEPS, Self::LATER, Self::CANCEL, Self::HOLD, Self::REFUND];
}
