//! Which stripe of the balances a committer adds to.
//!
//! A stripe that two committers share is only slower, never wrong: additions lock the row. So the
//! lease is kept loosely, and losing it matters to nobody.

use std::time::Duration;

use kernel::Monotonic;
use tokio_postgres::Client;
use uuid::Uuid;

/// Stripes that there are; 0 is the one row of flagged accounts.
const STRIPES: i64 = 64;
const LENGTH: Duration = Duration::from_mins(1);
const RENEW_AFTER: Duration = Duration::from_secs(20);

/// A committer's stripe.
pub(super) struct Stripe {
    holder: Uuid,
    number: i64,
    kept_at: Option<Monotonic>,
}

impl Stripe {
    pub(super) const fn new(holder: Uuid) -> Self {
        Self { holder, number: 1, kept_at: None }
    }

    pub(super) const fn number(&self) -> i64 {
        self.number
    }

    /// Renews the lease if it is time, or takes the first stripe that is free.
    pub(super) async fn keep(&mut self, client: &Client, now: Monotonic) {
        let due = self.kept_at.is_none_or(|kept| now.0.saturating_sub(kept.0) >= RENEW_AFTER);
        if !due {
            return;
        }
        self.kept_at = Some(now);
        let own = self.number;
        let others = (1..=STRIPES).filter(|number| *number != own);
        for number in std::iter::once(own).chain(others) {
            let name = format!("stripe/{number}");
            match super::work::take_lease(client, &name, self.holder, LENGTH).await {
                Ok(Some(_)) => {
                    self.number = number;
                    return;
                }
                Ok(None) => {}
                Err(_) => return,
            }
        }
    }
}
