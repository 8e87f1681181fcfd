//! The search's background work, and bringing it up to date at once.

use std::time::Duration;

use payments::PaymentsError;

use crate::Node;
use crate::background::{Leader, Pass};

/// Journal rows that one pass reads: what a busy second writes, so that most payments have all their
/// events in one pass and are written once.
const PASS_LIMIT: u32 = 8_000;
/// Journal rows that are numbered at once when somebody waits for it.
const SEQUENCE_LIMIT: u32 = 2_000;
/// Between two tries while another node leads.
const TRY_AGAIN: Duration = Duration::from_millis(50);
/// The name of the lease.
pub(crate) const LEADER: &str = "search";

/// One pass of the background loop.
pub(crate) async fn index(leader: &Leader, node: &Node) -> Pass {
    match leader.lease().await {
        Ok(None) => Pass::Done,
        Ok(Some(lease)) => {
            let done = node.payments.index_search(&lease, PASS_LIMIT).await;
            if done.is_err() {
                leader.doubt();
            }
            Pass::of(done, PASS_LIMIT)
        }
        Err(reason) => Pass::Failed(reason),
    }
}

impl Node {
    /// Brings lists and search up to date with everything committed before: for who changed much at once
    /// and wants to see it. Waits while another node leads. Answers how many rows of the journal it read.
    pub async fn catch_up_search(&self) -> Result<usize, PaymentsError> {
        let (sequencer, search) = (self.leader("sequencer"), self.search_leader());
        while self
            .led(&sequencer, |lease| async move { self.store.sequence(&lease, SEQUENCE_LIMIT).await })
            .await?
            > 0
        {}
        let mut all = 0;
        loop {
            let pass = self
                .led(&search, |lease| async move { self.payments.index_search(&lease, PASS_LIMIT).await });
            match pass.await {
                Ok(0) => return Ok(all),
                Ok(read) => all += read,
                // This node's own background work was faster.
                Err(PaymentsError::Busy) => {}
                Err(error) => return Err(error),
            }
        }
    }

    async fn led<T, E, F>(
        &self,
        leader: &Leader,
        work: impl FnOnce(kernel::Lease) -> F,
    ) -> Result<T, PaymentsError>
    where
        F: Future<Output = Result<T, E>>,
        PaymentsError: From<E>,
    {
        loop {
            match leader.lease().await.map_err(PaymentsError::Unavailable)? {
                Some(lease) => return work(lease).await.map_err(PaymentsError::from),
                None => self.clock.sleep(TRY_AGAIN).await,
            }
        }
    }
}
