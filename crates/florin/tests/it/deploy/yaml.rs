//! YAML as JSON values: every document of a text, by the core schema.

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};
use serde_json::{Map, Value};

/// All documents. Panics where it is no YAML, or a name stands twice in its mapping.
pub(super) fn documents(text: &str) -> Vec<Value> {
    let mut events = Parser::new_from_str(text);
    let mut found = Vec::new();
    while let Some(event) = events.next() {
        match event.unwrap_or_else(|error| panic!("{error}\n{text}")).0 {
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            Event::StreamEnd => break,
            event => found.push(value(event, &mut events)),
        }
    }
    found
}

/// The only document.
pub(super) fn document(text: &str) -> Value {
    let mut all = documents(text);
    assert_eq!(all.len(), 1, "{text}");
    all.remove(0)
}

fn value<'a>(event: Event<'a>, events: &mut Parser<'a, StrInput<'a>>) -> Value {
    let next = |events: &mut Parser<'a, StrInput<'a>>| events.next().expect("a value").unwrap().0;
    match event {
        Event::Scalar(text, style, ..) => scalar(&text, style),
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next(events) {
                    Event::SequenceEnd => return Value::Array(items),
                    event => items.push(value(event, events)),
                }
            }
        }
        Event::MappingStart(..) => {
            let mut map = Map::new();
            loop {
                let name = match next(events) {
                    Event::MappingEnd => return Value::Object(map),
                    Event::Scalar(name, ..) => name.into_owned(),
                    other => panic!("a name is expected: {other:?}"),
                };
                let event = next(events);
                let value = value(event, events);
                assert!(map.insert(name.clone(), value).is_none(), "{name} stands twice");
            }
        }
        other => panic!("not expected: {other:?}"),
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    if style != ScalarStyle::Plain {
        return Value::from(text);
    }
    match text {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => text.parse::<i64>().map_or_else(|_| Value::from(text), Value::from),
    }
}
