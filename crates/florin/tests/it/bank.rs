//! The bank as a process of its own: it outlives the nodes, and its own file says what stands there.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};

use payments::OperationId;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::server::Place;

/// Ends with the test.
pub(crate) struct Bank {
    pub(crate) url: String,
    file: PathBuf,
    child: Child,
}

/// What the bank has of one payment, over all its charges, in minor units.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Charges by which money is held or was taken and not returned the same day.
    pub(crate) charges: u32,
    pub(crate) held: i64,
    pub(crate) captured: i64,
    pub(crate) refunded: i64,
}

impl Drop for Bank {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Bank {
    pub(crate) fn serve(place: &Place) -> Self {
        Self::serve_with(place, &[])
    }

    /// The same with settings of its own, such as a latency.
    pub(crate) fn serve_with(place: &Place, settings: &[(&str, &str)]) -> Self {
        let command = ["sandbox", "serve", "--port", "0", "--file", "bank-alone.db"];
        let mut command = place.florin(&command);
        let mut child = command.envs(settings.iter().copied()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("The sandbox bank listens on ").unwrap().to_owned();
        Self { url, file: place.folder.join("bank-alone.db"), child }
    }

    /// By payment: what its charges come to. Read from the bank's file, past all our own code.
    pub(crate) fn standings(&self) -> BTreeMap<String, Standing> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let file = Connection::open_with_flags(&self.file, flags).unwrap();
        file.busy_timeout(std::time::Duration::from_secs(30)).unwrap();
        let mut statement = file.prepare("SELECT state FROM bank_filing").unwrap();
        let states = statement.query_map((), |row| row.get::<_, Vec<u8>>(0)).unwrap();
        let mut all: BTreeMap<String, Standing> = BTreeMap::new();
        for state in states {
            let state = state.unwrap();
            // A form number stands before the JSON.
            let json = state.iter().position(|byte| *byte == b'{').unwrap();
            let filing: Value = serde_json::from_slice(&state[json..]).unwrap();
            let entry = &filing["entry"];
            if entry["entry"] == "charge" {
                let operation = OperationId::from_reference(entry["reference"].as_str().unwrap()).unwrap();
                all.entry(operation.payment.to_string()).or_default().add(entry);
            }
        }
        all
    }
}

impl Standing {
    /// Adds one charge: the fold of its facts.
    fn add(&mut self, charge: &Value) {
        let (mut held, mut captured, mut refunded) = (0, 0, 0);
        // Some of them lie in the future: when the authorization will lapse, for one.
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let facts = charge["facts"].as_array().unwrap().iter();
        let due = facts.filter(|dated| u128::from(dated["at"].as_u64().unwrap()) <= now);
        for fact in due.map(|dated| &dated["fact"]) {
            let minor = fact["minor"].as_i64().unwrap_or(0);
            match fact["fact"].as_str().unwrap() {
                "approved" if charge["captures_at_once"] == true => captured += minor,
                "approved" | "incremented" => held += minor,
                "captured" => {
                    captured += minor;
                    held -= minor;
                    if fact["is_last"] == true {
                        held = 0;
                    }
                }
                "voided" if held > 0 => held -= minor,
                "voided" => captured -= minor,
                "lapsed" => held = 0,
                "refunded" => refunded += minor,
                "refund_failed" => refunded -= minor,
                "cancelled" | "challenged" | "declined" | "processing" | "refund_settled" => {}
                other => panic!("a fact that this fold does not know: {other}"),
            }
        }
        self.charges += u32::from(held > 0 || captured > 0);
        self.held += held;
        self.captured += captured;
        self.refunded += refunded;
    }
}
