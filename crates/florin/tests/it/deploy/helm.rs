//! The part of Helm's template language that our chart uses, and nothing else: what is not known here
//! fails. Values, `if`, `range` over a map, `quote`, `default`, `printf` of two texts, `toYaml`, `indent`,
//! and the trimming of white space before an action.

use serde_json::{Value, json};

/// Renders one template.
pub(super) fn render(template: &str, values: &Value) -> String {
    let root = json!({
        "Values": values,
        "Release": {"Name": "florin", "Namespace": "shop"},
        "Chart": {"AppVersion": "0.1.0"},
    });
    let parts = parts(template);
    let mut at = 0;
    let text = block(&parts, &mut at, &root, &Value::Null, true);
    assert_eq!(at, parts.len(), "an `end` too many");
    text
}

enum Part {
    Text(String),
    Action(String),
}

fn parts(template: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(place) = rest.find("{{") {
        let (text, from) = rest.split_at(place);
        let (action, after) = from[2..].split_once("}}").expect("an action ends");
        let trims = action.starts_with('-');
        parts.push(Part::Text(if trims { text.trim_end() } else { text }.to_owned()));
        parts.push(Part::Action(action.trim_start_matches('-').trim().to_owned()));
        rest = after;
    }
    parts.push(Part::Text(rest.to_owned()));
    parts
}

/// Up to the `end` of this block, or the end of all.
fn block(parts: &[Part], at: &mut usize, root: &Value, entry: &Value, shown: bool) -> String {
    let mut out = String::new();
    while let Some(part) = parts.get(*at) {
        *at += 1;
        match part {
            Part::Text(text) if shown => out.push_str(text),
            Part::Text(_) => {}
            Part::Action(action) if action == "end" => return out,
            Part::Action(action) => {
                if let Some(condition) = action.strip_prefix("if ") {
                    let holds = shown && truth(&path(condition.trim(), root, entry));
                    out.push_str(&block(parts, at, root, entry, holds));
                } else if let Some(list) = action.strip_prefix("range $name, $value := ") {
                    let map = path(list.trim(), root, entry);
                    let body = *at;
                    for (name, value) in map.as_object().expect("a map") {
                        *at = body;
                        out.push_str(&block(parts, at, root, &json!({"name": name, "value": value}), shown));
                    }
                    if map.as_object().is_some_and(serde_json::Map::is_empty) {
                        block(parts, at, root, entry, false);
                    }
                } else if shown {
                    out.push_str(&text(&pipeline(action, root, entry)));
                }
            }
        }
    }
    out
}

fn pipeline(action: &str, root: &Value, entry: &Value) -> Value {
    if let Some(rest) = action.strip_prefix("printf \"%s:%s\" ") {
        let (one, other) = rest.split_once(" (").expect("two texts");
        let (other, pipe) = other.split_once(')').expect("it closes");
        let joined = format!("{}:{}", text(&path(one, root, entry)), text(&pipeline(other, root, entry)));
        return pipe
            .split('|')
            .map(str::trim)
            .filter(|word| !word.is_empty())
            .fold(joined.into(), |value, word| filter(word, value, root, entry));
    }
    let mut words = action.split('|').map(str::trim);
    let first = words.next().unwrap();
    let start = match first.strip_prefix("toYaml ") {
        Some(name) => Value::from(to_yaml(&path(name, root, entry), 0)),
        None => path(first, root, entry),
    };
    words.fold(start, |value, word| filter(word, value, root, entry))
}

fn filter(word: &str, value: Value, root: &Value, entry: &Value) -> Value {
    if word == "quote" {
        return Value::from(Value::from(text(&value)).to_string());
    }
    if let Some(other) = word.strip_prefix("default ") {
        return if truth(&value) { value } else { path(other, root, entry) };
    }
    if let Some(width) = word.strip_prefix("indent ") {
        let blanks = " ".repeat(width.parse().unwrap());
        let lines: Vec<String> = text(&value).lines().map(|line| format!("{blanks}{line}")).collect();
        return Value::from(lines.join("\n"));
    }
    panic!("{word} is not known here");
}

fn path(name: &str, root: &Value, entry: &Value) -> Value {
    if let Some(name) = name.strip_prefix('$') {
        return entry[name].clone();
    }
    let steps = name.strip_prefix('.').unwrap_or_else(|| panic!("{name} is no path"));
    let found = steps.split('.').try_fold(root, |value, step| value.get(step));
    found.unwrap_or_else(|| panic!("there is no {name}")).clone()
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn to_yaml(value: &Value, depth: usize) -> String {
    let map = value.as_object().expect("only maps are written");
    let lines = map.iter().map(|(name, value)| {
        let blanks = "  ".repeat(depth);
        if value.is_object() {
            format!("{blanks}{name}:\n{}", to_yaml(value, depth + 1))
        } else {
            format!("{blanks}{name}: {value}")
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}
