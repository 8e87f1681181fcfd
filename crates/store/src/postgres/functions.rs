//! The functions in the database that write a batch, generated from the declarations.
//!
//! Each takes one operation's rows as arrays, writes them set by set, counts, and raises [`GUARD`] if
//! a row was missing or had moved. A batch is one `SELECT` over the functions that it needs: one
//! round trip, atomic, without `BEGIN` and `COMMIT`. PostgreSQL evaluates a target list from left to
//! right, so batches lock in the same order everywhere.
//!
//! Rows are found through `LATERAL (SELECT … LIMIT 1)` and then by their place (`ctid`): that leaves
//! the planner one way, the primary key's index row by row, whatever it believes about the size of
//! the table; a plan made while a table is empty stays right. The version is compared again at the
//! row itself, because a concurrent update can put a newer one there.

use std::hash::{DefaultHasher, Hash, Hasher};

use kernel::{BALANCE, CLAIM, Column, ColumnType, JOB, Table};

use super::encode::{RELATIVE_BASE, RELATIVE_END, type_name};
use crate::Schema;
use crate::batch::{Operation, signature};
use crate::schema::place;

/// Our own SQLSTATE: a guard counted fewer rows than the batch has.
pub(super) const GUARD: &str = "FL001";
/// A flagged account would go below its floor.
pub(super) const OVERDRAWN: &str = "FL002";

/// Database time in microseconds, at the start of the statement.
pub(super) const NOW: &str = "(extract(epoch FROM now()) * 1000000)::bigint";

/// All functions of a schema.
pub(super) struct Functions {
    prefix: String,
    definitions: Vec<String>,
}

impl Functions {
    pub(super) fn new(schema: &Schema) -> Self {
        let mut operations = vec![
            Operation::Require,
            Operation::Finish,
            Operation::Hasten,
            Operation::Claim,
            Operation::Answer,
            Operation::Flagged,
            Operation::Balance,
        ];
        for (place, table) in schema.tables().iter().enumerate() {
            if matches!(place, place::JOURNAL | place::TRANSFER | place::JOB) {
                operations.push(Operation::Insert(place));
            } else if place == place::CLOCK {
                operations.extend([Operation::Insert(place), Operation::Update(place)]);
            } else if place > place::LAST {
                operations.extend([Operation::Insert(place), Operation::Remove(place)]);
                operations.extend(table.versioned.then_some(Operation::Update(place)));
            }
        }
        let bodies: Vec<_> =
            operations.iter().map(|operation| (*operation, body(schema, *operation))).collect();
        let mut hasher = DefaultHasher::new();
        for (operation, body) in &bodies {
            (name("", schema, *operation), body).hash(&mut hasher);
        }
        let prefix = format!("florin_{:012x}", hasher.finish() & 0xffff_ffff_ffff);
        let definitions = bodies.into_iter().map(|(operation, body)| {
            let arguments = signature(schema, operation).into_iter().enumerate();
            let arguments = arguments.map(|(index, kind)| format!("p{index} {}[]", type_name(kind)));
            let definition = format!(
                "CREATE OR REPLACE FUNCTION {}({}) RETURNS void LANGUAGE plpgsql AS $florin$\n\
                 #variable_conflict use_column\n{body}\n$florin$",
                name(&prefix, schema, operation),
                arguments.collect::<Vec<_>>().join(", "),
            );
            definition
        });
        let row = format!(
            "CREATE OR REPLACE FUNCTION {prefix}_batch(p0 uuid) RETURNS void LANGUAGE plpgsql AS $florin$\n\
             BEGIN INSERT INTO batch (id, void, recorded_at) VALUES (p0, false, {NOW}); END\n$florin$"
        );
        let mut definitions: Vec<String> = definitions.collect();
        definitions.extend([row, sequence(&prefix)]);
        Self { prefix, definitions }
    }

    /// What all names of this build's functions begin with: two builds run side by side.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The function that writes a batch's row.
    pub(super) fn row(&self) -> String {
        format!("{}_batch", self.prefix)
    }

    pub(super) fn definitions(&self) -> impl Iterator<Item = &str> {
        self.definitions.iter().map(String::as_str)
    }

    pub(super) fn count(&self) -> usize {
        self.definitions.len()
    }

    pub(super) fn name(&self, schema: &Schema, operation: Operation) -> String {
        name(&self.prefix, schema, operation)
    }
}

fn name(prefix: &str, schema: &Schema, operation: Operation) -> String {
    let of = |verb: &str, place: usize| {
        let table = schema.tables().get(place).map_or("", |table| table.name);
        format!("{prefix}_{verb}_{table}")
    };
    match operation {
        Operation::Require => format!("{prefix}_require_lease"),
        Operation::Finish => of("finish", place::JOB),
        Operation::Hasten => of("hasten", place::JOB),
        Operation::Claim => of("insert", place::CLAIM),
        Operation::Answer => of("answer", place::CLAIM),
        Operation::Remove(place) => of("remove", place),
        Operation::Update(place) => of("update", place),
        Operation::Insert(place) => of("insert", place),
        Operation::Flagged => of("flagged", place::BALANCE),
        Operation::Balance => of("add", place::BALANCE),
    }
}

fn body(schema: &Schema, operation: Operation) -> String {
    let table = |place: usize| schema.tables().get(place).copied().unwrap_or(&CLAIM);
    match operation {
        Operation::Require => require(),
        Operation::Finish => remove(&JOB, Some("epoch")),
        Operation::Hasten => hasten(),
        Operation::Claim => insert(&CLAIM),
        Operation::Answer => answer(),
        Operation::Remove(place) => remove(table(place), table(place).versioned.then_some("version")),
        Operation::Update(place) => update(table(place)),
        Operation::Insert(place) => insert(table(place)),
        Operation::Flagged => flagged(),
        Operation::Balance => add(),
    }
}

fn raise(code: &str, what: &str) -> String {
    format!("RAISE EXCEPTION 'florin: {what}' USING ERRCODE = '{code}'")
}

/// `BEGIN statement; count; END`.
fn counted(statement: &str, what: &str) -> String {
    format!(
        "DECLARE written bigint; BEGIN\n{statement};\nGET DIAGNOSTICS written = ROW_COUNT;\n\
         IF written <> cardinality(p0) THEN {}; END IF;\nEND",
        raise(GUARD, what)
    )
}

/// `unnest(p0, p1) AS u(a, b)`.
fn unnest(names: &[&str]) -> String {
    let arrays: Vec<_> = (0..names.len()).map(|index| format!("p{index}")).collect();
    format!("unnest({}) AS u({})", arrays.join(", "), names.join(", "))
}

/// A value of `u`, with relative times turned into instants.
fn value(column: &Column) -> String {
    let name = column.name;
    if column.kind != ColumnType::Time {
        return format!("u.{name}");
    }
    format!(
        "CASE WHEN u.{name} < {RELATIVE_END} THEN {NOW} + (u.{name} - ({RELATIVE_BASE})) ELSE u.{name} END"
    )
}

fn key_names(table: &Table) -> Vec<&'static str> {
    std::iter::once("scope").chain(table.key.iter().map(|column| column.name)).collect()
}

/// `LATERAL (SELECT ctid …) AS x`: where the row of `u` is.
fn located(table: &Table) -> String {
    let matches: Vec<_> = key_names(table).iter().map(|name| format!("s.{name} = u.{name}")).collect();
    format!(
        "CROSS JOIN LATERAL (SELECT s.ctid AS place FROM {} s WHERE {} LIMIT 1) AS x",
        table.name,
        matches.join(" AND ")
    )
}

fn insert(table: &Table) -> String {
    let mut names = key_names(table);
    names.extend(table.columns.iter().map(|column| column.name));
    names.extend(table.has_state.then_some("state"));
    let mut values: Vec<String> = vec!["u.scope".to_owned()];
    values.extend(table.key.iter().chain(table.columns).map(value));
    values.extend(table.has_state.then(|| "u.state".to_owned()));
    let (version, one) = if table.versioned { (", version", ", 1") } else { ("", "") };
    format!(
        "BEGIN\nINSERT INTO {} ({}{version}) SELECT {}{one} FROM {};\nEND",
        table.name,
        names.join(", "),
        values.join(", "),
        unnest(&names)
    )
}

fn update(table: &Table) -> String {
    let mut names = key_names(table);
    names.extend(table.columns.iter().map(|column| column.name));
    names.extend(table.has_state.then_some("state"));
    names.push("florin_expected");
    let mut set = vec!["version = u.florin_expected + 1".to_owned()];
    set.extend(table.columns.iter().map(|column| format!("{} = {}", column.name, value(column))));
    set.extend(table.has_state.then(|| "state = u.state".to_owned()));
    let statement = format!(
        "UPDATE {} AS t SET {} FROM {} {} WHERE t.ctid = x.place AND t.version = u.florin_expected",
        table.name,
        set.join(", "),
        unnest(&names),
        located(table)
    );
    counted(&statement, "a version moved")
}

fn remove(table: &Table, guard: Option<&'static str>) -> String {
    let mut names = key_names(table);
    names.extend(guard.map(|_| "florin_expected"));
    let guard = guard.map_or_else(String::new, |guard| format!(" AND t.{guard} = u.florin_expected"));
    let statement = format!(
        "DELETE FROM {} AS t USING {} {} WHERE t.ctid = x.place{guard}",
        table.name,
        unnest(&names),
        located(table)
    );
    counted(&statement, "a row was gone")
}

fn answer() -> String {
    let statement = format!(
        "UPDATE claim AS t SET operation = u.operation, answer = u.answer FROM {} {} \
         WHERE t.ctid = x.place AND t.answer IS NULL",
        unnest(&["scope", "key", "operation", "answer"]),
        located(&CLAIM)
    );
    counted(&statement, "a claim was answered")
}

/// Holds the rows of the leases until the commit.
fn require() -> String {
    format!(
        "DECLARE held bigint; BEGIN\nFOR n IN 1..cardinality(p0) LOOP\n\
         PERFORM 1 FROM lease t WHERE t.name = p0[n] AND t.epoch = p1[n] FOR SHARE;\n\
         IF NOT FOUND THEN {}; END IF;\nEND LOOP;\nEND",
        raise(GUARD, "a lease was lost")
    )
}

/// Takes a scope's promised jobs, in the order of their keys; none becomes due before this moment. A
/// scope's clock moves once in a batch, so that no job is there twice.
fn hasten() -> String {
    format!(
        "BEGIN\nUPDATE job AS t SET due_at = greatest(t.due_at - u.by, {NOW}) FROM {} \
         WHERE t.scope = u.scope AND t.promised = 1 AND t.due_at > {NOW};\nEND",
        unnest(&["scope", "by"])
    )
}

/// Row by row: few, and each must see the newest version of its row, not the statement's snapshot.
fn flagged() -> String {
    format!(
        "BEGIN\nFOR n IN 1..cardinality(p0) LOOP\n\
         INSERT INTO balance (scope, account, currency, stripe, \
         debits_posted, credits_posted, debits_pending, credits_pending) \
         VALUES (p0[n], p1[n], p2[n], 0, 0, 0, 0, 0) ON CONFLICT DO NOTHING;\n\
         UPDATE balance t SET debits_posted = t.debits_posted + p4[n], \
         credits_posted = t.credits_posted + p5[n], debits_pending = t.debits_pending + p6[n], \
         credits_pending = t.credits_pending + p7[n] \
         WHERE t.scope = p0[n] AND t.account = p1[n] AND t.currency = p2[n] AND t.stripe = 0 \
         AND (p3[n] IS NULL OR t.credits_posted - t.debits_posted - t.debits_pending + p3[n] >= 0);\n\
         IF NOT FOUND THEN {}; END IF;\nEND LOOP;\nEND",
        raise(OVERDRAWN, "overdrawn")
    )
}

fn add() -> String {
    let names = [
        "scope",
        "account",
        "currency",
        "stripe",
        "debits_posted",
        "credits_posted",
        "debits_pending",
        "credits_pending",
    ];
    let sums: Vec<_> =
        BALANCE.columns.iter().map(|column| format!("{0} = t.{0} + excluded.{0}", column.name)).collect();
    let listed = names.join(", ");
    format!(
        "BEGIN\nINSERT INTO balance AS t ({listed}) SELECT {listed} FROM {} \
         ON CONFLICT (scope, account, currency, stripe) DO UPDATE SET {};\nEND",
        unnest(&names),
        sums.join(", ")
    )
}

/// Gives journal rows their positions. The order of keys is the order of each subject's events.
fn sequence(prefix: &str) -> String {
    format!(
        "CREATE OR REPLACE FUNCTION {prefix}_sequence(p0 text, p1 bigint, p2 bigint) \
         RETURNS bigint LANGUAGE plpgsql AS $florin$\n\
         DECLARE next bigint; numbered bigint; BEGIN\n\
         PERFORM 1 FROM lease WHERE name = p0 AND epoch = p1 FOR UPDATE;\n\
         IF NOT FOUND THEN RETURN 0; END IF;\n\
         SELECT j.position + j.count INTO next FROM journal j WHERE j.position IS NOT NULL \
         ORDER BY j.position DESC LIMIT 1;\n\
         WITH waiting AS (SELECT j.ctid AS place, j.scope, j.subject, j.first_sequence, j.count \
         FROM journal j WHERE j.position IS NULL ORDER BY j.scope, j.subject, j.first_sequence LIMIT p2), \
         placed AS (SELECT w.place, coalesce(next, 1) + sum(w.count) \
         OVER (ORDER BY w.scope, w.subject, w.first_sequence) - w.count AS position FROM waiting w) \
         UPDATE journal AS t SET position = placed.position FROM placed WHERE t.ctid = placed.place;\n\
         GET DIAGNOSTICS numbered = ROW_COUNT; RETURN numbered;\nEND\n$florin$"
    )
}
