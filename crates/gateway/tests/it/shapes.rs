//! What answers look like.
