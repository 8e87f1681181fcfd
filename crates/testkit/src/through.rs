//! A store before another one: what a test does not change goes through.

use std::sync::Arc;
use std::time::Duration;

use kernel::{
    BoxFuture, Cell, Changes, Lease, Outcome, Query, Row, Scope, Store, StoreError, Table, TakenJob,
    Timestamp,
};
use uuid::Uuid;

/// What a test does about writes and reads; by itself, nothing.
pub trait Between: Send + Sync + 'static {
    /// [`Store::commit`] of what `inner` is asked to write.
    fn commit<'a>(&'a self, inner: &'a dyn Store, changes: Changes) -> BoxFuture<'a, Outcome> {
        inner.commit(changes)
    }

    /// [`Store::get`].
    fn get<'a>(
        &'a self,
        inner: &'a dyn Store,
        table: &'static Table,
        scope: Scope,
        key: Vec<Cell>,
    ) -> BoxFuture<'a, Result<Option<Row>, StoreError>> {
        inner.get(table, scope, key)
    }

    /// [`Store::find`].
    fn find<'a>(&'a self, inner: &'a dyn Store, query: Query) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        inner.find(query)
    }
}

/// The store that its users see.
pub struct Through<B> {
    inner: Arc<dyn Store>,
    /// The test's part, which it may ask and change at any time.
    pub between: B,
}

impl<B: Between> Through<B> {
    /// Puts `between` before `inner`.
    pub fn new(inner: Arc<dyn Store>, between: B) -> Arc<Self> {
        Arc::new(Self { inner, between })
    }
}

impl<B: Between> Store for Through<B> {
    fn commit(&self, changes: Changes) -> BoxFuture<'_, Outcome> {
        self.between.commit(self.inner.as_ref(), changes)
    }

    fn get(
        &self,
        table: &'static Table,
        scope: Scope,
        key: Vec<Cell>,
    ) -> BoxFuture<'_, Result<Option<Row>, StoreError>> {
        self.between.get(self.inner.as_ref(), table, scope, key)
    }

    fn find(&self, query: Query) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        self.between.find(self.inner.as_ref(), query)
    }

    fn take_jobs<'a>(
        &'a self,
        kinds: &'a [&'static str],
        limit: u32,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Vec<TakenJob>, StoreError>> {
        self.inner.take_jobs(kinds, limit, lease)
    }

    fn return_job<'a>(&'a self, job: &'a TakenJob, delay: Duration) -> BoxFuture<'a, Result<(), StoreError>> {
        self.inner.return_job(job, delay)
    }

    fn lease<'a>(
        &'a self,
        name: &'a str,
        holder: Uuid,
        length: Duration,
    ) -> BoxFuture<'a, Result<Option<Lease>, StoreError>> {
        self.inner.lease(name, holder, length)
    }

    fn sequence<'a>(&'a self, lease: &'a Lease, limit: u32) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.inner.sequence(lease, limit)
    }

    fn forget_claims<'a>(
        &'a self,
        lease: &'a Lease,
        older_than: Duration,
        limit: u32,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.inner.forget_claims(lease, older_than, limit)
    }

    fn now(&self) -> BoxFuture<'_, Result<Timestamp, StoreError>> {
        self.inner.now()
    }

    fn enqueued(&self) -> BoxFuture<'_, ()> {
        self.inner.enqueued()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.inner.close()
    }
}
