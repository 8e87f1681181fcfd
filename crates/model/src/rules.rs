//! The protocol's rules, each with a switch, so that the checker can show what goes wrong without it.

/// One rule. `docs/reliability.md` says them in full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// Nothing is sent before the reserve is confirmed.
    ConfirmedReserve,
    /// A decision on what somebody else has changed meanwhile is not committed.
    VersionGuard,
    /// An open charge refuses another one.
    OneOpenCharge,
    /// What is unknown is open: it excludes and holds like anything under way.
    UnknownIsOpen,
    /// Nothing is sent after its deadline.
    SendDeadline,
    /// Before another effect step the driver commits, and sends nothing if somebody else has committed.
    RightToSend,
    /// "Not found" proves nothing before the provider's visibility has passed.
    Visibility,
    /// "Not found" is weighed against the newest deadline, not against the one when it was asked.
    ProofAtCommit,
    /// Once something may have been sent, a refusal proves nothing.
    RefusalOfARepeat,
    /// A driver that is gone may have sent.
    GoneMayHaveSent,
    /// A repeat goes out only while the provider still remembers the key.
    RepeatWindow,
    /// A repeat is byte for byte what was sent first.
    SameBytes,
    /// Outcomes only climb.
    Climb,
    /// A key that was used reserves nothing again.
    ClaimOnce,
    /// Whoever decides an operation answers its claim in the same commit.
    AnswerInTheCommit,
    /// A settle that meets another commit applies again.
    SettleAgain,
    /// A success after another truth was told is booked and reversed.
    Surplus,
    /// The reversal of a surplus can exist only once.
    OneReversal,
    /// What the provider undid and then tells again to have done is for people: it may be an old notice.
    ContradictedTwice,
    /// What follows from an outcome is reserved in the commit that writes it.
    SuccessorInTheCommit,
    /// A refund holds its amount from its reserve on.
    RefundHolds,
    /// A capture and a void exclude each other.
    CaptureExcludesVoid,
    /// A refund that is not ours waits while one of ours is open.
    ExternalWaits,
    /// A refund of ours that was booked as somebody else's is merged with it.
    ExternalMerges,
    /// An approved charge that was to be cancelled is undone in the same settle.
    CancelIsKept,
    /// The resolver also takes what was reserved and never heard of again.
    ResolverTakesReserved,
    /// After the horizon people decide; nothing is assumed.
    HorizonIsReview,
}

impl Rule {
    /// All rules.
    pub const ALL: [Self; 27] = [
        Self::ConfirmedReserve,
        Self::VersionGuard,
        Self::OneOpenCharge,
        Self::UnknownIsOpen,
        Self::SendDeadline,
        Self::RightToSend,
        Self::Visibility,
        Self::ProofAtCommit,
        Self::RefusalOfARepeat,
        Self::GoneMayHaveSent,
        Self::RepeatWindow,
        Self::SameBytes,
        Self::Climb,
        Self::ClaimOnce,
        Self::AnswerInTheCommit,
        Self::SettleAgain,
        Self::Surplus,
        Self::OneReversal,
        Self::ContradictedTwice,
        Self::SuccessorInTheCommit,
        Self::RefundHolds,
        Self::CaptureExcludesVoid,
        Self::ExternalWaits,
        Self::ExternalMerges,
        Self::CancelIsKept,
        Self::ResolverTakesReserved,
        Self::HorizonIsReview,
    ];
}
