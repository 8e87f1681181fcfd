//! The manual of the configuration, written from the table of keys.

use super::key::{DefaultValue, Key};
use super::keys::SECTIONS;

/// The manual of the configuration, as a page.
pub fn configuration_page() -> String {
    let mut page = PAGE_INTRODUCTION.to_owned();
    for section in SECTIONS {
        let title = if section.name.is_empty() { "Above all tables" } else { section.name };
        page.extend(["\n## ", title, "\n"]);
        if !section.about.is_empty() {
            page.extend(["\n", section.about, "\n"]);
        }
        for key in section.keys {
            page.push_str(&entry(key));
        }
    }
    page
}

const PAGE_INTRODUCTION: &str = "\
# Configuration

<!-- Written by `cargo xtask gen-docs` from the table of settings; do not edit. -->

Settings come from three layers, the later one winning: the defaults below, one file, and the environment.
The file is `florin.toml`, `florin.yaml` or `florin.yml` in the working directory (only one of them may be
there), or the one that `--config` names. In the environment, `server.port` is `FLORIN_SERVER__PORT`; a
variable that is set to nothing counts as not set. Within one layer, two names of one setting with different
values stop the start, naming both.

- A **duration** is `500ms`, `30s`, `5m`, `24h`, `7d`, or a number of seconds.
- A **secret** may be written as it is, as `file:/path` (what the file holds, without the white space around
  it) or as `env:NAME`. No secret is ever shown, in no message and no log.
- A key that does not exist, or a value that cannot be used, stops the start with the file, the line, the key
  and what is allowed.

`florin config default` prints the same as a file to begin with, `florin config show` prints what holds and
where each value comes from, and `florin doctor` tries it out. Names from other systems are listed in
[coming from the source documents](coming-from-the-source.md).
";

fn entry(key: &Key) -> String {
    let names: Vec<_> = key.variables().map(|name| format!("`{name}`")).collect();
    let paths: Vec<_> = key.paths().skip(1).map(|path| format!("`{path}`")).collect();
    let default = match key.default {
        DefaultValue::Is(value) => format!("`{value}`"),
        DefaultValue::Unset(_) => "not set".to_owned(),
    };
    let mut entry = format!("\n### `{}`\n\n{}\n\n- Type: {}\n", key.name, key.help, key.kind);
    entry.extend(["- Default: ", &default, "\n- Allowed: ", key.allowed, "\n"]);
    if !paths.is_empty() {
        entry.extend(["- Also in a file: ", &paths.join(", "), "\n"]);
    }
    entry.extend(["- In the environment: ", &names.join(", "), "\n"]);
    entry
}
