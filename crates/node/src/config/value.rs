//! One setting's value on its way in, and the forms that a value can take.

use std::path::Path;
use std::time::Duration;

/// A value as its source wrote it. The environment has no types, so its texts are read as whatever
/// the setting needs; a file's are what they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Raw {
    Text(String),
    Integer(i64),
    /// As it was written: no float comes near money.
    Decimal(String),
    Boolean(bool),
    List(Vec<Raw>),
    Table(Vec<(String, Raw)>),
    Environment(String),
    /// Something that no setting takes.
    Other,
}

/// What may stand in a setting, said to whoever wrote something else.
pub(super) type Allowed = &'static str;

impl Raw {
    /// Any text.
    pub(super) fn text(&self) -> Result<&str, Allowed> {
        match self {
            Self::Text(text) | Self::Environment(text) => Ok(text),
            _ => Err("a text"),
        }
    }

    /// A text of at least one character.
    pub(super) fn some_text(&self) -> Result<String, Allowed> {
        let text = self.text()?.trim();
        if text.is_empty() { Err("a text that is not empty") } else { Ok(text.to_owned()) }
    }

    fn number(&self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(*number),
            Self::Environment(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self) -> Result<bool, Allowed> {
        match self {
            Self::Boolean(is) => Ok(*is),
            Self::Environment(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Ok(true),
                "false" | "0" | "no" | "off" => Ok(false),
                _ => Err("true or false"),
            },
            _ => Err("true or false"),
        }
    }

    /// A TCP port.
    pub(super) fn port(&self) -> Result<u16, Allowed> {
        self.number().and_then(|number| u16::try_from(number).ok()).ok_or("a port, 0 to 65535")
    }

    /// Of a thousand.
    pub(super) fn per_mille(&self) -> Result<u16, Allowed> {
        let number = self.number().and_then(|number| u16::try_from(number).ok());
        number.filter(|number| *number <= 1000).ok_or("a number from 0 to 1000")
    }

    /// Of a hundred.
    pub(super) fn percent(&self) -> Result<u32, Allowed> {
        let number = self.number().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| *number <= 100).ok_or("a number from 0 to 100")
    }

    /// An amount of minor units, or a count, from `least` on.
    pub(super) fn integer(&self, least: i64, greatest: i64) -> Option<i64> {
        self.number().filter(|number| (least..=greatest).contains(number))
    }

    /// A whole number of minor units, more than none.
    pub(super) fn amount(&self) -> Result<i64, Allowed> {
        self.number().filter(|number| *number > 0).ok_or("a whole number of minor units, 1 or more")
    }

    /// Names with amounts; `None` if it is anything else.
    pub(super) fn amounts(&self) -> Option<Vec<(String, i64)>> {
        let Self::Table(entries) = self else { return None };
        entries.iter().map(|(name, value)| Some((name.clone(), value.amount().ok()?))).collect()
    }

    /// Of ten thousand.
    pub(super) fn basis_points(&self) -> Result<u32, Allowed> {
        let number = self.number().and_then(|number| u32::try_from(number).ok());
        number.filter(|number| *number <= 10_000).ok_or("a number from 0 to 10000")
    }

    /// `500ms`, `30s`, `5m`, `24h`, `7d`, or seconds.
    pub(super) fn duration(&self) -> Result<Duration, Allowed> {
        const ALLOWED: Allowed = "a duration: \"500ms\", \"30s\", \"5m\", \"24h\", or a number of seconds";
        if let Some(seconds) = self.number() {
            return u64::try_from(seconds).map(Duration::from_secs).map_err(|_| ALLOWED);
        }
        let text = self.text().map_err(|_| ALLOWED)?.trim();
        let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (count, unit) = text.split_at(unit_at);
        let count: u64 = count.parse().map_err(|_| ALLOWED)?;
        let milliseconds = match unit.trim_start() {
            "ms" => 1,
            "s" | "" => 1000,
            "m" => 60 * 1000,
            "h" => 60 * 60 * 1000,
            "d" => 24 * 60 * 60 * 1000,
            _ => return Err(ALLOWED),
        };
        count.checked_mul(milliseconds).map(Duration::from_millis).ok_or(ALLOWED)
    }

    /// A list of texts; in the environment with commas between them.
    pub(super) fn texts(&self) -> Result<Vec<String>, Allowed> {
        const ALLOWED: Allowed = "a list of texts";
        match self {
            Self::List(items) => {
                items.iter().map(Self::some_text).collect::<Result<_, _>>().map_err(|_| ALLOWED)
            }
            Self::Environment(text) => {
                let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
                Ok(words.map(str::to_owned).collect())
            }
            _ => Err(ALLOWED),
        }
    }

    /// An absolute `http` or `https` address, without the slash at its end.
    pub(super) fn web_address(&self) -> Result<String, Allowed> {
        const ALLOWED: Allowed = "an address that begins with http:// or https://";
        let text = self.text().map_err(|_| ALLOWED)?.trim().trim_end_matches('/');
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let well_formed = |rest: &str| {
            rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
                && !rest.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"' || c == '\\')
        };
        rest.filter(|rest| well_formed(rest)).map(|_| text.to_owned()).ok_or(ALLOWED)
    }

    /// A secret by value, or by reference: `file:` and a path, `env:` and a name. Surrounding white
    /// space is dropped, so that a file's last line break does no harm.
    pub(super) fn secret(&self, environment: &[(String, String)]) -> Result<String, Allowed> {
        let text = self.text()?.trim();
        let value = if let Some(path) = text.strip_prefix("file:") {
            std::fs::read_to_string(Path::new(path)).map_err(|_| "\"file:\" and a file that can be read")?
        } else if let Some(name) = text.strip_prefix("env:") {
            let known = environment.iter().find(|(known, _)| known == name);
            known.map(|(_, value)| value.clone()).ok_or("\"env:\" and an environment variable that is set")?
        } else {
            text.to_owned()
        };
        let value = value.trim();
        if value.is_empty() { Err("a text that is not empty") } else { Ok(value.to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, milliseconds) in [
            ("500ms", Some(500)),
            ("30s", Some(30_000)),
            ("30", Some(30_000)),
            ("5m", Some(300_000)),
            ("24 h", Some(86_400_000)),
            ("7d", Some(604_800_000)),
            ("1.5s", None),
            ("-1s", None),
            ("s", None),
            ("", None),
            ("5 minutes", None),
            ("18446744073709551615d", None),
        ] {
            let read = Raw::Text(text.to_owned()).duration().ok();
            assert_eq!(read, milliseconds.map(Duration::from_millis), "{text}");
        }
        assert_eq!(Raw::Integer(7).duration(), Ok(Duration::from_secs(7)));
        assert!(Raw::Integer(-7).duration().is_err());
        assert!(Raw::Other.duration().is_err());
    }

    #[test]
    fn a_file_has_types_and_the_environment_has_none() {
        assert_eq!(Raw::Environment("8080".to_owned()).port(), Ok(8080));
        assert!(Raw::Text("8080".to_owned()).port().is_err());
        assert!(Raw::Integer(65_536).port().is_err());
        assert!(Raw::Integer(1001).per_mille().is_err());
        assert!(Raw::Integer(8080).text().is_err());
    }

    #[test]
    fn addresses() {
        for (text, read) in [
            ("https://pay.example.com/", Some("https://pay.example.com")),
            ("http://[::1]:8000", Some("http://[::1]:8000")),
            ("pay.example.com", None),
            ("https://", None),
            ("https:// x", None),
            ("ftp://pay.example.com", None),
        ] {
            let found = Raw::Text(text.to_owned()).web_address().ok();
            assert_eq!(found.as_deref(), read, "{text}");
        }
    }

    #[test]
    fn secrets_by_reference() {
        let environment = [("MY_KEY".to_owned(), "hidden\n".to_owned())];
        let read = |text: &str| Raw::Text(text.to_owned()).secret(&environment);
        assert_eq!(read("plain").as_deref(), Ok("plain"));
        assert_eq!(read("env:MY_KEY").as_deref(), Ok("hidden"));
        assert!(read("env:OTHER").is_err());
        assert!(read("file:/nowhere/at/all").is_err());
        assert!(read("").is_err());
    }
}
