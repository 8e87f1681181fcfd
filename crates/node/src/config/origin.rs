//! Who said what: for errors, for `florin config show`, and for the answers to names of other systems.

use std::collections::BTreeMap;
use std::fmt;

/// Where a value is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nowhere: it is the default.
    Default,
    /// In a file.
    File {
        /// The file as it was named.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The key as it is written there.
        key: String,
    },
    /// In the environment, under this name.
    Environment(String),
}

impl Origin {
    /// `florin.toml:3`, `DATABASE_URL`, `default`.
    pub fn place(&self) -> String {
        match self {
            Self::Default => "default".to_owned(),
            Self::File { file, line, .. } => format!("{file}:{line}"),
            Self::Environment(name) => name.clone(),
        }
    }
}

/// Place and name: `florin.toml:3: server.port`, or `DATABASE_URL`.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line, key } => write!(f, "{file}:{line}: {key}"),
            Self::Environment(name) => f.write_str(name),
        }
    }
}

/// What the layers said.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins {
    /// By the key's name: its value as it may be shown, and who said it.
    pub(super) settings: BTreeMap<&'static str, (String, Origin)>,
    /// Answers to names that have no effect here, one line each.
    pub(super) answers: Vec<String>,
}
