//! Why a configuration cannot be used.

use routing::RoutesError;
use thiserror::Error;

/// The configuration cannot be used: correct it and start again. No variant quotes a value, which may
/// be a secret.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The named file cannot be read.
    #[error("{path}: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// Several files of the names that are looked for.
    #[error("there are {}: keep one, or name one with --config", .0.join(" and "))]
    Ambiguous(Vec<&'static str>),
    /// It is no TOML, or no YAML.
    #[error("{place}: {reason}")]
    Syntax {
        /// File and line.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no such setting.
    #[error("{place}: `{key}` is no setting{nearest}")]
    UnknownKey {
        /// File and line, or the environment.
        place: String,
        /// As it was written.
        key: String,
        /// A hint, or nothing.
        nearest: String,
    },
    /// A section is given a value.
    #[error("{place}: `{section}` is a section of settings, not a setting")]
    NoSection {
        /// File and line.
        place: String,
        /// Which.
        section: String,
    },
    /// A setting has a value of the wrong kind.
    #[error("{said_by} must be {allowed}")]
    Value {
        /// Where it is written, and its name.
        said_by: String,
        /// What it may be.
        allowed: &'static str,
    },
    /// Two names of one setting say different things.
    #[error("{one} and {other} are the same setting with different values: remove one of them")]
    Contradiction {
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// Credentials that may be live, of a provider that would get no payment.
    #[error(
        "{said_by}: there is no provider {provider} in this build, so no payment would reach it: remove \
         its live credentials (test credentials and `enabled = false` only bring a line in the log)"
    )]
    Credential {
        /// Where the first of them is written, and its name.
        said_by: String,
        /// Whose they are.
        provider: &'static str,
    },
    /// The file of routing rules.
    #[error(transparent)]
    Routes(#[from] RoutesError),
    /// Settings that do not go together.
    #[error("{0}")]
    Relation(String),
}
