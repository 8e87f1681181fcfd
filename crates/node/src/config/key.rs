//! What a setting is: its names, what it may be, what it means, and where its value goes.

use super::Config;
use super::value::{Allowed, Raw};

/// What a value is read with, beside itself.
pub(super) type Environment = [(String, String)];

/// A table of a file, with its settings in the order of the default configuration.
pub(super) struct Section {
    /// Its name in a file; the empty one holds what stands above all tables.
    pub(super) name: &'static str,
    /// What it is about; may be empty.
    pub(super) about: &'static str,
    pub(super) keys: &'static [Key],
}

/// One setting.
pub(super) struct Key {
    /// Its path in a file, and with double underscores in the environment.
    pub(super) name: &'static str,
    /// Its other names: in capitals those of the environment, with dots those of a file.
    pub(super) also: &'static [&'static str],
    /// What it is, in a word.
    pub(super) kind: &'static str,
    /// What may stand there.
    pub(super) allowed: Allowed,
    /// Whether its value must not be shown.
    pub(super) is_secret: bool,
    /// Whether it is a table whose names the operator chooses; a later layer adds to it.
    pub(super) is_table: bool,
    pub(super) default: DefaultValue,
    /// What it means, in sentences.
    pub(super) help: &'static str,
    /// Reads a value into its place.
    pub(super) set: fn(&mut Config, &Raw, &Environment) -> Result<(), Allowed>,
}

/// What holds when nobody says anything, as TOML writes it.
#[derive(Clone, Copy)]
pub(super) enum DefaultValue {
    Is(&'static str),
    /// Nothing; this is what somebody might write.
    Unset(&'static str),
}

/// How a kind of value is read.
pub(super) struct Reader<T: 'static> {
    pub(super) kind: &'static str,
    pub(super) allowed: Allowed,
    pub(super) is_secret: bool,
    pub(super) read: fn(&Raw, &Environment) -> Result<T, Allowed>,
}

impl<T> Reader<T> {
    pub(super) const fn new(
        kind: &'static str,
        allowed: Allowed,
        read: fn(&Raw, &Environment) -> Result<T, Allowed>,
    ) -> Self {
        Self { kind, allowed, is_secret: false, read }
    }

    /// The same, of what must not be shown.
    pub(super) const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }
}

/// Puts a value where it belongs, unless reading it failed.
pub(super) fn put<T, P: From<T>>(place: &mut P, value: Result<T, Allowed>) -> Result<(), Allowed> {
    *place = value?.into();
    Ok(())
}

/// One row: `key!("server.port", [other names], READER => server.port, default, help)`.
macro_rules! key {
    ($name:literal, [$($also:literal),*], $reader:ident => $($place:ident).+, $default:expr, $help:expr) => {
        $crate::config::key::Key {
            name: $name,
            also: &[$($also),*],
            kind: $reader.kind,
            allowed: $reader.allowed,
            is_secret: $reader.is_secret,
            is_table: false,
            default: $default,
            help: $help,
            set: |config, raw, environment| {
                $crate::config::key::put(&mut config.$($place).+, ($reader.read)(raw, environment))
            },
        }
    };
}
pub(super) use key;

/// `server.port` as the environment writes it: `FLORIN_SERVER__PORT`.
pub(super) fn environment_name(path: &str) -> String {
    format!("FLORIN_{}", path.replace('.', "__").to_uppercase())
}

impl Key {
    /// Its name in a file and those that mean the same there.
    pub(super) fn paths(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.name).chain(self.also.iter().copied().filter(|name| !is_variable(name)))
    }

    /// All its names in the environment.
    pub(super) fn variables(&self) -> impl Iterator<Item = String> {
        let short = self.also.iter().copied().filter(|name| is_variable(name)).map(str::to_owned);
        self.paths().map(environment_name).chain(short)
    }
}

/// Whether a name is one of the environment.
pub(super) fn is_variable(name: &str) -> bool {
    !name.contains(|c: char| c.is_ascii_lowercase() || c == '.')
}
