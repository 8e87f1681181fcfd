//! Who is counted, and for what.

use std::net::IpAddr;

use kernel::Scope;

/// What is counted. Each has counters of its own, so that a flood of one never pushes out another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counted {
    /// Requests without a valid key, by the peer's address.
    Address,
    /// Requests with a key, by the key.
    Key,
    /// Providers' notices, by the peer's address.
    Notices,
    /// Attempts to charge, by the order (or, without one, the payment).
    OrderAttempts,
    /// Attempts to charge, by the customer.
    CustomerAttempts,
    /// Attempts to charge, by the payer's address.
    PayerAttempts,
    /// Attempts that were counted already, by their idempotency key.
    Repeats,
}

impl Counted {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Address,
        Self::Key,
        Self::Notices,
        Self::OrderAttempts,
        Self::CustomerAttempts,
        Self::PayerAttempts,
        Self::Repeats,
    ];
}

/// One counter's owner. Only a hash of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject<'a> {
    /// What is counted.
    pub counted: Counted,
    /// Whose world it belongs to, if to one.
    pub scope: Option<Scope>,
    /// Who, within it.
    pub name: Name<'a>,
}

/// Who, as bytes or an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name<'a> {
    /// Any bytes: an id, a reference, a key of idempotency.
    Bytes(&'a [u8]),
    /// An IPv4 address.
    V4(u32),
    /// The first 64 bits of an IPv6 address: what one subscriber is given. Counted one by one, nobody
    /// would ever run out of addresses.
    V6(u64),
}

impl<'a> Subject<'a> {
    /// An address, whoever it belongs to.
    pub fn of_address(counted: Counted, address: IpAddr) -> Self {
        Self { counted, scope: None, name: Name::of(address) }
    }

    /// An address, counted within one world.
    pub fn of_payer(scope: Scope, address: IpAddr) -> Self {
        Self { counted: Counted::PayerAttempts, scope: Some(scope), name: Name::of(address) }
    }

    /// Something of one world.
    pub const fn of_world(counted: Counted, scope: Scope, name: &'a [u8]) -> Self {
        Self { counted, scope: Some(scope), name: Name::Bytes(name) }
    }
}

impl Name<'_> {
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(u32::from(address)),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6(u64::from(a) << 48 | u64::from(b) << 32 | u64::from(c) << 16 | u64::from(d))
            }
        }
    }
}
