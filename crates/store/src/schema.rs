//! The joined declarations: which tables there are, and the migrations that make them.

use kernel::{Migration, QuickMap, SYSTEM_TABLES, Table};

use crate::OpenError;

/// The migrations of the store's own tables.
pub const MIGRATIONS: &[Migration] = &[Migration {
    number: 1,
    name: "store",
    sqlite: include_str!("../migrations/sqlite/001_store.sql"),
    postgres: include_str!("../migrations/postgres/001_store.sql"),
}];

/// All tables that a store keeps, its own among them, and the migrations that make them.
#[derive(Clone, Debug)]
pub struct Schema {
    tables: Vec<&'static Table>,
    by_name: QuickMap<&'static str, usize>,
    migrations: Vec<Migration>,
}

/// Places of the store's own tables in [`Schema::tables`].
pub(crate) mod place {
    pub(crate) const CLAIM: usize = 0;
    pub(crate) const JOURNAL: usize = 1;
    pub(crate) const TRANSFER: usize = 2;
    pub(crate) const BALANCE: usize = 3;
    pub(crate) const JOB: usize = 4;
    pub(crate) const CLOCK: usize = 5;
    /// The last of them.
    pub(crate) const LAST: usize = CLOCK;
}

impl Schema {
    /// The store's own tables, then these. The order of tables is the order in which a batch writes
    /// them, so it must be the same on all nodes.
    pub fn new(tables: &[&'static Table], migrations: &[&[Migration]]) -> Result<Self, OpenError> {
        let mut schema = Self { tables: Vec::new(), by_name: QuickMap::default(), migrations: Vec::new() };
        for table in SYSTEM_TABLES.iter().chain(tables) {
            if schema.by_name.insert(table.name, schema.tables.len()).is_some() {
                return Err(OpenError::Declaration(format!("two tables are named `{}`", table.name)));
            }
            check_table(table)?;
            schema.tables.push(table);
        }
        schema.migrations.extend(MIGRATIONS);
        schema.migrations.extend(migrations.iter().copied().flatten());
        schema.migrations.sort_by_key(|migration| migration.number);
        for (one, next) in schema.migrations.iter().zip(schema.migrations.iter().skip(1)) {
            if one.number == next.number {
                let (one, next, number) = (one.name, next.name, one.number);
                return Err(OpenError::Declaration(format!(
                    "`{one}` and `{next}` are both migration {number}"
                )));
            }
        }
        Ok(schema)
    }

    /// The tables, the store's own first.
    pub fn tables(&self) -> &[&'static Table] {
        &self.tables
    }

    /// The migrations by number.
    pub fn migrations(&self) -> &[Migration] {
        &self.migrations
    }

    /// The newest migration's number.
    pub(crate) fn newest(&self) -> u32 {
        self.migrations.last().map_or(0, |migration| migration.number)
    }

    /// A table's place in [`Schema::tables`].
    pub(crate) fn place(&self, table: &Table) -> Option<usize> {
        self.by_name.get(table.name).copied()
    }
}

/// The migrations that a database with `done` lacks, in order.
pub(crate) fn missing<'s>(
    schema: &'s Schema,
    done: &[u32],
    may_migrate: bool,
) -> Result<Vec<&'s Migration>, OpenError> {
    let known = |number: &u32| schema.migrations.iter().any(|migration| migration.number == *number);
    if let Some(unknown) = done.iter().find(|number| !known(number)) {
        return Err(OpenError::NewerSchema(*unknown));
    }
    let missing: Vec<_> =
        schema.migrations.iter().filter(|migration| !done.contains(&migration.number)).collect();
    if !missing.is_empty() && !may_migrate {
        let found = done.iter().copied().max().unwrap_or(0);
        return Err(OpenError::OlderSchema { found, needed: schema.newest() });
    }
    Ok(missing)
}

fn check_table(table: &Table) -> Result<(), OpenError> {
    let wrong = |what: &str| Err(OpenError::Declaration(format!("table `{}`: {what}", table.name)));
    if table.key.is_empty() {
        return wrong("it has no key");
    }
    if table.key.iter().any(|column| column.nullable) {
        return wrong("a column of its key is nullable");
    }
    if !(10..=100).contains(&table.fillfactor) {
        return wrong("its fillfactor is not within 10 and 100");
    }
    let mut names: Vec<&str> = table.key.iter().chain(table.columns).map(|column| column.name).collect();
    names.extend(["scope", "version", "state"]);
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    if names.len() != count {
        return wrong("two columns share a name");
    }
    for index in table.indexes {
        let conditions = index.where_present.iter().chain(&index.where_absent);
        for name in index.columns.iter().chain(conditions) {
            if *name != "scope" && table.column(name).is_none() {
                return wrong(&format!("index `{}` names `{name}`, which is no column", index.name));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;

    #[test]
    fn names_and_numbers_are_unique() {
        assert!(Schema::new(&[], &[]).is_ok());
        assert!(matches!(Schema::new(&[&kernel::CLAIM], &[]), Err(OpenError::Declaration(_))));
        assert!(matches!(Schema::new(&[], &[MIGRATIONS]), Err(OpenError::Declaration(_))));
    }

    #[test]
    fn own_tables_have_their_places() {
        let schema = Schema::new(&[], &[]).unwrap();
        for (table, expected) in [
            (&kernel::CLAIM, place::CLAIM),
            (&kernel::JOURNAL, place::JOURNAL),
            (&kernel::TRANSFER, place::TRANSFER),
            (&kernel::BALANCE, place::BALANCE),
            (&kernel::JOB, place::JOB),
            (&kernel::CLOCK, place::CLOCK),
        ] {
            assert_eq!(schema.place(table), Some(expected), "{}", table.name);
        }
    }
}
