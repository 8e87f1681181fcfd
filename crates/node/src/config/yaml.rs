//! A YAML file as a tree.
//!
//! What is read is what a configuration needs: one document of mappings, sequences and scalars of the
//! core schema (YAML 1.2 §10.3: `true` and `false` are the only booleans, `no` is a text). Anchors,
//! aliases and own tags are refused rather than read in a way that nobody expects.

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};

use super::ConfigError;
use super::tree::{Entry, Node, Table, syntax};
use super::value::Raw;

/// Deeper than any setting.
const DEEPEST: u8 = 16;

pub(super) fn parse(file: &str, text: &str) -> Result<Table, ConfigError> {
    let mut reader = Reader { file, events: Parser::new_from_str(text) };
    let mut root = None;
    loop {
        let (event, line) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
            Event::StreamEnd => break,
            _ if root.is_some() => return Err(reader.wrong(line, "there is a second document")),
            // A file of comments alone.
            Event::Scalar(ref text, ScalarStyle::Plain, ..) if is_null(text) => root = Some(Table::new()),
            Event::MappingStart(anchor, ref tag) => {
                reader.allow(line, anchor, tag.as_deref())?;
                root = Some(reader.mapping(0)?);
            }
            _ => return Err(reader.wrong(line, "settings are expected, as `name: value`")),
        }
    }
    Ok(root.unwrap_or_default())
}

struct Reader<'a> {
    file: &'a str,
    events: Parser<'a, StrInput<'a>>,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<(Event<'a>, usize), ConfigError> {
        let next: Option<Result<(Event<'a>, Span), ScanError>> = self.events.next();
        match next {
            Some(Ok((event, span))) => Ok((event, span.start.line())),
            Some(Err(error)) => Err(self.wrong(error.marker().line(), error.info())),
            None => Ok((Event::StreamEnd, 0)),
        }
    }

    fn wrong(&self, line: usize, reason: &str) -> ConfigError {
        syntax(self.file, line, reason)
    }

    fn allow(&self, line: usize, anchor: usize, tag: Option<&Tag>) -> Result<(), ConfigError> {
        if anchor != 0 {
            return Err(self.wrong(line, "anchors are not read: write the value where it is needed"));
        }
        if tag.is_some_and(|tag| !tag.is_yaml_core_schema()) {
            return Err(self.wrong(line, "tags are not read"));
        }
        Ok(())
    }

    /// Behind the start of a mapping, to its end.
    fn mapping(&mut self, depth: u8) -> Result<Table, ConfigError> {
        let mut table = Table::new();
        loop {
            let (event, line) = self.next()?;
            let name = match event {
                Event::MappingEnd => return Ok(table),
                Event::Scalar(text, _, anchor, tag) => {
                    self.allow(line, anchor, tag.as_deref())?;
                    text.into_owned()
                }
                _ => return Err(self.wrong(line, "a name is expected")),
            };
            if table.iter().any(|entry| entry.name == name) {
                return Err(self.wrong(line, &format!("duplicate key `{name}`")));
            }
            let (event, at) = self.next()?;
            let value = self.node(event, at, depth)?;
            table.push(Entry { name, line, value });
        }
    }

    fn node(&mut self, event: Event<'a>, line: usize, depth: u8) -> Result<Node, ConfigError> {
        if depth >= DEEPEST {
            return Err(self.wrong(line, "this is nested too deeply"));
        }
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.allow(line, anchor, tag.as_deref())?;
                let is_text = style != ScalarStyle::Plain || tag.is_some_and(|tag| tag.suffix == "str");
                Ok(Node::Value(if is_text { Raw::Text(text.into_owned()) } else { plain(&text) }))
            }
            Event::MappingStart(anchor, tag) => {
                self.allow(line, anchor, tag.as_deref())?;
                self.mapping(depth + 1).map(Node::Table)
            }
            Event::SequenceStart(anchor, tag) => {
                self.allow(line, anchor, tag.as_deref())?;
                let mut values = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, _) => return Ok(Node::Value(Raw::List(values))),
                        (event, at) => values.push(self.node(event, at, depth + 1)?.to_raw()),
                    }
                }
            }
            Event::Alias(_) => Err(self.wrong(line, "aliases are not read: write the value itself")),
            _ => Err(self.wrong(line, "a value is expected")),
        }
    }
}

/// A scalar without quotes, by the core schema.
fn plain(text: &str) -> Raw {
    let integer = |digits: &str, radix| i64::from_str_radix(digits, radix).map_or(Raw::Other, Raw::Integer);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_made_of = |text: &str, is: fn(u8) -> bool| !text.is_empty() && text.bytes().all(is);
    if is_null(text) {
        Raw::Other
    } else if matches!(text, "true" | "True" | "TRUE") {
        Raw::Boolean(true)
    } else if matches!(text, "false" | "False" | "FALSE") {
        Raw::Boolean(false)
    } else if is_made_of(digits, |byte| byte.is_ascii_digit()) {
        integer(text, 10)
    } else if let Some(digits) = text.strip_prefix("0x").filter(|digits| !digits.starts_with(['+', '-'])) {
        integer(digits, 16)
    } else if let Some(digits) = text.strip_prefix("0o").filter(|digits| !digits.starts_with(['+', '-'])) {
        integer(digits, 8)
    } else if is_decimal(digits) {
        Raw::Decimal(text.to_owned())
    } else {
        Raw::Text(text.to_owned())
    }
}

fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// `1.5`, `.5`, `1e3`, without its sign.
fn is_decimal(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte))
        && text.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && text.parse::<f64>().is_ok()
}
