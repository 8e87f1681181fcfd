//! `new-provider NAME`: a crate below `providers/`, complete and tested in itself, and the lines that make
//! it part of the build.

use std::fs;
use std::path::Path;

use crate::finding::Finding;

const TEMPLATES: [(&str, &str); 8] = [
    ("Cargo.toml", include_str!("../templates/provider/Cargo.toml.template")),
    ("src/lib.rs", include_str!("../templates/provider/lib.rs.template")),
    ("src/profile.rs", include_str!("../templates/provider/profile.rs.template")),
    ("src/wire.rs", include_str!("../templates/provider/wire.rs.template")),
    ("src/request.rs", include_str!("../templates/provider/request.rs.template")),
    ("src/mapping.rs", include_str!("../templates/provider/mapping.rs.template")),
    ("src/webhook.rs", include_str!("../templates/provider/webhook.rs.template")),
    ("src/fixtures.rs", include_str!("../templates/provider/fixtures.rs.template")),
];

/// Makes the crate, and enters it in the workspace and the registry.
pub(crate) fn run(top: &Path, name: &str) -> Result<Vec<Finding>, String> {
    check(name)?;
    let folder = top.join("providers").join(name);
    if folder.exists() {
        return Err(format!("providers/{name} is there already"));
    }
    let package = package(name);
    // What is entered is worked out before anything is written.
    let entered = [
        enter(
            top,
            "Cargo.toml",
            "provider-registry = ",
            &format!("{package} = {{ path = \"providers/{name}\" }}"),
        )?,
        enter(
            top,
            "providers/registry/Cargo.toml",
            "\n[dev-dependencies]",
            &format!("{package} = {{ workspace = true }}"),
        )?,
        enter_in_list(top, name)?,
    ];
    for (path, template) in TEMPLATES {
        let path = folder.join(path);
        let parent = path.parent().unwrap_or(&folder);
        fs::create_dir_all(parent).map_err(|error| format!("{}: {error}", parent.display()))?;
        write(&path, &fill(template, name))?;
    }
    for (path, text) in entered {
        write(&top.join(path), &text)?;
    }
    Ok(Vec::new())
}

/// Lower-case letters, digits and underscores, as in `wechatpay` or `upi_core`.
fn check(name: &str) -> Result<(), String> {
    let is_fine = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_fine && name != "registry" {
        return Ok(());
    }
    Err(format!("`{name}` is no provider's name: lower-case letters, digits and underscores, a letter first"))
}

fn package(name: &str) -> String {
    format!("provider-{}", name.replace('_', "-"))
}

/// The name of its type: `upi_core` is `UpiCore`.
fn type_name(name: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
    };
    name.split('_').map(word).collect()
}

fn fill(template: &str, name: &str) -> String {
    template
        .replace("provider-{{name}}", &package(name))
        .replace("{{name}}", name)
        .replace("{{Name}}", &type_name(name))
        .replace("{{Type}}", &type_name(name))
}

/// A file with a line more in front of the one that begins so.
fn enter(top: &Path, path: &'static str, before: &str, line: &str) -> Result<(&'static str, String), String> {
    let text = read(top, path)?;
    let at = text.find(before).ok_or_else(|| format!("{path} has no `{}`", before.trim()))?;
    let (head, tail) = text.split_at(at);
    Ok((path, format!("{head}{line}\n{tail}")))
}

fn enter_in_list(top: &Path, name: &str) -> Result<(&'static str, String), String> {
    const PATH: &str = "providers/registry/src/lib.rs";
    let text = read(top, PATH)?;
    let end = text.rfind("])").ok_or_else(|| format!("{PATH} has no list"))?;
    let (head, tail) = text.split_at(end);
    let head = head.trim_end().trim_end_matches(',');
    let used = format!("{}::{}", package(name).replace('-', "_"), type_name(name));
    Ok((PATH, format!("{head}, Arc::new({used}){tail}")))
}

fn read(top: &Path, path: &str) -> Result<String, String> {
    fs::read_to_string(top.join(path)).map_err(|error| format!("{path}: {error}"))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in ["acme", "upi_core", "pay2"] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
        for name in ["", "Acme", "2pay", "a-b", "../x", "registry", "a b"] {
            assert!(check(name).is_err(), "{name}");
        }
        assert_eq!(type_name("upi_core"), "UpiCore");
        assert!(!fill("{{name}} {{Name}} {{Type}}", "upi_core").contains('{'));
    }
}
