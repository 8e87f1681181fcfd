//! The two data files of the checks: `tidy.toml` (limits and words) and `crates.toml` (who may know whom).

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) limits: Limits,
    pub(crate) files: Files,
    /// Words that no tracked file holds.
    #[serde(rename = "word")]
    pub(crate) words: Vec<Banned>,
    /// Text that names one machine or one mirror.
    #[serde(rename = "machine")]
    pub(crate) machines: Vec<Banned>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) file_lines: usize,
    pub(crate) function_lines: usize,
    pub(crate) line_characters: usize,
    /// Fewest words of a crate's head that can say what the room is for.
    pub(crate) head_words: usize,
    /// Most packages in the default binary, itself and ours included.
    pub(crate) packages: usize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Files {
    pub(crate) measured: Vec<String>,
    pub(crate) narrow: Vec<String>,
    pub(crate) banned_stems: Vec<String>,
    pub(crate) exempt: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Banned {
    pub(crate) text: String,
    pub(crate) instead: String,
}

/// The table of the crates, lowest row first.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Crates {
    #[serde(rename = "crate")]
    pub(crate) rows: Vec<Row>,
    /// Names for sets of outside crates, used in `must_not_know`.
    pub(crate) groups: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) knows: Vec<String>,
    pub(crate) must_not_know: Vec<String>,
}

pub(crate) fn settings() -> Result<Settings, String> {
    toml::from_str(include_str!("../tidy.toml")).map_err(|error| format!("xtask/tidy.toml: {error}"))
}

pub(crate) fn crates() -> Result<Crates, String> {
    toml::from_str(include_str!("../crates.toml")).map_err(|error| format!("xtask/crates.toml: {error}"))
}
