//! Why a command ends with an exit code other than 0.

use std::process::ExitCode;

use bench::BenchError;
use identity::IdentityError;
use node::StartError;
use node::config::ConfigError;
use payments::PaymentsError;
use thiserror::Error;

/// What ended the command.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// What was asked cannot be done as it was asked: correct the command line or the configuration.
    #[error("{0}")]
    Usage(String),
    /// A check found something, or a command was refused.
    #[error("{0}")]
    Failed(String),
}

impl Failure {
    /// 1 for what failed, 2 for what was asked wrongly.
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Failed(_) => ExitCode::from(1),
            Self::Usage(_) => ExitCode::from(2),
        }
    }

    /// Failed, with what was being done.
    pub(crate) fn while_doing(what: &str, error: &dyn std::fmt::Display) -> Self {
        Self::Failed(format!("{what}: {error}"))
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        if error.is_usage() { Self::Usage(error.to_string()) } else { Self::Failed(error.to_string()) }
    }
}

impl From<IdentityError> for Failure {
    fn from(error: IdentityError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<PaymentsError> for Failure {
    fn from(error: PaymentsError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        match error {
            BenchError::Option(_) => Self::Usage(error.to_string()),
            _ => Self::Failed(error.to_string()),
        }
    }
}
