//! Which requests are traced.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;

use opentelemetry::trace::{Link, SpanKind, TraceContextExt as _, TraceId, TraceState};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};

use crate::config::OtlpConfig;

/// A share of the requests, or what a trusted caller says. What belongs to a request follows it.
///
/// The share is drawn by a keyed hash of the trace's id: a caller who picks the id cannot pick the outcome.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    percent: u64,
    follows_callers: bool,
    key: RandomState,
}

impl Choice {
    pub(crate) fn new(config: &OtlpConfig) -> Self {
        let percent = u64::from(config.sample_percent);
        Self { percent, follows_callers: config.follow_callers, key: RandomState::new() }
    }

    fn takes(&self, parent: Option<&Context>, trace: TraceId) -> bool {
        let parent = parent.map(|context| context.span().span_context().clone());
        match parent.filter(opentelemetry::trace::SpanContext::is_valid) {
            Some(parent) if self.follows_callers || !parent.is_remote() => parent.is_sampled(),
            _ => self.key.hash_one(trace) % 100 < self.percent,
        }
    }
}

impl ShouldSample for Choice {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace: TraceId,
        _: &str,
        _: &SpanKind,
        _: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let decision = if self.takes(parent, trace) {
            SamplingDecision::RecordAndSample
        } else {
            SamplingDecision::Drop
        };
        SamplingResult { decision, attributes: Vec::new(), trace_state: TraceState::default() }
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::{SpanContext, SpanId, TraceFlags};

    use super::*;

    fn parent(sampled: bool, remote: bool) -> Context {
        let flags = if sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
        let (trace, span) = (TraceId::from(7), SpanId::from(7));
        Context::new().with_remote_span_context(SpanContext::new(
            trace,
            span,
            flags,
            remote,
            TraceState::default(),
        ))
    }

    fn choice(sample_percent: u32, follow_callers: bool) -> Choice {
        Choice::new(&OtlpConfig { endpoint: None, sample_percent, follow_callers })
    }

    fn taken(choice: &Choice, parent: Option<&Context>) -> usize {
        (1..=1_000_u128).filter(|id| choice.takes(parent, TraceId::from(*id))).count()
    }

    #[test]
    fn a_caller_decides_only_where_it_is_followed() {
        let (yes, no) = (parent(true, true), parent(false, true));
        assert_eq!((taken(&choice(0, false), Some(&yes)), taken(&choice(0, true), Some(&yes))), (0, 1_000));
        assert_eq!((taken(&choice(100, false), Some(&no)), taken(&choice(100, true), Some(&no))), (1_000, 0));
        let some = taken(&choice(30, false), Some(&yes));
        assert!((200..400).contains(&some), "{some} of a thousand");
    }

    #[test]
    fn what_belongs_to_a_request_follows_it() {
        assert_eq!(taken(&choice(0, false), Some(&parent(true, false))), 1_000);
        assert_eq!(taken(&choice(100, false), Some(&parent(false, false))), 0);
        assert_eq!(taken(&choice(100, false), None), 1_000);
    }
}
