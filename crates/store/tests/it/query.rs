//! Reads: by key, filtered, ordered, page by page, within a scope.

use std::time::Duration;

use kernel::{Cell, Comparison, Direction, Filter, Id, Lane, Merchant, Mode, Query, Scope};
use uuid::Uuid;

use crate::bench::{Bench, THING, committed, labelled, scope, thing};
use crate::on_every_store;

on_every_store![
    pages_follow_the_key_in_both_directions,
    filters_and_orders,
    nothing_crosses_a_scope,
    many_reads_at_once_find_their_own_rows,
    a_wrong_query_is_an_error,
];

async fn fill(bench: &Bench, count: i64) -> Vec<Uuid> {
    let mut ids = Vec::new();
    for number in 0..count {
        let id = bench.id();
        let mut row = labelled(id, &format!("{number:04}"));
        row.columns[1] = if number % 2 == 0 {
            Cell::Null
        } else {
            Cell::After(Duration::from_secs(60 - number.unsigned_abs()))
        };
        committed(bench.commit(Lane::Settle, |changes| changes.insert.push(row)).await);
        ids.push(id);
    }
    ids
}

fn keys(rows: &[kernel::Row]) -> Vec<Uuid> {
    rows.iter().map(|row| row.key[0].as_uuid().unwrap()).collect()
}

async fn pages_follow_the_key_in_both_directions(bench: Bench) {
    let ids = fill(&bench, 10).await;
    for direction in [Direction::Ascending, Direction::Descending] {
        let mut expected = ids.clone();
        if direction == Direction::Descending {
            expected.reverse();
        }
        let mut seen = Vec::new();
        let mut after = None;
        loop {
            let mut query = Query::newest(&THING, scope(), 4).after(after);
            query.direction = direction;
            let rows = bench.store.find(query).await.unwrap();
            let Some(last) = rows.last() else { break };
            after = Some(last.key.clone());
            seen.extend(keys(&rows));
        }
        assert_eq!(seen, expected);
    }
}

async fn filters_and_orders(bench: Bench) {
    let ids = fill(&bench, 10).await;
    let find = |query| async { keys(&bench.store.find(query).await.unwrap()) };
    let all = || Query::oldest(&THING, scope(), 100);
    assert_eq!(find(all().with(Filter::equal("label", "0003"))).await, [ids[3]]);
    assert_eq!(find(all().with(Filter::equal("id", ids[4]))).await, [ids[4]]);
    let absent = Filter::compare("due_at", Comparison::Absent, 0);
    assert_eq!(find(all().with(absent)).await, [ids[0], ids[2], ids[4], ids[6], ids[8]]);
    let range = all().with(Filter::compare("label", Comparison::Above, "0003")).with(Filter::compare(
        "label",
        Comparison::AtMost,
        "0005",
    ));
    assert_eq!(find(range).await, [ids[4], ids[5]]);
    let mut due = Query::everywhere(&THING, 3)
        .with(Filter::compare("due_at", Comparison::Present, 0))
        .with(Filter {
            column: "due_at",
            comparison: Comparison::Below,
            cell: Cell::After(Duration::from_secs(90)),
        })
        .order_by("due_at");
    assert_eq!(find(due.clone()).await, [ids[9], ids[7], ids[5]]);
    due.direction = Direction::Descending;
    assert_eq!(find(due).await, [ids[1], ids[3], ids[5]]);
    let none = Filter { column: "due_at", comparison: Comparison::AtMost, cell: Cell::After(Duration::ZERO) };
    assert!(find(all().with(none)).await.is_empty());
}

async fn nothing_crosses_a_scope(bench: Bench) {
    let id = bench.id();
    let live = Scope { mode: Mode::Live, ..scope() };
    let other = Scope { merchant: Id::<Merchant>::from_uuid(Uuid::from_u128(8)), mode: Mode::Test };
    for scope in [scope(), live, other] {
        let mut row = thing(id, &scope.to_string());
        row.scope = scope;
        committed(bench.commit(Lane::Settle, |changes| changes.insert.push(row)).await);
    }
    for scope in [scope(), live, other] {
        let row = bench.store.get(&THING, scope, vec![Cell::Uuid(id)]).await.unwrap().unwrap();
        assert_eq!(row.state, format!("1{scope}").into_bytes());
        let rows = bench.store.find(Query::newest(&THING, scope, 10)).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].scope, scope);
        let mut without = bench.store.find(Query::newest(&THING, scope, 10).without_state()).await.unwrap();
        assert!(std::mem::replace(&mut without[0].state, rows[0].state.clone()).is_empty());
        assert_eq!(without, rows, "all but the state");
    }
    assert_eq!(bench.store.find(Query::everywhere(&THING, 10)).await.unwrap().len(), 3);
}

async fn many_reads_at_once_find_their_own_rows(bench: Bench) {
    let ids = fill(&bench, 50).await;
    let missing = Uuid::from_u128(u128::MAX);
    let reads = ids.iter().chain([&missing]).cycle().take(300).map(|id| {
        let read = bench.thing(*id);
        async move { (*id, read.await) }
    });
    for (id, row) in futures_util::future::join_all(reads).await {
        assert_eq!(row.map(|row| row.key[0].clone()), (id != missing).then_some(Cell::Uuid(id)));
    }
}

async fn a_wrong_query_is_an_error(bench: Bench) {
    assert!(bench.store.find(Query::everywhere(&THING, 1).order_by("nothing")).await.is_err());
    let cursor = Query::everywhere(&THING, 1).after(Some(vec![Cell::Uuid(Uuid::nil())]));
    assert!(bench.store.find(cursor).await.is_err());
}
