//! A configuration file as a tree with lines, whichever language it is written in.

use super::ConfigError;
use super::value::Raw;

/// A table: names with their lines and values, in the order of the file.
pub(super) type Table = Vec<Entry>;

/// One name of a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    /// From 1.
    pub(super) line: usize,
    pub(super) value: Node,
}

/// What stands behind a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node {
    Table(Table),
    Value(Raw),
}

impl Node {
    /// As the value of one setting, which may be a table.
    pub(super) fn to_raw(&self) -> Raw {
        match self {
            Self::Value(raw) => raw.clone(),
            Self::Table(entries) => {
                Raw::Table(entries.iter().map(|entry| (entry.name.clone(), entry.value.to_raw())).collect())
            }
        }
    }
}

/// Reads a file by its ending: `.yaml` and `.yml` are YAML, everything else TOML.
pub(super) fn parse(file: &str, text: &str) -> Result<Table, ConfigError> {
    let ending = file.rsplit('.').next().unwrap_or_default();
    if ending.eq_ignore_ascii_case("yaml") || ending.eq_ignore_ascii_case("yml") {
        super::yaml::parse(file, text)
    } else {
        super::toml_file::parse(file, text)
    }
}

/// What is wrong with the text of a file, and in which line.
pub(super) fn syntax(file: &str, line: usize, reason: &str) -> ConfigError {
    ConfigError::Syntax { place: format!("{file}:{line}"), reason: reason.to_owned() }
}
