//! What comes in from providers and from other systems.

pub(crate) mod event;
pub(crate) mod notice;
