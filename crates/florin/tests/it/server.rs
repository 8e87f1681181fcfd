//! The real binary: started, asked, stopped, killed.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use testkit::Database;

use crate::http::{self, Response};

/// Where a test's servers keep their data: a folder of its own, and perhaps a database of its own.
pub(crate) struct Place {
    pub(crate) folder: PathBuf,
    pub(crate) database: Option<Database>,
    /// Where commands find a database that the test did not make with [`Database`].
    url: Option<String>,
}

/// How a server ended up being reached.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) key: String,
    /// What it said before it was ready.
    pub(crate) greeting: String,
    child: Mutex<Child>,
    folder: PathBuf,
}

/// The program under test: another than this build's where FLORIN_TEST_BINARY names one, such as a release
/// build for a long run.
fn binary() -> String {
    std::env::var("FLORIN_TEST_BINARY").unwrap_or_else(|_| env!("CARGO_BIN_EXE_florin").to_owned())
}

/// Short, so that what waits for them in production does not hold a test up.
const SHORT: [(&str, &str); 9] = [
    ("FLORIN_SERVER__PORT", "0"),
    ("FLORIN_SERVER__ANSWER_WITHIN", "3s"),
    ("FLORIN_OPERATION__SEND_DEADLINE", "2s"),
    ("FLORIN_OPERATION__REPLY_TIMEOUT", "2s"),
    ("FLORIN_OPERATION__MARGIN", "500ms"),
    ("FLORIN_OPERATION__LOOKUP_FIRST", "500ms"),
    ("FLORIN_OPERATION__LOOKUP_LONGEST", "1s"),
    ("FLORIN_SANDBOX__UPI_DELAY", "500ms"),
    ("FLORIN_LOG__LEVEL", "info"),
];

impl Place {
    /// A place for a test of this name in SQLite.
    pub(crate) fn sqlite(name: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("{}/{name}-{}-{count}", env!("CARGO_TARGET_TMPDIR"), std::process::id());
        let folder = PathBuf::from(folder);
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, database: None, url: None }
    }

    /// The same in PostgreSQL; `None` if no test server is configured.
    pub(crate) fn postgres(name: &str) -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let database = runtime.block_on(Database::create())?;
        let mut place = Self::sqlite(name);
        place.database = Some(database);
        Some(place)
    }

    /// The same place, with its commands on the database of this URL.
    pub(crate) fn on(&mut self, url: &str) {
        self.url = Some(url.to_owned());
    }

    /// The binary, in this place and with nothing of the test's own environment.
    pub(crate) fn florin(&self, arguments: &[&str]) -> Command {
        self.prepared(Command::new(binary()), arguments)
    }

    fn prepared(&self, mut command: Command, arguments: &[&str]) -> Command {
        command.args(arguments).current_dir(&self.folder).env_clear();
        command.env("PATH", std::env::var("PATH").unwrap_or_default()).env("USER", "tester").envs(SHORT);
        if let Some(database) = &self.database {
            command.env("DATABASE_URL", database.url());
        }
        if let Some(url) = &self.url {
            command.env("DATABASE_URL", url);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        self.florin(arguments).output().unwrap()
    }

    /// Starts a server and waits until it says that it listens. `key` is that of an earlier start.
    pub(crate) fn serve(&self, settings: &[(&str, &str)], key: Option<&str>) -> Server {
        self.try_serve(settings, key).unwrap_or_else(|said| panic!("the server did not start: {said}"))
    }

    /// The same; what it said on standard error if it ended instead.
    pub(crate) fn try_serve(&self, settings: &[(&str, &str)], key: Option<&str>) -> Result<Server, String> {
        self.try_start(self.florin(&["serve"]), settings, key)
    }

    /// Starts a server whose writes beyond a limit on files fail, in place of ending it.
    pub(crate) fn serve_limited(&self, settings: &[(&str, &str)]) -> Server {
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$@\"", "sh", &binary()]);
        let started = self.try_start(self.prepared(shell, &["serve"]), settings, None);
        started.unwrap_or_else(|said| panic!("the server did not start: {said}"))
    }

    /// Starts a server that may open so many files, and no more.
    pub(crate) fn serve_with_files(&self, settings: &[(&str, &str)], files: u32) -> Server {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("ulimit -n {files}; exec \"$@\""), "sh", &binary()]);
        let started = self.try_start(self.prepared(shell, &["serve"]), settings, None);
        started.unwrap_or_else(|said| panic!("the server did not start: {said}"))
    }

    fn try_start(
        &self,
        mut command: Command,
        settings: &[(&str, &str)],
        key: Option<&str>,
    ) -> Result<Server, String> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let log = self.folder.join(format!("serve-{}.log", COUNT.fetch_add(1, Ordering::Relaxed)));
        let mut child = command
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut greeting = String::new();
        // The key's paragraph comes last, and only on a first start.
        let is_whole = |greeting: &str| {
            let is_first = greeting.contains("sk_test_") || key.is_none();
            greeting.contains("Data is kept in") && (!is_first || greeting.contains("'\n\n"))
        };
        while !is_whole(&greeting) {
            let mut line = String::new();
            if out.read_line(&mut line).unwrap() == 0 {
                child.wait().unwrap();
                return Err(std::fs::read_to_string(&log).unwrap());
            }
            greeting.push_str(&line);
        }
        let first = greeting.lines().find_map(|line| line.strip_prefix("Florin listens on "));
        let shown = greeting.lines().map(str::trim).find(|line| line.starts_with("sk_test_"));
        let key = key.or(shown).map(str::to_owned).expect("a first start shows a key");
        let url = first.unwrap().to_owned();
        Ok(Server { url, key, greeting, child: Mutex::new(child), folder: self.folder.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

impl Server {
    /// Asks the API: a path below the server's root.
    pub(crate) fn try_ask(
        &self,
        method: &str,
        path: &str,
        extra: &[(&str, &str)],
        body: &str,
    ) -> std::io::Result<Response> {
        let authorization = format!("Bearer {}", self.key);
        let mut headers =
            vec![("authorization", authorization.as_str()), ("content-type", "application/json")];
        headers.extend_from_slice(extra);
        http::send(method, &format!("{}{path}", self.url), &headers, body)
    }

    pub(crate) fn ask(&self, method: &str, path: &str, extra: &[(&str, &str)], body: &str) -> Response {
        self.try_ask(method, path, extra, body)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}\n{}", self.logs()))
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Response {
        self.ask("POST", path, &[], &body.to_string())
    }

    pub(crate) fn post_with_key(&self, path: &str, idempotency_key: &str, body: &Value) -> Response {
        self.ask("POST", path, &[("idempotency-key", idempotency_key)], &body.to_string())
    }

    pub(crate) fn get(&self, path: &str) -> Value {
        let response = self.ask("GET", path, &[], "");
        assert_eq!(response.status, 200, "{path}: {response:?}");
        response.json()
    }

    /// Asks for a payment until it has this status.
    pub(crate) fn wait_for(&self, id: &str, status: &str) -> Value {
        let path = format!("/api/v1/payments/{id}");
        let payment = wait(|| Some(self.get(&path)).filter(|payment| payment["status"] == status));
        payment.unwrap_or_else(|| panic!("not {status}: {}\n{}", self.get(&path), self.logs()))
    }

    /// Its process.
    pub(crate) fn pid(&self) -> String {
        self.child.lock().unwrap().id().to_string()
    }

    /// Sends a signal by name: `TERM`, `INT`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill").arg(format!("-{name}")).arg(self.pid()).status();
        assert!(status.unwrap().success());
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> ExitStatus {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.lock().unwrap().try_wait().unwrap() {
                return status;
            }
            assert!(began.elapsed() < Duration::from_mins(2), "it does not end\n{}", self.logs());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Stops it as an operator would.
    pub(crate) fn stop(self) {
        self.signal("TERM");
        let (logs, status) = (self.folder.clone(), self.end());
        assert!(status.success(), "{status}\n{}", logs_of(&logs));
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(self) {
        self.signal("KILL");
        self.end();
    }

    /// Whether it still runs, and the end of what it logged.
    pub(crate) fn logs(&self) -> String {
        let ended = self.child.lock().map(|mut child| child.try_wait());
        format!("ended: {ended:?}\n{}", logs_of(&self.folder))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The end of every log in the folder.
fn logs_of(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().extension().is_some_and(|extension| extension == "log") {
            let log = std::fs::read_to_string(entry.path()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            text.push_str(&lines.get(lines.len().saturating_sub(40)..).unwrap_or_default().join("\n"));
            text.push('\n');
        }
    }
    text
}

/// Asks again and again for up to two minutes: on a machine with too much to do everything takes long.
pub(crate) fn wait<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let began = Instant::now();
    while began.elapsed() < Duration::from_mins(2) {
        if let Some(found) = ask() {
            return Some(found);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    None
}
