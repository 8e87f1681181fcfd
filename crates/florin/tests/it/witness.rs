//! Load with a witness: `florin bench` writes down every answer, and afterwards these, the server, the
//! books and the bank must tell the same story to the cent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::PathBuf;
use std::process::{Child, Command};

use serde_json::Value;

use crate::bank::{Bank, Standing};
use crate::cards::check_books;
use crate::server::{Place, Server, wait};

/// The resolver asks soon after what a fault left behind, so that clients get on.
pub(crate) const SOON: [(&str, &str); 4] = [
    ("FLORIN_OPERATION__SEND_DEADLINE", "300ms"),
    ("FLORIN_OPERATION__REPLY_TIMEOUT", "300ms"),
    ("FLORIN_OPERATION__MARGIN", "100ms"),
    ("FLORIN_LOG__LEVEL", "warn"),
];

/// Everything that moves money, in one load.
pub(crate) const EVERYTHING: &str = "create=6,refund=3,authorize=3,capture=2,void=1";

/// Whether what takes more than minutes was asked for.
pub(crate) fn is_long() -> bool {
    std::env::var("FLORIN_TEST_LONG").is_ok_and(|long| long == "1")
}

/// A number below this one, another in each run.
pub(crate) fn random(below: u64) -> u64 {
    std::hash::RandomState::new().build_hasher().finish() % below.max(1)
}

/// A running `florin bench`, as an operator would start it.
pub(crate) struct Load {
    child: Child,
    journal: PathBuf,
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Load {
    /// Begins the load on these servers, with so many clients.
    pub(crate) fn start(place: &Place, servers: &[&Server], mix: &str, clients: u32) -> Self {
        let journal = place.folder.join("journal.jsonl");
        let (shown, clients) = (journal.display().to_string(), clients.to_string());
        let mut arguments = vec!["bench", "--mix", mix, "--concurrency", &clients, "--journal", &shown];
        arguments.extend(["--duration", "10h", "--warm-up", "0s", "--request-timeout", "5s"]);
        arguments.extend(["--drain", "30s"]);
        for server in servers {
            arguments.extend(["--target", &server.url]);
        }
        let mut command = place.florin(&arguments);
        let said = File::create(place.folder.join("bench.log")).unwrap();
        command.env("FLORIN_API_KEY", &servers[0].key).stdout(said.try_clone().unwrap()).stderr(said);
        Self { child: command.spawn().unwrap(), journal }
    }

    /// How many answers there were so far.
    pub(crate) fn answers(&self) -> usize {
        std::fs::read(&self.journal).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count()
    }

    /// Waits for so many more answers.
    pub(crate) fn wait_for(&self, more: usize) {
        let before = self.answers();
        let came = wait(|| Some(()).filter(|()| self.answers() >= before + more));
        assert!(came.is_some(), "the load does not get on: {} answers after {before}", self.answers());
    }

    /// Waits for so many more answers that are what was asked for.
    pub(crate) fn wait_for_good(&self, more: usize) {
        let good =
            || self.lines().iter().filter(|line| line["code"].is_null() && !line["status"].is_null()).count();
        let before = good();
        let came = wait(|| Some(()).filter(|()| good() >= before + more));
        assert!(came.is_some(), "the service does not recover: {} good answers after {before}", good());
    }

    /// Waits for so many more answers with this code.
    pub(crate) fn wait_for_code(&self, code: &str, more: usize) {
        let count = || self.lines().iter().filter(|line| line["code"] == code).count();
        let before = count();
        let came = wait(|| Some(()).filter(|()| count() >= before + more));
        assert!(came.is_some(), "nobody is told {code}: {:?}", self.lines().last());
    }

    /// The journal so far: every answer, and at the end what got none.
    pub(crate) fn lines(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(&self.journal).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Ends it as Ctrl-C does: what is in flight is awaited, and the rest is written down as unanswered.
    pub(crate) fn stop(mut self) -> Vec<Value> {
        let stop = Command::new("kill").arg("-INT").arg(self.child.id().to_string()).status().unwrap();
        assert!(stop.success());
        self.child.wait().unwrap();
        self.lines()
    }
}

/// The end of a chaos: waits until everything is decided, then holds all accounts against each other.
pub(crate) fn check(place: &Place, server: &Server, bank: &Bank, journal: &[Value]) {
    let mut last = String::new();
    let agreed = wait(|| match agreement(server, bank) {
        Ok(payments) => Some(payments),
        Err(difference) => {
            last = difference;
            None
        }
    });
    let Some(payments) = agreed else {
        panic!("{}: server and bank differ: {last}\n{}", place.folder.display(), server.logs());
    };
    assert!(payments.values().any(|payment| payment["amount_captured"] != 0), "nothing was paid at all");
    hold_answers_against(server, &payments, journal);
    check_books(place);
}

/// All payments, if nothing is open any more and the bank has exactly what the server says.
fn agreement(server: &Server, bank: &Bank) -> Result<BTreeMap<String, Value>, String> {
    let payments = all(server, "/api/v1/payments");
    let mut standings = bank.standings();
    for (id, payment) in &payments {
        let standing = standings.remove(id).unwrap_or_default();
        let number = |name: &str| payment[name].as_i64().unwrap();
        let wanted = Standing {
            charges: u32::from(number("amount_captured") > 0 || number("amount_capturable") > 0),
            held: number("amount_capturable"),
            captured: number("amount_captured"),
            refunded: number("amount_refunded"),
        };
        if payment["status"] == "pending" || payment["status"] == "authorizing" || standing != wanted {
            return Err(format!("the bank has {standing:?} of {payment}"));
        }
    }
    let refunds = all(server, "/api/v1/refunds");
    if let Some(open) = refunds.values().find(|refund| refund["status"] == "pending") {
        return Err(format!("still open: {open}"));
    }
    if let Some((id, standing)) = standings.first_key_value() {
        return Err(format!("nobody asked for {id}: {standing:?}"));
    }
    Ok(payments)
}

/// Every object of a list, by its id.
pub(crate) fn all(server: &Server, list: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut path = format!("{list}?limit=100");
    loop {
        let page = server.get(&path);
        for object in page["data"].as_array().unwrap() {
            found.insert(object["id"].as_str().unwrap().to_owned(), object.clone());
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("{list}?limit=100&cursor={cursor}"),
            None => return found,
        }
    }
}

/// What clients were told, against what is so now: nothing that was said may have become untrue.
fn hold_answers_against(server: &Server, payments: &BTreeMap<String, Value>, journal: &[Value]) {
    let refunds = all(server, "/api/v1/refunds");
    let mut keys: BTreeMap<&str, &str> = BTreeMap::new();
    let mut told: BTreeSet<&str> = BTreeSet::new();
    let mut unanswered = 0;
    for line in journal {
        let text = |name: &str| line[name].as_str();
        let request = text("request").unwrap();
        let makes = request == "create" || request == "authorize";
        let is_open = line["status"].is_null() || text("code") == Some("undecided");
        unanswered += usize::from(makes && is_open);
        let Some(id) = text("payment_id") else { continue };
        let payment = payments.get(id).unwrap_or_else(|| panic!("a payment was told and is gone: {line}"));
        told.insert(id);
        if makes {
            assert!(keys.insert(id, text("key").unwrap()).is_none(), "two keys made one payment: {line}");
            assert_eq!(payment["amount"], line["amount"], "{line}");
        }
        let (captured, amount) = (&payment["amount_captured"], &payment["amount"]);
        let is_true = match (request, text("payment_status")) {
            (_, Some("paid" | "partially_refunded" | "refunded")) => captured == amount,
            // Whatever came of it afterwards, all of it was held.
            (_, Some("authorized")) => payment["amount_authorized"] == *amount,
            (_, Some("cancelled" | "failed")) => *captured == 0,
            _ if makes && line["status"] == 402 => *captured == 0,
            _ => true,
        };
        assert!(is_true, "told {line}, and it is {payment}");
        // Where the reserve of a refund is still under way, 202 shows its payment.
        if let Some(id) = text("refund_id").filter(|id| id.starts_with("re_")) {
            let refund = refunds.get(id).unwrap_or_else(|| panic!("a refund was told and is gone: {line}"));
            assert_eq!(refund["amount"], line["amount"], "{line}");
            if text("refund_status") == Some("succeeded") {
                assert_eq!(refund["status"], "succeeded", "{line}");
            }
        }
    }
    // Whoever was told that nothing was written was told the truth: all else was told nothing, or that
    // it is not known.
    let untold = payments.keys().filter(|id| !told.contains(id.as_str())).count();
    assert!(untold <= unanswered, "{untold} payments that nobody was told of, {unanswered} unanswered");
}
