//! Whole runs against a small server with canned answers and planned faults.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test may panic and print"
)]

mod server;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use bench::{ApiKey, BenchError, Ended, Mix, Operation, Options, Phase, Report};
use serde_json::Value;
use server::{Seen, Server, Treatment};

/// A short run against some servers, without warm-up, so that the report counts every answer.
fn options(servers: &[&Server], mix: &str) -> Options {
    let targets = servers.iter().map(|server| server.url().parse().unwrap()).collect();
    let mut options = Options::new(targets, ApiKey::new("sk_test_bench"));
    options.mix = mix.parse::<Mix>().unwrap();
    options.concurrency = 8;
    options.warm_up = Duration::ZERO;
    options.duration = Duration::from_millis(300);
    options.drain = Duration::from_secs(20);
    options
}

fn run(options: &Options) -> Report {
    bench::run(options, |_| {}).unwrap()
}

/// A file of this test alone, removed at the end.
struct TemporaryFile(PathBuf);

impl TemporaryFile {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("florin-bench-{}-{name}.jsonl", std::process::id())))
    }

    fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.0).unwrap();
        assert!(text.ends_with('\n'));
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn answers_of(report: &Report, operation: Operation) -> u64 {
    report.operations.iter().find(|row| row.operation == operation).map_or(0, |row| row.answers)
}

/// The report, the server and each other: every count must be the same.
fn assert_counts_agree(report: &Report, seen: &Seen) {
    assert_eq!(answers_of(report, Operation::Create), seen.creates + seen.declined);
    assert_eq!(answers_of(report, Operation::Get), seen.gets);
    assert_eq!(answers_of(report, Operation::Refund), seen.refunds);
    assert_eq!(report.answers, seen.creates + seen.declined + seen.gets + seen.refunds);
    assert_eq!(report.latency.count, report.answers);
    for row in &report.operations {
        assert_eq!(row.latency.count, row.answers, "{}", row.operation);
    }
    assert_eq!(report.seconds.iter().map(|second| second.answers).sum::<u64>(), report.answers);
    assert_eq!(report.failed, report.errors.iter().map(|row| row.count).sum::<u64>());
    assert_eq!(report.connections, seen.connections);
}

#[test]
fn a_run_counts_what_the_server_answered() {
    let server = Server::start(|_| Treatment::Answer);
    let journal = TemporaryFile::new("counts");
    let mut options = options(&[&server], "create=8,get=1,refund=1");
    options.journal = Some(journal.0.clone());
    let report = run(&options);

    let seen = server.seen.lock();
    assert_counts_agree(&report, &seen);
    assert_eq!((report.ended, report.failed, report.retries, report.unanswered), (Ended::Finished, 0, 0, 0));
    assert_eq!(report.connections, 8);
    assert!(report.answers > 100, "{report}");
    // The mix is exact but for what the eight clients are in the middle of (and what had nothing to get
    // at first).
    let share = answers_of(&report, Operation::Create) * 10;
    assert!(share.abs_diff(report.answers * 8) <= 8 * 40, "{report}");
    // No key was ever used for two requests.
    assert!(seen.sends.values().all(|sends| *sends == 1));
    assert_eq!(seen.made.len() as u64, seen.creates + seen.refunds);
    assert!(report.latency.p50_ms > 0.0 && report.latency.p50_ms <= report.latency.max_ms);
    assert!(report.rate_per_second > 0.0);

    let lines = journal.lines();
    assert_eq!(lines.len() as u64, report.answers);
    for line in &lines {
        match line["request"].as_str().unwrap() {
            "create" => {
                assert_eq!((&line["status"], &line["payment_status"]), (&201.into(), &"paid".into()));
                assert_eq!(line["payment_id"], seen.made[line["key"].as_str().unwrap()].as_str());
                assert_eq!(line["amount"], 1000);
            }
            "get" => {
                assert!(line.get("key").is_none() && line.get("amount").is_none());
                assert_eq!((&line["status"], &line["payment_status"]), (&200.into(), &"paid".into()));
            }
            "refund" => {
                assert_eq!((&line["refund_status"], &line["amount"]), (&"succeeded".into(), &100.into()));
                assert_eq!(line["refund_id"], seen.made[line["key"].as_str().unwrap()].as_str());
                assert!(line["payment_id"].as_str().unwrap().starts_with("pay_"));
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn captures_and_voids_take_what_is_held_and_what_is_captured_is_refunded() {
    let server = Server::start(|_| Treatment::Answer);
    let journal = TemporaryFile::new("held");
    let mut options = options(&[&server], "authorize=2,capture=1,void=1,refund=2");
    options.journal = Some(journal.0.clone());
    let report = run(&options);
    assert_eq!((report.failed, report.unanswered), (0, 0), "{report}");
    let lines = journal.lines();
    let of = |request: &'static str| lines.iter().filter(move |line| line["request"] == request);
    for (request, status, amount) in [
        ("authorize", "authorized", 1000.into()),
        ("capture", "paid", 1000.into()),
        ("void", "cancelled", Value::Null),
    ] {
        assert!(of(request).count() > 10, "{report}");
        for line in of(request) {
            assert_eq!((&line["payment_status"], &line["amount"]), (&status.into(), &amount), "{line}");
            assert!(line["payment_id"].as_str().unwrap().starts_with("pay_"), "{line}");
        }
    }
    let captured: Vec<_> = of("capture").chain(of("create")).map(|line| &line["payment_id"]).collect();
    assert!(of("refund").all(|line| captured.contains(&&line["payment_id"])));
}

#[test]
fn a_lost_answer_is_asked_for_again_under_the_same_key() {
    let server = Server::start_with(
        |number| match number % 60 {
            10 => Treatment::DropBefore,
            20 => Treatment::DropAfter,
            30 => Treatment::DropWithin,
            35 => Treatment::Close,
            40 => Treatment::Chunked,
            50 => Treatment::Decline,
            _ => Treatment::Answer,
        },
        true,
    );
    let journal = TemporaryFile::new("lost");
    let mut options = options(&[&server], "create=2,get=1,refund=1");
    options.journal = Some(journal.0.clone());
    let report = run(&options);

    let seen = server.seen.lock();
    assert!(!seen.lost.is_empty() && seen.declined > 0 && seen.in_use > 0, "{report}");
    for key in &seen.lost {
        assert!(seen.sends[key] > 1, "{key} was lost and not sent again");
    }
    assert_eq!(report.unanswered, 0);
    let again: u64 = seen.sends.values().map(|sends| sends - 1).sum();
    let lost: u64 = report.broken.iter().map(|row| row.count).sum();
    // A get that is sent again has no key by which the server could know it.
    assert!(report.retries >= again && again >= seen.lost.len() as u64);
    assert_eq!(report.retries, lost + seen.in_use);
    assert_eq!(report.connections, seen.connections);
    assert!(report.connections > 8 + lost, "closed connections are opened again, and are no retries");

    // Being told that the key is in use is a reason to wait, not an answer.
    assert_eq!(report.errors.len(), 1, "{report}");
    let row = &report.errors[0];
    assert_eq!((row.operation, row.status, row.code.as_str()), (Operation::Create, 402, "card_declined"));
    assert_eq!((row.count, report.failed), (seen.declined, seen.declined));
    assert!(row.samples[0].contains("Not this time"));

    // One line a key, though some were sent several times; and what the line says is what the server
    // made.
    let mut lines = HashMap::new();
    for line in journal.lines() {
        if let Some(key) = line["key"].as_str() {
            assert!(lines.insert(key.to_owned(), line.clone()).is_none(), "{key} has two lines");
        }
    }
    assert_eq!(lines.len(), seen.sends.len());
    for (key, sends) in &seen.sends {
        let line = &lines[key];
        assert_eq!(line["sends"], *sends);
        match seen.made.get(key) {
            Some(id) if id.starts_with("pay_") => assert_eq!(line["payment_id"], id.as_str()),
            Some(id) => assert_eq!(line["refund_id"], id.as_str()),
            None => assert_eq!((&line["status"], &line["code"]), (&402.into(), &"card_declined".into())),
        }
    }
}

#[test]
fn an_answer_that_never_comes_is_given_up_and_asked_for_again() {
    let server = Server::start(|number| if number == 5 { Treatment::Hang } else { Treatment::Answer });
    let mut options = options(&[&server], "create");
    options.request_timeout = Duration::from_millis(100);
    let report = run(&options);
    let seen = server.seen.lock();
    assert_eq!(seen.lost.len(), 1);
    assert_eq!(seen.sends[&seen.lost[0]], 2);
    assert_eq!(report.broken.len(), 1);
    assert_eq!((report.broken[0].reason.as_str(), report.broken[0].count), ("no answer in time", 1));
    // Its latency counts from the first send.
    assert!(report.latency.max_ms >= 100.0);
    assert_counts_agree(&report, &seen);
}

#[test]
fn what_a_dead_server_did_not_answer_is_in_the_journal_without_a_status() {
    let mut server = Server::start(|_| Treatment::Answer);
    let journal = TemporaryFile::new("dead");
    let mut options = options(&[&server], "create");
    options.duration = Duration::from_secs(3);
    options.drain = Duration::ZERO;
    options.journal = Some(journal.0.clone());
    // The first progress of the window kills the server.
    let report = bench::run(&options, |progress| {
        if progress.phase == Phase::Measure {
            server.kill();
        }
    })
    .unwrap();
    assert_eq!(report.unanswered, 8, "{report}");
    assert!(report.broken.iter().any(|row| row.reason.starts_with("could not connect")), "{report}");
    let lines = journal.lines();
    let unanswered: Vec<&Value> = lines.iter().filter(|line| line["status"].is_null()).collect();
    assert_eq!(unanswered.len(), 8);
    assert!(unanswered.iter().all(|line| line["key"].is_string() && line["sends"].as_u64().unwrap() > 1));
    assert_eq!(lines.len() as u64, report.answers + 8);
    assert!(report.seconds.iter().any(|second| second.answers == 0), "the silence is in the series");
}

#[test]
fn a_mix_without_creates_begins_with_payments_that_are_not_measured() {
    let server = Server::start(|_| Treatment::Answer);
    let mut options = options(&[&server], "get");
    options.prefill = 70;
    let report = run(&options);
    let seen = server.seen.lock();
    assert_eq!(seen.creates, 8 * 70);
    assert_eq!(report.operations.len(), 1);
    assert_eq!(report.answers, seen.gets);
    let mut got = seen.got.clone();
    got.sort();
    got.dedup();
    assert!(got.len() > 70, "each client gets its own payments, in turn");
}

#[test]
fn the_warm_up_is_not_measured_and_progress_tells_the_phases() {
    let server = Server::start(|_| Treatment::Answer);
    let mut options = options(&[&server], "create");
    options.warm_up = Duration::from_millis(200);
    options.duration = Duration::from_millis(1_500);
    let mut phases = Vec::new();
    let mut last = 0;
    let report = bench::run(&options, |progress| {
        phases.push(progress.phase);
        last = progress.answers;
    })
    .unwrap();
    let seen = server.seen.lock();
    assert!(report.answers > 0 && report.answers < seen.creates, "{report}");
    assert_eq!(last, seen.creates);
    assert!(phases.contains(&Phase::Measure) && phases.last() == Some(&Phase::Drain), "{phases:?}");
    // The seconds cover the whole window and nothing of the warm-up.
    assert!(report.seconds[0].from_seconds < 0.2, "{:?}", report.seconds);
    let covered: f64 = report.seconds.iter().map(|second| second.length_seconds).sum();
    assert!(covered > 1.3, "{:?}", report.seconds);
}

#[test]
fn several_servers_and_threads_share_the_clients() {
    let (one, two) = (Server::start(|_| Treatment::Answer), Server::start(|_| Treatment::Answer));
    let mut options = options(&[&one, &two], "create");
    options.concurrency = 6;
    options.threads = 3;
    let report = run(&options);
    let (one, two) = (one.seen.lock(), two.seen.lock());
    assert_eq!((one.connections, two.connections), (3, 3));
    assert_eq!(report.answers, one.creates + two.creates);
    assert!(one.sends.keys().all(|key| !two.sends.contains_key(key)));
}

#[test]
fn bad_answers_are_counted_or_end_the_run() {
    let server = Server::start(|_| Treatment::Unauthorized);
    let report = run(&options(&[&server], "create"));
    assert!(report.answers > 0);
    assert_eq!((report.failed, report.rate_per_second), (report.answers, 0.0));
    assert_eq!((report.errors[0].code.as_str(), report.errors[0].samples.len()), ("invalid_api_key", 3));
    assert!(report.to_string().contains("invalid_api_key"));

    let mut until_error = options(&[&server], "create");
    until_error.stop_on_error = true;
    until_error.duration = Duration::from_mins(10);
    let report = run(&until_error);
    assert_eq!(report.ended, Ended::Stopped);
    assert!((1..=8).contains(&report.answers), "{report}");

    let refused = bench::run(&options(&[&server], "get"), |_| {});
    assert!(
        matches!(&refused, Err(BenchError::Prefill(text)) if text.contains("401 invalid_api_key")),
        "{refused:?}"
    );
}

#[test]
fn what_cannot_begin_is_an_error() {
    let mut server = Server::start(|_| Treatment::Answer);
    let mut no_journal = options(&[&server], "create");
    no_journal.journal = Some(PathBuf::from("/nonexistent/journal.jsonl"));
    assert!(matches!(bench::run(&no_journal, |_| {}), Err(BenchError::Journal { .. })));

    server.kill();
    let unreachable = bench::run(&options(&[&server], "create"), |_| {});
    assert!(matches!(&unreachable, Err(BenchError::Unreachable { .. })), "{unreachable:?}");
}

#[test]
fn the_report_is_json() {
    let server = Server::start(|_| Treatment::Answer);
    let report = serde_json::to_value(run(&options(&[&server], "create=3,get=1"))).unwrap();
    assert_eq!(report["ended"], "finished");
    assert_eq!(report["operations"][0]["operation"], "create");
    assert!(report["operations"][0]["latency"]["p999_ms"].is_number());
    assert!(report["seconds"][0]["rate_per_second"].is_number());
}

/// Not a test: `cargo test -p bench --release -- --ignored --nocapture` prints what the client alone can
/// do. The canned server takes one of the cores.
#[test]
#[ignore = "prints a measurement"]
fn how_fast_the_client_is() {
    for mix in ["create", "create=8,get=1,refund=1", "get"] {
        let server = Server::start(|_| Treatment::Answer);
        let mut options = options(&[&server], mix);
        options.concurrency = 64;
        options.duration = Duration::from_secs(5);
        println!("{}", run(&options));
    }
}
