//! Why a node does not start.

use identity::IdentityError;
use payments::PaymentsError;
use store::OpenError;
use thiserror::Error;
use vault::VaultError;

use crate::config::ConfigError;

/// A node cannot start. Nothing runs; what a migration committed before stays.
#[derive(Debug, Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data folder cannot be made or used: correct its path or permissions.
    #[error("the folder {folder}: {reason}")]
    Folder {
        /// The folder.
        folder: String,
        /// What the system said.
        reason: String,
    },
    /// Another process serves the folder: stop it, or use it.
    #[error("{folder} is served already, by {holder}")]
    Served {
        /// The folder.
        folder: String,
        /// The other process, and where it listens.
        holder: String,
    },
    /// A store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The server secret cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The first merchant cannot be made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The sandbox account cannot be made.
    #[error(transparent)]
    Payments(#[from] PaymentsError),
    /// Traces cannot be sent: correct `otlp.endpoint`.
    #[error("traces cannot be sent (otlp.endpoint): {0}")]
    Traces(String),
    /// The books cannot be read.
    #[error("the books cannot be checked: {0}")]
    Check(String),
}

impl StartError {
    /// Whether the operator must correct something before another start can succeed.
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Config(_) | Self::Served { .. } | Self::Vault(_) | Self::Traces(_))
    }
}
