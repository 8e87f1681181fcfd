//! The payments that a client can still get and refund, and those that it can capture or void.

use std::collections::VecDeque;

/// A refund takes this part of a payment, so that each payment bears several.
const REFUNDS_PER_PAYMENT: u64 = 10;

/// The amount of every refund of a run.
pub(crate) fn refund_amount(amount_minor: u64) -> u64 {
    (amount_minor / REFUNDS_PER_PAYMENT).max(1)
}

struct Slot {
    id: Vec<u8>,
    refundable_minor: u64,
}

/// The newest payments of one client, bounded; a new one takes the place of the oldest. No allocation
/// once it is full.
pub(crate) struct Payments {
    slots: Vec<Slot>,
    capacity: usize,
    /// Where the next payment goes once all places are taken.
    oldest: usize,
    look: usize,
    refund: usize,
    /// Those that hold their amount, the oldest first.
    held: VecDeque<Vec<u8>>,
}

impl Payments {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            slots: Vec::with_capacity(capacity),
            capacity,
            oldest: 0,
            look: 0,
            refund: 0,
            held: VecDeque::new(),
        }
    }

    /// Remembers a payment that was paid.
    pub(crate) fn remember(&mut self, id: &[u8], amount_minor: u64) {
        if self.slots.len() < self.capacity {
            self.slots.push(Slot { id: id.to_vec(), refundable_minor: amount_minor });
        } else if let Some(slot) = self.slots.get_mut(self.oldest) {
            slot.id.clear();
            slot.id.extend_from_slice(id);
            slot.refundable_minor = amount_minor;
            self.oldest = (self.oldest + 1) % self.capacity;
        }
    }

    /// Remembers a payment that holds its amount; beyond the capacity the oldest is forgotten.
    pub(crate) fn hold(&mut self, id: &[u8]) {
        if self.held.len() >= self.capacity {
            self.held.pop_front();
        }
        self.held.push_back(id.to_vec());
    }

    /// The payment that holds its amount for longest; it is taken out at once, because what was asked of
    /// it may have happened although the answer was lost.
    pub(crate) fn next_held(&mut self) -> Option<Vec<u8>> {
        self.held.pop_front()
    }

    /// The next payment to look at, in turn.
    pub(crate) fn next_to_get(&mut self) -> Option<&[u8]> {
        let slot = self.slots.get(self.look % self.slots.len().max(1))?;
        self.look = self.look.wrapping_add(1);
        Some(&slot.id)
    }

    /// The next payment, in turn, of which so much is left; it is taken off at once, because a refund
    /// whose answer is lost may have happened.
    pub(crate) fn next_to_refund(&mut self, amount_minor: u64) -> Option<&[u8]> {
        let length = self.slots.len();
        let start = self.refund;
        let place = (0..length)
            .map(|step| (start + step) % length)
            .find(|place| self.slots.get(*place).is_some_and(|slot| slot.refundable_minor >= amount_minor))?;
        self.refund = (place + 1) % length;
        let slot = self.slots.get_mut(place)?;
        slot.refundable_minor -= amount_minor;
        Some(&slot.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way_and_all_are_visited_in_turn() {
        let mut payments = Payments::new(2);
        assert_eq!(payments.next_to_get(), None);
        assert_eq!(payments.next_to_refund(1), None);
        for id in [b"a", b"b", b"c"] {
            payments.remember(id, 25);
        }
        let mut looked: Vec<Vec<u8>> =
            (0..4).filter_map(|_| payments.next_to_get().map(<[u8]>::to_vec)).collect();
        looked.sort();
        assert_eq!(looked, [b"b", b"b", b"c", b"c"]);
    }

    #[test]
    fn what_is_held_is_taken_once_and_the_oldest_first() {
        let mut payments = Payments::new(2);
        for id in [b"a", b"b", b"c"] {
            payments.hold(id);
        }
        let taken: Vec<Vec<u8>> = std::iter::from_fn(|| payments.next_held()).collect();
        assert_eq!(taken, [b"b", b"c"]);
    }

    #[test]
    fn no_payment_is_refunded_beyond_its_amount() {
        let mut payments = Payments::new(2);
        payments.remember(b"a", 25);
        payments.remember(b"b", 10);
        let refunded: Vec<Vec<u8>> =
            (0..9).filter_map(|_| payments.next_to_refund(10).map(<[u8]>::to_vec)).collect();
        assert_eq!(refunded, [b"a", b"b", b"a"]);
        assert_eq!((refund_amount(1_000), refund_amount(3)), (100, 1));
    }
}
