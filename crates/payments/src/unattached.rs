//! Methods that nobody attached: made by a page whose customer went away, or kept by nobody. They are deleted
//! after a while, with their card.
//!
//! The commit that makes a method which is nobody's enqueues one job for it. The job reads the method again
//! when it wakes: one that has become a customer's, was detached or is gone is left as it is.

use kernel::{Actor, Cell, Id, Job, Lane, Outcome, TakenJob, Versioned};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::command::Caller;
use crate::method::{PaymentMethod, PaymentMethodKind};
use crate::rejection::PaymentsError;
use crate::service::{Payments, refused};
use crate::writing::Writing;

/// The job that deletes a method which nobody attached.
pub(crate) const UNATTACHED_JOB: &str = "payment_method_unattached";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Unattached {
    method: Id<PaymentMethodKind>,
}

impl Payments {
    /// Lets the commit that makes a method which is nobody's see to its end.
    pub(crate) fn end_with(
        &self,
        writing: &mut Writing,
        caller: &Caller,
        method: &PaymentMethod,
    ) -> Result<(), PaymentsError> {
        let payload = serde_json::to_vec(&Unattached { method: method.id })
            .map_err(|error| PaymentsError::Internal(error.to_string()))?;
        writing.changes.enqueue.push(Job {
            scope: caller.scope,
            id: self.ids.uuid(),
            kind: UNATTACHED_JOB,
            due: Cell::After(self.settings.unattached_methods_expire_in),
            promised: true,
            payload,
        });
        Ok(())
    }

    /// [`UNATTACHED_JOB`]: run twice, or beside an attach, it deletes nothing that is somebody's.
    pub(crate) async fn unattached_job(&self, job: &TakenJob) -> Result<(), PaymentsError> {
        let Unattached { method: id } = serde_json::from_slice(&job.payload)
            .map_err(|error| PaymentsError::Internal(format!("a job cannot be read: {error}")))?;
        let scope = job.scope;
        let clock = self.clocks.read(scope).await?;
        let now = clock.shown(self.clock.now());
        let found = self.store.of(scope).get::<PaymentMethod>(vec![id.into()]).await?;
        let nobodys = |found: &Versioned<PaymentMethod>| {
            found.record.customer.is_none() && found.record.detached_at.is_none()
        };
        let Some(Versioned { record: mut method, version, .. }) = found.filter(nobodys) else {
            return self.drop_job(job).await;
        };
        let ends_at = method.created_at.plus(self.settings.unattached_methods_expire_in);
        if now < ends_at {
            return self.not_yet(job, ends_at.since(now), clock).await;
        }
        let caller = Caller { scope, actor: Actor::Node, trace_id: None, scenario: None };
        let mut writing = self.writing(&caller, Lane::Background).await?;
        let body = json!({"payment_method": id, "reason": "nobody attached it"});
        self.note_alone(&mut writing, &mut method, "payment_method.deleted", body);
        self.release_with(&mut writing, scope, std::iter::once(&method))?;
        writing.remove(&method, version);
        writing.changes.finish = Some((scope, job.id, job.epoch));
        match self.write(writing).await {
            Outcome::Committed { .. } => Ok(()),
            // Somebody attached it in this moment, or another worker was faster: the job looks again.
            other => Err(refused(other)),
        }
    }
}
