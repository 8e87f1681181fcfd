//! A TOML file as a tree.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::ConfigError;
use super::tree::{Entry, Node, Table, syntax};
use super::value::Raw;

pub(super) fn parse(file: &str, text: &str) -> Result<Table, ConfigError> {
    let document = DeTable::parse(text).map_err(|error| {
        syntax(file, line(text, error.span().map_or(0, |span| span.start)), error.message())
    })?;
    Ok(table(text, document.get_ref()))
}

fn table(text: &str, entries: &DeTable<'_>) -> Table {
    let mut table: Table = entries
        .iter()
        .map(|(name, value)| Entry {
            name: name.get_ref().to_string(),
            line: line(text, name.span().start),
            value: node(text, value),
        })
        .collect();
    table.sort_by_key(|entry| entry.line);
    table
}

fn node(text: &str, value: &Spanned<DeValue<'_>>) -> Node {
    let raw = match value.get_ref() {
        DeValue::Table(entries) => return Node::Table(table(text, entries)),
        DeValue::String(text) => Raw::Text(text.to_string()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Raw::Other, Raw::Integer)
        }
        DeValue::Float(number) => Raw::Decimal(number.as_str().to_owned()),
        DeValue::Boolean(is) => Raw::Boolean(*is),
        DeValue::Array(values) => Raw::List(values.iter().map(|value| node(text, value).to_raw()).collect()),
        DeValue::Datetime(_) => Raw::Other,
    };
    Node::Value(raw)
}

fn line(text: &str, at: usize) -> usize {
    text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
}
