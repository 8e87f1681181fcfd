//! The statements that read, made from declarations: the same in both dialects.

use std::fmt::Write;

use kernel::{Cell, Column, ColumnType, Comparison, Direction, Filter, Index, Query, StoreError, Table};

/// A parameter's prefix: `?` in SQLite, `$` in PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    Sqlite,
    Postgres,
}

impl Dialect {
    pub(crate) const fn mark(self) -> char {
        match self {
            Self::Sqlite => '?',
            Self::Postgres => '$',
        }
    }

    /// No bytes, in place of a state that nobody wants.
    const fn nothing(self) -> &'static str {
        match self {
            Self::Sqlite => "x''",
            Self::Postgres => "''::bytea",
        }
    }
}

/// The columns of a row in the order in which rows are read: scope, key, version, promoted, state.
pub(crate) fn column_names(table: &Table) -> Vec<&'static str> {
    let mut names = vec!["scope"];
    names.extend(table.key.iter().map(|column| column.name));
    if table.versioned {
        names.push("version");
    }
    names.extend(table.columns.iter().map(|column| column.name));
    if table.has_state {
        names.push("state");
    }
    names
}

/// A query as a statement, with its parameters in order. The scope's bytes come as a cell.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Select {
    pub(crate) text: String,
    pub(crate) parameters: Vec<(ColumnType, Cell)>,
}

/// Makes the statement of a query.
pub(crate) fn select(query: &Query, dialect: Dialect) -> Result<Select, StoreError> {
    let table = query.table;
    let mut select = Select { text: String::with_capacity(256), parameters: Vec::new() };
    select.text.push_str("SELECT ");
    let mut names = column_names(table);
    if let Some(state) = names.last_mut().filter(|name| **name == "state" && !query.with_state) {
        *state = dialect.nothing();
    }
    select.text.push_str(&names.join(", "));
    select.text.push_str(" FROM ");
    select.text.push_str(table.name);
    if let Some(index) = index_of(query).filter(|_| dialect == Dialect::Sqlite) {
        select.text.push_str(" INDEXED BY ");
        select.text.push_str(index.name);
    }
    let mut joint = " WHERE ";
    if let Some(scope) = query.scope {
        select.text.push_str(joint);
        select.text.push_str("scope = ");
        select.parameter(dialect, ColumnType::Bytes, Cell::Bytes(scope.to_bytes().to_vec()));
        joint = " AND ";
    }
    for filter in &query.filters {
        select.text.push_str(joint);
        select.filter(dialect, known(table, filter.column)?, filter);
        joint = " AND ";
    }
    let descending = query.direction == Direction::Descending;
    if let Some(key) = &query.after {
        check_after(query, key)?;
        select.text.push_str(joint);
        select.beyond(dialect, table, key, descending);
    }
    select.order(query, descending)?;
    let _ = write!(select.text, " LIMIT {}", query.limit);
    Ok(select)
}

/// The declared index that a query of one scope is meant for: the column that it has after `scope` is given
/// a value. The first, where there are several.
///
/// SQLite has no statistics of ours, and left to itself goes through the whole primary key of a scope in
/// the order of a page rather than to one place of an index: half a second for a value that is rare.
fn index_of(query: &Query) -> Option<&'static Index> {
    let has = |name: &str, comparison| {
        query.filters.iter().any(|filter| filter.column == name && filter.comparison == comparison)
    };
    let given = |name: &str| has(name, Comparison::Equal);
    query.scope?;
    if query.table.key.first().is_some_and(|column| given(column.name)) {
        return None;
    }
    query.table.indexes.iter().find(|index| {
        let present = index.where_present.is_none_or(|name| given(name) || has(name, Comparison::Present));
        let absent = index.where_absent.is_none_or(|name| has(name, Comparison::Absent));
        matches!(index.columns, ["scope", name, ..] if given(name)) && present && absent
    })
}

/// A cursor is a key of the table, in the key's own order.
pub(crate) fn check_after(query: &Query, key: &[Cell]) -> Result<(), StoreError> {
    if query.scope.is_none() || !query.order.is_empty() || key.len() != query.table.key.len() {
        return Err(unanswerable(
            query.table,
            "a cursor that is no key, or without a scope, or with an order",
        ));
    }
    Ok(())
}

/// The column, or an error that names what is wrong with the query.
pub(crate) fn known(table: &Table, name: &str) -> Result<Column, StoreError> {
    let found = table.column(name).map(|(_, column)| column);
    found.ok_or_else(|| unanswerable(table, &format!("`{name}` is no column")))
}

fn unanswerable(table: &Table, reason: &str) -> StoreError {
    StoreError::Unavailable(format!("a query of `{}` cannot be answered: {reason}", table.name))
}

impl Select {
    fn parameter(&mut self, dialect: Dialect, kind: ColumnType, cell: Cell) {
        self.parameters.push((kind, cell));
        let _ = write!(self.text, "{}{}", dialect.mark(), self.parameters.len());
    }

    fn filter(&mut self, dialect: Dialect, column: Column, filter: &Filter) {
        self.text.push_str(column.name);
        self.text.push_str(match filter.comparison {
            Comparison::Equal => " = ",
            Comparison::Below => " < ",
            Comparison::AtMost => " <= ",
            Comparison::Above => " > ",
            Comparison::AtLeast => " >= ",
            Comparison::Present => " IS NOT NULL",
            Comparison::Absent => " IS NULL",
        });
        if !matches!(filter.comparison, Comparison::Present | Comparison::Absent) {
            self.parameter(dialect, column.kind, filter.cell.clone());
        }
    }

    fn beyond(&mut self, dialect: Dialect, table: &Table, key: &[Cell], descending: bool) {
        let names: Vec<&str> = table.key.iter().map(|column| column.name).collect();
        let _ = write!(self.text, "({}) {} (", names.join(", "), if descending { '<' } else { '>' });
        for (index, (column, cell)) in table.key.iter().zip(key).enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            self.parameter(dialect, column.kind, cell.clone());
        }
        self.text.push(')');
    }

    fn order(&mut self, query: &Query, descending: bool) -> Result<(), StoreError> {
        let direction = if descending { " DESC" } else { "" };
        self.text.push_str(" ORDER BY ");
        for name in &query.order {
            known(query.table, name)?;
            let _ = write!(self.text, "{name}{direction}, ");
        }
        if query.scope.is_none() {
            let _ = write!(self.text, "scope{direction}, ");
        }
        for (index, column) in query.table.key.iter().enumerate() {
            let _ = write!(self.text, "{}{}{direction}", if index > 0 { ", " } else { "" }, column.name);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
    use super::*;
    use kernel::{Id, JOURNAL, Merchant, Mode, Scope, Table};
    use uuid::Uuid;

    #[test]
    fn a_page_of_the_journal() {
        let scope = Scope { merchant: Id::<Merchant>::from_uuid(Uuid::nil()), mode: Mode::Live };
        let query = Query::newest(&JOURNAL, scope, 10)
            .with(Filter::compare("position", Comparison::Present, 0))
            .with(Filter::compare("recorded_at", Comparison::Below, 5))
            .after(Some(vec![Cell::Uuid(Uuid::nil()), Cell::Int(3)]));
        let select = select(&query, Dialect::Postgres).unwrap();
        assert_eq!(
            select.text,
            "SELECT scope, subject, first_sequence, count, position, recorded_at, state FROM journal \
             WHERE scope = $1 AND position IS NOT NULL AND recorded_at < $2 \
             AND (subject, first_sequence) < ($3, $4) \
             ORDER BY subject DESC, first_sequence DESC LIMIT 10"
        );
        assert_eq!(select.parameters.len(), 4);
    }

    /// Rows by an id, with an index by kind and a partial one by owner.
    static THING: Table = Table {
        name: "thing",
        key: &[Column::new("id", ColumnType::Uuid)],
        columns: &[Column::new("kind", ColumnType::Text), Column::new("owner", ColumnType::Text)],
        versioned: false,
        has_state: false,
        indexes: &[
            Index {
                name: "thing_kind",
                columns: &["scope", "kind", "id"],
                unique: false,
                where_present: None,
                where_absent: None,
            },
            Index {
                name: "thing_owner",
                columns: &["scope", "owner", "id"],
                unique: false,
                where_present: Some("owner"),
                where_absent: None,
            },
        ],
        fillfactor: 100,
    };

    #[test]
    fn sqlite_reads_a_page_from_the_one_place_of_an_index() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        let schema = "CREATE TABLE thing (scope BLOB NOT NULL, id BLOB NOT NULL, kind TEXT, owner TEXT, \
            PRIMARY KEY (scope, id)) STRICT, WITHOUT ROWID; \
            CREATE INDEX thing_kind ON thing (scope, kind, id); \
            CREATE INDEX thing_owner ON thing (scope, owner, id) WHERE owner IS NOT NULL;";
        connection.execute_batch(schema).unwrap();
        let scope = Scope { merchant: Id::<Merchant>::from_uuid(Uuid::nil()), mode: Mode::Live };
        let newest = || Query::newest(&THING, scope, 10).after(Some(vec![Cell::Uuid(Uuid::max())]));
        let plan = |query: Query| {
            let text = format!("EXPLAIN QUERY PLAN {}", select(&query, Dialect::Sqlite).unwrap().text);
            let mut statement = connection.prepare(&text).unwrap();
            let plan: String = statement.raw_query().next().unwrap().unwrap().get(3).unwrap();
            plan
        };
        let kind = || Filter::equal("kind", "rare");
        let owner = || Filter::equal("owner", "ada");
        for (query, part) in [
            (newest(), "PRIMARY KEY (scope=? AND id<?)"),
            (newest().with(kind()), "INDEX thing_kind (scope=? AND kind=? AND id<?)"),
            (Query::oldest(&THING, scope, 1).with(kind()), "INDEX thing_kind (scope=? AND kind=?)"),
            (newest().with(owner()), "INDEX thing_owner (scope=? AND owner=? AND id<?)"),
            (newest().with(kind()).with(Filter::equal("id", Uuid::nil())), "PRIMARY KEY (scope=? AND id=?)"),
        ] {
            let plan = plan(query);
            assert!(plan.contains(part) && !plan.contains("TEMP B-TREE"), "{plan}, not {part}");
        }
    }

    #[test]
    fn refuses_what_is_no_column_or_no_cursor() {
        let query = Query::everywhere(&JOURNAL, 1).order_by("nothing");
        assert!(select(&query, Dialect::Sqlite).is_err());
        let query = Query::everywhere(&JOURNAL, 1).after(Some(vec![Cell::Int(1)]));
        assert!(select(&query, Dialect::Sqlite).is_err());
    }
}
