//! What the table of keys says of itself: the annotated default, and the effective configuration.

use super::key::{DefaultValue, Key, Section};
use super::keys::SECTIONS;
use super::value::Raw;
use super::{Config, Origin};

const INTRODUCTION: &str = "\
# Every setting of Florin with its default: what this says holds where nothing else does.
#
# Settings come from here, then from a file (`florin.toml`, `florin.yaml` or `florin.yml` in the working
# directory, or the one named by `--config`), then from the environment, the later one winning:
# `server.port` is FLORIN_SERVER__PORT there. An unknown key or a value that cannot be used stops the
# start. Durations are \"500ms\", \"30s\", \"5m\", \"24h\", or a number of seconds. What is marked
# \"secret\" may also be \"file:/path\" or \"env:NAME\", so that the file itself holds none.
";
const WIDTH: usize = 104;

/// One setting as it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effective {
    /// Its path.
    pub key: &'static str,
    /// Its value as TOML writes it, a secret masked; `None`: not set.
    pub value: Option<String>,
    /// Who said so.
    pub origin: Origin,
}

/// The default configuration, as a file with what each setting means.
pub fn default_text() -> String {
    let mut text = INTRODUCTION.to_owned();
    for section in SECTIONS {
        write_section(&mut text, section);
    }
    text
}

fn write_section(text: &mut String, section: &Section) {
    text.push('\n');
    if !section.about.is_empty() {
        text.push_str(&comment(section.about));
    }
    if !section.name.is_empty() {
        text.extend(["[", section.name, "]\n"]);
    }
    for key in section.keys {
        text.push_str(&comment(&explained(key)));
        let name = key.name.strip_prefix(section.name).unwrap_or(key.name).trim_start_matches('.');
        match key.default {
            DefaultValue::Is(value) => text.extend([name, " = ", value, "\n"]),
            DefaultValue::Unset(example) => text.extend(["#", name, " = ", example, "\n"]),
        }
    }
}

/// What it means, and its other names.
fn explained(key: &Key) -> String {
    let mut words = key.help.to_owned();
    if key.is_secret {
        words.push_str(" Secret.");
    }
    if !key.also.is_empty() {
        words.extend([" Also ", &key.also.join(", "), "."]);
    }
    words
}

fn comment(words: &str) -> String {
    let mut lines = String::from("#");
    let mut width = 1;
    for word in words.split_whitespace() {
        let length = word.chars().count();
        if width + 1 + length > WIDTH {
            lines.push_str("\n#");
            width = 1;
        }
        lines.push(' ');
        lines.push_str(word);
        width += 1 + length;
    }
    lines.push('\n');
    lines
}

impl Config {
    /// Every setting as it holds, in the order of the default configuration, and who said so.
    pub fn effective(&self) -> Vec<Effective> {
        let keys = SECTIONS.iter().flat_map(|section| section.keys);
        keys.map(|key| match self.origins.settings.get(key.name) {
            Some((shown, origin)) => {
                Effective { key: key.name, value: Some(shown.clone()), origin: origin.clone() }
            }
            None => Effective { key: key.name, value: None, origin: Origin::Default },
        })
        .collect()
    }
}

/// A value as it may be shown.
pub(super) fn shown(key: &Key, raw: &Raw) -> String {
    if !key.is_secret {
        return literal(raw);
    }
    let text = raw.text().unwrap_or_default();
    let is_reference = text.starts_with("file:") || text.starts_with("env:");
    quoted(&if is_reference { text.to_owned() } else { masked(text) })
}

/// Of an address, where it leads and as whom; of any other secret nothing.
fn masked(text: &str) -> String {
    let parts = text.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?)));
    let Some((scheme, (user, place))) = parts else { return "[secret]".to_owned() };
    let user = user.split(':').next().unwrap_or_default();
    let place = place.split('?').next().unwrap_or_default();
    format!("{scheme}://{user}:[secret]@{place}")
}

fn literal(raw: &Raw) -> String {
    match raw {
        Raw::Text(text) => quoted(text),
        // The environment has no types: what reads as a number or a truth is shown as one.
        Raw::Environment(text) => match text.trim() {
            bare @ ("true" | "false") => bare.to_owned(),
            bare if bare.parse::<i64>().is_ok() => bare.to_owned(),
            text => quoted(text),
        },
        Raw::Integer(number) => number.to_string(),
        Raw::Decimal(text) => text.clone(),
        Raw::Boolean(is) => is.to_string(),
        Raw::List(values) => {
            format!("[{}]", values.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Raw::Table(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(name, value)| format!("{name} = {}", literal(value))).collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Raw::Other => "\"?\"".to_owned(),
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}
