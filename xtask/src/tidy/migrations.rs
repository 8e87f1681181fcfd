//! Migrations: `crates/<crate>/migrations/{sqlite,postgres}/<number>_<name>.sql`. Numbers are unique across
//! crates, because they are applied as one list, and both dialects tell the same history.

use std::collections::{BTreeMap, BTreeSet};

use crate::finding::Finding;
use crate::tree::Tree;

const DIALECTS: [&str; 2] = ["sqlite", "postgres"];
const SHAPE: &str = "`migrations/{sqlite,postgres}/<number>_<name>.sql`, the name in a-z, 0-9 and `_`";

/// One well-named migration.
struct Migration<'a> {
    path: &'a str,
    /// The crate's folder.
    folder: &'a str,
    dialect: &'a str,
    file: &'a str,
    number: u64,
}

/// Ill-named files, doubled numbers, and migrations that one dialect lacks.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut migrations = Vec::new();
    for file in &tree.files {
        let Some((folder, inside)) = file.path.split_once("/migrations/") else { continue };
        match parse(&file.path, folder, inside) {
            Some(migration) => migrations.push(migration),
            None => findings.push(Finding::new(&file.path, 1, "no migration's name", SHAPE)),
        }
    }
    findings.extend(doubled_numbers(&migrations));
    findings.extend(one_dialect_only(&migrations));
    findings
}

fn parse<'a>(path: &'a str, folder: &'a str, inside: &'a str) -> Option<Migration<'a>> {
    let (dialect, file) = inside.split_once('/')?;
    let (number, name) = file.strip_suffix(".sql")?.split_once('_')?;
    let named =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let number = number.parse().ok()?;
    (DIALECTS.contains(&dialect) && named).then_some(Migration { path, folder, dialect, file, number })
}

fn doubled_numbers(migrations: &[Migration<'_>]) -> Vec<Finding> {
    let mut first: BTreeMap<(&str, u64), &str> = BTreeMap::new();
    let mut findings = Vec::new();
    for migration in migrations {
        if let Some(taken) = first.insert((migration.dialect, migration.number), migration.path) {
            let what = format!("migration number {} is taken by {taken}", migration.number);
            findings.push(Finding::new(migration.path, 1, what, "the next free number over all crates"));
        }
    }
    findings
}

fn one_dialect_only(migrations: &[Migration<'_>]) -> Vec<Finding> {
    let there: BTreeSet<(&str, &str, &str)> =
        migrations.iter().map(|migration| (migration.folder, migration.dialect, migration.file)).collect();
    let mut findings = Vec::new();
    for migration in migrations {
        for dialect in DIALECTS {
            if !there.contains(&(migration.folder, dialect, migration.file)) {
                let what = format!("the migration has no `{dialect}` twin");
                let instead = format!("{}/migrations/{dialect}/{}", migration.folder, migration.file);
                findings.push(Finding::new(migration.path, 1, what, instead));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(paths: &[&str]) -> Vec<String> {
        let files: Vec<(&str, &str)> = paths.iter().map(|path| (*path, "")).collect();
        check(&Tree::of(&files)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn twins_with_numbers_of_their_own_pass() {
        let found = found(&[
            "crates/store/migrations/postgres/0001_contract.sql",
            "crates/store/migrations/sqlite/0001_contract.sql",
            "crates/payments/migrations/postgres/0002_payments.sql",
            "crates/payments/migrations/sqlite/0002_payments.sql",
        ]);
        assert_eq!(found, Vec::<String>::new());
    }

    #[test]
    fn a_number_that_two_crates_use_is_found() {
        let found = found(&[
            "crates/a/migrations/postgres/0001_a.sql",
            "crates/a/migrations/sqlite/0001_a.sql",
            "crates/b/migrations/postgres/1_b.sql",
            "crates/b/migrations/sqlite/1_b.sql",
        ]);
        assert_eq!(
            found.iter().filter(|line| line.contains("number 1 is taken by crates/a/")).count(),
            2,
            "{found:?}"
        );
    }

    #[test]
    fn a_missing_twin_and_a_bad_name_are_found() {
        let twin = found(&["crates/a/migrations/sqlite/0001_a.sql"]);
        assert!(twin.iter().any(|line| line.contains("no `postgres` twin")), "{twin:?}");
        for path in ["x.sql", "sqlite/first.sql", "sqlite/1_A.sql", "mysql/1_a.sql", "sqlite/1_a.txt"] {
            assert_eq!(found(&[&format!("crates/a/migrations/{path}")]).len(), 1, "{path}");
        }
    }
}
