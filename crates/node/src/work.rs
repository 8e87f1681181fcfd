//! Work in flight: tasks that are counted, so that a stopping node can wait for their end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use kernel::{BoxFuture, Tasks};
use tokio::sync::Notify;

/// [`Tasks`] whose end can be awaited: what a payment or a background loop runs in. The store's own
/// committers are not among them, as they end when the store closes.
#[derive(Clone)]
pub struct Work {
    tasks: Arc<dyn Tasks>,
    running: Arc<Running>,
}

#[derive(Debug, Default)]
struct Running {
    count: AtomicUsize,
    idle: Notify,
}

/// Counts one task for as long as it lives: also if it panics, or a runtime that shuts down drops it.
struct Counted(Arc<Running>);

impl Drop for Counted {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.idle.notify_waiters();
        }
    }
}

impl Work {
    /// Counts what is run through it and leaves the running to `tasks`.
    pub fn new(tasks: Arc<dyn Tasks>) -> Self {
        Self { tasks, running: Arc::default() }
    }

    /// How many tasks run.
    pub fn in_flight(&self) -> usize {
        self.running.count.load(Ordering::SeqCst)
    }

    /// Completes at a moment when no task runs. Tasks that begin others keep it waiting.
    pub async fn finished(&self) {
        loop {
            let idle = self.running.idle.notified();
            tokio::pin!(idle);
            // Registered before the count is read, so that the last task's end is not missed.
            idle.as_mut().enable();
            if self.in_flight() == 0 {
                return;
            }
            idle.await;
        }
    }
}

impl Tasks for Work {
    fn spawn(&self, name: &'static str, work: BoxFuture<'static, ()>) {
        self.running.count.fetch_add(1, Ordering::SeqCst);
        let counted = Counted(Arc::clone(&self.running));
        self.tasks.spawn(
            name,
            Box::pin(async move {
                let _counted = counted;
                work.await;
            }),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_only_its_task_and_the_end_of_all_is_awaited() {
        let work = Work::new(crate::host::ports().tasks);
        assert_eq!(work.in_flight(), 0);
        work.finished().await;
        let (open, gate) = tokio::sync::oneshot::channel::<()>();
        let inner = work.clone();
        work.spawn(
            "waits",
            Box::pin(async move {
                let _ = gate.await;
                inner.spawn("follows", Box::pin(tokio::task::yield_now()));
            }),
        );
        work.spawn("panics", Box::pin(async { assert!(!std::hint::black_box(true), "on purpose") }));
        tokio::task::yield_now().await;
        let finished = work.finished();
        tokio::pin!(finished);
        assert!(futures_util::poll!(finished.as_mut()).is_pending());
        let _ = open.send(());
        finished.await;
        assert_eq!(work.in_flight(), 0);
    }
}
