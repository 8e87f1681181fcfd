//! All or nothing, versions, duplicates, claims: rules 1 to 5.

use std::time::Duration;

use kernel::{CLAIM, Cell, Duplicate, JOURNAL, JournalRow, Lane, Outcome, Query, Remove};

use crate::bench::{
    Bench, MARK, THING, answer, claim, committed, event, job, labelled, next, scope, subject, thing,
};
use crate::on_every_store;

on_every_store![
    a_commit_writes_all_its_parts,
    a_loser_writes_nothing,
    an_update_needs_the_version_it_read,
    a_missing_row_is_a_conflict,
    a_removed_row_is_gone_and_its_key_free,
    an_existing_row_is_a_duplicate,
    a_unique_index_is_a_duplicate,
    a_claimed_key_is_a_duplicate_before_anything_else,
    an_answer_is_written_once,
    one_commit_may_answer_several_claims,
    of_many_racing_updates_one_wins,
    of_many_racing_claims_one_wins,
    racing_inserts_of_one_unique_value,
    losers_do_not_take_winners_with_them,
    the_events_of_a_commit_are_one_row_per_subject,
    what_cannot_be_written_is_refused,
    every_type_of_cell_comes_back,
    relative_times_become_database_time,
    closing_writes_what_waits_and_refuses_more,
];

async fn a_commit_writes_all_its_parts(bench: Bench) {
    let (id, job_id) = (bench.id(), bench.id());
    let at = committed(
        bench
            .commit(Lane::Reserve, |changes| {
                changes.subject = Some(subject(id));
                changes.claim = Some(claim("k"));
                changes.insert.push(thing(id, "{}"));
                changes.emit.push(event(id, 1));
                changes.enqueue.push(job(job_id, Duration::ZERO));
            })
            .await,
    );
    let row = bench.thing(id).await.unwrap();
    assert_eq!((row.version, row.state), (1, b"1{}".to_vec()));
    let created = row.columns[0].as_time().unwrap();
    assert!(at.since(created) < Duration::from_secs(1) && created.since(at) < Duration::from_secs(1));
    let claim = bench.row(&CLAIM, vec![Cell::from("k")]).await.unwrap();
    assert_eq!(
        claim.columns[..4],
        [Cell::from("POST /things"), Cell::Bytes(vec![1, 2, 3]), Cell::from("op"), Cell::Null]
    );
    assert!(bench.row(&JOURNAL, vec![Cell::Uuid(id), Cell::Int(1)]).await.is_some());
    assert_eq!(bench.store.take_jobs(&["sweep"], 9, Duration::from_secs(9)).await.unwrap().len(), 1);
}

async fn a_loser_writes_nothing(bench: Bench) {
    let (old, new, job_id) = (bench.id(), bench.id(), bench.id());
    committed(bench.commit(Lane::Reserve, |changes| changes.insert.push(thing(old, "{}"))).await);
    let outcome = bench
        .commit(Lane::Reserve, |changes| {
            changes.claim = Some(claim("k"));
            changes.insert.push(thing(new, "{}"));
            changes.update.push(next(old, "{}", 2));
            changes.emit.push(event(new, 1));
            changes.enqueue.push(job(job_id, Duration::ZERO));
        })
        .await;
    assert_eq!(outcome, Outcome::Conflict);
    assert!(bench.thing(new).await.is_none());
    assert!(bench.row(&CLAIM, vec![Cell::from("k")]).await.is_none());
    assert!(bench.row(&JOURNAL, vec![Cell::Uuid(new), Cell::Int(1)]).await.is_none());
    assert!(bench.store.take_jobs(&["sweep"], 9, Duration::from_secs(9)).await.unwrap().is_empty());
    assert_eq!(bench.thing(old).await.unwrap().version, 1);
}

async fn an_update_needs_the_version_it_read(bench: Bench) {
    let id = bench.id();
    committed(bench.commit(Lane::Reserve, |changes| changes.insert.push(thing(id, "a"))).await);
    committed(bench.commit(Lane::Settle, |changes| changes.update.push(next(id, "b", 1))).await);
    let stale = bench.commit(Lane::Settle, |changes| changes.update.push(next(id, "c", 1))).await;
    assert_eq!(stale, Outcome::Conflict);
    let row = bench.thing(id).await.unwrap();
    assert_eq!((row.version, row.state), (2, b"1b".to_vec()));
}

async fn a_missing_row_is_a_conflict(bench: Bench) {
    let id = bench.id();
    let update = bench.commit(Lane::Settle, |changes| changes.update.push(next(id, "b", 1))).await;
    assert_eq!(update, Outcome::Conflict);
    let remove = Remove { table: &THING, scope: scope(), key: vec![Cell::Uuid(id)], expected: 1 };
    assert_eq!(bench.commit(Lane::Settle, |changes| changes.remove.push(remove)).await, Outcome::Conflict);
    let answer = bench.commit(Lane::Settle, |changes| changes.answer.push(answer("none", "{}"))).await;
    assert_eq!(answer, Outcome::Conflict);
}

async fn a_removed_row_is_gone_and_its_key_free(bench: Bench) {
    let id = bench.id();
    let remove = |expected| Remove { table: &THING, scope: scope(), key: vec![Cell::Uuid(id)], expected };
    committed(bench.commit(Lane::Reserve, |changes| changes.insert.push(labelled(id, "x"))).await);
    let stale = bench.commit(Lane::Settle, |changes| changes.remove.push(remove(2))).await;
    assert_eq!(stale, Outcome::Conflict);
    committed(bench.commit(Lane::Settle, |changes| changes.remove.push(remove(1))).await);
    assert!(bench.thing(id).await.is_none());
    committed(bench.commit(Lane::Reserve, |changes| changes.insert.push(labelled(id, "x"))).await);
    let mark = |note: Option<Vec<u8>>| kernel::Insert {
        table: &MARK,
        scope: scope(),
        key: vec![Cell::Uuid(id), Cell::from("n"), Cell::Bytes(vec![0]), Cell::Int(-1)],
        columns: vec![note.into()],
        state: Vec::new(),
    };
    committed(bench.commit(Lane::Settle, |changes| changes.insert.push(mark(None))).await);
    let gone = Remove { table: &MARK, scope: scope(), key: mark(None).key, expected: 0 };
    committed(bench.commit(Lane::Settle, |changes| changes.remove.push(gone.clone())).await);
    assert_eq!(bench.commit(Lane::Settle, |changes| changes.remove.push(gone)).await, Outcome::Conflict);
}

async fn an_existing_row_is_a_duplicate(bench: Bench) {
    let id = bench.id();
    committed(bench.commit(Lane::Reserve, |changes| changes.insert.push(thing(id, "a"))).await);
    let again = bench.commit(Lane::Reserve, |changes| changes.insert.push(thing(id, "b"))).await;
    assert_eq!(again, Outcome::Duplicate(Duplicate::Row { table: "thing" }));
    assert_eq!(bench.thing(id).await.unwrap().state, b"1a");
}

async fn a_unique_index_is_a_duplicate(bench: Bench) {
    let (one, other, free) = (bench.id(), bench.id(), bench.id());
    committed(bench.commit(Lane::Reserve, |changes| changes.insert.push(labelled(one, "x"))).await);
    let again = bench.commit(Lane::Reserve, |changes| changes.insert.push(labelled(other, "x"))).await;
    assert_eq!(again, Outcome::Duplicate(Duplicate::Row { table: "thing" }));
    committed(bench.commit(Lane::Reserve, |changes| changes.insert.push(thing(free, "a"))).await);
    let moved = kernel::Update { row: labelled(free, "x"), expected: 1 };
    let moved = bench.commit(Lane::Settle, |changes| changes.update.push(moved)).await;
    assert_eq!(moved, Outcome::Duplicate(Duplicate::Row { table: "thing" }));
    // Rows that the index leaves out do not meet.
    committed(bench.commit(Lane::Reserve, |changes| changes.insert.push(thing(other, "a"))).await);
}

async fn a_claimed_key_is_a_duplicate_before_anything_else(bench: Bench) {
    let id = bench.id();
    let write = |changes: &mut kernel::Changes| {
        changes.claim = Some(claim("k"));
        changes.insert.push(thing(id, "{}"));
        changes.update.clear();
    };
    committed(bench.commit(Lane::Reserve, write).await);
    let again = bench
        .commit(Lane::Reserve, |changes| {
            write(changes);
            changes.update.push(next(id, "never", 9));
            changes.insert.clear();
        })
        .await;
    assert_eq!(again, Outcome::Duplicate(Duplicate::Claim));
}

async fn an_answer_is_written_once(bench: Bench) {
    committed(bench.commit(Lane::Reserve, |changes| changes.claim = Some(claim("k"))).await);
    let mut moves = answer("k", "");
    (moves.operation, moves.answer) = (Some("successor".to_owned()), None);
    committed(bench.commit(Lane::Settle, |changes| changes.answer.push(moves)).await);
    let row = bench.row(&CLAIM, vec![Cell::from("k")]).await.unwrap();
    assert_eq!(row.columns[2..4], [Cell::from("successor"), Cell::Null]);
    committed(bench.commit(Lane::Settle, |changes| changes.answer.push(answer("k", "first"))).await);
    let again = bench.commit(Lane::Settle, |changes| changes.answer.push(answer("k", "second"))).await;
    assert_eq!(again, Outcome::Conflict);
    let row = bench.row(&CLAIM, vec![Cell::from("k")]).await.unwrap();
    assert_eq!(row.columns[3], Cell::Bytes(b"first".to_vec()));
}

async fn one_commit_may_answer_several_claims(bench: Bench) {
    for key in ["a", "b"] {
        committed(bench.commit(Lane::Reserve, |changes| changes.claim = Some(claim(key))).await);
    }
    let both = bench.commit(Lane::Settle, |changes| {
        changes.answer.extend([answer("b", "1"), answer("a", "2")]);
    });
    committed(both.await);
    for (key, text) in [("a", "2"), ("b", "1")] {
        let row = bench.row(&CLAIM, vec![Cell::from(key)]).await.unwrap();
        assert_eq!(row.columns[3], Cell::Bytes(text.as_bytes().to_vec()));
    }
}

async fn of_many_racing_updates_one_wins(bench: Bench) {
    let id = bench.id();
    committed(bench.commit(Lane::Reserve, |changes| changes.insert.push(thing(id, "a"))).await);
    for version in 1..=20 {
        let text = format!("{version}");
        let racers = (0..16).map(|_| {
            bench.commit(Lane::Settle, |changes| {
                changes.subject = Some(subject(id));
                changes.update.push(next(id, &text, version));
                changes.emit.push(event(id, version));
            })
        });
        let outcomes = futures_util::future::join_all(racers).await;
        let won = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Committed { .. })).count();
        let lost = outcomes.iter().filter(|outcome| **outcome == Outcome::Conflict).count();
        assert_eq!((won, lost), (1, 15), "{outcomes:?}");
    }
    assert_eq!(bench.thing(id).await.unwrap().version, 21);
}

async fn of_many_racing_claims_one_wins(bench: Bench) {
    for round in 0..20 {
        let key = format!("k{round}");
        let racers = (0..16).map(|_| {
            let id = bench.id();
            let commit = bench.commit(Lane::Reserve, |changes| {
                changes.claim = Some(claim(&key));
                changes.insert.push(thing(id, "{}"));
            });
            async move { (id, commit.await) }
        });
        let mut won = 0;
        for (id, outcome) in futures_util::future::join_all(racers).await {
            let there = bench.thing(id).await.is_some();
            match outcome {
                Outcome::Committed { .. } => won += u32::from(there),
                Outcome::Duplicate(Duplicate::Claim) => assert!(!there),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(won, 1);
    }
}

async fn racing_inserts_of_one_unique_value(bench: Bench) {
    for round in 0..20 {
        let label = format!("label {round}");
        let racers = (0..16).map(|_| {
            let id = bench.id();
            bench.commit(Lane::Reserve, |changes| {
                changes.subject = Some(subject(id));
                changes.insert.push(labelled(id, &label));
            })
        });
        let outcomes = futures_util::future::join_all(racers).await;
        let won = outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Committed { .. })).count();
        let duplicate = Outcome::Duplicate(Duplicate::Row { table: "thing" });
        let lost = outcomes.iter().filter(|outcome| **outcome == duplicate).count();
        assert_eq!((won, lost), (1, 15), "{outcomes:?}");
    }
}

async fn losers_do_not_take_winners_with_them(bench: Bench) {
    let taken = bench.id();
    committed(bench.commit(Lane::Reserve, |changes| changes.insert.push(thing(taken, "a"))).await);
    committed(bench.commit(Lane::Reserve, |changes| changes.claim = Some(claim("taken"))).await);
    let mixed = (0..90).map(|number| {
        let id = bench.id();
        let commit = bench.commit(Lane::Settle, |changes| {
            changes.insert.push(thing(id, "new"));
            match number % 3 {
                0 => {}
                1 => changes.update.push(next(taken, "b", 7 + number)),
                _ => changes.claim = Some(claim("taken")),
            }
        });
        async move { (number, id, commit.await) }
    });
    for (number, id, outcome) in futures_util::future::join_all(mixed).await {
        let there = bench.thing(id).await.is_some();
        match number % 3 {
            0 => drop(committed(outcome)),
            1 => assert_eq!(outcome, Outcome::Conflict),
            _ => assert_eq!(outcome, Outcome::Duplicate(Duplicate::Claim)),
        }
        assert_eq!(there, number % 3 == 0);
    }
}

async fn the_events_of_a_commit_are_one_row_per_subject(bench: Bench) {
    let (one, other) = (bench.id(), bench.id());
    let emit = bench.commit(Lane::Settle, |changes| {
        changes.emit.extend([event(one, 1), event(other, 4), event(one, 2)]);
    });
    committed(emit.await);
    let query = Query::oldest(&JOURNAL, scope(), 9);
    let rows = bench.store.find(query).await.unwrap();
    let read: Vec<JournalRow> = rows.iter().map(|row| JournalRow::read(row).unwrap()).collect();
    assert_eq!(read.len(), 2);
    assert_eq!(read[0].events, [event(one, 1), event(one, 2)]);
    assert_eq!(read[1].events, [event(other, 4)]);
    let again = bench.commit(Lane::Settle, |changes| changes.emit.push(event(one, 1))).await;
    assert_eq!(again, Outcome::Duplicate(Duplicate::Row { table: "journal" }));
    let gap = bench.commit(Lane::Settle, |changes| changes.emit.extend([event(one, 3), event(one, 5)]));
    assert!(matches!(gap.await, Outcome::Refused(_)));
}

async fn what_cannot_be_written_is_refused(bench: Bench) {
    let id = bench.id();
    let nul = labelled(id, "a\0b");
    assert!(matches!(
        bench.commit(Lane::Settle, |changes| changes.insert.push(nul)).await,
        Outcome::Refused(_)
    ));
    let mut wrong = thing(id, "a");
    wrong.columns[0] = Cell::Null;
    assert!(matches!(
        bench.commit(Lane::Settle, |changes| changes.insert.push(wrong)).await,
        Outcome::Refused(_)
    ));
    let twice = bench.commit(Lane::Settle, |changes| {
        changes.insert.push(thing(id, "a"));
        changes.update.push(next(id, "b", 1));
    });
    assert!(matches!(twice.await, Outcome::Refused(_)));
    assert!(bench.thing(id).await.is_none());
}

async fn every_type_of_cell_comes_back(bench: Bench) {
    let owner = bench.id();
    for (name, digest, number, note) in [
        ("", vec![], i64::MIN, None),
        ("ünïcode 🪙 'quoted' \\", vec![0, 255, 0], i64::MAX, Some(vec![0, 1, 2])),
        ("{a,\"b\"}", b"\\x00".to_vec(), 0, Some(vec![])),
    ] {
        let key = vec![Cell::Uuid(owner), Cell::from(name), Cell::Bytes(digest), Cell::Int(number)];
        let columns: Vec<Cell> = vec![note.into()];
        let row = kernel::Insert {
            table: &MARK,
            scope: scope(),
            key: key.clone(),
            columns: columns.clone(),
            state: Vec::new(),
        };
        committed(bench.commit(Lane::Settle, |changes| changes.insert.push(row)).await);
        let read = bench.row(&MARK, key.clone()).await.unwrap();
        assert_eq!((read.scope, read.key, read.version, read.columns), (scope(), key, 0, columns));
    }
}

async fn relative_times_become_database_time(bench: Bench) {
    let id = bench.id();
    let mut row = thing(id, "a");
    row.columns[0] = Cell::Time(kernel::Timestamp::from_micros(17));
    row.columns[1] = Cell::After(Duration::from_hours(29 * 365 * 24));
    let at = committed(bench.commit(Lane::Settle, |changes| changes.insert.push(row)).await);
    let read = bench.thing(id).await.unwrap();
    assert_eq!(read.columns[0], Cell::Time(kernel::Timestamp::from_micros(17)));
    let due = read.columns[1].as_time().unwrap();
    let expected = at.plus(Duration::from_hours(29 * 365 * 24));
    assert!(due.since(expected) < Duration::from_secs(2) && expected.since(due) < Duration::from_secs(2));
}

async fn closing_writes_what_waits_and_refuses_more(bench: Bench) {
    let ids: Vec<_> = (0..40).map(|_| bench.id()).collect();
    let mut waiting = Vec::new();
    for id in &ids {
        let mut changes = bench.changes(Lane::Settle);
        changes.insert.push(thing(*id, "a"));
        let store = std::sync::Arc::clone(&bench.store);
        waiting.push(tokio::spawn(async move { store.commit(changes).await }));
    }
    tokio::task::yield_now().await;
    bench.store.close().await;
    for (waits, id) in waiting.into_iter().zip(ids) {
        let there = bench.thing(id).await.is_some();
        match waits.await.unwrap() {
            Outcome::Committed { .. } => assert!(there),
            Outcome::NotCommitted(_) => assert!(!there),
            other => panic!("{other:?}"),
        }
    }
    let late = bench.commit(Lane::Settle, |changes| changes.insert.push(thing(uuid::Uuid::nil(), "a"))).await;
    assert!(matches!(late, Outcome::NotCommitted(_)), "{late:?}");
}
