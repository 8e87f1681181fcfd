//! Reading a TOML text with the line of each key, and refusing what nobody asked for.

use kernel::Secret;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::RoutesError;
use crate::words::nearest;

/// A text and its name.
pub(crate) struct Source<'t> {
    pub(crate) name: &'t str,
    pub(crate) text: &'t str,
}

/// A table whose keys are all known.
pub(crate) struct Section<'a> {
    source: &'a Source<'a>,
    path: String,
    pub(crate) line: usize,
    entries: Vec<Entry<'a>>,
}

/// A key and its value.
#[derive(Clone)]
pub(crate) struct Entry<'a> {
    source: &'a Source<'a>,
    /// The last part of its path.
    pub(crate) name: String,
    path: String,
    pub(crate) line: usize,
    value: &'a DeValue<'a>,
}

/// Any keys are taken: names that the file itself makes up.
pub(crate) const ANY: &[&str] = &[];

impl<'t> Source<'t> {
    fn line(&self, at: usize) -> usize {
        self.text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() + 1
    }

    pub(crate) fn error(&self, line: usize, key: &str, what: impl Into<String>) -> RoutesError {
        let key = if key.is_empty() { "the file" } else { key };
        RoutesError { file: self.name.to_owned(), line, key: key.to_owned(), what: what.into() }
    }

    /// What the text is, before anything is understood.
    pub(crate) fn parse(&self) -> Result<Spanned<DeTable<'t>>, RoutesError> {
        DeTable::parse(self.text).map_err(|error| {
            let line = self.line(error.span().map_or(0, |span| span.start));
            self.error(line, "", format!("it is no TOML: {}", error.message()))
        })
    }
}

impl<'a> Section<'a> {
    /// The top of a text.
    pub(crate) fn top(
        source: &'a Source<'a>,
        table: &'a DeTable<'a>,
        known: &[&str],
    ) -> Result<Self, RoutesError> {
        Self::of(source, String::new(), 1, table, known)
    }

    fn of(
        source: &'a Source<'a>,
        path: String,
        line: usize,
        table: &'a DeTable<'a>,
        known: &[&str],
    ) -> Result<Self, RoutesError> {
        let mut entries = Vec::with_capacity(table.len());
        for (name, value) in table {
            let (name, line) = (name.get_ref().as_ref(), source.line(name.span().start));
            let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
            if !known.is_empty() && !known.contains(&name) {
                let near =
                    nearest(name, known).map_or(String::new(), |near| format!("; did you mean {near}?"));
                let what = format!("there is no such key; known here: {}{near}", known.join(", "));
                return Err(source.error(line, &path, what));
            }
            entries.push(Entry { source, name: name.to_owned(), path, line, value: value.get_ref() });
        }
        entries.sort_by_key(|entry| entry.line);
        Ok(Self { source, path, line, entries })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Entry<'a>> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    pub(crate) fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// An error about the table itself, or about a key that it does not have.
    pub(crate) fn error(&self, key: &str, what: impl Into<String>) -> RoutesError {
        let path = match (self.path.as_str(), key) {
            ("", key) => key.to_owned(),
            (path, "") => path.to_owned(),
            (path, key) => format!("{path}.{key}"),
        };
        self.source.error(self.line, &path, what)
    }
}

impl<'a> Entry<'a> {
    pub(crate) fn error(&self, what: impl Into<String>) -> RoutesError {
        self.source.error(self.line, &self.path, what)
    }

    pub(crate) fn text(&self) -> Result<String, RoutesError> {
        text(self.value).ok_or_else(|| self.error("it is a text in quotes"))
    }

    /// One text or a list of them, none of them twice and at least one.
    pub(crate) fn texts(&self) -> Result<Vec<String>, RoutesError> {
        let allowed = || self.error("it is a text in quotes, or a list of them");
        let texts = match self.value {
            DeValue::Array(values) => {
                let texts = values.iter().map(|value| text(value.get_ref()));
                texts.collect::<Option<Vec<_>>>().ok_or_else(allowed)?
            }
            one => vec![text(one).ok_or_else(allowed)?],
        };
        if texts.is_empty() {
            return Err(self.error("the list is empty: leave the key out where everything fits"));
        }
        let twice =
            texts.iter().enumerate().find(|(at, text)| texts.iter().take(*at).any(|one| one == *text));
        match twice {
            Some((_, twice)) => Err(self.error(format!("{} stands there twice", quoted(twice)))),
            None => Ok(texts),
        }
    }

    /// A whole number in a range.
    pub(crate) fn whole(&self, least: i64, most: i64) -> Result<i64, RoutesError> {
        let number = match self.value {
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        let allowed = || self.error(format!("it is a whole number from {least} to {most}"));
        number.filter(|number| (least..=most).contains(number)).ok_or_else(allowed)
    }

    pub(crate) fn table(&self, known: &[&str]) -> Result<Section<'a>, RoutesError> {
        let DeValue::Table(table) = self.value else { return Err(self.error("it is a table")) };
        Section::of(self.source, self.path.clone(), self.line, table, known)
    }

    /// The tables of a `[[name]]`.
    pub(crate) fn tables(&self, known: &[&str]) -> Result<Vec<Section<'a>>, RoutesError> {
        let allowed = || self.error(format!("it is a list of tables: [[{}]]", self.path));
        let DeValue::Array(values) = self.value else { return Err(allowed()) };
        let sections = values.iter().map(|value| {
            let DeValue::Table(table) = value.get_ref() else { return Err(allowed()) };
            let line = self.source.line(value.span().start);
            Section::of(self.source, self.path.clone(), line, table, known)
        });
        sections.collect()
    }
}

fn text(value: &DeValue<'_>) -> Option<String> {
    if let DeValue::String(text) = value { Some(text.to_string()) } else { None }
}

/// A text of the file in an error; what looks like a card number is not repeated.
pub(crate) fn quoted(text: &str) -> String {
    if kernel::contains_card_number(text) {
        return format!("{:?}", Secret::new(text.to_owned()));
    }
    format!("`{}`", text.chars().take(80).collect::<String>())
}
