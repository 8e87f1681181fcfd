//! Traces, as a collector gets them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::json;

use crate::server::{Place, wait};

/// Takes OTLP over HTTP at a port of its own and keeps the spans.
struct Collector {
    address: String,
    spans: Arc<Mutex<Vec<Span>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let spans: Arc<Mutex<Vec<Span>>> = Arc::default();
        let kept = Arc::clone(&spans);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || take(&stream.unwrap(), &kept));
            }
        });
        Self { address, spans }
    }

    fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap().clone()
    }
}

fn take(stream: &TcpStream, spans: &Mutex<Vec<Span>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut head = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if line.trim().is_empty() {
                break;
            }
            head.push(line.trim().to_ascii_lowercase());
        }
        assert_eq!(head[0], "post /v1/traces http/1.1");
        assert!(head.contains(&"content-type: application/x-protobuf".to_owned()), "{head:?}");
        let length = head.iter().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap();
        let scopes = request.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
        let mut stream = stream.try_clone().unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The tree below a span: names of children in the order in which they began.
fn children<'s>(spans: &'s [Span], parent: &Span) -> Vec<&'s Span> {
    let mut below: Vec<_> = spans.iter().filter(|span| span.parent_span_id == parent.span_id).collect();
    below.sort_by_key(|span| span.start_time_unix_nano);
    below
}

fn names(spans: &[&Span]) -> Vec<String> {
    spans.iter().map(|span| span.name.clone()).collect()
}

fn attribute(span: &Span, name: &str) -> String {
    let found = span.attributes.iter().find(|attribute| attribute.key == name);
    format!("{:?}", found.and_then(|attribute| attribute.value.clone()))
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn card() -> serde_json::Value {
    json!({"amount": 1000, "currency": "USD", "customer_email": "jane.doe@example.com",
        "payment_method": {"type": "card", "card_number": "4242424242424242", "exp_month": 12,
            "exp_year": 2037, "cvc": "123"}})
}

#[test]
fn a_payment_is_one_trace_from_the_request_to_the_settle() {
    let collector = Collector::start();
    let place = Place::sqlite("traces");
    let address = collector.address.as_str();
    let settings = [
        ("JAEGER_ENDPOINT", address),
        ("FLORIN_LOG__LEVEL", "warn"),
        ("FLORIN_OTLP__FOLLOW_CALLERS", "true"),
    ];
    let server = place.serve(&settings, None);
    let body = card().to_string();
    let paid = server.ask("POST", "/api/v1/payments", &[("traceparent", PARENT)], &body);
    assert_eq!(paid.status, 201, "{paid:?}");
    let own = server.ask("POST", "/api/v1/payments", &[], &body);
    assert_eq!(own.status, 201, "{own:?}");
    // A caller that decided not to trace is not traced.
    let untraced = PARENT.replace("-01", "-00").replace("0af7", "1bf7");
    server.ask("POST", "/api/v1/payments", &[("traceparent", &untraced)], &body);
    let key = server.key.clone();
    server.stop();

    let spans = collector.spans();
    let of_caller: Vec<Span> = spans.iter().filter(|span| hex(&span.trace_id) == TRACE).cloned().collect();
    let root = of_caller.iter().find(|span| span.name == "request").expect("a request");
    assert_eq!(hex(&root.parent_span_id), "b7ad6b7169203331");
    assert!(attribute(root, "route").contains("/api/v1/payments"), "{root:?}");
    assert!(attribute(root, "status").contains("201"), "{root:?}");
    let below = children(&of_caller, root);
    assert_eq!(names(&below), ["process_payment"]);
    let steps = children(&of_caller, below[0]);
    // The card becomes a token before anything is written; then reserve, charge, settle.
    assert_eq!(names(&steps), ["gateway_request", "commit", "gateway_request", "commit"]);
    assert!(attribute(steps[0], "provider").contains("sandbox"), "{steps:?}");
    assert!(attribute(steps[1], "lane").contains("Reserve"), "{steps:?}");
    assert!(attribute(steps[2], "result").contains("answered"), "{steps:?}");
    assert!(attribute(steps[3], "lane").contains("Settle"), "{steps:?}");

    let requests: BTreeMap<String, &Span> =
        spans.iter().filter(|span| span.name == "request").map(|span| (hex(&span.trace_id), span)).collect();
    assert!(!requests.contains_key(&TRACE.replace("0af7", "1bf7")), "{requests:?}");
    let mine = requests.values().find(|span| span.parent_span_id.is_empty()).expect("a trace of its own");
    assert_eq!(names(&children(&spans, mine)), ["process_payment"]);

    let all = format!("{spans:?}");
    for secret in ["4242424242424242", "jane.doe", key.as_str(), key.trim_start_matches("sk_test_")] {
        assert!(!all.contains(secret), "{secret} is in a span");
    }
}

#[test]
fn events_and_log_lines_carry_the_trace() {
    let collector = Collector::start();
    let place = Place::sqlite("traced-events");
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address.as_str())];
    let server = place.serve(&settings, None);
    assert_eq!(server.post("/api/v1/payments", &card()).status, 201);
    let logs = server.logs();
    server.stop();
    let spans = collector.spans();
    let root = spans.iter().find(|span| span.name == "request").expect("a request");
    let trace = hex(&root.trace_id);
    assert!(logs.contains(&format!("\"trace_id\":\"{trace}\"")), "{trace}\n{logs}");
    let file = rusqlite::Connection::open(place.folder.join("florin-data/florin.db")).unwrap();
    let count: i64 = file
        .query_row("SELECT count(*) FROM journal WHERE instr(CAST(state AS TEXT), ?1) > 0", [&trace], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(count, 2, "the reserve's and the settle's events carry the trace");
}

#[test]
fn a_collector_that_is_gone_holds_nothing_up() {
    let place = Place::sqlite("no-collector");
    let server = place.serve(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")], None);
    for _ in 0..3 {
        assert_eq!(server.post("/api/v1/payments", &card()).status, 201);
    }
    server.stop();
}

#[test]
fn providers_are_told_the_trace() {
    let collector = Collector::start();
    let place = Place::sqlite("traced-provider");
    // The bank's place is taken by somebody who only looks at the head of the request and never answers
    // as a bank does.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heads: Arc<Mutex<String>> = Arc::default();
    let seen = Arc::clone(&heads);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut bytes = [0; 4096];
            let count = stream.unwrap().read(&mut bytes).unwrap_or(0);
            seen.lock().unwrap().push_str(&String::from_utf8_lossy(&bytes[..count]).to_ascii_lowercase());
        }
    });
    let settings =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.address.as_str()), ("FLORIN_SANDBOX__BANK", &address)];
    let server = place.serve(&settings, None);
    server.ask("POST", "/api/v1/payments", &[("traceparent", PARENT)], &card().to_string());
    let told = format!("traceparent: 00-{TRACE}-");
    wait(|| heads.lock().unwrap().contains(&told).then_some(())).unwrap_or_else(|| {
        panic!("{}", heads.lock().unwrap());
    });
    server.kill();
}
