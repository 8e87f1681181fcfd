//! The file of routing rules: read and checked before anything starts.

use std::path::Path;
use std::sync::Arc;

use routing::Routes;

use crate::accounts::account_names;
use crate::config::{Config, ConfigError};

/// Reads a file of rules that may name these accounts.
pub fn read_routes(path: &Path, accounts: &[String]) -> Result<Arc<Routes>, ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::Unreadable { path: name.clone(), reason: error.to_string() })?;
    Ok(Arc::new(Routes::read(&name, &text, accounts)?))
}

impl Config {
    /// Reads the file that `routing.file` names, if it names one.
    pub(crate) fn read_routes(&mut self) -> Result<(), ConfigError> {
        if let Some(path) = &self.routing.file {
            self.routing.routes = Some(read_routes(path, &account_names(self))?);
        }
        Ok(())
    }
}
