//! The merchant's own data: a flat object that is given back exactly as it came.

use payments::{MetadataPatch, Patch};
use serde_json::{Map, Number, Value};

use super::fields::Fields;
use super::json::Node;
use super::nearest::is_quotable;
use super::text::{TextRule, check_text};
use crate::problem::{Problem, catalogue as code};

const ENTRIES_MAX: usize = 50;
const NAME: TextRule = TextRule { length_max: 40, may_be_empty: false, multiline: false, free: true };
const VALUE: TextRule = TextRule { length_max: 500, may_be_empty: true, multiline: true, free: true };
/// A decimal number of so many significant digits, of ordinary size, survives a double-precision float
/// and every reader of JSON: both its digits and the power of ten beside them are exact.
const EXACT_DIGITS: usize = 15;
const EXACT_SIZES: std::ops::Range<f64> = 1e-6..1e21;

/// Reads `metadata`; absent is empty.
pub(crate) fn metadata(fields: &Fields<'_, '_>) -> Result<Map<String, Value>, Problem> {
    let Some(node) = fields.get("metadata") else { return Ok(Map::new()) };
    let Node::Object(members) = node else { return Err(fields.wrong_type("metadata", "an object", node)) };
    if members.len() > ENTRIES_MAX {
        let detail = format!("`metadata` has at most {ENTRIES_MAX} entries.");
        return Err(Problem::new(&code::INVALID_METADATA, detail).at("/metadata"));
    }
    let mut map = Map::with_capacity(members.len());
    for (name, node) in members {
        check_text(name, &NAME, "a name in metadata")
            .map_err(|problem| refused(problem, "/metadata".into()))?;
        let value = value(node).map_err(|problem| refused(problem, place(name)))?;
        map.insert(name.to_string(), value);
    }
    Ok(map)
}

/// Reads the changes of `metadata`: entries are merged, `null` removes an entry, or all of them.
pub(crate) fn metadata_patch(fields: &Fields<'_, '_>) -> Result<MetadataPatch, Problem> {
    let members = match fields.named("metadata") {
        None => return Ok(Patch::Keep),
        Some(Node::Null) => return Ok(Patch::Clear),
        Some(Node::Object(members)) => members,
        Some(node) => return Err(fields.wrong_type("metadata", "an object", node)),
    };
    let mut entries = Vec::with_capacity(members.len());
    for (name, node) in members {
        check_text(name, &NAME, "a name in metadata")
            .map_err(|problem| refused(problem, "/metadata".into()))?;
        let value = match node {
            Node::Null => None,
            node => Some(value(node).map_err(|problem| refused(problem, place(name)))?),
        };
        entries.push((name.to_string(), value));
    }
    Ok(Patch::Set(entries))
}

fn value(node: &Node<'_>) -> Result<Value, Problem> {
    match node {
        Node::Bool(flag) => Ok(Value::Bool(*flag)),
        Node::Text(text) => {
            check_text(text, &VALUE, "a value in metadata")?;
            Ok(Value::String(text.to_string()))
        }
        Node::Number(text) => number(text),
        Node::Null | Node::List(_) | Node::Object(_) => {
            let detail =
                format!("A value in metadata is a string, a number or a boolean, not {}.", node.type_name());
            Err(Problem::new(&code::INVALID_METADATA, detail))
        }
    }
}

/// Numbers are kept as numbers only if nothing of them is lost.
fn number(text: &str) -> Result<Value, Problem> {
    check_text(text, &VALUE, "a value in metadata")?;
    let integer = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
    if let Ok(integer) = integer {
        return Ok(Value::Number(integer));
    }
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).skip_while(|digit| *digit == b'0').count();
    let float = text.parse::<f64>().ok().filter(|float| EXACT_SIZES.contains(&float.abs()));
    match float.and_then(Number::from_f64) {
        Some(float) if digits <= EXACT_DIGITS => Ok(Value::Number(float)),
        // Zero in one of its longer forms: 0.0, 0e9.
        None if digits == 0 => Ok(Value::Number(Number::from(0))),
        _ => {
            let detail = "A number in metadata has at most 15 significant digits and lies between 0.000001 \
                          and 10^21, or is a whole number of 64 bits; write it as a string.";
            Err(Problem::new(&code::INVALID_METADATA, detail))
        }
    }
}

/// Wrong lengths and characters are faults of the metadata; a card number stays one.
fn refused(problem: Problem, param: String) -> Problem {
    if problem.entry().code == code::CARD_NUMBER_IN_TEXT.code {
        return problem.at(param);
    }
    Problem::new(&code::INVALID_METADATA, problem.detail().to_owned()).at(param)
}

fn place(name: &str) -> String {
    let mut pointer = "/metadata".to_owned();
    if is_quotable(name) {
        super::json::push_segment(&mut pointer, name);
    }
    pointer
}
