//! The transport itself: what all exchanges share.

use std::sync::Arc;

use kernel::{BoxFuture, Clock, Credentials, Deadline, Exchange, Exchanged, Request};

use crate::breaker::Breakers;
use crate::connect::Connector;
use crate::guard::Guard;
use crate::oauth::Tokens;
use crate::pool::Pool;
use crate::recording::{Recorder, Recording};
use crate::settings::Settings;

/// HTTP out. Cheap to clone: clones share connections and breakers.
#[derive(Clone)]
pub struct Transport {
    pub(crate) shared: Arc<Shared>,
    pub(crate) guard: Guard,
}

pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) connector: Connector,
    pub(crate) pool: Pool,
    pub(crate) breakers: Breakers,
    pub(crate) tokens: Tokens,
    recorder: Option<Arc<dyn Recorder>>,
}

impl Transport {
    /// For URLs of the operator's configuration; for those of merchants see [`Transport::guarded`].
    pub fn new(settings: Settings, clock: Arc<dyn Clock>, recorder: Option<Arc<dyn Recorder>>) -> Self {
        let shared = Shared {
            connector: Connector::new(clock.clone(), settings.roots.clone()),
            pool: Pool::new(settings.idle_limit, settings.idle_per_host),
            breakers: Breakers::new(settings.breaker),
            tokens: Tokens::default(),
            settings,
            clock,
            recorder,
        };
        Self { shared: Arc::new(shared), guard: Guard::Operator }
    }

    /// The same transport for URLs that `guard` gave.
    #[must_use]
    pub fn guarded(&self, guard: Guard) -> Self {
        Self { shared: self.shared.clone(), guard }
    }

    /// Closes idle connections and keeps no more. Exchanges under way end as they would have.
    pub fn close(&self) {
        self.shared.pool.close();
    }
}

impl Exchange for Transport {
    fn exchange<'a>(
        &'a self,
        request: &'a Request,
        credentials: &'a Credentials,
        deadline: Deadline,
    ) -> BoxFuture<'a, Exchanged> {
        Box::pin(async move {
            let (at, began) = (self.shared.clock.now(), self.shared.clock.monotonic());
            let exchanged = self.run_authorized(request, credentials, deadline).await;
            if let Some(recorder) = &self.shared.recorder {
                let took = self.shared.clock.monotonic().0.saturating_sub(began.0);
                recorder.record(Recording::new(request, &exchanged, at, took));
            }
            exchanged
        })
    }
}
