//! Where settings come from: a file's keys with their lines, and the environment's names.

use super::ConfigError;
use super::answer::{ANSWERS, Answer, Used};
use super::key::{Environment, Key, environment_name};
use super::keys::keys;
use super::origin::Origin;
use super::tree::{self, Entry, Node};
use super::value::Raw;

/// One value for one setting, and who says so.
pub(super) struct Assignment {
    pub(super) key: &'static Key,
    pub(super) raw: Raw,
    pub(super) origin: Origin,
}

/// What one layer says.
#[derive(Default)]
pub(super) struct Layer {
    pub(super) settings: Vec<Assignment>,
    /// Names that have no effect here.
    pub(super) answered: Vec<Used>,
    /// Names of ours, by their beginning, that nobody knows.
    pub(super) strange: Vec<String>,
}

/// All settings of a file's text; `file` names it in errors, and its ending says the language.
pub(super) fn of_file(file: &str, text: &str) -> Result<Layer, ConfigError> {
    let mut found = Layer::default();
    for entry in tree::parse(file, text)? {
        walk(file, "", &entry, &mut found)?;
    }
    Ok(found)
}

fn walk(file: &str, above: &str, entry: &Entry, found: &mut Layer) -> Result<(), ConfigError> {
    let path = if above.is_empty() { entry.name.clone() } else { format!("{above}.{}", entry.name) };
    let origin = Origin::File { file: file.to_owned(), line: entry.line, key: path.clone() };
    if let Some(key) = keys().find(|key| key.paths().any(|known| known == path)) {
        found.settings.push(Assignment { key, raw: entry.value.to_raw(), origin });
        return Ok(());
    }
    if let Some(answer) = ANSWERS.iter().find(|answer| answer.paths().any(|known| known == path)) {
        found.answered.push(Used { answer, raw: entry.value.to_raw(), origin });
        return Ok(());
    }
    let is_above = |known: &str| known.strip_prefix(path.as_str()).is_some_and(is_below);
    let is_section = keys().flat_map(Key::paths).any(is_above)
        || ANSWERS.iter().flat_map(Answer::paths).any(|known| is_above(&known));
    match &entry.value {
        Node::Table(inner) if is_section => {
            inner.iter().try_for_each(|entry| walk(file, &path, entry, found))
        }
        Node::Value(_) if is_section => Err(ConfigError::NoSection { place: origin.place(), section: path }),
        // Told of its first setting, which says more than the name of a section.
        Node::Table(inner) if !inner.is_empty() => {
            let first = inner.first().map(|entry| format!("{path}.{}", entry.name));
            Err(unknown(origin.place(), first.as_deref().unwrap_or(&path)))
        }
        _ => Err(unknown(origin.place(), &path)),
    }
}

fn is_below(rest: &str) -> bool {
    rest.starts_with('.')
}

/// All settings of the environment. What begins with `FLORIN_` and holds `__` is meant for us, so it
/// must be known, and so is a setting's name with single underscores; of what else begins so, it is said
/// that it sets nothing. All other names belong to others.
pub(super) fn of_environment(environment: &Environment) -> Result<Layer, ConfigError> {
    let mut found = Layer::default();
    for (name, value) in environment {
        let origin = Origin::Environment(name.clone());
        if let Some((key, raw)) = meant(name, value) {
            // Set to nothing is not set: shells and compose files cannot unset.
            if !value.trim().is_empty() {
                found.settings.push(Assignment { key, raw, origin });
            }
        } else if let Some(answer) = answered(name) {
            if !value.trim().is_empty() {
                let raw = Raw::Environment(value.clone());
                found.answered.push(Used { answer, raw, origin });
            }
        } else if name.starts_with("FLORIN_") && name.contains("__") {
            let path = name.trim_start_matches("FLORIN_").replace("__", ".").to_lowercase();
            return Err(ConfigError::UnknownKey {
                place: "environment".to_owned(),
                key: name.clone(),
                nearest: near(nearest(&path).map(environment_name)),
            });
        } else if let Some(rest) = name.strip_prefix("FLORIN_").filter(|_| !is_of_others(name, value)) {
            if let Some(meant) = keys().flat_map(Key::paths).find(|path| is_spelt_alike(path, rest)) {
                return Err(ConfigError::UnknownKey {
                    place: "environment".to_owned(),
                    key: name.clone(),
                    nearest: near(Some(environment_name(meant))),
                });
            }
            found.strange.push(format!(
                "{name} sets nothing: settings are FLORIN_SECTION__NAME, with two underscores"
            ));
        }
    }
    found.settings.extend(super::compose::database_url(environment)?);
    Ok(found)
}

/// What this project's own tools read, and what Kubernetes tells of services in the same namespace.
fn is_of_others(name: &str, value: &str) -> bool {
    const TOOLS: [&str; 9] = [
        "FLORIN_TEST_",
        "FLORIN_TOOLS",
        "FLORIN_BINARY",
        "FLORIN_PG_",
        "FLORIN_REGENERATE",
        "FLORIN_SCHEMATHESIS_",
        "FLORIN_PUBLIC_URL",
        "FLORIN_TRUSTED_PROXIES",
        "FLORIN_SERVICE_",
    ];
    TOOLS.iter().any(|start| name.starts_with(start))
        || value.starts_with("tcp://")
        || ["_SERVICE_HOST", "_SERVICE_PORT", "_PORT_"].iter().any(|part| name.contains(part))
}

/// Whether they differ in case and in what stands between the words alone.
fn is_spelt_alike(path: &str, rest: &str) -> bool {
    let letters =
        |text: &str| text.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    letters(path) == letters(rest)
}

fn answered(name: &str) -> Option<&'static Answer> {
    ANSWERS.iter().find(|answer| answer.variables().any(|known| known == name))
}

/// The setting of a variable; one entry of a table has the entry's name behind the table's.
fn meant(name: &str, value: &str) -> Option<(&'static Key, Raw)> {
    let whole = keys().find(|key| key.variables().any(|known| known == name));
    if let Some(key) = whole {
        return Some((key, Raw::Environment(value.to_owned())));
    }
    keys().filter(|key| key.is_table).find_map(|key| {
        let entry = key.variables().find_map(|known| {
            name.strip_prefix(known.as_str())?.strip_prefix("__").filter(|rest| !rest.is_empty())
        })?;
        Some((key, Raw::Table(vec![(entry.to_owned(), Raw::Environment(value.to_owned()))])))
    })
}

fn unknown(place: String, path: &str) -> ConfigError {
    let nearest = nearest(path).map(str::to_owned);
    ConfigError::UnknownKey { place, key: path.to_owned(), nearest: near(nearest) }
}

fn near(name: Option<String>) -> String {
    name.map_or_else(
        || "; `florin config default` lists them all".to_owned(),
        |name| format!("; the nearest is `{name}`"),
    )
}

fn nearest(path: &str) -> Option<&'static str> {
    let last = |path: &str| path.rsplit('.').next().map_or(0, str::len);
    let paths = || keys().flat_map(Key::paths);
    let distance = |known: &&str| strsim::damerau_levenshtein(known, path);
    // A name in the wrong section is as near as a slip of the pen.
    let misplaced = paths().find(|known| known.ends_with(path) && last(known) == last(path));
    let slipped = || paths().min_by_key(distance).filter(|known| distance(known) <= 1 + path.len() / 3);
    misplaced.or_else(slipped)
}
